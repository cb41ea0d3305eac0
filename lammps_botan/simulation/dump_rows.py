"""The rows of a dump of one frame that a script of inputs/ wrote, one for each particle."""

from pathlib import Path

import numpy as np

from lammps_botan.structure.box import Floats

_HEADER = 9  # lines of a dump before its atoms


def read_dump_rows(dump: Path, n_particles: int, n_columns: int) -> Floats:
    """Numbers float64 [n_particles, n_columns] of a dump, which is removed where it was cut short.

    Raises
    ------
    ChildProcessError
        If the dump is not whole.
    """
    try:
        rows = np.loadtxt(dump, skiprows=_HEADER, ndmin=2)
        if rows.shape != (n_particles, n_columns):
            raise ValueError(
                f"expected {n_particles} rows of {n_columns} numbers, found {list(rows.shape)}"
            )
    except ValueError as error:
        dump.unlink()
        raise ChildProcessError(
            f"{dump}: {error}; was the disk full? The file is removed: start again, and the run is "
            "made again"
        ) from error
    return rows
