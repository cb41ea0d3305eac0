"""Write npz files that `lammps_botan.files.ensemble_npz` reads."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from lammps_botan.structure.graph import Floats


def write_configuration(
    path: Path,
    *,
    species: npt.ArrayLike,
    initial: Floats,
    final: Floats,
    cell: Floats,
    time: float | None,
    **about: npt.ArrayLike,
) -> None:
    """Write one npz file, which appears under its name when it is whole.

    Parameters
    ----------
    path : Path
    species : int [n_particles]
        From 0.
    initial : [n_particles, 3]
    final : [n_runs, n_particles, 3]
        Unwrapped.
    cell : [3, 3]
        Cell vectors as rows.
    time : float or None
        Lag time, where it is known.
    **about : array
        Further keys of the file.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left of it then.
    """
    _write(path, species, initial, cell, time, positions=final, **about)


def write_targets(
    path: Path,
    *,
    species: npt.ArrayLike,
    initial: Floats,
    cell: Floats,
    time: float | None,
    propensity: Floats,
    pair_distance_change: Floats,
) -> None:
    """Write one npz file with targets in place of runs; it appears when it is whole.

    Parameters
    ----------
    path : Path
    species : int [n_particles]
        From 0.
    initial : [n_particles, 3]
    cell : [3, 3]
        Cell vectors as rows.
    time : float or None
        Lag time, where it is known.
    propensity : [n_particles]
    pair_distance_change : [n_edges]
        In the order of the edges of the graph of `initial`.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left of it then.
    """
    targets = {
        "propensity": propensity.astype(np.float32),
        "pair_distance_change": pair_distance_change.astype(np.float32),
    }
    _write(path, species, initial, cell, time, **targets)


def _write(
    path: Path,
    species: npt.ArrayLike,
    initial: Floats,
    cell: Floats,
    time: float | None,
    **arrays: npt.ArrayLike,
) -> None:
    box = np.diagonal(cell) if np.count_nonzero(cell) == 3 else cell
    if time is not None:
        arrays["time"] = time
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            np.savez(
                file,
                types=np.asarray(species, dtype=np.int64),
                initial_positions=initial,
                box=box,
                **arrays,  # type: ignore[arg-type]
            )
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
