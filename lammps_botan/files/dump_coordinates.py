"""Coordinates in the columns of LAMMPS dumps."""

from lammps_botan.files.lammps_dump_text import DUMP_LINE, Header
from lammps_botan.structure.box import Floats

_IMAGES = ("ix", "iy", "iz")


def unwrapped_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Choose the columns that give unwrapped positions.

    Parameters
    ----------
    columns : tuple of str
        Columns of a dump.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If there are no such columns.

    Examples
    --------
    >>> unwrapped_columns(("id", "type", "x", "y", "z", "ix", "iy", "iz"))
    ('x', 'y', 'z', 'ix', 'iy', 'iz')
    """
    for suffix in ("u", "", "su", "s"):
        names = tuple(axis + suffix for axis in "xyz") + (() if "u" in suffix else _IMAGES)
        if set(names) <= set(columns):
            return names
    raise ValueError(
        f"neither unwrapped coordinates nor image flags in ITEM: ATOMS {' '.join(columns)}; "
        f"use {DUMP_LINE}"
    )


def any_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Choose the columns that give positions up to periodic images.

    Parameters
    ----------
    columns : tuple of str
        Columns of a dump.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If there are no such columns.

    Examples
    --------
    >>> any_columns(("id", "type", "xs", "ys", "zs"))
    ('xs', 'ys', 'zs')
    """
    for suffix in ("u", "", "su", "s"):
        names = tuple(axis + suffix for axis in "xyz")
        if set(names) <= set(columns):
            return names
    raise ValueError(f"no coordinates in ITEM: ATOMS {' '.join(columns)}; use {DUMP_LINE}")


def positions_of(rows: Floats, names: tuple[str, ...], header: Header) -> Floats:
    """Compute positions from the columns of `unwrapped_columns` or `any_columns`.

    Parameters
    ----------
    rows : float64 [n_atoms, 3] or [n_atoms, 6]
        Coordinates, and image flags where the names have them.
    names : tuple of str
        Names of these columns.
    header : Header

    Returns
    -------
    float64 [n_atoms, 3]
        Length unit.

    Examples
    --------
    >>> import numpy as np
    >>> header = Header(0, 0, 0, None, 1, 4 * np.eye(3), np.zeros(3), (), ("id",), None)
    >>> positions_of(np.array([[0.5, 0.25, 0.0]]), ("xs", "ys", "zs"), header)
    array([[2., 1., 0.]])
    """
    positions = rows[:, :3]
    if "s" in names[0]:
        positions = header.origin + positions @ header.cell
    if len(names) == 6:
        positions = positions + rows[:, 3:6] @ header.cell
    return positions
