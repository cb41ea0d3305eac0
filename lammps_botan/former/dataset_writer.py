"""The former address of lammps_botan.files.ensemble_npz, with the arguments of then."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.structure.box import Box, Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble

__all__ = [
    "write_targets",
]

warnings.warn(
    "lammps_botan.dataset_writer is now lammps_botan.files.ensemble_npz",
    DeprecationWarning,
    stacklevel=2,
)


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
    """Write one npz file with targets in place of runs; see `write_ensemble`."""
    start = Configuration(
        positions=initial,
        species=species,  # type: ignore[arg-type]
        box=Box(cell, (True, True, True)),
    )
    nowhere = np.zeros((0, start.n_particles, 3))
    ensemble = Ensemble(
        configuration=start,
        final=nowhere,
        lag_time=time,
        propensity=propensity,
        pair_distance_change=pair_distance_change,
    )
    write_ensemble(path, ensemble)
