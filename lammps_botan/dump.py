"""LAMMPS text dumps as an MDAnalysis trajectory, in float64 and unwrapped.

MDAnalysis reads such dumps in float32, does not know headers of `dump_modify units yes` and
`time yes`, and leaves it to the user to say which coordinates are unwrapped. Here positions are
always unwrapped and sorted by atom ID, and the cell vectors are in `ts.data["cell"]`, float64
[3, 3], as rows. A good line for the input script, with more digits than the six LAMMPS writes
unless told:

    dump 1 all custom 1000 run.dump id type xu yu zu
    dump_modify 1 format float %.15g

LJ units; the time of a frame is that of its header, else step * dt.
"""

import gzip
import io
import itertools
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
from MDAnalysis.coordinates.base import ReaderBase
from MDAnalysis.coordinates.timestep import Timestep
from MDAnalysis.lib.mdamath import triclinic_box
from MDAnalysis.lib.util import store_init_arguments

from lammps_botan.graph import Floats, Ints

# lines under each title of a header; ITEM: ATOMS ends it
_HEADER = {"UNITS": 1, "TIME": 1, "TIMESTEP": 1, "NUMBER OF ATOMS": 1, "BOX BOUNDS": 3}
_IMAGES = ("ix", "iy", "iz")
_DUMP_LINE = "dump 1 all custom 1000 run.dump id type xu yu zu"


@dataclass(frozen=True)
class _Header:
    """What a frame says of itself, and where its rows begin."""

    index: int
    offset: int
    step: int
    time: float | None
    n_atoms: int
    cell: Floats  # rows are the cell vectors, [3, 3]
    origin: Floats  # lower corner of the box, [3]
    columns: tuple[str, ...]


class _Timestep(Timestep):  # type: ignore[misc]
    """A Timestep that keeps positions in float64."""

    dtype = np.float64

    def __init__(self, n_atoms: int, **kwargs: Any) -> None:
        super().__init__(n_atoms, **kwargs)
        self._pos = np.zeros((n_atoms, 3))


class DumpReader(ReaderBase):  # type: ignore[misc]
    """MDAnalysis reader of LAMMPS text dumps, plain or .gz.

    Parameters
    ----------
    filename : str or Path
    dt : float
        Time step of the simulation, for dumps without `ITEM: TIME`.

    Attributes
    ----------
    ids, types : int64 [n_atoms]
        Ascending atom IDs, and the LAMMPS type of each atom.
    times : float64 [n_frames]

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no whole dump of the same atoms in periodic boxes, LJ units.
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
            _fail(
                self.filename,
                header,
                f"atom ID {other} is {'missing' if other in self.ids else 'new'}; expected the "
                "same atoms in all frames",
            )
        if not np.array_equal(types, self.types):
            k = np.flatnonzero(types != self.types)[0]
            _fail(
                self.filename,
                header,
                f"atom ID {ids[k]} is of type {types[k]}, in the first frame of {self.types[k]}",
            )
        return self._fill(header, positions)

    def _fill(self, header: _Header, positions: Floats) -> Timestep:
        ts = self.ts
        ts.frame = header.index
        ts.time = self.times[header.index]
        ts.positions = positions
        ts.dimensions = triclinic_box(*header.cell)
        ts.data["cell"], ts.data["step"] = header.cell, header.step
        return ts

    def _parse(self, header: _Header) -> tuple[Ints, Ints, Floats]:
        """IDs [n_atoms], types [n_atoms] and unwrapped positions [n_atoms, 3], sorted by ID."""
        names, scaled = _coordinates(header.columns)
        try:
            if self._file is None:
                self._file = _open(Path(self.filename))
            self._file.seek(header.offset)
            rows = np.loadtxt(
                self._file,
                usecols=[header.columns.index(name) for name in ("id", "type", *names)],
                max_rows=header.n_atoms,
                ndmin=2,
                comments=None,
            )
            if not self.filename.endswith(".gz"):  # there, going back to an offset is slow
                self.close()  # an ensemble may have more runs than a process may open files
        except (OSError, EOFError, ValueError) as error:  # MDAnalysis takes the first two for ends
            _fail(self.filename, header, str(error), error)
        if not np.isfinite(rows).all():
            row = rows[~np.isfinite(rows).all(axis=1)][0]
            _fail(self.filename, header, f"atom ID {row[0]:g} is at {row[2:5]}, not a number")
        if np.any(np.diff(rows[:, 0]) <= 0):
            rows = rows[np.argsort(rows[:, 0])]
            if np.any(twice := np.diff(rows[:, 0]) == 0):
                _fail(self.filename, header, f"atom ID {rows[:-1][twice][0, 0]:g} appears twice")
        positions = rows[:, 2:5]
        if scaled:
            positions = header.origin + positions @ header.cell
        if len(names) == 6:
            positions = positions + rows[:, 5:8] @ header.cell
        return rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), positions


def _fail(
    path: str | Path, frame: _Header, problem: str, cause: Exception | None = None
) -> NoReturn:
    raise ValueError(f"{path}: frame {frame.index} (step {frame.step}): {problem}") from cause


def _open(path: Path) -> io.BufferedReader:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if path.suffix == ".gz":
        # GzipFile alone hands out lines slowly
        return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(path, "rb")), 1 << 20)
    return path.open("rb")


def _index(path: Path) -> list[_Header]:
    """The headers of all frames; the rows are counted, not read."""
    frames: list[_Header] = []
    with _open(path) as file:
        try:
            while file.peek(1):
                header = _read_header(file, path, frames)
                rows = deque(enumerate(itertools.islice(file, header.n_atoms), 1), maxlen=1)
                if not rows or rows[0][0] < header.n_atoms or not rows[0][1].endswith(b"\n"):
                    _fail(
                        path,
                        header,
                        f"the file ends before the {header.n_atoms} rows announced; wait until "
                        "LAMMPS has written the frame, or remove it",
                    )
                if frames and header.n_atoms != frames[0].n_atoms:
                    _fail(
                        path,
                        header,
                        f"{header.n_atoms} atoms, expected {frames[0].n_atoms} as in the first "
                        "frame",
                    )
                frames.append(header)
        except (OSError, EOFError) as error:
            raise ValueError(f"{path}: frame {len(frames)}: damaged file: {error}") from error
    if not frames:
        raise ValueError(f"{path}: the file is empty; expected a LAMMPS dump: {_DUMP_LINE}")
    return frames


def _read_header(file: io.BufferedReader, path: Path, before: list[_Header]) -> _Header:
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
        raise ValueError(f"{path}: frame {len(before)}: the file ends within the header: {line!r}")
    try:
        return _header(items, len(before), file.tell())
    except KeyError as error:
        if not items and before:
            _fail(path, before[-1], f"expected {before[-1].n_atoms} rows, found {line.strip()!r}")
        raise ValueError(
            f"{path}: frame {len(before)}: no ITEM: {error.args[0]} in its header; expected a "
            f"whole LAMMPS text dump: {_DUMP_LINE}"
        ) from error
    except (ValueError, IndexError) as error:
        step = " ".join(items.get("TIMESTEP", ["?"]))
        raise ValueError(f"{path}: frame {len(before)} (step {step}): {error}") from error


def _header(items: dict[str, list[str]], index: int, offset: int) -> _Header:
    step, n_atoms = int(items["TIMESTEP"][0]), int(items["NUMBER OF ATOMS"][0])
    bounds, columns = items["BOX BOUNDS"], tuple(items["ATOMS"])
    cell, origin = _box(bounds)
    if (units := items.get("UNITS", ["lj"])) != ["lj"]:
        raise ValueError(f"units {' '.join(units)}, expected lj")
    if n_atoms < 1:
        raise ValueError("no atoms")
    if missing := {"id", "type"} - set(columns):
        raise ValueError(
            f"no column {' nor '.join(sorted(missing))} in ITEM: ATOMS {' '.join(columns)}; "
            f"use {_DUMP_LINE}"
        )
    _coordinates(columns)
    time = float(items["TIME"][0]) if "TIME" in items else None
    return _Header(index, offset, step, time, n_atoms, cell, origin, columns)


def _box(words: list[str]) -> tuple[Floats, Floats]:
    """Cell vectors as rows [3, 3] and lower corner [3] from the bounding box LAMMPS writes."""
    if "abc" in words:
        raise ValueError("a general triclinic box; use dump_modify 1 triclinic/general no")
    tilted = words[:3] == ["xy", "xz", "yz"]
    n_numbers = 9 if tilted else 6
    flags = words[3 * tilted : len(words) - n_numbers]
    if set(flags) - {"pp"}:
        raise ValueError(f"boundary {' '.join(flags)}, expected periodic boxes (boundary p p p)")
    rows = np.array(words[-n_numbers:], dtype=np.float64).reshape(3, -1)
    xy, xz, yz = rows[:, 2] if tilted else np.zeros(3)
    low = rows[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = rows[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    cell = np.diag(high - low)
    cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
    return cell, low


def _coordinates(columns: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """The columns that give unwrapped positions, and whether they are in units of the box."""
    for suffix in ("u", "", "su", "s"):
        names = tuple(axis + suffix for axis in "xyz") + (() if "u" in suffix else _IMAGES)
        if set(names) <= set(columns):
            return names, "s" in suffix
    raise ValueError(
        f"neither unwrapped coordinates nor image flags in ITEM: ATOMS {' '.join(columns)}; "
        f"use {_DUMP_LINE}"
    )
