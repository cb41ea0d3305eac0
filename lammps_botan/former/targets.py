"""The former address of lammps_botan.analysis.targets."""

import warnings

from lammps_botan.analysis.targets import (
    bond_breakage,
    bonds,
    neighbor_averaged_displacement,
    pair_distance_change,
    propensity,
    relative_displacement,
)

__all__ = [
    "bond_breakage",
    "bonds",
    "neighbor_averaged_displacement",
    "pair_distance_change",
    "propensity",
    "relative_displacement",
]

warnings.warn(
    "lammps_botan.targets is now lammps_botan.analysis.targets",
    DeprecationWarning,
    stacklevel=2,
)
