"""Isoconfigurational ensembles as npz files: one configuration, its runs, one lag time.

| key | shape | |
| --- | --- | --- |
| `types` | [n_particles] | species numbers from 0, or LAMMPS types from 1 where no 0 occurs |
| `first_type` | | 0 where `types` are species numbers although no 0 occurs |
| `initial_positions` | [n_particles, 3] or [n_particles, 2] | two components: two dimensions |
| `positions` | [n_runs, n_particles, 3] | one lag time later, unwrapped |
| `propensity`, `pair_distance_change` | [n_particles], [n_edges] | targets in place of runs |
| `box` | length, [2], [3] or [3, 3] | see `lammps_botan.structure.box` |
| `periodic` | [3] | bools; without it all directions of the space are periodic |
| `origin` | [3] | lower corner of the box; without it 0 |
| `time` | | lag time |
| `temperature` | | |
| `mixture` | | JSON text, see `lammps_botan.structure.mixture` |
| `initial_positions_inherent` | as `initial_positions` | the inherent structure |
| `inherent_energies` | [n_particles], or [1 + n_runs, n_particles] | the first row is the start's |
| `history_...` | | histories, see `lammps_botan.files.history_arrays` |

Only `types`, `initial_positions` and one of `positions` and `propensity` must be there. These are
the keys of the public data of BOTAN (https://github.com/h3-Open-BDEC/pyg_botan), which has no box
and is read as the Kob-Andersen mixture, and of GlassBench (doi:10.5281/zenodo.10118191), whose
model files have `md_prop` [n_times, n_particles] in place of `propensity`.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from lammps_botan.files.history_arrays import Histories, copies_of, interval_of, to_arrays
from lammps_botan.files.npz_configuration import (
    Arrays,
    configuration_of,
    histories_of,
    load_arrays,
    numbers,
    scalar,
)
from lammps_botan.files.whole_file import whole_file
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import Mixture


def read_npz_start(path: Path, *, mixture: Mixture | None = None) -> Configuration:
    """Read the configuration of one npz file; no code of the file is run.

    Parameters
    ----------
    path : Path
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Returns
    -------
    Configuration

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no npz file, lacks a key, its arrays do not fit together, or it says that the
        particles are another mixture.

    Examples
    --------
    >>> start = {"box": 5.0, "types": [0, 1], "initial_positions": np.eye(2, 3)}
    >>> np.savez("one.npz", **start, propensity=[0.1, 0.2])
    >>> read_npz_start(Path("one.npz")).species
    array([0, 1])
    """
    return configuration_of(path, load_arrays(path), mixture)


def read_npz_ensemble(
    path: Path, *, time_index: int | None = None, mixture: Mixture | None = None
) -> Ensemble:
    """Read the ensemble of one npz file; no code of the file is run.

    Parameters
    ----------
    path : Path
    time_index : int, optional
        Row of `md_prop`, from 0; other files have one lag time only.
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Returns
    -------
    Ensemble

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `read_npz_start`, or if the file has neither runs nor targets.

    Examples
    --------
    >>> start = {"box": 5.0, "types": [0, 1], "initial_positions": np.eye(2, 3)}
    >>> np.savez("one.npz", **start, propensity=[0.1, 0.2])
    >>> read_npz_ensemble(Path("one.npz")).propensity
    array([0.1, 0.2])
    """
    arrays = load_arrays(path)
    configuration = configuration_of(path, arrays, mixture)
    final, propensity = _future(path, arrays, time_index)
    if len(final) == 0 and propensity is None:
        raise ValueError(
            f"{path}: has no runs: positions must have shape [runs, n, 3] with at least one run, "
            f"found {list(final.shape)}"
        )
    with_changes = len(final) == 0 and "pair_distance_change" in arrays
    return Ensemble(
        configuration=configuration,
        final=final,
        lag_time=scalar(path, "time", arrays),
        propensity=propensity,
        pair_distance_change=(
            numbers(path, "pair_distance_change", arrays) if with_changes else None
        ),
        path=path,
    )


def read_histories(path: Path) -> list[list[History]]:
    """Read the histories of one npz file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list [n_structures] of list [n_velocities] of History
        Histories of the configuration; then of the ends of the runs, where the file has them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `read_npz_start`, or if the file has no histories.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)))
    >>> history = History(30.0, np.zeros((2, 3)), np.ones(2), np.ones(2))
    >>> write_ensemble(Path("h.npz"), Ensemble(start, np.zeros((0, 2, 3))), histories=[[history]])
    >>> [[one.window for one in row] for row in read_histories(Path("h.npz"))]
    [[30.0]]
    """
    _, histories = _with_histories(path)
    return histories


def read_copies(path: Path) -> Floats:
    """Read the thermal copies of the structures of one npz file, which belong to its histories.

    Parameters
    ----------
    path : Path

    Returns
    -------
    float64 [n_structures, n_velocities, n_copies, n_particles, 3]
        Unwrapped positions, length unit; `n_copies` is 0 where the file has no copies.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `read_histories`.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)))
    >>> history = History(30.0, np.zeros((2, 3)), np.ones(2), np.ones(2))
    >>> write_ensemble(Path("h.npz"), Ensemble(start, np.zeros((0, 2, 3))), histories=[[history]])
    >>> read_copies(Path("h.npz")).shape
    (1, 1, 0, 2, 3)
    """
    arrays, _ = _with_histories(path)
    return np.asarray(copies_of(arrays), dtype=np.float64)


def read_history_interval(path: Path) -> float:
    """Read the time from one sample of the histories of a file to the next.

    Parameters
    ----------
    path : Path

    Returns
    -------
    float
        Time unit.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `read_npz_start`, or if the file does not say the interval.

    Examples
    --------
    >>> start = {"box": 5.0, "types": [0], "initial_positions": np.zeros((1, 3))}
    >>> np.savez("one.npz", **start, propensity=[0.1], history_interval=0.5)
    >>> read_history_interval(Path("one.npz"))
    0.5
    """
    return interval_of(path, load_arrays(path))


def write_ensemble(
    path: Path,
    ensemble: Ensemble,
    *,
    histories: Histories | None = None,
    history_interval: float | None = None,
    **about: npt.ArrayLike,
) -> None:
    """Write one npz file, which appears under its name when it is whole.

    Parameters
    ----------
    path : Path
    ensemble : Ensemble
        The file gets the runs; of an ensemble without runs the targets, as float32.
    histories : [n_structures][n_velocities] of History, optional
        As `read_histories` gives them. Default: the history of the configuration, if it has one.
    history_interval : float, optional
        Time from one sample of the histories to the next, time unit.
    **about : array
        Further keys of the file.

    Raises
    ------
    OSError
        If the file cannot be written; nothing is left of it then.
    ValueError
        If the windows of the histories differ, or structures have different numbers of histories.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)))
    >>> write_ensemble(Path("runs.npz"), Ensemble(start, np.zeros((4, 2, 3)), lag_time=13.0))
    >>> read_npz_ensemble(Path("runs.npz")).n_runs
    4
    """
    start = ensemble.configuration
    if histories is None and start.history is not None:
        histories = [[start.history]]
    arrays: dict[str, npt.ArrayLike] = {
        "types": start.species,
        "initial_positions": start.positions,
        "box": np.diagonal(start.box.cell) if start.box.is_orthogonal else start.box.cell,
        "periodic": np.array(start.box.periodic),
    }
    if ensemble.n_runs or ensemble.propensity is None:
        arrays["positions"] = ensemble.final
    else:
        arrays["propensity"] = ensemble.propensity.astype(np.float32)
        if ensemble.pair_distance_change is not None:
            arrays["pair_distance_change"] = ensemble.pair_distance_change.astype(np.float32)
    known = {
        "origin": start.box.origin if np.any(start.box.origin) else None,
        "time": ensemble.lag_time,
        "temperature": start.temperature,
        "initial_positions_inherent": start.inherent_positions,
        "inherent_energies": start.inherent_energies,
    }
    arrays |= {key: value for key, value in known.items() if value is not None}
    if 0 not in start.species:  # else a reader would take them for LAMMPS types
        arrays["first_type"] = 0
    if start.mixture is not None:
        arrays["mixture"] = start.mixture.model_dump_json()
    if histories is not None:
        arrays |= to_arrays(histories)
    if history_interval is not None:
        arrays["history_interval"] = history_interval
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, **(arrays | about))  # type: ignore[arg-type]


def _with_histories(path: Path) -> tuple[Arrays, list[list[History]]]:
    """Arrays and histories of a file; a file without histories is refused."""
    arrays = load_arrays(path)
    histories = histories_of(path, arrays, configuration_of(path, arrays, None).n_particles)
    if not histories:
        raise ValueError(
            f"{path}: has no histories; add them by `lammps-botan simulate history {path} -o "
            "FOLDER`"
        )
    return arrays, histories


def _future(path: Path, arrays: Arrays, time_index: int | None) -> tuple[Floats, Floats | None]:
    """Final positions of the runs and propensity; at least one of them is there."""
    expected = arrays["initial_positions"].shape
    nowhere = np.zeros((0, *expected))
    if "md_prop" in arrays and "positions" not in arrays:
        rows = np.atleast_2d(numbers(path, "md_prop", arrays))
        if time_index is None or not 0 <= time_index < len(rows):
            given = "none" if time_index is None else str(time_index)
            raise ValueError(
                f"{path}: holds {len(rows)} lag times; choose one by its time index (--time-index "
                f"of evaluate and plot, data.time_index of a training), 0 to {len(rows) - 1}, "
                f"found {given}"
            )
        return nowhere, rows[time_index]
    if time_index is not None:
        raise ValueError(
            f"{path}: the time index is for files with several lag times, leave it out here"
        )
    if "positions" not in arrays:
        return nowhere, numbers(path, "propensity", arrays)
    final = numbers(path, "positions", arrays)
    if final.ndim != 3 or final.shape[1:] != expected:
        raise ValueError(
            f"{path}: expected types [n], initial_positions [n, 3] and positions [runs, n, 3], "
            f"found {list(arrays['types'].shape)}, {list(expected)} and {list(final.shape)}"
        )
    return final, None
