"""Arrays that a network takes for a graph."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.network.inputs import Singles
from lammps_botan.structure.graph import Graph

Arrays = list[npt.NDArray[Any]]


def forward_arrays(
    graph: Graph, node_vectors: Singles | None = None, node_scalars: Singles | None = None
) -> Arrays:
    """Give the arguments of `forward` for a graph, in order.

    Parameters
    ----------
    graph : Graph
    node_vectors : float32 [n_particles, n_vectors, 3], optional
        For a network with inputs, see `network.inputs.node_inputs`.
    node_scalars : float32 [n_particles, n_scalars], optional

    Returns
    -------
    list of arrays

    Examples
    --------
    >>> ends = np.array([0, 1]), np.array([1, 0])
    >>> graph = Graph(np.zeros(2, int), *ends, np.array([[1.0, 0, 0], [-1, 0, 0]]), cutoff=2.0)
    >>> [array.shape for array in forward_arrays(graph)]
    [(2,), (2, 3), (2,), (2,)]
    """
    inputs = [] if node_vectors is None or node_scalars is None else [node_vectors, node_scalars]
    vectors = graph.vectors.astype(np.float32)
    return [graph.species, vectors, *inputs, graph.center, graph.neighbor]
