"""The text of LAMMPS dumps: headers, boxes and rows.

These lines of an input script write a dump that all readers read, with more digits than the six of
LAMMPS's default::

    dump 1 all custom 1000 run.dump id type xu yu zu
    dump_modify 1 format float %.15g

Blank lines and lines that begin with # may stand between frames.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from lammps_botan.files.text_file import DAMAGE, damage
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import MAX_ID, MAX_SPECIES, MAX_STEP
from lammps_botan.structure.mixture import UNITS

# lines under each title of a header; ITEM: ATOMS ends it
_HEADER = {"UNITS": 1, "TIME": 1, "TIMESTEP": 1, "NUMBER OF ATOMS": 1, "BOX BOUNDS": 3}
_OPEN = "fsm"  # a face that is not periodic is fixed, shrink-wrapped, or so with a minimum
_BOUNDARIES = {"pp", *(low + high for low in _OPEN for high in _OPEN)}
_LARGEST = {"id": MAX_ID, "type": MAX_SPECIES}
DUMP_LINE = "dump 1 all custom 1000 run.dump id type xu yu zu"
EMPTY = f"the file is empty; expected a LAMMPS dump: {DUMP_LINE}"


@dataclass(frozen=True)
class Header:
    """The header of a frame, and the place where its rows begin.

    Attributes
    ----------
    index : int
        Number of the frame in the file, from 0.
    offset : int
        Byte at which the rows begin.
    step : int
    time : float or None
        Time unit, where the dump says it.
    n_atoms : int
    cell : float64 [3, 3]
        Cell vectors as rows, length unit.
    origin : float64 [3]
        Lower corner of the box, length unit.
    boundary : tuple of str
        Such as pp pp ff; empty in old dumps, which means periodic.
    columns : tuple of str
    units : str or None
        Where the dump says them, in its first frame.

    Examples
    --------
    >>> header = Header(0, 0, 0, None, 1, np.eye(3), np.zeros(3), ("pp", "pp", "ff"), ("id",), None)
    >>> header.periodic
    (True, True, False)
    """

    index: int
    offset: int
    step: int
    time: float | None
    n_atoms: int
    cell: Floats  # rows are the cell vectors, [3, 3]
    origin: Floats  # lower corner of the box, [3]
    boundary: tuple[str, ...]  # such as pp pp ff; empty in old dumps, which means periodic
    columns: tuple[str, ...]
    units: str | None  # where the dump says them, in its first frame

    @property
    def periodic(self) -> tuple[bool, bool, bool]:
        """Whether there are periodic images along each cell vector."""
        x, y, z = (flag == "pp" for flag in self.boundary or ("pp",) * 3)
        return x, y, z


def fail(path: str | Path, frame: Header, problem: str, cause: Exception | None = None) -> NoReturn:
    """Raise a ValueError that names file, frame and step.

    Parameters
    ----------
    path : str or Path
    frame : Header
    problem : str
    cause : Exception, optional

    Returns
    -------
    never

    Raises
    ------
    ValueError
        Always.

    Examples
    --------
    >>> header = Header(0, 0, 7, None, 1, np.eye(3), np.zeros(3), (), ("id",), None)
    >>> fail("run.dump", header, "no atoms")
    Traceback (most recent call last):
    ValueError: run.dump: frame 0 (step 7): no atoms
    """
    raise ValueError(f"{path}: frame {frame.index} (step {frame.step}): {problem}") from cause


def read_header(file: io.BufferedReader, path: Path, index: int, previous: Header | None) -> Header:
    """Read the header that begins here.

    Parameters
    ----------
    file : binary file
        At the first byte of the header; afterwards at the first row.
    path : Path
        Name of the file, for messages.
    index : int
        Number of the frame, from 0.
    previous : Header or None
        Header of the frame before: gives the units, and tells surplus rows from a damaged header.

    Returns
    -------
    Header

    Raises
    ------
    ValueError
        If there is no whole header with columns id and type.

    Examples
    --------
    >>> text = b'''ITEM: TIMESTEP
    ... 100
    ... ITEM: NUMBER OF ATOMS
    ... 1
    ... ITEM: BOX BOUNDS pp pp pp
    ... 0 5
    ... 0 5
    ... 0 5
    ... ITEM: ATOMS id type x y z
    ... 1 1 0.5 0.5 0.5
    ... '''
    >>> header = read_header(io.BytesIO(text), Path("run.dump"), 0, None)
    >>> header.step, header.columns
    (100, ('id', 'type', 'x', 'y', 'z'))
    """
    items: dict[str, list[str]] = {}
    while (line := file.readline().decode(errors="replace")).startswith("ITEM: "):
        title = line.removeprefix("ITEM: ").strip()
        name = next((n for n in [*_HEADER, "ATOMS"] if f"{title} ".startswith(f"{n} ")), "")
        items[name] = title.removeprefix(name).split()
        if name == "ATOMS":
            break
        for _ in range(_HEADER.get(name, 0)):
            items[name] += file.readline().decode(errors="replace").split()
    if line and not line.endswith("\n"):
        raise ValueError(f"{path}: frame {index}: the file ends within the header: {line!r}")
    try:
        return _header(items, index, file.tell(), previous.units if previous else None)
    except KeyError as error:
        if not items and previous:
            fail(path, previous, f"expected {previous.n_atoms} rows, found {line.strip()!r}")
        raise ValueError(
            f"{path}: frame {index}: no ITEM: {error.args[0]} in its header; expected a "
            f"whole LAMMPS text dump: {DUMP_LINE}"
        ) from error
    except (ValueError, IndexError) as error:
        step = " ".join(items.get("TIMESTEP", ["?"]))
        raise ValueError(f"{path}: frame {index} (step {step}): {error}") from error


def whole_lines(file: io.BufferedReader, header: Header) -> Iterator[bytes]:
    r"""Give the rows of a frame, one after the other.

    Parameters
    ----------
    file : binary file
        At the first row.
    header : Header

    Yields
    ------
    bytes
        A row with the end of its line.

    Raises
    ------
    ValueError
        If the file ends before the last row does.

    Examples
    --------
    >>> header = Header(0, 0, 7, None, 2, np.eye(3), np.zeros(3), (), ("id", "type"), None)
    >>> list(whole_lines(io.BytesIO(b"1 1\n2 1\nITEM: TIMESTEP\n"), header))
    [b'1 1\n', b'2 1\n']
    """
    for _ in range(header.n_atoms):
        line = file.readline()
        if not line.endswith(b"\n"):
            raise ValueError(
                f"the file ends before the {header.n_atoms} rows announced; wait until LAMMPS has "
                "written the frame, or remove it"
            )
        yield line


def read_rows(
    file: io.BufferedReader, path: str | Path, header: Header, columns: Sequence[str]
) -> Floats:
    r"""Read columns of a frame, sorted by the first column, the atom ID.

    Parameters
    ----------
    file : binary file
        At the first row.
    path : str or Path
        Name of the file, for messages.
    header : Header
    columns : sequence of str
        Names of the columns; the first one is id.

    Returns
    -------
    float64 [n_atoms, n_columns]

    Raises
    ------
    ValueError
        If a number is missing or not finite, or an ID appears twice.

    Examples
    --------
    >>> header = Header(0, 0, 7, None, 2, np.eye(3), np.zeros(3), (), ("id", "type"), None)
    >>> read_rows(io.BytesIO(b"2 1\n1 3\n"), "run.dump", header, ("id", "type"))
    array([[1., 3.],
           [2., 1.]])
    """
    try:
        rows = np.loadtxt(
            whole_lines(file, header),
            usecols=[header.columns.index(name) for name in columns],
            ndmin=2,
            comments=None,
        )
    except ValueError as error:
        fail(path, header, str(error), error)
    except DAMAGE as error:
        fail(path, header, damage(error), error)
    if len(rows) != header.n_atoms:  # blank lines
        fail(path, header, f"expected {header.n_atoms} rows, found {len(rows)} and blank lines")
    if not np.isfinite(rows).all():
        row = rows[~np.isfinite(rows).all(axis=1)][0]
        bad = columns[int(np.argmin(np.isfinite(row)))]
        where = f"is at {row[2:5]}" if bad[0] in "xyz" else f"has {bad} {row[columns.index(bad)]}"
        fail(path, header, f"atom ID {row[0]:g} {where}, not a number; remove the frame")
    for k, name in enumerate(columns):
        if name in _LARGEST:
            _check_integers(rows[:, k], name, path, header)
    if np.any(np.diff(rows[:, 0]) <= 0):
        rows = rows[np.argsort(rows[:, 0])]
        if np.any(twice := np.diff(rows[:, 0]) == 0):
            fail(path, header, f"atom ID {rows[:-1][twice][0, 0]:g} appears twice")
    return rows


def _check_integers(numbers: Floats, name: str, path: str | Path, header: Header) -> None:
    largest = _LARGEST[name]
    if np.any(broken := numbers != np.rint(numbers)):
        fail(path, header, f"expected integers as {name}, found {numbers[broken][0]:g}")
    if np.any(outside := (numbers < 1) | (numbers > largest)):
        found = f"found {numbers[outside][0]:.17g}"
        fail(path, header, f"expected integers from 1 to {largest} as {name}, {found}")


def _header(items: dict[str, list[str]], index: int, offset: int, units: str | None) -> Header:
    step, n_atoms = _integer(items, "TIMESTEP"), _integer(items, "NUMBER OF ATOMS")
    bounds, columns = items["BOX BOUNDS"], tuple(items["ATOMS"])
    cell, origin, boundary = _box(bounds)
    if n_atoms < 1:
        raise ValueError("no atoms")
    if missing := {"id", "type"} - set(columns):
        raise ValueError(
            f"no column {' nor '.join(sorted(missing))} in ITEM: ATOMS {' '.join(columns)}; "
            f"use {DUMP_LINE}"
        )
    if abs(step) > MAX_STEP:
        raise ValueError(f"expected a step of at most {MAX_STEP}")
    time = float(items["TIME"][0]) if "TIME" in items else None
    if time is not None and not np.isfinite(time):
        raise ValueError(f"expected a finite ITEM: TIME, found {time}")
    units = " ".join(items["UNITS"]) if "UNITS" in items else units
    if units not in {None, *UNITS}:
        raise ValueError(f"expected one of {', '.join(UNITS)} as ITEM: UNITS, found '{units}'")
    return Header(index, offset, step, time, n_atoms, cell, origin, boundary, columns, units)


def _integer(items: dict[str, list[str]], name: str) -> int:
    try:
        return int(" ".join(items[name]))
    except ValueError:
        found = " ".join(items[name])
        raise ValueError(f"expected an integer under ITEM: {name}, found '{found}'") from None


def _box(words: list[str]) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Cell vectors [3, 3], lower corner [3] and boundary flags, from the bounding box."""
    if "abc" in words:
        raise ValueError("a general triclinic box; use dump_modify 1 triclinic/general no")
    tilted = words[:3] == ["xy", "xz", "yz"]
    n_numbers = 9 if tilted else 6
    flags, numbers = words[3 * tilted : -n_numbers], words[-n_numbers:]
    if len(flags) not in {0, 3} or not set(flags) <= _BOUNDARIES or len(numbers) < n_numbers:
        raise ValueError(
            "expected pp, or f, s or m for each face, as the boundary of each direction (ITEM: BOX "
            f"BOUNDS pp pp ff), and 3 lines of {n_numbers // 3} numbers; found {' '.join(words)}"
        )
    rows = np.array(numbers, dtype=np.float64).reshape(3, -1)
    xy, xz, yz = rows[:, 2] if tilted else np.zeros(3)
    low = rows[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = rows[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    if not (low < high).all():
        raise ValueError(
            f"the box must span a finite volume, with lo < hi; found lo {low.tolist()} and hi "
            f"{high.tolist()}"
        )
    cell = np.diag(high - low)
    cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
    return cell, low, tuple(flags)
