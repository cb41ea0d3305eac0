"""The former address of lammps_botan.analysis.sample."""

import warnings

from lammps_botan.analysis.sample import read_sample

__all__ = [
    "read_sample",
]

warnings.warn(
    "lammps_botan.dataset is now lammps_botan.analysis.sample",
    DeprecationWarning,
    stacklevel=2,
)
