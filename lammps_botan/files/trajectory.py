"""Trajectories: LAMMPS dumps as Universes and as ensembles, and files of any kind as frames."""

from collections.abc import Sequence
from pathlib import Path

import MDAnalysis

from lammps_botan.files.lammps_data import read_lammps_data
from lammps_botan.files.lammps_dump import DumpFrames, Frames, SingleFrame, is_dump
from lammps_botan.files.lammps_dump_universe import DumpReader
from lammps_botan.files.universe import UniverseFrames, open_universe


def open_dump(path: str | Path, *, dt: float = 0.001) -> MDAnalysis.Universe:
    """A Universe over a LAMMPS text dump, with ids and types, and float64 unwrapped positions.

    Parameters
    ----------
    path : Path
        Plain text or .gz.
    dt : float
        Time step of the simulation, for dumps without `ITEM: TIME`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `lammps_botan.files.lammps_dump_universe.DumpReader`.
    """
    reader = DumpReader(path, dt=dt)
    universe = MDAnalysis.Universe.empty(reader.n_atoms)
    universe.add_TopologyAttr("ids", reader.ids)
    universe.add_TopologyAttr("types", reader.types.astype(str).astype(object))
    universe.trajectory = reader
    return universe


def open_frames(
    path: str | Path,
    *,
    topology: str | Path | None = None,
    every: int = 1,
    box: Sequence[float] | None = None,
) -> Frames:
    """The frames of a file, one after the other.

    LAMMPS text dumps, known by their first line, and data files, known by the suffix .data, are
    read in float64; the rest comes as MDAnalysis gives it, mostly in float32.

    Parameters
    ----------
    path : Path
        A LAMMPS text dump, or any other trajectory that MDAnalysis reads.
    topology : Path, optional
        A file with the atom types, for trajectories without them, such as DCD.
    every : int
        Take the first frame and each that is a multiple of this many frames after it.
    box : [3], optional
        Edges of the periodic box, for files without one, such as XYZ.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, or MDAnalysis cannot read it.
    """
    path = Path(path)
    dump = is_dump(path)
    if dump or (path.suffix == ".data" and topology is None):
        if topology is not None or box is not None:
            raise ValueError(f"{path}: a LAMMPS file has types and box; give no other ones")
        return DumpFrames(path, every=every) if dump else SingleFrame(read_lammps_data(path))
    return UniverseFrames(open_universe(path, topology), every=every, box=box)
