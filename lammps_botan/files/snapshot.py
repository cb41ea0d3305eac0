"""Snapshots: configurations with their graphs, and their files.

A folder holds one npz file for each step, `snapshot-STEP.npz`. A file appears under its name when
it is whole: a folder can be read while it grows, and a killed run leaves whole files only.

| key | type | |
| --- | --- | --- |
| step | int64 | |
| ids, types | int64 [n_particles] | in the order of the atom IDs |
| positions | float64 [n_particles, 3] | unwrapped, length unit |
| cell | float64 [3, 3] | cell vectors as rows |
| origin | float64 [3] | lower corner of the box |
| periodic | bool [3] | the third is false in two dimensions |
| units | str | LAMMPS's name of the unit system |
| center, neighbor | int32 [n_edges] | rows of `ids`, not IDs |
| vectors | float32 [n_edges, 3] | r_center - r_neighbor |
| cutoff | float64 | of the graph, length unit |

Older files without the key `cutoff` are read too. The cutoff of their graph is NaN, and no model
takes such a graph: give `snapshot.configuration` to `Predictor.predict`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.files.npz_archive import check_archive
from lammps_botan.files.whole_file import whole_file
from lammps_botan.structure.box import Box, Floats, Ints, Periodic
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph

_KEYS = ["step", "ids", "types", "positions", "cell", "periodic", "center", "neighbor", "vectors"]
_LATER_KEYS = {"cutoff": float("nan"), "units": "", "origin": np.zeros(3)}


@dataclass(frozen=True)
class Snapshot:
    """A configuration and its graph.

    Attributes
    ----------
    configuration : Configuration
        In the order of the atom IDs, unwrapped.
    graph : Graph
        With the particles of the configuration.

    Examples
    --------
    >>> from lammps_botan.structure.graph import build_graph
    >>> two = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)), step=7)
    >>> snapshot = Snapshot(two, build_graph(two, cutoff=2.0))
    >>> snapshot.step, snapshot.graph.n_edges
    (7, 2)
    """

    configuration: Configuration
    graph: Graph

    @property
    def step(self) -> int:
        """Step of the simulation."""
        return self.configuration.step

    @property
    def ids(self) -> Ints:
        """Atom IDs, int64 [n_particles], ascending."""
        return self.configuration.ids

    @property
    def types(self) -> Ints:
        """Atom types from 1, int64 [n_particles]."""
        return self.configuration.types

    @property
    def positions(self) -> Floats:
        """Unwrapped positions, float64 [n_particles, 3], length unit."""
        return self.configuration.positions

    @property
    def cell(self) -> Floats:
        """Cell vectors as rows, float64 [3, 3], length unit."""
        return self.configuration.box.cell

    @property
    def periodic(self) -> Periodic:
        """Directions with periodic images; the third is False in two dimensions."""
        return self.configuration.box.periodic


def write_snapshot(folder: Path, snapshot: Snapshot) -> Path:
    """Write a snapshot file; a file of the same step is replaced.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    snapshot : Snapshot

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If the file cannot be written; no part of it stays.

    Examples
    --------
    >>> from lammps_botan.structure.graph import build_graph
    >>> two = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)), step=7)
    >>> write_snapshot(Path("snapshots"), Snapshot(two, build_graph(two, cutoff=2.0))).name
    'snapshot-000000000007.npz'
    """
    path = folder / f"snapshot-{snapshot.step:012d}.npz"
    graph = snapshot.graph
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part, part.open("wb") as file:
            np.savez(
                file,
                step=snapshot.step,
                ids=snapshot.ids,
                types=snapshot.types,
                positions=snapshot.positions,
                cell=snapshot.cell,
                origin=snapshot.configuration.box.origin,
                periodic=snapshot.periodic,
                units=snapshot.configuration.units or "",
                center=graph.center.astype(np.int32),
                neighbor=graph.neighbor.astype(np.int32),
                vectors=graph.vectors.astype(np.float32),
                cutoff=graph.cutoff,
            )
    except OSError as error:
        raise OSError(
            f"{path}: cannot be written: {error.strerror}; make room, or choose another folder"
        ) from error
    return path


def read_snapshot(path: str | Path) -> Snapshot:
    """Read a snapshot file; species k is LAMMPS type k + 1.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Snapshot

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a snapshot file.

    Examples
    --------
    >>> from lammps_botan.structure.graph import build_graph
    >>> two = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)), step=7)
    >>> path = write_snapshot(Path("snapshots"), Snapshot(two, build_graph(two, cutoff=2.0)))
    >>> read_snapshot(path).graph.center
    array([0, 1])
    """
    try:
        with Path(path).open("rb") as file:
            check_archive(file)
            with np.load(file, allow_pickle=False) as archive:
                content: dict[str, Any] = {name: archive[name] for name in _KEYS}
                for name, default in _LATER_KEYS.items():
                    content[name] = archive.get(name, default)
        return _snapshot(content, str(path))
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"{path}: not a snapshot file of DumpNeighbors: {error}") from error


def _snapshot(content: dict[str, Any], where: str) -> Snapshot:
    x, y, z = map(bool, content["periodic"])
    configuration = Configuration(
        positions=content["positions"],
        species=content["types"] - 1,
        box=Box(content["cell"], (x, y, z), content["origin"]),
        ids=content["ids"],
        units=str(content["units"]) or None,
        step=int(content["step"]),
        where=where,
    )
    graph = Graph(
        species=configuration.species,
        center=content["center"].astype(np.int64),
        neighbor=content["neighbor"].astype(np.int64),
        vectors=content["vectors"].astype(np.float64),
        cutoff=float(content["cutoff"]),
    )
    return Snapshot(configuration, graph)


def read_snapshots(folder: str | Path) -> Iterator[Snapshot]:
    """Read the snapshots that a folder has now, in the order of their steps.

    Parameters
    ----------
    folder : str or Path

    Yields
    ------
    Snapshot

    Raises
    ------
    FileNotFoundError
        If the folder has no snapshots.
    ValueError
        As `read_snapshot`.

    Examples
    --------
    >>> from lammps_botan.structure.graph import build_graph
    >>> for step in (10, 20):
    ...     two = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)), step=step)
    ...     _ = write_snapshot(Path("several"), Snapshot(two, build_graph(two, cutoff=2.0)))
    >>> [snapshot.step for snapshot in read_snapshots("several")]
    [10, 20]
    """
    paths = sorted(Path(folder).glob("snapshot-*.npz"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no snapshot-*.npz in this folder")
    return map(read_snapshot, paths)
