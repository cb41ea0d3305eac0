"""Universes and trajectories of MDAnalysis as configurations.

Positions are in float32, and atom types are those of the topology for all frames. A trajectory does
not say the boundaries: all directions have periodic images, except z where all atoms have the same
z (`lammps_botan.files.flat_box`). `lammps_botan.files.mdanalysis_reader` lists the formats.
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import MDAnalysis
import numpy as np
from MDAnalysis.coordinates.core import get_reader_for

from lammps_botan.files.flat_box import flat_box
from lammps_botan.files.lammps_dump_text import DUMP_LINE
from lammps_botan.files.mdanalysis_reader import frame_steps, length_scale, reader_name
from lammps_botan.files.xyz import number_names
from lammps_botan.structure.box import Box, Ints
from lammps_botan.structure.configuration import Configuration

OTHER_SIZE = 2.0  # a run does not change the edges of its box by a larger factor
# XTC, with up to 2^31 bytes a frame and above; TRR; DCD, after the length of its first record
BEGINS = (b"\x00\x00\x07\xcb", b"\x00\x00\x07\xe7", b"\x00\x00\x07\xc9", b"CORD")


class UniverseFrames:
    """The frames of a Universe of MDAnalysis.

    Parameters
    ----------
    universe : MDAnalysis.Universe
        With atom types, or else atom names, which are those of all frames.
    every : int
        Take the first frame and each that is a multiple of this many frames after it.
    box : float [3], optional
        Edges of the periodic box, length unit, for trajectories without one.
    units : str, optional
        LAMMPS's name of the unit system, for trajectories in nm (XTC, TRR).
    start : Configuration, optional
        Gives species, their names, IDs and units in place of the Universe.

    Raises
    ------
    ValueError
        If the atoms have neither types nor names, `every` is not positive, or the numbers of the
        trajectory are not known to be those of LAMMPS.

    Examples
    --------
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "2"])
    >>> universe.dimensions = [5, 5, 5, 90, 90, 90]
    >>> universe.atoms.positions = np.eye(2, 3)
    >>> [frame.types for frame in UniverseFrames(universe)]
    [array([1, 2])]
    """

    def __init__(
        self,
        universe: MDAnalysis.Universe,
        *,
        every: int = 1,
        box: Sequence[float] | None = None,
        units: str | None = None,
        start: Configuration | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, found {every}")
        self._trajectory, self._every, self._edges = universe.trajectory, every, box
        self._name = reader_name(self._trajectory)
        self._atoms = universe.atoms
        self._units = start.units if start is not None and start.units else units
        if len(self._atoms) == 0:
            raise ValueError(f"{self._name}: no atoms")
        if start is None:
            self._species, self._names = _species(self._atoms, self._name)
            self._ids = self._atoms.ids if hasattr(self._atoms, "ids") else self._atoms.ix + 1
        else:
            self._species, self._names, self._ids = start.species, start.species_names, start.ids
        self._scale = length_scale(self._trajectory, self._units)
        self._steps = frame_steps(self._trajectory)
        self._read = 0
        if start is not None:
            self._check_size(start)

    @property
    def progress(self) -> float:
        """Share of the frames that have been read."""
        return float(min(1.0, self._read / self._trajectory.n_frames))

    def __iter__(self) -> Iterator[Configuration]:
        for index in range(0, self._trajectory.n_frames, self._every):
            where = f"{self._name}: frame {index}"
            try:
                ts = self._trajectory[index]
                positions = np.array(self._atoms.positions, dtype=np.float64) * self._scale
            except Exception as error:  # its readers fail in many ways
                raise ValueError(f"{where}: MDAnalysis cannot read it: {_reason(error)}") from error
            self._read = index + self._every
            step = ts.data.get("step", index) if self._steps is None else self._steps[index]
            yield Configuration(
                positions=positions,
                species=self._species,
                box=flat_box(self._box(ts, where), positions),
                ids=self._ids,
                step=int(step),
                species_names=self._names,
                units=ts.data.get("units") or self._units,
                where=where,
            )

    def _check_size(self, start: Configuration) -> None:
        """Refuse lengths in another unit: only the box tells that they are wrong."""
        box = self._box(self._trajectory.ts, self._name)
        ratio = box.heights / start.box.heights
        if ratio.max() > OTHER_SIZE or ratio.min() < 1 / OTHER_SIZE:
            found, expected = (", ".join(f"{x:.4g}" for x in b.heights) for b in (box, start.box))
            raise ValueError(
                f"{self._name}: a box of {found}, but in {start.where} of {expected}: are the "
                f"lengths in another unit? Write a dump: {DUMP_LINE}"
            )

    def _box(self, ts: Any, where: str) -> Box:
        own = ts.data.get("box")
        if isinstance(own, Box):
            return own
        cell = ts.triclinic_dimensions
        if cell is None and self._edges is None:
            raise ValueError(f"{where}: no periodic box; give its edges with --box LX LY LZ")
        lengths = np.asarray(self._edges) if cell is None else np.array(cell) * self._scale
        try:
            return Box(lengths.astype(np.float64), (True, True, True))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error


def open_universe(path: Path, start: Configuration) -> MDAnalysis.Universe:
    """Open a DCD, XTC or TRR file as a Universe, with the numbers as they stand in the file.

    Parameters
    ----------
    path : Path
    start : Configuration
        The same atoms from a data file or a dump, sorted by ID as LAMMPS writes the trajectory.

    Returns
    -------
    MDAnalysis.Universe

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If MDAnalysis cannot read the file, or it has another number of atoms.

    Examples
    --------
    >>> start = Configuration(np.eye(2, 3), [0, 1], Box(5.0, (True, True, True)))
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.dimensions = [5, 5, 5, 90, 90, 90]
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     universe.atoms.write("two.dcd")
    >>> open_universe(Path("two.dcd"), start).atoms.types
    array(['1', '2'], dtype=object)
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with path.open("rb") as file:
        first = file.read(8)
    if not any(begins in (first[:4], first[4:]) for begins in BEGINS):
        raise ValueError(f"{path}: does not begin as a DCD, XTC or TRR file does")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            reader = get_reader_for(str(path))(str(path), convert_units=False)
    except Exception as error:  # its readers fail in many ways
        raise ValueError(f"{path}: MDAnalysis cannot read it: {_reason(error)}") from error
    if reader.n_atoms != start.n_particles:
        raise ValueError(
            f"{path}: {reader.n_atoms} atoms, but {start.where} has {start.n_particles}; write "
            "both for the same atoms"
        )
    universe = MDAnalysis.Universe.empty(start.n_particles)
    universe.add_TopologyAttr("ids", start.ids)
    universe.add_TopologyAttr("types", start.types.astype(str).astype(object))
    universe.trajectory = reader
    return universe


def _species(atoms: MDAnalysis.AtomGroup, name: str) -> tuple[Ints, tuple[str, ...]]:
    for attribute in ("types", "names"):
        if hasattr(atoms, attribute):
            return number_names(getattr(atoms, attribute))
    raise ValueError(
        f"{name}: no atom types; give a file that has them with --topology, or use "
        'universe.add_TopologyAttr("types", [...])'
    )


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
