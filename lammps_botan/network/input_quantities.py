"""Quantities of each particle that are compared with the training of a model.

Those of a model that sees positions alone are the number of neighbors of each species, and the
distance to the nearest neighbor. Both differ at another density, in another composition, and where
the species are in another order.

Those of other models are the lengths of the vectors of the particle, its scalars, and for each
vector the distance to the nearest neighbor in the mean (or inherent) positions ::

    min |vector + d_center - d_neighbor| / bond length of the pair    over the edges of a center

Displacements with the wrong sign, or of other particles, have the right lengths, but particles
overlap: this distance is shorter than in the training by several deviations. In bond lengths it is
nearly the same whether an A or a B is nearest, so that it varies little.
"""

import numpy as np

from lammps_botan.network.inputs import Singles
from lammps_botan.structure.box import Floats
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import Mixture


def input_quantities(
    graph: Graph, node_vectors: Singles, node_scalars: Singles, mixture: Mixture
) -> Floats:
    """The quantities of each node, in the order of `Inputs.quantities`.

    Parameters
    ----------
    graph : Graph
        With the cutoff of the model.
    node_vectors : float32 [n_nodes, n_vectors, 3]
        Length unit; n_vectors is 0 for a model that sees positions alone.
    node_scalars : float32 [n_nodes, n_scalars]
    mixture : Mixture
        Of the model.

    Returns
    -------
    float64 [n_nodes, n_quantities]
        The distance to the nearest neighbor is in bond lengths, and NaN where a node has no
        neighbor.

    Examples
    --------
    >>> from lammps_botan.structure.mixture import KOB_ANDERSEN
    >>> ends = np.array([0, 1]), np.array([1, 0])
    >>> pair = Graph(np.array([0, 1]), *ends, np.array([[1.0, 0, 0], [-1.0, 0, 0]]), cutoff=2.0)
    >>> closer_by = np.array([[[-0.25, 0, 0]], [[0.21, 0, 0]]], np.float32)
    >>> energies = np.array([[-6.0], [-5.0]], np.float32)
    >>> input_quantities(pair, closer_by, energies, KOB_ANDERSEN).round(6)
    array([[ 0.25, -6.  ,  0.5 ],
           [ 0.21, -5.  ,  0.5 ]])
    """
    if not node_vectors.shape[1]:
        still = np.zeros((len(node_vectors), 1, 3), np.float32)
        return np.concatenate([_numbers(graph, mixture), _nearest(graph, still, mixture)], axis=1)
    lengths = np.linalg.norm(node_vectors.astype(np.float64), axis=2)
    nearest = _nearest(graph, node_vectors, mixture)
    return np.concatenate([lengths, node_scalars, nearest], axis=1)


def _numbers(graph: Graph, mixture: Mixture) -> Floats:
    """Numbers of neighbors of each species: [n_nodes, n_species]."""
    shape = len(graph.species), mixture.n_species
    kinds = graph.center * mixture.n_species + graph.species[graph.neighbor]
    return np.bincount(kinds, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)


def _nearest(graph: Graph, node_vectors: Singles, mixture: Mixture) -> Floats:
    """Distances to the nearest neighbor, in bond lengths: [n_nodes, n_vectors]."""
    center, neighbor, species = graph.center, graph.neighbor, graph.species
    bonds = mixture.pair_lengths(species[center], species[neighbor])
    first = np.flatnonzero(np.diff(center, prepend=-1))  # edge of each center that has one
    nearest = np.full(node_vectors.shape[:2], np.nan)
    for column, moved in enumerate(node_vectors.astype(np.float64).swapaxes(0, 1)):
        apart = graph.vectors + (moved.take(center, axis=0) - moved.take(neighbor, axis=0))
        squares = np.einsum("ed,ed->e", apart, apart) / bonds**2
        nearest[center[first], column] = np.sqrt(np.minimum.reduceat(squares, first))
    return nearest
