"""Universes and trajectories of MDAnalysis as configurations.

Positions are in float32, and atom types are those of the topology for all frames. A trajectory does
not say the boundaries: all directions have periodic images, but where all atoms have the same z
there are none along z (`lammps_botan.files.flat_box`). Which formats are taken stands in
`lammps_botan.files.mdanalysis_reader`.
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

OTHER_SIZE = 2.0  # no run changes the edges of its box by more
# XTC, with up to 2^31 bytes a frame and above; TRR; DCD, after the length of its first record
BEGINS = (b"\x00\x00\x07\xcb", b"\x00\x00\x07\xe7", b"\x00\x00\x07\xc9", b"CORD")


class UniverseFrames:
    """The frames of a Universe of MDAnalysis.

    Parameters
    ----------
    universe : Universe
        With atom types, or else atom names, that are those of all frames.
    every : int
        Take the first frame and each that is a multiple of this many frames after it.
    box : [3], optional
        Edges of the periodic box, for trajectories without one.
    units : str, optional
        LAMMPS's name of the unit system, for trajectories in nm (XTC, TRR).
    start : Configuration, optional
        Where species, their names, IDs and units come from, in place of the Universe.

    Raises
    ------
    ValueError
        If the atoms have neither types nor names, `every` is not positive, or the numbers of the
        trajectory are not known to be those of LAMMPS.
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
        """The share of the frames that have been read."""
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
        """Refuse lengths in another unit, which all look right without a box to compare with."""
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
    """A Universe over a DCD, XTC or TRR file, with the numbers as they stand in the file.

    Parameters
    ----------
    path : Path
    start : Configuration
        The same atoms, sorted by ID as LAMMPS writes them there; of a data file or a dump.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If MDAnalysis cannot read it, or it has another number of atoms.
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
