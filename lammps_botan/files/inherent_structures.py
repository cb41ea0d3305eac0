"""Inherent structures in npz files of `lammps-botan simulate inherent`."""

from dataclasses import replace
from pathlib import Path

from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.files.npz_configuration import load_arrays, numbers
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture


def read_structures(path: Path, *, mixture: Mixture | None = None) -> list[Configuration]:
    """Read the start of an npz file of `simulate inherent` and the ends of its runs, in this order.

    Parameters
    ----------
    path : Path
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Returns
    -------
    list [1 + n_runs] of Configuration
        Each with inherent positions and energies.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file has no inherent structures, or not one for the start and each run.

    Examples
    --------
    >>> import numpy as np
    >>> start = {"box": 5.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> inherent = {"inherent_positions": np.ones((5, 2, 3)), "inherent_energies": np.ones((5, 2))}
    >>> np.savez("is.npz", **start, positions=np.zeros((4, 2, 3)), **inherent)
    >>> len(read_structures(Path("is.npz")))
    5
    """
    ensemble = read_ensemble(path, mixture=mixture)
    keys = ("inherent_positions", "inherent_energies")
    arrays = load_arrays(path)
    if any(key not in arrays for key in keys):
        raise ValueError(
            f"{path}: lacks {' and '.join(keys)}; make them by `lammps-botan simulate inherent "
            f"{path} -o FOLDER`"
        )
    positions, energies = (numbers(path, key, arrays) for key in keys)
    n, n_structures = ensemble.configuration.n_particles, 1 + ensemble.n_runs
    shapes = {(n_structures, n, 3), (n_structures, n, ensemble.configuration.dimension)}
    if positions.shape not in shapes or energies.shape != (n_structures, n):
        raise ValueError(
            f"{path}: expected inherent_positions [{n_structures}, {n}, 3] and inherent_energies "
            f"[{n_structures}, {n}], found {list(positions.shape)} and {list(energies.shape)}"
        )
    thermal = [ensemble.initial, *ensemble.final]
    return [
        replace(
            ensemble.configuration,
            positions=now,
            history=None,  # that of the start
            inherent_positions=inherent,
            inherent_energies=energy,
        )
        for now, inherent, energy in zip(thermal, positions, energies, strict=True)
    ]
