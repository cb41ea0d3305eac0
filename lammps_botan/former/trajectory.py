"""The former address of lammps_botan.files.trajectory."""

import warnings

from lammps_botan.files.trajectory import open_dump, open_frames

__all__ = [
    "open_dump",
    "open_frames",
]

warnings.warn(
    "lammps_botan.trajectory is now lammps_botan.files.trajectory",
    DeprecationWarning,
    stacklevel=2,
)
