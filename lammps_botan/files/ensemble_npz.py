"""Isoconfigurational data sets on disk: npz files, and the pickle files of Bapst et al.

One npz file holds one configuration and one lag time, in the format of the public data of
https://github.com/h3-Open-BDEC/pyg_botan: `types` [n_particles], `initial_positions`
[n_particles, 3], `positions` [n_runs, n_particles, 3], unwrapped, LJ units. Where the optional key
`box` (length, [3] or [3, 3]) is absent the box is a cube at N/V = 1.2; `time`, also optional, is
the lag time. In place of `positions` a file may have the targets themselves: `propensity`
[n_particles] and `pair_distance_change` [n_edges], in the order of the edges of
`structure.graph`. Files named *.pickle are those of `files.bapst_pickle`, with several lag
times.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.files.bapst_pickle import SUFFIX, BapstFile, read_bapst_file
from lammps_botan.structure.graph import Floats, cell_matrix

DENSITY = 1.2  # N/V of the Kob-Andersen mixture
SAME_TIME = 0.01  # relative difference up to which lag times are the same


@dataclass(frozen=True)
class Configuration:
    """One configuration and where its isoconfigurational runs ended.

    Attributes
    ----------
    path : Path
        The file it came from.
    species : int64 [n_particles]
    initial : float64 [n_particles, 3]
    final : float64 [n_runs, n_particles, 3]
        Unwrapped; n_runs = 0 where the file has none.
    cell : float64 [3, 3]
        Cell vectors as rows.
    time : float or None
        Lag time, where the file says it.
    propensity : float64 [n_particles] or None
        S_i, where the file has it and not the runs.
    pair_distance_change : float64 [n_edges] or None
        E_ij, where the file has it and not the runs.
    """

    path: Path
    species: np.ndarray
    initial: Floats
    final: Floats
    cell: Floats
    time: float | None = None
    propensity: Floats | None = None
    pair_distance_change: Floats | None = None


def same_time(a: float | None, b: float | None) -> bool:
    """Whether two lag times may be the same; one that is not said may be any."""
    return a is None or b is None or math.isclose(a, b, rel_tol=SAME_TIME)


def read_configuration(path: Path, *, time_index: int | None = None) -> Configuration:
    """Read one npz or pickle file; nothing in it is ever run.

    Parameters
    ----------
    path : Path
    time_index : int or None
        Which lag time of a pickle file; without, its future is left out. An npz file has one only.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is neither, lacks a key or the time index, or its arrays do not fit together.
    """
    path = Path(path)
    if path.suffix == SUFFIX:
        content = read_bapst_file(path)
        return _at(content, None if time_index is None else content.check_index(time_index))
    if time_index is not None:
        raise ValueError(
            f"{path}: the time index is for {SUFFIX} files, leave it out for npz files"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array, not an archive of arrays")
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(
            f"{path}: expected an npz file with types, initial_positions and positions: {error}"
        ) from error
    targets = "propensity" in arrays and "positions" not in arrays
    needed = ("types", "initial_positions", "propensity" if targets else "positions")
    missing = [k for k in needed if k not in arrays]
    if missing:
        raise ValueError(
            f"{path}: lacks {', '.join(missing)}; found {', '.join(sorted(arrays)) or 'nothing'}"
        )
    initial = _numbers(path, "initial_positions", arrays["initial_positions"])
    nowhere = np.zeros((0, *initial.shape))
    final = nowhere if targets else _numbers(path, "positions", arrays["positions"])
    species = np.asarray(arrays["types"])
    n = len(species) if species.ndim == 1 else 0
    if initial.shape != (n, 3) or final.ndim != 3 or final.shape[1:] != (n, 3) or n == 0:
        raise ValueError(
            f"{path}: expected types [n], initial_positions [n, 3] and positions [runs, n, 3], "
            f"found {list(species.shape)}, {list(initial.shape)} and {list(final.shape)}"
        )
    if species.dtype.kind not in "iu" or species.min() < 0:
        raise ValueError(f"{path}: types must be integers from 0, found {np.unique(species)[:5]}")
    for key, array in (("initial_positions", initial), ("positions", final)):
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {key} holds values that are not finite")
    cell = _cell(path, arrays.get("box", np.asarray((n / DENSITY) ** (1 / 3))))
    time = _numbers(path, "time", arrays["time"]) if "time" in arrays else None
    if time is not None and (time.shape != () or not np.isfinite(time)):
        raise ValueError(f"{path}: time must be one number, found {time.tolist()}")
    return Configuration(
        path,
        species.astype(np.int64),
        initial,
        final,
        cell,
        None if time is None else float(time),
        _targets(path, "propensity", arrays, n) if targets else None,
        _targets(path, "pair_distance_change", arrays) if targets else None,
    )


def _targets(
    path: Path, key: str, arrays: dict[str, npt.NDArray[Any]], n: int | None = None
) -> Floats | None:
    if key not in arrays:
        return None
    array = _numbers(path, key, arrays[key])
    if array.ndim != 1 or n not in {None, len(array)}:
        raise ValueError(
            f"{path}: {key} must have shape [{n or 'n_edges'}], found {list(array.shape)}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: {key} holds values that are not finite")
    return array


def _numbers(path: Path, key: str, array: npt.NDArray[Any]) -> Floats:
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{path}: {key} must be numbers, found the type {array.dtype}")
    return np.asarray(array, dtype=np.float64)


def _cell(path: Path, box: npt.NDArray[Any]) -> Floats:
    lengths = _numbers(path, "box", box)
    if lengths.ndim < 2 and not (lengths > 0).all():
        raise ValueError(f"{path}: box must be positive lengths, found {lengths.tolist()}")
    try:
        return cell_matrix(lengths)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _at(content: BapstFile, time_index: int | None) -> Configuration:
    cell = _cell(content.path, content.box)
    final, targets, time = np.zeros((0, *content.initial.shape)), None, None
    if time_index is not None:
        time = content.times[time_index]
        if time_index < len(content.final):
            final = content.final[time_index]
        elif time_index < len(content.propensity):
            targets = content.propensity[time_index]
        else:
            raise ValueError(
                f"{content.path}: has neither runs nor targets at time index {time_index}"
            )
    return Configuration(content.path, content.species, content.initial, final, cell, time, targets)


def read_future(path: Path, *, time_index: int | None = None) -> Configuration:
    """Read one npz or pickle file whose runs, or propensities, are there.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_configuration`, or if it has neither runs nor propensities; a pickle file needs a
        time index here.
    """
    path = Path(path)
    if path.suffix == SUFFIX:
        content = read_bapst_file(path)
        configuration = _at(content, content.check_index(time_index))
    else:
        configuration = read_configuration(path, time_index=time_index)
    if len(configuration.final) == 0 and configuration.propensity is None:
        raise ValueError(
            f"{path}: has no runs: positions must have shape [runs, n, 3] with at least one run, "
            f"found {list(configuration.final.shape)}"
        )
    return configuration
