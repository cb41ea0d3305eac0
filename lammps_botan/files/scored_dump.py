"""Scored frames as text of LAMMPS dump files.

Atoms, as `dump custom` writes them; the propensity has the name of a column of fix property/atom:

    ITEM: ATOMS id type x y z d_propensity

Where the model has several outputs, the others follow with d_ before their names, such as
d_propensity_std. Bonds, as `dump local` writes them with `dump_modify label BONDS`, each pair
twice, once from each end:

    ITEM: BONDS id_center id_neighbor distance pair_distance_change

Positions are wrapped into the box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lammps_botan.files.lammps_dump import Frame
from lammps_botan.structure.graph import Floats, Ints, cell_matrix

PROPENSITY = "d_propensity"


@dataclass(frozen=True)
class ScoredFrame:
    """A frame and what the model says of it.

    Attributes
    ----------
    frame : Frame
    ids, types : int64 [n_atoms]
    propensity : float32 [n_atoms, n_node_outputs]
        0 for atoms of a type mapped to NULL.
    center, neighbor : int64 [n_bonds]
        Atom IDs of each pair closer than the bond length; each pair twice, once from each end.
    distances : float64 [n_bonds]
    changes : float32 [n_bonds, n_edge_outputs]
        Predicted pair-distance changes.
    node_outputs, edge_outputs : list of str
        Names of the columns of `propensity` and `changes`.
    """

    frame: Frame
    ids: Ints
    types: Ints
    propensity: Floats
    center: Ints
    neighbor: Ints
    distances: Floats
    changes: Floats
    node_outputs: list[str]
    edge_outputs: list[str]


def atoms_text(scored: ScoredFrame) -> bytes:
    """A frame of a dump of atoms."""
    n_outputs = scored.propensity.shape[1]
    names = [PROPENSITY, *(f"d_{name}" for name in scored.node_outputs[1:])]
    numbers = (scored.ids, scored.types, wrapped(scored.frame), scored.propensity)
    header = _header(scored.frame, "ATOMS", len(scored.ids), " ".join(["id type x y z", *names]))
    return header + _rows("%d %d %.12g %.12g %.12g" + " %.9g" * n_outputs, numbers)


def bonds_text(scored: ScoredFrame) -> bytes:
    """A frame of a dump of bonds."""
    n_outputs = scored.changes.shape[1]
    names = ["pair_distance_change", *scored.edge_outputs[1:]][:n_outputs]
    columns = " ".join(["id_center id_neighbor distance", *names])
    header = _header(scored.frame, "BONDS", len(scored.center), columns)
    numbers = (scored.center, scored.neighbor, scored.distances, scored.changes)
    return header + _rows("%d %d %.9g" + " %.9g" * n_outputs, numbers)


def wrapped(frame: Frame) -> Floats:
    """Positions [n_atoms, 3] in the box, along its periodic directions."""
    cell, origin = cell_matrix(frame.box), np.asarray(frame.origin)
    positions = np.asarray(frame.positions, dtype=np.float64)
    images = np.floor((positions - origin) @ np.linalg.inv(cell)) * frame.periodic
    return np.asarray(positions - images @ cell)


def _rows(line: str, numbers: Sequence[Floats | Ints]) -> bytes:
    rows = np.column_stack(numbers)
    return ((line + "\n") * len(rows) % tuple(rows.ravel().tolist())).encode()


def _header(frame: Frame, label: str, n_rows: int, columns: str) -> bytes:
    cell, origin = cell_matrix(frame.box), np.asarray(frame.origin)
    if np.triu(cell, 1).any() or (np.diagonal(cell) <= 0).any():
        raise ValueError(
            f"{frame.where}: cell vectors {cell.tolist()}; a dump needs the first along x, the "
            "second in the xy plane and the third upwards: rotate box and positions"
        )
    xy, xz, yz = cell[1, 0], cell[2, 0], cell[2, 1]
    below = np.array([min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0])
    above = np.array([max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0])
    low, high = origin + below, origin + np.diagonal(cell) + above
    bounds, words = np.column_stack([low, high]), []
    if xy or xz or yz:
        bounds, words = np.column_stack([bounds, [xy, xz, yz]]), ["xy xz yz"]
    words += ["pp" if periodic else "ff" for periodic in frame.periodic]
    lines = [
        "ITEM: TIMESTEP",
        str(frame.step),
        f"ITEM: NUMBER OF {label}",
        str(n_rows),
        f"ITEM: BOX BOUNDS {' '.join(words)}",
        *(" ".join(f"{x:.16e}" for x in row) for row in bounds),
        f"ITEM: {label} {columns}",
    ]
    return "".join(f"{line}\n" for line in lines).encode()
