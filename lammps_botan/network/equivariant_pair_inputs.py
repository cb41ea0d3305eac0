"""Inputs of pairs for the equivariant network (`lammps_botan.network.equivariant`)."""

from typing import Final

import torch
from torch import Tensor, nn

from lammps_botan.network.harmonics import harmonics

CLOSEST = 0.7  # diameters, where the first Gaussian stands


class PairInputs(nn.Module):
    """Directions and radial functions of pairs.

    Parameters
    ----------
    features : int
        Channels; harmonics are repeated for each.
    n_gaussians : int
        Gaussians of each distance.
    n_others : int
        Distances besides the thermal one: between mean positions, between inherent ones.
    cutoff, diameter : float
        Length unit.

    Attributes
    ----------
    n_radial : int
        Radial functions: Gaussians of the thermal and of the other distances, then the differences
        of the others to the thermal one.
    neighbors : []
        Mean number of neighbors of a particle in the training data.

    Raises
    ------
    ValueError
        If the cutoff is shorter than the first Gaussian.

    Examples
    --------
    >>> pairs = PairInputs(features=1, n_gaussians=16, n_others=0, cutoff=2.0, diameter=1.0)
    >>> pairs(torch.tensor([[1.0, 0.0, 0.0]]), []).shape
    torch.Size([1, 25])
    """

    # TorchScript knows no other constants than those of a class
    onset: Final[float] = 0.3  # diameters before the cutoff, where neighbors begin to count less
    lowest: Final[float] = -30.0  # exponent; below it numbers are 0 and slow
    radii: Tensor
    neighbors: Tensor

    def __init__(
        self, features: int, n_gaussians: int, n_others: int, cutoff: float, diameter: float
    ) -> None:
        super().__init__()
        self.features = features
        self.diameter = diameter
        self.reach = cutoff / diameter
        if self.reach <= CLOSEST:
            raise ValueError(
                f"no particles are closer than {CLOSEST:g} diameters: expected a longer cutoff, "
                f"found {self.reach:g} diameters"
            )
        self.step = (self.reach - CLOSEST) / (n_gaussians - 1)
        self.n_radial = n_gaussians * (1 + n_others) + n_others
        self.register_buffer("radii", torch.linspace(CLOSEST, self.reach, n_gaussians))
        self.register_buffer("neighbors", torch.tensor(40.0))

    def forward(self, thermal: Tensor, others: list[Tensor]) -> Tensor:
        """Columns of `EquivariantLayer.forward`: directions, share, radial.

        Parameters
        ----------
        thermal : float [n_edges, 3]
            Vectors between thermal positions, length unit.
        others : list of float [n_edges, 3]
            Between mean positions, between inherent positions.

        Returns
        -------
        [n_edges, 8 features + 1 + n_radial]
        """
        distance = thermal.norm(2, dim=1) / self.diameter
        near = ((self.reach - distance) / self.onset).clamp(0, 1)
        share = near * near * (3 - 2 * near) / self.neighbors.sqrt()
        first = others[0] if len(others) > 0 else thermal
        directions = harmonics(first / self.diameter).repeat_interleave(self.features, dim=1)
        columns = [directions, share.unsqueeze(1), self.gaussians(distance)]
        longer: list[Tensor] = []
        for vectors in others:
            other = vectors.norm(2, dim=1) / self.diameter
            columns.append(self.gaussians(other))
            longer.append((other - distance).unsqueeze(1))
        return torch.cat(columns + longer, dim=1)

    def gaussians(self, distance: Tensor) -> Tensor:
        """Compute Gaussians [n_edges, n_gaussians] of distances in diameters."""
        x = (distance.unsqueeze(1) - self.radii) / self.step
        gaussians: Tensor = x.square().mul(-0.5).clamp(min=self.lowest).exp()
        return gaussians
