"""The graph of a configuration, and every convention about it.

An edge joins each ordered pair of particles with ::

    |r_center - r_neighbor| < cutoff        (strictly; all periodic images)

and carries the vector ::

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

from lammps_botan.structure.box import LONGEST, Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.crowding import count_cells
from lammps_botan.structure.pairs import cell_pairs, tree_pairs


@dataclass(frozen=True, eq=False)
class Graph:
    """Particles and the directed edges between neighbors.

    Parameters
    ----------
    species : int64 [n_particles]
        Species of each particle, from 0.
    center, neighbor : int64 [n_edges]
        Receiver and sender of each edge; `center` ascends.
    vectors : float64 [n_edges, 3]
        r_center - r_neighbor, length unit.
    cutoff : float
        The graph has the edges of all pairs closer than this, and no others; length unit. NaN where
        some of these edges were left out, as in a graph of bonds: no network takes such a graph.

    Examples
    --------
    >>> center, neighbor = np.array([0, 1]), np.array([1, 0])
    >>> vectors = np.array([[1.0, 0, 0], [-1.0, 0, 0]])
    >>> pair = Graph(np.array([0, 0]), center, neighbor, vectors, cutoff=1.5)
    >>> pair.n_edges, pair.distances
    (2, array([1., 1.]))
    >>> pair.within(0.9).n_edges
    0
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
        """Length of each vector, float64 [n_edges], length unit."""
        return np.asarray(np.linalg.norm(self.vectors, axis=1))

    def within(self, cutoff: float) -> "Graph":
        """Give the graph of a shorter cutoff.

        Parameters
        ----------
        cutoff : float
            Length unit.

        Returns
        -------
        Graph

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
        """Give the graph with some of its edges.

        Parameters
        ----------
        edges : bool [n_edges]
            Mask of the edges that stay.
        cutoff : float
            Cutoff of the new graph, where the mask leaves all pairs closer than it; else NaN.

        Returns
        -------
        Graph
        """
        return replace(
            self,
            center=self.center[edges],
            neighbor=self.neighbor[edges],
            vectors=self.vectors[edges],
            cutoff=cutoff,
        )


def build_graph(configuration: Configuration, cutoff: float) -> Graph:
    """Build the graph of a configuration; the conventions are at the top of this module.

    Parameters
    ----------
    configuration : Configuration
    cutoff : float
        Edges join pairs closer than this, length unit.

    Returns
    -------
    Graph

    Raises
    ------
    ValueError
        If the cutoff is not positive, or the graph would have more than 10,000 edges a particle on
        average or would not fit into the memory.

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
    if cutoff > LONGEST:
        raise ValueError(f"the cutoff must be at most {LONGEST:g}, found {cutoff:g}")
    if configuration.n_particles == 0:
        nowhere = np.zeros(0, dtype=np.int64)
        return Graph(configuration.species, nowhere, nowhere, np.zeros((0, 3)), cutoff)
    crowding = count_cells(configuration, cutoff)
    crowding.check(configuration)
    pairs = tree_pairs if crowding.is_sparse else cell_pairs
    center, neighbor, vectors = pairs(configuration, cutoff)
    order = np.argsort(center * configuration.n_particles + neighbor, kind="stable")
    return Graph(
        species=configuration.species,
        center=center[order],
        neighbor=neighbor[order],
        vectors=vectors[order],
        cutoff=cutoff,
    )
