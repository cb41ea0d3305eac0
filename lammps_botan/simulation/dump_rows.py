"""The rows of a dump that a script of inputs/ wrote, one for each particle of each frame."""

from pathlib import Path

import numpy as np

from lammps_botan.structure.box import Floats

_HEADER = 9  # lines of a dump before its atoms


def read_dump_rows(dump: Path, n_rows: int, n_columns: int, *, header: int = _HEADER) -> Floats:
    """Numbers float64 [n_rows, n_columns] of a dump, which is removed where it was cut short.

    Parameters
    ----------
    dump : Path
        Of one frame; or of several that have no headers.
    n_rows, n_columns : int
        Of all frames together.
    header : int
        Lines before the rows.

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
