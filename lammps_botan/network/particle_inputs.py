"""Inputs of particles, in networks that see more than positions."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot


class ParticleInputs(nn.Module):
    """Inputs of a particle: its species, and its history or inherent structure, standardized.

    Parameters
    ----------
    n_species, n_vectors, n_scalars : int
    has_history : bool
        Then the first scalar is a variance.
    diameter : float
        Length unit.

    Attributes
    ----------
    n_columns : int
    mean, deviation : [n_species, n_scalars + n_vectors]
        Mean and standard deviation of `functions` of the inputs in the training data.

    Examples
    --------
    >>> ParticleInputs(2, n_vectors=1, n_scalars=2, has_history=True, diameter=1.0).n_columns
    5
    """

    # TorchScript knows no other constants than those of a class
    least: Final[float] = 0.01  # diameters; shorter displacements say nothing of the motion
    farthest: Final[float] = 6.0  # standard deviations, beyond which an input says no more
    mean: Tensor
    deviation: Tensor

    def __init__(
        self, n_species: int, n_vectors: int, n_scalars: int, has_history: bool, diameter: float
    ) -> None:
        super().__init__()
        self.n_species = n_species
        self.has_history = has_history
        self.diameter = diameter
        self.n_columns = n_species + n_scalars + n_vectors
        self.register_buffer("mean", torch.zeros(n_species, n_scalars + n_vectors))
        self.register_buffer("deviation", torch.ones(n_species, n_scalars + n_vectors))

    def functions(self, node_vectors: Tensor, node_scalars: Tensor) -> Tensor:
        """Logarithms of variance and lengths, and energies: [n_nodes, n_scalars + n_vectors]."""
        lengths = torch.log(node_vectors.norm(2, dim=2) / self.diameter + self.least)
        if not self.has_history:
            return torch.cat([node_scalars, lengths], dim=1)
        # the fix tries models out on numbers that are no variances
        variance = node_scalars[:, :1].clamp(min=0) / self.diameter**2
        variance = torch.log(variance + self.least**2)
        return torch.cat([variance, node_scalars[:, 1:], lengths], dim=1)

    def forward(self, species: Tensor, node_vectors: Tensor, node_scalars: Tensor) -> Tensor:
        """Compute one column for each species, then the inputs: [n_nodes, n_columns]."""
        inputs = self.functions(node_vectors, node_scalars) - self.mean[species]
        inputs = (inputs / self.deviation[species]).clamp(-self.farthest, self.farthest)
        return torch.cat([one_hot(species, self.n_species).to(inputs.dtype), inputs], dim=1)
