"""Frames of trajectories, read one after the other.

Memory does not grow with the number of frames. Positions may be wrapped or unwrapped.
"""

import io
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from lammps_botan.files.dump_coordinates import any_columns, positions_of
from lammps_botan.files.flat_box import flat_box
from lammps_botan.files.lammps_dump_text import (
    EMPTY,
    Header,
    fail,
    read_header,
    read_rows,
    whole_lines,
)
from lammps_botan.files.text_file import DAMAGE, damage, open_text, place_in_file, skip_blank
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration


class Frames(Protocol):
    """Frames in order."""

    def __iter__(self) -> Iterator[Configuration]: ...

    @property
    def progress(self) -> float:
        """Share that has been read so far, from 0 to 1."""


class SingleFrame:
    """One frame as a trajectory.

    Parameters
    ----------
    frame : Configuration

    Examples
    --------
    >>> one = Configuration(np.zeros((1, 3)), [0], Box(5.0, (True, True, True)))
    >>> [frame.n_particles for frame in SingleFrame(one)]
    [1]
    """

    progress = 1.0

    def __init__(self, frame: Configuration) -> None:
        self._frame = frame

    def __iter__(self) -> Iterator[Configuration]:
        yield self._frame


class DumpFrames:
    """The frames of a LAMMPS text dump, packed or plain, of whatever atoms, types and boxes.

    A frame whose atoms all have the same z is two-dimensional (`lammps_botan.files.flat_box`).

    Parameters
    ----------
    path : Path
    every : int
        Take the first frame and each that is a multiple of this many frames after it.
    columns : sequence of str
        Further columns to read.
    optional_columns : sequence of str
        Columns to read in frames that have them.

    Raises
    ------
    ValueError
        If `every` is below 1. While the frames are read: if the file is damaged, or a frame lacks
        coordinates or a column.

    Examples
    --------
    >>> text = '''ITEM: TIMESTEP
    ... 100
    ... ITEM: NUMBER OF ATOMS
    ... 1
    ... ITEM: BOX BOUNDS pp pp pp
    ... 0 5
    ... 0 5
    ... 0 5
    ... ITEM: ATOMS id type xu yu zu q
    ... 1 1 0.5 0.5 6.5 -1
    ... '''
    >>> _ = Path("run.dump").write_text(text)
    >>> [(frame.step, frame.columns["q"]) for frame in DumpFrames(Path("run.dump"), columns=["q"])]
    [(100, array([-1.]))]
    """

    def __init__(
        self,
        path: Path,
        *,
        every: int = 1,
        columns: Sequence[str] = (),
        optional_columns: Sequence[str] = (),
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, found {every}")
        self._path, self._every, self._columns = path, every, tuple(columns)
        self._optional = tuple(optional_columns)
        self._size = max(1, path.stat().st_size)
        self._read = 0

    @property
    def progress(self) -> float:
        """Share of the file that has been read."""
        return self._read / self._size

    def steps(self) -> list[int]:
        """Read the steps of all frames up to one that is damaged or still being written."""
        steps: list[int] = []
        with open_text(self._path) as file:
            try:
                for header in self._headers(file):
                    steps.append(header.step)
                    self._skip(file, header)
            except ValueError:
                if not steps:
                    raise
        return steps

    def __iter__(self) -> Iterator[Configuration]:
        with open_text(self._path) as file:
            for header in self._headers(file):
                frame = None
                if header.index % self._every == 0:
                    frame = self._frame(file, header)
                else:
                    self._skip(file, header)
                self._read = place_in_file(file)
                if frame is not None:
                    yield frame

    def _headers(self, file: io.BufferedReader) -> Iterator[Header]:
        """Read the header of each frame; between them the rows are read."""
        header, index = None, 0
        while True:
            try:
                if not skip_blank(file):
                    break
                header = read_header(file, self._path, index, header)
            except DAMAGE as error:
                raise ValueError(f"{self._path}: frame {index}: {damage(error)}") from error
            yield header
            index += 1
        if header is None:
            raise ValueError(f"{self._path}: {EMPTY}")

    def _skip(self, file: io.BufferedReader, header: Header) -> None:
        try:
            deque(whole_lines(file, header), maxlen=0)
        except ValueError as error:
            fail(self._path, header, str(error), error)
        except DAMAGE as error:
            fail(self._path, header, damage(error), error)

    def _frame(self, file: io.BufferedReader, header: Header) -> Configuration:
        try:
            names = any_columns(header.columns)
            for name in self._columns:
                if name not in header.columns:
                    found = " ".join(header.columns)
                    raise ValueError(f"no column {name}, only {found}")
        except ValueError as error:
            fail(self._path, header, str(error), error)
        n = 2 + len(names)
        further = [*self._columns, *(name for name in self._optional if name in header.columns)]
        rows = read_rows(file, self._path, header, ("id", "type", *names, *further))
        positions = positions_of(rows[:, 2:n], names, header)
        try:
            box = Box(header.cell, header.periodic, header.origin)
        except ValueError as error:
            fail(self._path, header, str(error), error)
        return Configuration(
            positions=positions,
            species=rows[:, 1].astype(np.int64) - 1,
            box=flat_box(box, positions),
            ids=rows[:, 0].astype(np.int64),
            units=header.units,
            step=header.step,
            time=header.time,
            where=f"{self._path}: frame {header.index} (step {header.step})",
            columns=dict(zip(further, rows[:, n:].T, strict=True)),
        )


def is_dump(path: Path) -> bool:
    r"""Whether a file begins as a LAMMPS text dump does; the name of the file does not matter.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is empty, damaged, or must be unpacked first.

    Examples
    --------
    >>> _ = Path("run.dump").write_text("ITEM: TIMESTEP\n")
    >>> is_dump(Path("run.dump"))
    True
    """
    with open_text(path) as file:
        try:
            if not file.peek(1):
                raise ValueError(f"{path}: {EMPTY}")
            return skip_blank(file) and file.peek(6)[:6] == b"ITEM: "
        except DAMAGE as error:
            raise ValueError(f"{path}: frame 0: {damage(error)}") from error
