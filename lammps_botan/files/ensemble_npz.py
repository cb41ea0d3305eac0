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
    return configuration_of(path, load_arrays(path), mixture)


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
    _, histories = _with_histories(path)
    return histories


def read_copies(path: Path) -> Floats:
    """Thermal copies of the structures of one npz file, which belong to its histories.

    Returns
    -------
    float64 [n_structures, n_velocities, n_copies, n_particles, 3]
        Unwrapped positions; `n_copies` is 0 where the file has none.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_histories`.
    """
    arrays, _ = _with_histories(path)
    return np.asarray(copies_of(arrays), dtype=np.float64)


def read_history_interval(path: Path) -> float:
    """Time from one sample of the histories of a file to the next, time unit.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_npz_start`, or if the file does not say it.
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
        arrays |= to_arrays(histories)
    if history_interval is not None:
        arrays["history_interval"] = history_interval
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, **(arrays | about))  # type: ignore[arg-type]


def _with_histories(path: Path) -> tuple[Arrays, list[list[History]]]:
    """The arrays of a file that must have histories, and these."""
    arrays = load_arrays(path)
    histories = histories_of(path, arrays, configuration_of(path, arrays, None).n_particles)
    if not histories:
        raise ValueError(
            f"{path}: has no histories; add them by `lammps-botan simulate history {path} -o "
            "FOLDER`"
        )
    return arrays, histories


def _future(path: Path, arrays: Arrays, time_index: int | None) -> tuple[Floats, Floats | None]:
    """Ends of the runs and propensity, of which there is one."""
    expected = arrays["initial_positions"].shape
    nowhere = np.zeros((0, *expected))
    if "md_prop" in arrays and "positions" not in arrays:
        rows = np.atleast_2d(numbers(path, "md_prop", arrays))
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
        return nowhere, numbers(path, "propensity", arrays)
    final = numbers(path, "positions", arrays)
    if final.ndim != 3 or final.shape[1:] != expected:
        raise ValueError(
            f"{path}: expected types [n], initial_positions [n, 3] and positions [runs, n, 3], "
            f"found {list(arrays['types'].shape)}, {list(expected)} and {list(final.shape)}"
        )
    return final, None
