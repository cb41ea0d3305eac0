"""Arrays that a network takes for a graph, and whether they are those of a model."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.network.inputs import Singles
from lammps_botan.network.metadata import Metadata
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


def check_graph(
    name: str,
    metadata: Metadata,
    graph: Graph,
    node_vectors: Singles | None,
    node_scalars: Singles | None,
) -> None:
    """Refuse what is not for a model.

    Parameters
    ----------
    name : str
        Of the model, for messages.
    metadata : Metadata
    graph : Graph
    node_vectors : float32 [n_particles, n_vectors, 3], optional
    node_scalars : float32 [n_particles, n_scalars], optional

    Raises
    ------
    ValueError
        If the graph has another cutoff or species that the model does not know, or the inputs are
        not those of the model.

    Examples
    --------
    >>> from lammps_botan.network.predictor import Predictor
    >>> nothing = np.zeros(0, int)
    >>> graph = Graph(np.zeros(1, int), nothing, nothing, np.zeros((0, 3)), cutoff=1.0)
    >>> check_graph("ka-t044", Predictor("ka-t044").metadata, graph, None, None)
    Traceback (most recent call last):
    ...
    ValueError: ka-t044 takes graphs with the cutoff 2, found 1; give the configuration to \
`predict`, which builds the graph
    """
    if not math.isclose(graph.cutoff, metadata.cutoff, rel_tol=1e-9):
        raise ValueError(
            f"{name} takes graphs with the cutoff {metadata.cutoff:g}, found {graph.cutoff:g}; "
            "give the configuration to `predict`, which builds the graph"
        )
    species, mixture = graph.species, metadata.mixture
    if graph.n_particles and not 0 <= species.min() <= species.max() < mixture.n_species:
        wrong = species.max() if species.min() >= 0 else species.min()
        raise ValueError(
            f"{name} knows {mixture.n_species} species ({', '.join(mixture.species)}), found "
            f"species number {wrong}"
        )
    inputs, n = metadata.inputs, graph.n_particles
    expected: list[Any] = [None, None]
    if inputs.names:
        expected = [[n, inputs.n_vectors, 3], [n, inputs.n_scalars]]
    found = [None if a is None else list(a.shape) for a in (node_vectors, node_scalars)]
    if found != expected:
        raise ValueError(
            f"{name} sees {inputs.words}: expected node_vectors and node_scalars of shape "
            f"{expected[0]} and {expected[1]}, found {found[0]} and {found[1]}; give the "
            "configuration to `predict`, which has them"
        )
