"""The graph of a configuration, and every convention about it.

An edge joins each ordered pair of particles with

    |r_center - r_neighbor| < cutoff        (strictly; all periodic images)

and carries the vector

    vector = r_center - r_neighbor          (of the image that is within the cutoff)

The center receives the message, the neighbor sends it. Every pair appears twice, once from each
end, with opposite vectors. Edges are grouped by center, in ascending order. Species are numbered
from 0 in the order of the mixture: A = 0, B = 1 in the Kob-Andersen mixture. Positions may be
wrapped or not. Lengths are in the unit of the mixture.
In a box smaller than two cutoffs a particle may be the neighbor of another one several times, and
in one smaller than a cutoff the neighbor of its own image: each image is an edge, as in LAMMPS.
"""

from dataclasses import dataclass, replace

import numpy as np

from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration


@dataclass(frozen=True, eq=False)
class Graph:
    """Particles and the directed edges between neighbors.

    Attributes
    ----------
    species : int64 [n_particles]
        Species of each particle, from 0.
    center, neighbor : int64 [n_edges]
        Receiver and sender of each edge; `center` ascends.
    vectors : float64 [n_edges, 3]
        r_center - r_neighbor.
    cutoff : float
        Every pair closer than this has its edges, and no other pair has. NaN where some of these
        pairs were left out, as in a graph of bonds: no network takes such a graph.

    Examples
    --------
    >>> from lammps_botan import Graph
    >>> both = [0, 1], [1, 0]
    >>> ends = map(np.array, both)
    >>> pair = Graph(np.array([0, 0]), *ends, np.array([[1.0, 0, 0], [-1.0, 0, 0]]), cutoff=1.5)
    >>> pair.n_edges, pair.distances
    (2, array([1., 1.]))
    """

    species: Ints
    center: Ints
    neighbor: Ints
    vectors: Floats
    cutoff: float

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

    def within(self, cutoff: float) -> "Graph":
        """The graph of a shorter cutoff.

        Raises
        ------
        ValueError
            If the cutoff is not positive, or longer than that of this graph.
        """
        if not 0 < cutoff <= self.cutoff:
            raise ValueError(
                f"a graph with cutoff {self.cutoff:g} has all pairs within any shorter cutoff, "
                f"found {cutoff:g}"
            )
        return self.only(self.distances < cutoff, cutoff=cutoff)

    def only(self, edges: np.ndarray, *, cutoff: float = float("nan")) -> "Graph":
        """The graph with some of its edges, a mask [n_edges]; of no cutoff unless it is said."""
        return replace(
            self,
            center=self.center[edges],
            neighbor=self.neighbor[edges],
            vectors=self.vectors[edges],
            cutoff=cutoff,
        )


def build_graph(configuration: Configuration, cutoff: float) -> Graph:
    """The graph of a configuration (conventions at the top of this file).

    Parameters
    ----------
    configuration : Configuration
    cutoff : float
        Edges join pairs closer than this, length unit.

    Raises
    ------
    ValueError
        If the cutoff is not positive.

    Examples
    --------
    >>> from lammps_botan import Box, Configuration
    >>> box = Box(5.0, (True, True, True))
    >>> pair = Configuration(positions=[[0, 0, 0], [4.5, 0, 0]], species=[0, 0], box=box)
    >>> graph = build_graph(pair, cutoff=1.0)
    >>> graph.center, graph.neighbor, graph.vectors[:, 0]
    (array([0, 1]), array([1, 0]), array([ 0.5, -0.5]))
    """
    if not 0 < cutoff < np.inf:
        raise ValueError(f"the cutoff must be positive, found {cutoff}")

    from vesin import NeighborList  # imports torch, for which readers of dumps need not wait

    # vesin takes a cutoff in meters for zero; a power of two changes no digit
    scale = float(np.exp2(np.floor(np.log2(cutoff))))
    # neighbor lists close at <= cutoff: ask for the ones below
    below = float(np.nextafter(cutoff, 0.0)) / scale
    neighbors = NeighborList(cutoff=below, full_list=True, sorted=False)
    n, box = configuration.n_particles, configuration.box
    center, neighbor, vectors = neighbors.compute(
        points=configuration.positions / scale,
        box=box.cell / scale,
        periodic=list(box.periodic),
        quantities="ijD",
    )
    center, neighbor = center.astype(np.int64), neighbor.astype(np.int64)
    order = np.argsort(center * n + neighbor, kind="stable")
    return Graph(
        species=configuration.species,
        center=center[order],
        neighbor=neighbor[order],
        vectors=-scale * vectors[order],  # theirs points from center to neighbor
        cutoff=cutoff,
    )
