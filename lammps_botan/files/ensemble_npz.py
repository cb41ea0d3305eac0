"""Isoconfigurational ensembles as npz files: one configuration, its runs, one lag time.

| key | shape | |
| --- | --- | --- |
| `types` | [n_particles] | species numbers from 0, or LAMMPS types from 1 where no 0 occurs |
| `initial_positions` | [n_particles, 3] or [n_particles, 2] | two components: two dimensions |
| `positions` | [n_runs, n_particles, 3] | one lag time later, unwrapped |
| `propensity`, `pair_distance_change` | [n_particles], [n_edges] | targets in place of runs |
| `box` | length, [2], [3] or [3, 3] | see `lammps_botan.structure.box` |
| `periodic` | [3] | bools; without it all directions of the space are periodic |
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

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.files.history_arrays import Histories, from_arrays, interval_of, to_arrays
from lammps_botan.files.mixture_toml import parse_mixture
from lammps_botan.files.whole_file import whole_file
from lammps_botan.structure.box import Box, Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import SHIPPED, Mixture, shipped_mixture

Arrays = dict[str, npt.NDArray[Any]]


def read_npz_start(path: Path, *, mixture: Mixture | None = None) -> Configuration:
    """The configuration of one npz file; nothing in it is ever run.

    Parameters
    ----------
    path : Path
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no npz file, lacks a key, its arrays do not fit together, or it says that the
        particles are another mixture.
    """
    return _configuration(path, _load(path), mixture)


def read_npz_ensemble(
    path: Path, *, time_index: int | None = None, mixture: Mixture | None = None
) -> Ensemble:
    """The ensemble of one npz file; nothing in it is ever run.

    Parameters
    ----------
    path : Path
    time_index : int, optional
        Which row of `md_prop`; other files have one lag time only.
    mixture : Mixture, optional
        As for `read_npz_start`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_npz_start`, or if the file has neither runs nor targets.
    """
    arrays = _load(path)
    configuration = _configuration(path, arrays, mixture)
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
        lag_time=_scalar(path, "time", arrays),
        propensity=propensity,
        pair_distance_change=(
            _numbers(path, "pair_distance_change", arrays) if with_changes else None
        ),
        path=path,
    )


def read_histories(path: Path) -> list[list[History]]:
    """The histories of one npz file.

    Returns
    -------
    list [n_structures] of list [n_velocities] of History
        Of the configuration; or of the configuration first, and of the ends of all runs.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_npz_start`, or if the file has no histories.
    """
    arrays = _load(path)
    histories = _histories(path, arrays, _configuration(path, arrays, None).n_particles)
    if not histories:
        raise ValueError(
            f"{path}: has no histories; add them by `lammps-botan simulate history {path} -o "
            "FOLDER`"
        )
    return histories


def read_history_interval(path: Path) -> float:
    """Time from one sample of the histories of a file to the next, time unit.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_npz_start`, or if the file does not say it.
    """
    return interval_of(path, _load(path))


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
        Its runs are written, or its targets, as float32, where it has no runs.
    histories : [n_structures][n_velocities] of History, optional
        As `read_histories` gives them; without them that of the configuration is written, if any.
    history_interval : float, optional
        Time from one sample of the histories to the next.
    **about : array
        Further keys of the file.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left of it then.
    ValueError
        If the histories are not over one window, or there are more of one structure than of
        another.
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
        "time": ensemble.lag_time,
        "temperature": start.temperature,
        "initial_positions_inherent": start.inherent_positions,
        "inherent_energies": start.inherent_energies,
    }
    arrays |= {key: value for key, value in known.items() if value is not None}
    if start.mixture is not None:
        arrays["mixture"] = start.mixture.model_dump_json()
    if histories is not None:
        arrays |= to_arrays(histories, history_interval)
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, **(arrays | about))  # type: ignore[arg-type]


def _load(path: Path) -> Arrays:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array, not an archive of arrays")
            return {key: archive[key] for key in archive.files}
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(
            f"{path}: expected an npz file with types, initial_positions and positions: {error}"
        ) from error


def _configuration(path: Path, arrays: Arrays, mixture: Mixture | None) -> Configuration:
    missing = [key for key in ("types", "initial_positions") if key not in arrays]
    if not missing and not {"positions", "propensity", "md_prop"} & arrays.keys():
        missing = ["positions"]
    if missing:
        raise ValueError(
            f"{path}: lacks {', '.join(missing)}; found {', '.join(sorted(arrays)) or 'nothing'}"
        )
    initial = _numbers(path, "initial_positions", arrays)
    n = len(arrays["types"]) if arrays["types"].ndim == 1 else 0
    if n == 0 or initial.shape not in {(n, 3), (n, 2)}:
        raise ValueError(
            f"{path}: expected types [n] and initial_positions [n, 3] or [n, 2], found "
            f"{list(arrays['types'].shape)} and {list(initial.shape)}"
        )
    species = _species(path, arrays["types"])
    known = _mixture(path, arrays, mixture, species, initial)
    histories = _histories(path, arrays, n)
    return Configuration(
        positions=initial,
        species=species,
        box=_box(path, arrays, initial, known),
        mixture=known,
        inherent_positions=_inherent(path, arrays, initial),
        inherent_energies=_inherent_energies(path, arrays, n),
        history=histories[0][0] if histories else None,
        temperature=_scalar(path, "temperature", arrays),
        where=str(path),
    )


def _numbers(path: Path, key: str, arrays: Arrays) -> Floats:
    array = arrays[key]
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{path}: {key} must be numbers, found the type {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: {key} holds values that are not finite")
    return np.asarray(array, dtype=np.float64)


def _scalar(path: Path, key: str, arrays: Arrays) -> float | None:
    if key not in arrays:
        return None
    if arrays[key].dtype.kind == "U":  # GlassBench writes temperatures as text
        with contextlib.suppress(ValueError):
            arrays = {key: arrays[key].astype(np.float64)}
    number = _numbers(path, key, arrays)
    if number.shape != ():
        raise ValueError(f"{path}: {key} must be one number, found {number.tolist()}")
    return float(number)


def _species(path: Path, types: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    if types.dtype.kind not in "iu" or types.min() < 0:
        raise ValueError(f"{path}: types must be integers from 0, found {np.unique(types)[:5]}")
    kinds = np.unique(types)
    if kinds[0] == 0:
        return types.astype(np.int64)
    if len(kinds) > 1 and np.array_equal(kinds, np.arange(1, len(kinds) + 1)):
        return types.astype(np.int64) - 1
    raise ValueError(
        f"{path}: types must be species numbers from 0, or LAMMPS types of which each occurs, from "
        f"1; found {kinds[:5]}, where it cannot be told which is the first species"
    )


def _mixture(
    path: Path,
    arrays: Arrays,
    given: Mixture | None,
    species: npt.NDArray[np.int64],
    initial: Floats,
) -> Mixture | None:
    """What the file says, else what was given, else the shipped mixture that it can be."""
    own: Mixture | None = None
    if "mixture" in arrays:
        own = parse_mixture(str(arrays["mixture"][()]), f"{path}: mixture")
    elif "system_id" in arrays:
        own = SHIPPED.get(str(arrays["system_id"][()]).lower())
    if own is not None:
        if given is not None and (why := own.difference(given)):
            raise ValueError(
                f"{path}: holds the mixture {own.name}, expected {given.name}; they differ in {why}"
            )
        return own
    if given is not None:
        return given
    box = _box(path, arrays, initial, None) if "box" in arrays else None
    flat = initial.shape[1] == 2
    if box is not None and not box.periodic[2] and not flat:
        flat = not np.ptp(initial[:, 2])
    density = None
    if box is not None:
        density = len(initial) / (box.area if flat else box.volume)
    return shipped_mixture(species, dimension=2 if flat else 3, density=density)


def _box(path: Path, arrays: Arrays, initial: Floats, mixture: Mixture | None) -> Box:
    dimension = initial.shape[1]
    if "box" in arrays:
        lengths = _numbers(path, "box", arrays)
        if lengths.ndim < 2 and not (lengths > 0).all():
            raise ValueError(f"{path}: box must be positive lengths, found {lengths.tolist()}")
        if lengths.shape == () and dimension == 2:
            lengths = np.repeat(lengths, 2)
    else:
        lengths = _missing_box(path, initial, mixture)
    periodic = arrays.get("periodic", np.array([True, True, dimension == 3]))
    if periodic.shape != (3,) or periodic.dtype.kind not in "bi":
        raise ValueError(f"{path}: periodic must be three bools, found {periodic.tolist()}")
    x, y, z = (bool(flag) for flag in periodic)
    try:
        return Box(lengths, (x, y, z))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _missing_box(path: Path, initial: Floats, mixture: Mixture | None) -> Floats:
    """The cube of the mixture's density, where the particles fill just that."""
    n, dimension = initial.shape
    if mixture is None or mixture.density is None:
        raise ValueError(
            f"{path}: has no box, and its particles are no known mixture of a known density; add "
            "the key box: a length, [3] or [3, 3]"
        )
    edge = (n / mixture.density) ** (1 / dimension)
    extent = np.ptp(initial, axis=0)
    # in a full box the outermost particles are less than a particle distance from the faces
    gap = mixture.density ** (-1 / dimension)
    if (extent > edge * (1 + 1e-6)).any() or (extent < edge - gap).any():
        raise ValueError(
            f"{path}: has no box, and a cube of the density of {mixture.name}, "
            f"{mixture.density:g}, has the edge {edge:.6g}, but the particles extend over "
            f"{', '.join(f'{x:.6g}' for x in extent)}; add the key box: a length, [3] or [3, 3]"
        )
    return np.asarray([edge] * dimension)


def _inherent(path: Path, arrays: Arrays, initial: Floats) -> Floats | None:
    key = "initial_positions_inherent"
    if key not in arrays:
        return None
    inherent = _numbers(path, key, arrays)
    if inherent.shape != initial.shape:
        raise ValueError(
            f"{path}: {key} must have shape {list(initial.shape)}, found {list(inherent.shape)}"
        )
    return inherent


def _inherent_energies(path: Path, arrays: Arrays, n: int) -> Floats | None:
    if "inherent_energies" not in arrays:
        return None
    given = _numbers(path, "inherent_energies", arrays)
    n_structures = 1 + _n_runs(arrays)
    if given.shape not in {(n,), (1, n), (n_structures, n)}:
        raise ValueError(
            f"{path}: inherent_energies must have shape [{n}] or [{n_structures}, {n}], found "
            f"{list(given.shape)}"
        )
    return np.asarray(np.atleast_2d(given)[0])


def _histories(path: Path, arrays: Arrays, n: int) -> list[list[History]]:
    return from_arrays(path, arrays, n, _n_runs(arrays))


def _n_runs(arrays: Arrays) -> int:
    return len(arrays["positions"]) if "positions" in arrays else 0


def _future(path: Path, arrays: Arrays, time_index: int | None) -> tuple[Floats, Floats | None]:
    """Ends of the runs and propensity, of which there is one."""
    expected = arrays["initial_positions"].shape
    nowhere = np.zeros((0, *expected))
    if "md_prop" in arrays and "positions" not in arrays:
        rows = np.atleast_2d(_numbers(path, "md_prop", arrays))
        if time_index is None or not 0 <= time_index < len(rows):
            given = "none" if time_index is None else str(time_index)
            raise ValueError(
                f"{path}: holds {len(rows)} lag times; choose one by its time index "
                f"(--time-index), 0 to {len(rows) - 1}, found {given}"
            )
        return nowhere, rows[time_index]
    if time_index is not None:
        raise ValueError(
            f"{path}: the time index is for files with several lag times, leave it out here"
        )
    if "positions" not in arrays:
        return nowhere, _numbers(path, "propensity", arrays)
    final = _numbers(path, "positions", arrays)
    if final.ndim != 3 or final.shape[1:] != expected:
        raise ValueError(
            f"{path}: expected types [n], initial_positions [n, 3] and positions [runs, n, 3], "
            f"found {list(arrays['types'].shape)}, {list(expected)} and {list(final.shape)}"
        )
    return final, None
