"""LAMMPS text dumps as an MDAnalysis trajectory, in float64 and unwrapped.

MDAnalysis reads such dumps in float32, does not know headers of `dump_modify units yes` and
`time yes`, and leaves it to the user to say which coordinates are unwrapped. Here positions are
always unwrapped and sorted by atom ID, in the unit of the dump, and each frame has in `ts.data`

| key | |
| --- | --- |
| `box` | `lammps_botan.structure.box.Box`, with its periodic directions |
| `cell` | cell vectors as rows, float64 [3, 3] |
| `step` | step of the simulation |
| `units` | LAMMPS's name of the unit system, or None where the dump does not say it |

A frame whose atoms all have the same z is two-dimensional (`lammps_botan.files.flat_box`). The time
of a frame is that of its header, else step * dt. These lines of an input script write a good dump,
with more digits than the six of LAMMPS's default::

    dump 1 all custom 1000 run.dump id type xu yu zu
    dump_modify 1 format float %.15g
"""

import io
import math
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from MDAnalysis.coordinates.base import ReaderBase
from MDAnalysis.coordinates.timestep import Timestep
from MDAnalysis.lib.mdamath import triclinic_box
from MDAnalysis.lib.util import store_init_arguments

from lammps_botan.files.dump_coordinates import positions_of, unwrapped_columns
from lammps_botan.files.flat_box import flat_box
from lammps_botan.files.lammps_dump_text import (
    EMPTY,
    Header,
    fail,
    read_header,
    read_rows,
    whole_lines,
)
from lammps_botan.files.text_file import DAMAGE, damage, is_archive, open_text, skip_blank
from lammps_botan.structure.box import Box, Floats, Ints


class _Timestep(Timestep):  # type: ignore[misc]
    """A Timestep that keeps positions in float64."""

    dtype = np.float64

    def __init__(self, n_atoms: int, **kwargs: Any) -> None:
        super().__init__(n_atoms, **kwargs)
        self._pos = np.zeros((n_atoms, 3))


class DumpReader(ReaderBase):  # type: ignore[misc]
    """MDAnalysis reader of LAMMPS text dumps, packed or plain.

    Parameters
    ----------
    filename : str or Path
    dt : float
        Time step of the simulation, time unit, for dumps without `ITEM: TIME`.
    **kwargs
        Arguments that MDAnalysis gives to every reader; they have no effect.

    Attributes
    ----------
    ids, types : int64 [n_atoms]
        Ascending atom IDs, and the LAMMPS type of each atom.
    times, lag_times : float64 [n_frames]
        Time of each frame, and since the first one, time unit.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no whole dump of the same atoms.

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
    ... ITEM: ATOMS id type xu yu zu
    ... 1 1 0.5 0.5 6.5
    ... '''
    >>> _ = Path("run.dump").write_text(text)
    >>> reader = DumpReader("run.dump", dt=0.01)
    >>> reader.times, reader[0].positions
    (array([1.]), array([[0.5, 0.5, 6.5]]))
    """

    format = "LAMMPSDUMP64"
    units = {"time": None, "length": None}  # noqa: RUF012  (as MDAnalysis declares it)
    _file: io.BufferedReader | None = None

    @store_init_arguments  # type: ignore[untyped-decorator]
    def __init__(self, filename: str | Path, dt: float = 0.001, **kwargs: Any) -> None:
        super().__init__(filename, convert_units=False)
        self._frames = _index(Path(filename))
        self.n_frames = len(self._frames)
        self.n_atoms = self._frames[0].n_atoms
        self.times = np.array([f.step * dt if f.time is None else f.time for f in self._frames])
        self.lag_times = _lag_times(self._frames, self.times, dt)
        self.ids, self.types, positions = self._parse(self._frames[0])
        # MDAnalysis asks for one interval, whatever the spacing of the frames
        interval = float(np.ptp(self.times)) / (self.n_frames - 1) if self.n_frames > 1 else dt
        self.ts = _Timestep(self.n_atoms, dt=interval)
        self._fill(self._frames[0], positions)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None}

    def close(self) -> None:
        """Close the file; reading a frame opens it again."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _reopen(self) -> None:
        self.ts.frame = -1

    def _read_next_timestep(self, ts: Timestep | None = None) -> Timestep:
        if self.ts.frame + 1 >= self.n_frames:
            raise EOFError
        return self._read_frame(self.ts.frame + 1)

    def _read_frame(self, frame: int) -> Timestep:
        header = self._frames[frame]
        ids, types, positions = self._parse(header)
        if not np.array_equal(ids, self.ids):
            other = np.setxor1d(ids, self.ids)[0]
            fail(
                self.filename,
                header,
                f"atom ID {other} is {'missing' if other in self.ids else 'new'}; expected the "
                "same atoms in all frames",
            )
        if not np.array_equal(types, self.types):
            k = np.flatnonzero(types != self.types)[0]
            fail(
                self.filename,
                header,
                f"atom ID {ids[k]} is of type {types[k]}, in the first frame of {self.types[k]}",
            )
        return self._fill(header, positions)

    def _fill(self, header: Header, positions: Floats) -> Timestep:
        try:
            box = flat_box(Box(header.cell, header.periodic, header.origin), positions)
        except ValueError as error:
            fail(self.filename, header, str(error), error)
        ts = self.ts
        ts.frame = header.index
        ts.time = self.times[header.index]
        ts.positions = positions
        ts.dimensions = triclinic_box(*header.cell)
        ts.data |= {"box": box, "cell": box.cell, "step": header.step, "units": header.units}
        return ts

    def _parse(self, header: Header) -> tuple[Ints, Ints, Floats]:
        """IDs [n_atoms], types [n_atoms] and unwrapped positions [n_atoms, 3], sorted by ID."""
        names = unwrapped_columns(header.columns)
        try:
            if self._file is None:
                self._file = open_text(Path(self.filename))
            self._file.seek(header.offset)
        except DAMAGE as error:  # MDAnalysis takes some of them for the end
            fail(self.filename, header, str(error), error)
        rows = read_rows(self._file, self.filename, header, ("id", "type", *names))
        if not is_archive(self._file):  # there, going back to an offset is slow
            self.close()  # an ensemble may have more runs than a process may open files
        positions = positions_of(rows[:, 2:], names, header)
        return rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), positions


def _index(path: Path) -> list[Header]:
    """Headers of all frames; the rows are counted, not read."""
    frames: list[Header] = []
    with open_text(path) as file:
        try:
            while skip_blank(file):
                header = read_header(file, path, len(frames), frames[-1] if frames else None)
                _check(header, path, frames)
                try:
                    deque(whole_lines(file, header), maxlen=0)
                except ValueError as error:
                    fail(path, header, str(error), error)
                frames.append(header)
        except DAMAGE as error:
            raise ValueError(f"{path}: frame {len(frames)}: {damage(error)}") from error
    if not frames:
        raise ValueError(f"{path}: {EMPTY}")
    return frames


def _lag_times(frames: list[Header], times: Floats, dt: float) -> Floats:
    """Times since the first frame, the same whichever step that is."""
    if all(frame.time is None for frame in frames):
        return np.array([(frame.step - frames[0].step) * dt for frame in frames])
    # of times with 16 digits, as LAMMPS writes them, the last one is noise in a difference
    longest = float(np.abs(times).max())
    digits = 15 - math.ceil(math.log10(longest)) if longest else 0
    return np.asarray(np.round(times - times[0], digits))


def _check(header: Header, path: Path, before: list[Header]) -> None:
    try:
        unwrapped_columns(header.columns)
    except ValueError as error:
        fail(path, header, str(error), error)
    if before and header.units != before[0].units:
        first = before[0].units or "none"
        fail(path, header, f"units {header.units}, in the first frame {first}")
    if before and header.n_atoms != before[0].n_atoms:
        fail(
            path,
            header,
            f"{header.n_atoms} atoms, expected {before[0].n_atoms} as in the first frame",
        )
