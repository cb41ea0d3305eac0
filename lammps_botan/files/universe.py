"""Frames of anything that MDAnalysis reads, as it gives them: mostly in float32."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import MDAnalysis
import numpy as np

from lammps_botan.files.lammps_data import atom_style
from lammps_botan.files.lammps_dump import is_dump
from lammps_botan.structure.box import Box, Floats, Ints
from lammps_botan.structure.configuration import Configuration


class UniverseFrames:
    """The frames of a Universe of MDAnalysis.

    Parameters
    ----------
    universe : Universe
        With atom types, or else atom names.
    every : int
        Take the first frame and each that is a multiple of this many frames after it.
    box : [3], optional
        Edges of the periodic box, for files without one, such as XYZ.

    Raises
    ------
    ValueError
        If the atoms have neither types nor names, or `every` is not positive.
    """

    def __init__(
        self, universe: MDAnalysis.Universe, *, every: int = 1, box: Sequence[float] | None = None
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, found {every}")
        self._trajectory, self._every, self._box = universe.trajectory, every, box
        self._atoms = universe.atoms
        self._name = str(getattr(self._trajectory, "filename", None) or "universe")
        self._types, self._type_names = self._number_types()
        self._ids = self._atoms.ids if hasattr(self._atoms, "ids") else self._atoms.ix + 1
        self._read = 0

    @property
    def progress(self) -> float:
        """The share of the frames that have been read."""
        return float(min(1.0, self._read / self._trajectory.n_frames))

    def __iter__(self) -> Iterator[Configuration]:
        for index in range(0, self._trajectory.n_frames, self._every):
            where = f"{self._name}: frame {index}"
            try:
                ts = self._trajectory[index]
                positions = np.array(self._atoms.positions, dtype=np.float64)
            except Exception as error:  # its many readers fail in many ways
                raise ValueError(f"{where}: MDAnalysis cannot read it: {_reason(error)}") from error
            self._read = index + self._every
            yield Configuration(
                positions=positions,
                species=self._types - 1,
                box=Box(self._cell(ts, where), (True, True, True)),
                ids=self._ids,
                step=int(ts.data.get("step", index)),
                species_names=self._type_names,
                where=where,
            )

    def _number_types(self) -> tuple[Ints, tuple[str, ...]]:
        """Numbers as they are; names in alphabetical order."""
        if len(self._atoms) == 0:
            raise ValueError(f"{self._name}: no atoms")
        for attribute in ("types", "names"):
            if not hasattr(self._atoms, attribute):
                continue
            names = np.asarray(getattr(self._atoms, attribute)).astype(str)
            distinct, types = np.unique(names, return_inverse=True)
            if all(name.isdigit() and int(name) > 0 for name in distinct):
                return names.astype(np.int64), ()
            return types.astype(np.int64) + 1, tuple(str(name) for name in distinct)
        raise ValueError(
            f"{self._name}: no atom types; give a file that has them with --topology, or use "
            'universe.add_TopologyAttr("types", [...])'
        )

    def _cell(self, ts: Any, where: str) -> Floats:
        cell = ts.data.get("cell", ts.triclinic_dimensions)
        if cell is None:
            if self._box is None:
                raise ValueError(f"{where}: no periodic box; give its edges with --box LX LY LZ")
            cell = np.diag(np.asarray(self._box, dtype=np.float64))
        return np.asarray(cell, dtype=np.float64)


def open_universe(path: Path, topology: str | Path | None = None) -> MDAnalysis.Universe:
    """A Universe over a file; that of a LAMMPS data file has the atom style that the file names.

    Parameters
    ----------
    path : Path
    topology : Path, optional
        A file with the atom types, for trajectories without them, such as DCD.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If MDAnalysis cannot read it.
    """
    files = [str(path)] if topology is None else [str(topology), str(path)]
    for file in files:
        if not Path(file).is_file():
            raise FileNotFoundError(f"{file}: no such file")
    options = {}
    if topology is not None and is_dump(Path(topology)):
        options["topology_format"] = "LAMMPSDUMP"
    if Path(files[0]).suffix == ".data" and (style := atom_style(Path(files[0]))) is not None:
        options["atom_style"] = style
    try:
        with warnings.catch_warnings():
            # of masses, elements and the like, which are not needed here
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return MDAnalysis.Universe(*files, to_guess=(), **options)
    except Exception as error:  # its many parsers fail in many ways
        hint = "" if topology else "; a trajectory without atom types needs --topology FILE"
        together = f"{path}" if topology is None else f"{path} with topology {topology}"
        raise ValueError(
            f"{together}: MDAnalysis cannot read it: {_reason(error)}{hint}"
        ) from error


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
