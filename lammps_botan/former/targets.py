"""The former address of lammps_botan.analysis.targets."""

import warnings

from lammps_botan.analysis.targets import (
    neighbor_averaged_displacement,
    propensity,
    relative_displacement,
)

__all__ = [
    "neighbor_averaged_displacement",
    "propensity",
    "relative_displacement",
]

warnings.warn(
    "lammps_botan.targets is now lammps_botan.analysis.targets",
    DeprecationWarning,
    stacklevel=2,
)
