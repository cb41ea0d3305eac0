"""XYZ files, plain or extended, with the names of the particles in each frame.

A frame is a line with the number of particles, a comment, and rows of name, x, y and z. LAMMPS's
`dump xyz` writes the step into the comment; `dump extxyz` also the box. MDAnalysis gives all frames
the names of the first one, which are wrong where LAMMPS does not sort the particles.
"""

import io
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lammps_botan.files.flat_box import flat_box
from lammps_botan.files.text_file import DAMAGE, damage, open_text, place_in_file, skip_blank
from lammps_botan.structure.box import Box, Floats, Ints, Periodic
from lammps_botan.structure.configuration import Configuration

_STEP = re.compile(r"\bTimestep[:=]\s*(\d+)", re.IGNORECASE)
_LATTICE = re.compile(r'\bLattice="([^"]*)"', re.IGNORECASE)
_PERIODIC = re.compile(r'\bpbc="([^"]*)"', re.IGNORECASE)
_PROPERTIES = re.compile(r"\bProperties=(\S+)", re.IGNORECASE)
_COLUMNS = "species:S:1:pos:R:3"
_POSITIVE = re.compile(r"0*[1-9]\d{0,8}", re.ASCII)
_BROKEN_TYPE = re.compile(r"[-+]?\d*\.\d*|[-+]\d+|\d{10,}", re.ASCII)


class XyzFrames:
    r"""The frames of an XYZ file.

    The file has no IDs: particles are numbered in the order of the rows. Names that are integers
    are atom types. Other names are numbered in alphabetical order; the first frame must have all of
    them.

    Parameters
    ----------
    path : Path
        Packed or plain.
    every : int
        Take the first frame and each that is a multiple of this many frames after it.
    box : float [3], optional
        Edges of the periodic box, length unit, for files without `Lattice=`.

    Raises
    ------
    ValueError
        If `every` is below 1. While the frames are read: if the file is damaged or has no box.

    Examples
    --------
    >>> _ = Path("two.xyz").write_text("2\nTimestep: 7\n1 0 0 0\n2 1 0 0\n")
    >>> [(frame.step, frame.types) for frame in XyzFrames(Path("two.xyz"), box=[5.0, 5.0, 5.0])]
    [(7, array([1, 2]))]
    """

    def __init__(self, path: Path, *, every: int = 1, box: Sequence[float] | None = None) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, found {every}")
        self._path, self._every, self._box = path, every, box
        self._size = max(1, path.stat().st_size)
        self._read = 0

    @property
    def progress(self) -> float:
        """Share of the file that has been read."""
        return self._read / self._size

    def __iter__(self) -> Iterator[Configuration]:
        names: tuple[str, ...] = ()
        with open_text(self._path) as file:
            for index in itertools.count():
                try:
                    if not skip_blank(file):
                        break
                    comment, rows = _read(file)
                    if index % self._every:
                        continue
                    frame = self._frame(index, comment, rows, names)
                except DAMAGE as error:
                    raise ValueError(f"{self._path}: frame {index}: {damage(error)}") from error
                except ValueError as error:
                    text = str(error).removeprefix(f"{self._path}: frame {index}: ")
                    raise ValueError(f"{self._path}: frame {index}: {text}") from error
                names = frame.species_names
                self._read = place_in_file(file)
                yield frame
        if index == 0:
            raise ValueError(f"{self._path}: the file is empty; expected an XYZ file")

    def _frame(
        self, index: int, comment: str, rows: list[list[str]], known: tuple[str, ...]
    ) -> Configuration:
        positions = np.array([row[1:4] for row in rows], dtype=np.float64)
        species, names = number_names([row[0] for row in rows], known)
        step = _STEP.search(comment)
        return Configuration(
            positions=positions,
            species=species,
            species_names=names,
            box=flat_box(_box(comment, self._box), positions),
            step=int(step[1]) if step else index,
            where=f"{self._path}: frame {index}",
        )


def number_names(names: Sequence[str], known: tuple[str, ...] = ()) -> tuple[Ints, tuple[str, ...]]:
    """Give species numbers to the names of particles.

    Integers are atom types, from 1, and have no further names. Other names are numbered in
    alphabetical order, or in the order of `known`.

    Parameters
    ----------
    names : sequence of str [n_particles]
    known : tuple of str
        Names of the numbers, from a frame before.

    Returns
    -------
    int64 [n_particles]
        Species numbers.
    tuple of str
        Name of each species number; empty for atom types.

    Raises
    ------
    ValueError
        If a name is not among `known`, or a number is no atom type, such as 1.7.

    Examples
    --------
    >>> number_names(["B", "A", "A"])
    (array([1, 0, 0]), ('A', 'B'))
    """
    distinct, inverse = np.unique(np.asarray(names).astype(str), return_inverse=True)
    if broken := [str(name) for name in distinct if _BROKEN_TYPE.fullmatch(name)]:
        raise ValueError(f"expected names, or integers from 1 as atom types; found {broken[0]}")
    if not known and all(map(_POSITIVE.fullmatch, distinct)):
        return np.array([int(name) for name in distinct], dtype=np.int64)[inverse] - 1, ()
    order = known or tuple(str(name) for name in distinct)
    for name in distinct:
        if name not in order:
            raise ValueError(
                f"a particle is named {name}; expected the names of the first frame, "
                f"{', '.join(order)}"
            )
    numbers = np.array([order.index(name) for name in distinct], dtype=np.int64)
    return numbers[inverse], order


def _read(file: io.BufferedReader) -> tuple[str, list[list[str]]]:
    """Comment and rows of the frame that begins here."""
    first = file.readline().decode(errors="replace").strip()
    if not _POSITIVE.fullmatch(first):
        raise ValueError(f"expected the number of particles, found {first[:40]!r}")
    n = int(first)
    comment = file.readline().decode(errors="replace")
    rows = [line.decode(errors="replace").split() for line in itertools.islice(file, n)]
    if len(rows) < n:
        raise ValueError(f"the file ends before the {n} rows announced")
    for row in rows:
        if len(row) < 4:
            raise ValueError(f"expected name, x, y and z, found '{' '.join(row)}'")
    return comment, rows


def _box(comment: str, edges: Sequence[float] | None) -> Box:
    lattice, flags = _LATTICE.search(comment), _PERIODIC.search(comment)
    properties = _PROPERTIES.search(comment)
    if properties and not f"{properties[1]}:".startswith(f"{_COLUMNS}:"):
        raise ValueError(f"expected Properties={_COLUMNS} first, found {properties[1]}")
    if lattice is None:
        if edges is None:
            raise ValueError("no periodic box; give its edges with --box LX LY LZ")
        return Box(np.asarray(edges, dtype=np.float64), (True, True, True))
    if edges is not None:
        raise ValueError("has a box, Lattice=, of its own; give no other one with --box")
    words = flags[1].split() if flags else ["T"] * 3
    if len(words) != 3 or not set(words) <= {"T", "F", "1", "0"}:
        raise ValueError(f'expected pbc="T T T" or F for each direction, found {words}')
    periodic: Periodic = (words[0] in "T1", words[1] in "T1", words[2] in "T1")
    cell: Floats = np.array(lattice[1].split(), dtype=np.float64)
    if cell.shape != (9,):
        raise ValueError(f"Lattice must be 9 numbers, found {lattice[1]!r}")
    return Box(cell.reshape(3, 3), periodic)
