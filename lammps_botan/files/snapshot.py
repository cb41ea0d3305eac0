"""Snapshots: particles with their neighbors, and the files they are kept in.

A folder holds one npz file for each step, `snapshot-STEP.npz`. A file appears under its name when
it is whole, so that a folder can be read while it grows, and a killed run leaves whole files only.

| key | type | |
| --- | --- | --- |
| step | int64 | |
| ids, types | int64 [n_particles] | in the order of the atom IDs |
| positions | float64 [n_particles, 3] | unwrapped, LJ units |
| cell | float64 [3, 3] | cell vectors as rows |
| periodic | bool [3] | |
| center, neighbor | int32 [n_edges] | rows of `ids`, not IDs |
| vectors | float32 [n_edges, 3] | r_center - r_neighbor |
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.structure.graph import Floats, Graph, Ints


@dataclass(frozen=True)
class Particles:
    """Particles at one step, in the order of their atom IDs.

    Attributes
    ----------
    step : int
    ids : int64 [n_particles]
        Ascending.
    types : int64 [n_particles]
        Atom types, from 1.
    positions : float64 [n_particles, 3]
        Unwrapped, LJ units.
    cell : float64 [3, 3]
        Cell vectors as rows.
    periodic : three bools
        Directions with periodic images; the third is False in two dimensions.
    """

    step: int
    ids: Ints
    types: Ints
    positions: Floats
    cell: Floats
    periodic: tuple[bool, bool, bool]


@dataclass(frozen=True)
class Snapshot(Particles):
    """Particles and the graph of their neighbors; the attributes of `Particles` and one more.

    Attributes
    ----------
    graph : Graph
        Its particles are in the order of `ids`.
    """

    graph: Graph


def write_snapshot(folder: Path, snapshot: Snapshot) -> Path:
    """Write a snapshot file; one of the same step is replaced.

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
        If it cannot be written; no part of it stays.
    """
    path = folder / f"snapshot-{snapshot.step:012d}.npz"
    part = path.with_name(path.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez(
                file,
                step=snapshot.step,
                ids=snapshot.ids,
                types=snapshot.types,
                positions=snapshot.positions,
                cell=snapshot.cell,
                periodic=snapshot.periodic,
                center=snapshot.graph.center.astype(np.int32),
                neighbor=snapshot.graph.neighbor.astype(np.int32),
                vectors=snapshot.graph.vectors.astype(np.float32),
            )
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise OSError(
            f"{path}: cannot be written: {error.strerror}; make room, or choose another folder"
        ) from error
    return path


def read_snapshot(path: str | Path) -> Snapshot:
    """Read a snapshot file. Species of its graph are the atom types less one.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a snapshot file.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            content = {name: archive[name] for name in _KEYS}
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"{path}: not a snapshot file of DumpNeighbors: {error}") from error
    center, neighbor, vectors = (content.pop(name) for name in ("center", "neighbor", "vectors"))
    graph = Graph(
        species=content["types"] - 1,
        center=center.astype(np.int64),
        neighbor=neighbor.astype(np.int64),
        vectors=vectors.astype(np.float64),
    )
    x, y, z = map(bool, content.pop("periodic"))
    return Snapshot(step=int(content.pop("step")), periodic=(x, y, z), graph=graph, **content)


def read_snapshots(folder: str | Path) -> Iterator[Snapshot]:
    """The snapshots of a folder that are there now, by step.

    Raises
    ------
    FileNotFoundError
        If the folder has none.
    ValueError
        As `read_snapshot`.
    """
    paths = sorted(Path(folder).glob("snapshot-*.npz"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no snapshot-*.npz in this folder")
    return map(read_snapshot, paths)


_KEYS = (
    "step",
    "ids",
    "types",
    "positions",
    "cell",
    "periodic",
    "center",
    "neighbor",
    "vectors",
)
