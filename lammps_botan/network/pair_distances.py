"""Distances of a pair between thermal, mean and inherent positions, as a network takes them."""

from typing import Final

import torch
from torch import Tensor, nn


class PairDistances(nn.Module):
    """Distances of pairs, standardized.

    Parameters
    ----------
    n_vectors : int
        Vectors of each particle, from its position to the mean one, to the inherent one.
    diameter : float
        Length unit.

    Attributes
    ----------
    n_columns : int
    mean, deviation : [1 + 2 n_vectors]
        Mean and standard deviation of `functions` in the training data.

    Examples
    --------
    >>> PairDistances(n_vectors=1, diameter=1.0).n_columns
    3
    """

    # TorchScript knows no other constants than those of a class
    farthest: Final[float] = 6.0  # standard deviations, beyond which a distance says no more
    mean: Tensor
    deviation: Tensor

    def __init__(self, n_vectors: int, diameter: float) -> None:
        super().__init__()
        self.diameter = diameter
        self.n_columns = 1 + 2 * n_vectors
        self.register_buffer("mean", torch.zeros(self.n_columns))
        self.register_buffer("deviation", torch.ones(self.n_columns))

    def functions(
        self, vectors: Tensor, node_vectors: Tensor, center: Tensor, neighbor: Tensor
    ) -> Tensor:
        """Compute distances in diameters [n_edges, n_columns].

        The first is the thermal one; then, for each vector of a particle, the one between mean (or
        inherent) positions, and its difference to the thermal one.

        Parameters
        ----------
        vectors : float [n_edges, 3]
            r_center - r_neighbor, length unit.
        node_vectors : float [n_nodes, n_vectors, 3]
            Length unit.
        center, neighbor : int64 [n_edges]
        """
        distance = vectors.norm(2, dim=1) / self.diameter
        columns = [distance]
        for k in range(node_vectors.shape[1]):
            moved = node_vectors[:, k]
            # a difference first, so that a pair has one distance in both directions
            apart = vectors + (moved.index_select(0, center) - moved.index_select(0, neighbor))
            other = apart.norm(2, dim=1) / self.diameter
            columns += [other, other - distance]
        return torch.stack(columns, dim=1)

    def forward(
        self, vectors: Tensor, node_vectors: Tensor, center: Tensor, neighbor: Tensor
    ) -> Tensor:
        """Compute `functions` in standard deviations from their means."""
        distances = self.functions(vectors, node_vectors, center, neighbor) - self.mean
        return (distances / self.deviation).clamp(-self.farthest, self.farthest)
