"""The former address of lammps_botan.structure.configuration."""

import warnings

from lammps_botan.files.lammps_dump import Frame

__all__ = [
    "Frame",
]

warnings.warn(
    "lammps_botan.frames is now lammps_botan.structure.configuration",
    DeprecationWarning,
    stacklevel=2,
)
