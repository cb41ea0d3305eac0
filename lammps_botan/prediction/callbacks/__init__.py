"""Scoring by Python inside a running LAMMPS: `fix external` and `fix python/invoke`.

The names are ::

    from lammps_botan.prediction.callbacks import attach            # LAMMPS driven from Python
    from lammps_botan.prediction.callbacks import DumpNeighbors, Score   # named in an input script

docs/reference/callbacks.md has the lines to write. The graph of the whole box is built and scored
on MPI rank 0; `fix botan` is the way that scales.
"""

from lammps_botan.files.snapshot import Snapshot, read_snapshot, read_snapshots
from lammps_botan.prediction.callbacks.external import Attachment, attach
from lammps_botan.prediction.callbacks.invoke import DumpNeighbors, Score

__all__ = [
    "Attachment",
    "DumpNeighbors",
    "Score",
    "Snapshot",
    "attach",
    "read_snapshot",
    "read_snapshots",
]
