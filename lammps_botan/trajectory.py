"""LAMMPS dumps as MDAnalysis Universes, and as isoconfigurational ensembles."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import MDAnalysis

from lammps_botan.dump import DumpReader
from lammps_botan.ensemble import EnsembleFrame, IsoconfigurationalEnsemble


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
        As `lammps_botan.dump.DumpReader`.
    """
    reader = DumpReader(path, dt=dt)
    universe = MDAnalysis.Universe.empty(reader.n_atoms)
    universe.add_TopologyAttr("ids", reader.ids)
    universe.add_TopologyAttr("types", reader.types.astype(str).astype(object))
    universe.trajectory = reader
    return universe


def read_ensemble(paths: Sequence[str | Path], *, dt: float = 0.001) -> Iterator[EnsembleFrame]:
    """Each lag time after the first frame, from the dumps of an isoconfigurational ensemble.

    Parameters
    ----------
    paths : sequence of Path
        One LAMMPS text dump for each run.
    dt : float
        Time step of the simulation, for dumps without `ITEM: TIME`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `open_dump` and `IsoconfigurationalEnsemble`; the dumps are checked at once as far as
        their headers and first frames go.
    """
    ensemble = IsoconfigurationalEnsemble([open_dump(path, dt=dt) for path in paths])
    return (ensemble.at(k) for k in range(1, ensemble.n_frames))
