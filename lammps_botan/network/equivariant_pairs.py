"""The output on pairs of the equivariant network (`lammps_botan.network.equivariant`)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from lammps_botan.network.equivariant_layer import spreading
from lammps_botan.network.harmonics import MATRIX, VECTOR


class PairOutput(nn.Module):
    """Changes of pair distances from the states of both ends, the same from either.

    Parameters
    ----------
    width : int
        Scalars of a particle.
    features : int
        Features of l = 1, and of l = 2, of a particle.
    n_radial : int
        Radial functions of a pair; the last ones are the differences of other distances to the
        thermal one.
    n_others : int
        Number of other distances.
    n_times : int
        Lag times.

    Attributes
    ----------
    deviation : [n_times]
        Standard deviation of the changes, in diameters.
    approach : [n_others, n_times]
        Share of the difference to its other distances that a pair makes up; all, in a new network.

    Examples
    --------
    >>> output = PairOutput(width=4, features=1, n_radial=3, n_others=0, n_times=1)
    >>> none = torch.zeros(0, dtype=torch.int64)
    >>> output(torch.zeros(2, 12), torch.zeros(0, 3), torch.zeros(0, 8), none, none).shape
    torch.Size([0, 1])
    """

    deviation: Tensor
    spread: Tensor
    odd: Tensor

    def __init__(
        self, width: int, features: int, n_radial: int, n_others: int, n_times: int
    ) -> None:
        super().__init__()
        self.width = width
        self.n_others = n_others
        self.radial = nn.Linear(n_radial, width)
        self.sum = nn.Linear(width, width, bias=False)
        self.product = nn.Linear(width, width, bias=False)
        self.angle = nn.Linear(2 * features, width, bias=False)
        self.lengths = nn.Linear(2 * features, width, bias=False)
        self.output = nn.Linear(width, n_times)
        self.approach = nn.Parameter(torch.ones(n_others, n_times))
        self.register_buffer("deviation", torch.ones(n_times))
        self.register_buffer("spread", spreading(features), persistent=False)
        odd = torch.cat([-torch.ones(VECTOR * features), torch.ones(MATRIX * features)])
        self.register_buffer("odd", odd, persistent=False)

    def forward(
        self, node: Tensor, radial: Tensor, directions: Tensor, center: Tensor, neighbor: Tensor
    ) -> Tensor:
        """Compute changes [n_edges, n_times], in diameters; see `EquivariantLayer.forward`."""
        scalars, features = node[:, : self.width], node[:, self.width :]
        of_each = self.sum(scalars)
        # harmonics of l = 1 change sign with the end that one looks from, those of l = 2 do not
        both = (features * self.odd).index_select(0, center) + features.index_select(0, neighbor)
        product = scalars.index_select(0, center) * scalars.index_select(0, neighbor)
        x = torch.addmm(self.radial.bias, radial, self.radial.weight.t())
        x = x.add_(of_each.index_select(0, center)).add_(of_each.index_select(0, neighbor))
        x = x.addmm_(product, self.product.weight.t())
        x = x.addmm_(both * directions, (self.angle.weight @ self.spread).t())
        x = x.addmm_(both * both, (self.lengths.weight @ self.spread).t())
        change: Tensor = self.output(silu(x)) * self.deviation
        return change + radial[:, radial.shape[1] - self.n_others :] @ self.approach
