"""The former address of lammps_botan.prediction.callbacks."""

import warnings

from lammps_botan.prediction.callbacks import (
    Attachment,
    DumpNeighbors,
    Score,
    Snapshot,
    attach,
    read_snapshot,
    read_snapshots,
)

__all__ = [
    "Attachment",
    "DumpNeighbors",
    "Score",
    "Snapshot",
    "attach",
    "read_snapshot",
    "read_snapshots",
]

warnings.warn(
    "lammps_botan.callbacks is now lammps_botan.prediction.callbacks",
    DeprecationWarning,
    stacklevel=2,
)
