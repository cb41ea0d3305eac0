"""The graph of a configuration, and every convention about it.

An edge joins each ordered pair of particles with

    |r_center - r_neighbor| < cutoff        (strictly; all periodic images)

and carries the vector

    vector = r_center - r_neighbor          (of the image that is within the cutoff)

The center receives the message, the neighbor sends it. Every pair appears twice, once from each
end, with opposite vectors. Edges are grouped by center, in ascending order. Species are numbered
from 0 in the order of the model's species list: A = 0, B = 1 in the Kob-Andersen mixture. Positions
may be wrapped or not. Lengths are in units of sigma_AA (LJ units), as everywhere in this package.
In a box smaller than two cutoffs a particle may be the neighbor of another one several times, and
in one smaller than a cutoff the neighbor of its own image: each image is an edge, as in LAMMPS.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """Particles and the directed edges between neighbors.

    Attributes
    ----------
    species : int64 [n_particles]
        Species of each particle, from 0.
    center, neighbor : int64 [n_edges]
        Receiver and sender of each edge; `center` ascends.
    vectors : float64 [n_edges, 3]
        r_center - r_neighbor, LJ units.
    """

    species: Ints
    center: Ints
    neighbor: Ints
    vectors: Floats

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return len(self.species)

    @property
    def n_edges(self) -> int:
        """Number of directed edges."""
        return len(self.center)

    @property
    def distances(self) -> Floats:
        """float64 [n_edges]: |vectors|."""
        return np.asarray(np.linalg.norm(self.vectors, axis=1))


def cell_matrix(box: npt.ArrayLike) -> Floats:
    """float64 [3, 3] with the cell vectors as rows.

    Parameters
    ----------
    box : float, [3] or [3, 3]
        Edge of a cube, edges of an orthogonal box, or cell vectors as rows; LJ units.

    Raises
    ------
    ValueError
        If `box` has another shape, is not finite, or spans no volume.
    """
    array = np.asarray(box, dtype=np.float64)
    if array.shape not in {(), (3,), (3, 3)}:
        raise ValueError(
            f"the box must be one length, 3 lengths or 3 cell vectors, found shape {array.shape}"
        )
    cell = array if array.shape == (3, 3) else np.diag(np.broadcast_to(array, 3))
    if not np.isfinite(cell).all() or np.isclose(np.linalg.det(cell), 0.0):
        raise ValueError(f"the box must span a finite volume, found {array.tolist()}")
    return cell


def minimum_image(vectors: Floats, box: npt.ArrayLike) -> Floats:
    """The shortest periodic image of each vector; the argument is left as it is.

    Exact in orthogonal boxes, and in triclinic ones with tilts up to half an edge, as in LAMMPS.

    Parameters
    ----------
    vectors : [..., 3]
        LJ units.
    box : float, [3] or [3, 3]
        See `cell_matrix`.
    """
    cell = cell_matrix(box)
    if np.count_nonzero(cell - np.diag(np.diagonal(cell))) == 0:
        lengths = np.diagonal(cell)
        return np.asarray(vectors - lengths * np.rint(vectors / lengths))
    inverse = np.linalg.inv(cell)
    shortest = np.asarray(vectors - np.rint(vectors @ inverse) @ cell)
    # in a skewed cell the nearest image by fractional coordinates may have a shorter neighbor, but
    # not where it is shorter than half of the lowest height of the cell
    half_height = 0.5 / np.linalg.norm(inverse, axis=0).max()
    far = (shortest * shortest).sum(axis=-1) > half_height**2
    start = closest = shortest[far]
    for shift in itertools.product((-1, 0, 1), repeat=3):
        image = start + np.array(shift) @ cell
        closer = (image * image).sum(axis=-1) < (closest * closest).sum(axis=-1)
        closest = np.where(closer[..., None], image, closest)
    shortest[far] = closest
    return shortest


def build_graph(
    positions: npt.ArrayLike,
    box: npt.ArrayLike,
    species: npt.ArrayLike,
    *,
    cutoff: float = 2.0,
    periodic: tuple[bool, bool, bool] = (True, True, True),
) -> Graph:
    """The graph of one configuration (conventions at the top of this file).

    Parameters
    ----------
    positions : [n_particles, 3]
        Wrapped or not, LJ units.
    box : float, [3] or [3, 3]
        See `cell_matrix`.
    species : int [n_particles]
        Species of each particle, from 0.
    cutoff : float
        Edges join pairs closer than this, LJ units.
    periodic : three bools
        Directions with periodic images; (True, True, False) is `dimension 2` of LAMMPS.

    Raises
    ------
    ValueError
        If shapes do not agree, a position is not finite, or the cutoff is not positive.
    """
    points = np.ascontiguousarray(positions, dtype=np.float64)
    kinds = np.ascontiguousarray(species, dtype=np.int64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"positions must have shape [n_particles, 3], found {list(points.shape)}")
    if kinds.shape != (len(points),):
        raise ValueError(
            f"species must have shape [{len(points)}], one per position, found {list(kinds.shape)}"
        )
    if not np.isfinite(points).all():
        first = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise ValueError(f"positions must be finite, found {points[first]} for particle {first}")
    if not cutoff > 0:
        raise ValueError(f"the cutoff must be positive, found {cutoff}")

    from vesin import NeighborList  # imports torch, for which readers of dumps need not wait

    # neighbor lists close at <= cutoff: ask for the ones below
    below = float(np.nextafter(cutoff, 0.0))
    neighbors = NeighborList(cutoff=below, full_list=True, sorted=False)
    center, neighbor, vectors = neighbors.compute(
        points=points, box=cell_matrix(box), periodic=list(periodic), quantities="ijD"
    )
    center, neighbor = center.astype(np.int64), neighbor.astype(np.int64)
    order = np.argsort(center * len(points) + neighbor, kind="stable")
    return Graph(
        species=kinds,
        center=center[order],
        neighbor=neighbor[order],
        vectors=-vectors[order],  # theirs points from center to neighbor
    )
