"""Trajectories: LAMMPS dumps as Universes and as ensembles, and files of any kind as frames."""

from collections.abc import Sequence
from pathlib import Path

import MDAnalysis
import numpy as np

from lammps_botan.files.hoomd_gsd import GsdFrames
from lammps_botan.files.lammps_data import is_lammps_data, read_lammps_data
from lammps_botan.files.lammps_dump import DumpFrames, Frames, SingleFrame, is_dump
from lammps_botan.files.lammps_dump_text import DUMP_LINE
from lammps_botan.files.lammps_dump_universe import DumpReader
from lammps_botan.files.universe import UniverseFrames, open_universe
from lammps_botan.files.xyz import XyzFrames
from lammps_botan.structure.configuration import Configuration

PACKED = (".gz", ".bz2", ".xz")
XYZ = (".xyz", ".extxyz")
READ_AGAIN = ("LAMMPSDUMP", "DATA", "GSD")  # of MDAnalysis's formats
COORDINATES = (".dcd", ".xtc", ".trr")  # positions without types


def open_dump(path: str | Path, *, dt: float = 0.001) -> MDAnalysis.Universe:
    """Open a LAMMPS text dump as a Universe, with ids, types and float64 unwrapped positions.

    Parameters
    ----------
    path : Path
        Packed or plain.
    dt : float
        Time step of the simulation, time unit, for dumps without `ITEM: TIME`.

    Returns
    -------
    MDAnalysis.Universe

    Raises
    ------
    FileNotFoundError, ValueError
        As `lammps_botan.files.lammps_dump_universe.DumpReader`.

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
    >>> open_dump("run.dump").atoms.positions
    array([[0.5, 0.5, 6.5]])
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
    units: str | None = None,
    columns: Sequence[str] = (),
) -> Frames:
    r"""Open a file of any known format as frames, one after the other.

    | file | given by the arguments |
    | --- | --- |
    | LAMMPS text dump, packed or plain | |
    | LAMMPS data file | |
    | XYZ (.xyz, .extxyz), with the names in each frame | the box, where the file has none |
    | GSD (.gsd), with the types in each frame | |
    | DCD (.dcd) | the atoms: `topology` |
    | XTC, TRR (.xtc, .trr) | the atoms: `topology`; the units, where it does not say them |

    Dumps, data files and XYZ are read in float64. Other formats are refused.

    Parameters
    ----------
    path : Path
    topology : Path, optional
        A LAMMPS data file or dump of the same atoms, for DCD, XTC and TRR.
    every : int
        Take the first frame and each that is a multiple of this many frames after it.
    box : float [3], optional
        Edges of the periodic box, length unit, for files without one, such as XYZ.
    units : str, optional
        LAMMPS's name of the unit system, for XTC and TRR files, which are in nm in all units but
        lj; not needed where the topology says it.
    columns : sequence of str
        Further columns of a LAMMPS dump to read, in frames that have them.

    Returns
    -------
    iterable of Configuration
        With the share that has been read as `progress`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, of another format, or needs an argument that is missing.

    Examples
    --------
    >>> _ = Path("two.xyz").write_text("2\nan example\nA 0 0 0\nB 1 0 0\n")
    >>> for configuration in open_frames("two.xyz", box=[5.0, 5.0, 5.0]):
    ...     print(configuration.species_names, configuration.n_particles)
    ('A', 'B') 2
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    suffix = next((s.lower() for s in reversed(path.suffixes) if s.lower() not in PACKED), "")
    if suffix == ".gsd":
        _complete(path, "GSD", topology, box)
        return GsdFrames(path, every=every)
    if suffix in COORDINATES:
        start = _atoms(path, topology)
        universe = open_universe(path, start)
        return UniverseFrames(universe, every=every, box=box, units=units, start=start)
    if is_dump(path):
        _complete(path, "LAMMPS", topology, box)
        return DumpFrames(path, every=every, optional_columns=columns)
    if suffix in XYZ:
        _complete(path, "XYZ", topology)
        return XyzFrames(path, every=every, box=box)
    if suffix == ".data" or is_lammps_data(path):
        _complete(path, "LAMMPS", topology, box)
        return SingleFrame(read_lammps_data(path))
    raise ValueError(
        f"{path}: is no trajectory that is known here: expected a LAMMPS dump or data file, or the "
        f"suffix {', '.join((*XYZ, '.gsd', *COORDINATES))}; use {DUMP_LINE}"
    )


def universe_frames(
    universe: MDAnalysis.Universe, *, every: int = 1, columns: Sequence[str] = ()
) -> Frames:
    """Give the frames of a Universe, one after the other.

    MDAnalysis reads dumps, data files and GSD files with the types of the first frame: the readers
    of this package read such files again.

    Parameters
    ----------
    universe : MDAnalysis.Universe
    every : int
        Take the first frame and each that is a multiple of this many frames after it.
    columns : sequence of str
        Further columns of a LAMMPS dump to read, in frames that have them.

    Returns
    -------
    iterable of Configuration
        With the share that has been read as `progress`.

    Raises
    ------
    ValueError
        If the types of the Universe are not those of its file, or as `UniverseFrames`.

    Examples
    --------
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "2"])
    >>> universe.dimensions = [5, 5, 5, 90, 90, 90]
    >>> universe.atoms.positions = np.eye(2, 3)
    >>> [frame.species for frame in universe_frames(universe)]
    [array([0, 1])]
    """
    trajectory = universe.trajectory
    again = [*READ_AGAIN, *([DumpReader.format] if columns else [])]
    if trajectory.format not in again or trajectory.transformations:
        return UniverseFrames(universe, every=every)
    frames = open_frames(trajectory.filename, every=every, columns=columns)
    own, read = universe.atoms.types.astype(str), next(iter(frames))
    named = np.array(read.species_names)[read.species] if read.species_names else read.types
    for types in (named.astype(str), read.types.astype(str)):
        if np.array_equal(own, types):
            return frames
    name = str(trajectory.filename)
    raise ValueError(
        f"{name}: the atoms of the Universe have other types than those of the file; change them "
        f"in the file, or give score(open_frames({name!r}), ...) the species= of its types"
    )


def _complete(
    path: Path, kind: str, topology: str | Path | None, box: Sequence[float] | None = None
) -> None:
    """Refuse a topology or a box that would contradict types and box of the file."""
    if topology is not None or box is not None:
        own = "an XYZ file has types" if kind == "XYZ" else f"a {kind} file has types and box"
        raise ValueError(f"{path}: {own}; give no other ones")


def _atoms(path: Path, topology: str | Path | None) -> Configuration:
    """Atoms of a trajectory that has only positions, sorted by ID."""
    if topology is None:
        raise ValueError(
            f"{path}: a trajectory without atom types needs --topology FILE, a LAMMPS data file or "
            "dump of the same atoms"
        )
    topology = Path(topology)
    if is_dump(topology):
        return next(iter(DumpFrames(topology)))
    if topology.suffix == ".data" or is_lammps_data(topology):
        return read_lammps_data(topology)
    raise ValueError(
        f"{topology}: expected a LAMMPS data file or dump as the topology of {path}; type "
        "write_data run.data in the input script"
    )
