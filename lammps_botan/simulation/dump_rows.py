"""Rows of a dump that a script of inputs/ wrote, one for each particle of each frame."""

from pathlib import Path

import numpy as np

from lammps_botan.structure.box import Floats

_HEADER = 9  # lines of a dump before its atoms


def read_dump_rows(dump: Path, n_rows: int, n_columns: int, *, header: int = _HEADER) -> Floats:
    """Read the numbers of a dump; a dump that was cut short is removed.

    Parameters
    ----------
    dump : Path
        A dump of one frame; or of several that have no headers.
    n_rows, n_columns : int
        Rows and columns of all frames together.
    header : int
        Lines before the rows.

    Returns
    -------
    float64 [n_rows, n_columns]

    Raises
    ------
    ChildProcessError
        If the dump is not whole.
    """
    try:
        rows = np.loadtxt(dump, skiprows=header, ndmin=2)
        if rows.shape != (n_rows, n_columns):
            raise ValueError(
                f"expected {n_rows} rows of {n_columns} numbers, found {list(rows.shape)}"
            )
    except ValueError as error:
        dump.unlink()
        raise ChildProcessError(
            f"{dump}: {error}; was the disk full? The file is removed: start again, and the run is "
            "made again"
        ) from error
    return rows
