"""A layer of the equivariant network (`lammps_botan.network.equivariant`)."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from lammps_botan.network.harmonics import ROWS, VECTOR, dots, products, unpacking


def spreading(features: int) -> Tensor:
    """Make the matrix that copies a number for each l and channel to all of its rows.

    A product with its transpose adds up the rows of each l.

    Parameters
    ----------
    features : int

    Returns
    -------
    float32 [2 features, 8 features]

    Examples
    --------
    >>> spreading(1)
    tensor([[1., 1., 1., 0., 0., 0., 0., 0.],
            [0., 0., 0., 1., 1., 1., 1., 1.]])
    """
    of_l = torch.zeros(2, ROWS)
    of_l[0, :VECTOR] = of_l[1, VECTOR:] = 1
    return torch.kron(of_l, torch.eye(features))


class EquivariantLayer(nn.Module):
    """Messages from neighbors, then an update of each particle.

    Parameters
    ----------
    width : int
        Scalars of a particle.
    features : int
        Features of l = 1, and of l = 2, of a particle.
    n_own : int
        Columns of the inputs of a particle.
    n_radial : int
        Radial functions of a pair.

    Examples
    --------
    >>> layer = EquivariantLayer(width=4, features=2, n_own=2, n_radial=3)
    >>> none = torch.zeros(0, dtype=torch.int64)
    >>> pairs = torch.zeros(0, 3), torch.zeros(0, 16), torch.zeros(0, 1), none, none
    >>> layer(torch.zeros(5, 20), torch.zeros(5, 2), *pairs, 5).shape
    torch.Size([5, 20])
    """

    # TorchScript knows no other constants than those of a class
    rows: Final[int] = ROWS
    vector: Final[int] = VECTOR
    spread: Tensor
    unpack: Tensor

    def __init__(self, width: int, features: int, n_own: int, n_radial: int) -> None:
        super().__init__()
        self.width = width
        self.features = features
        self.normalize = nn.LayerNorm(width)
        self.radial = nn.Linear(n_radial, width)
        self.center = nn.Linear(width, width, bias=False)
        self.neighbor = nn.Linear(width, width, bias=False)
        self.angle = nn.Linear(2 * features, width, bias=False)
        self.scalar_gate = nn.Linear(width, width, bias=False)
        self.feature_gate = nn.Linear(width, 2 * features, bias=False)
        self.send_scalars = nn.Linear(width, width, bias=False)
        self.send_vectors = nn.Linear(features, features, bias=False)
        self.send_matrices = nn.Linear(features, features, bias=False)
        self.update = nn.Linear(2 * width + n_own + 8 * features, width)
        self.change = nn.Linear(width, width + 6 * features)
        self.mix_vectors = nn.Linear(6 * features, features, bias=False)
        self.mix_matrices = nn.Linear(6 * features, features, bias=False)
        self.register_buffer("spread", spreading(features), persistent=False)
        self.register_buffer("unpack", unpacking(features), persistent=False)

    def forward(
        self,
        node: Tensor,
        own: Tensor,
        radial: Tensor,
        directions: Tensor,
        share: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> Tensor:
        """Compute new states of local particles.

        Parameters
        ----------
        node : [n_nodes, width + 8 features]
        own : [n_local, n_own]
        radial : [n_edges, n_radial]
        directions : [n_edges, 8 features]
            Harmonics, repeated for each channel.
        share : [n_edges, 1]
            Weight of a neighbor, which falls to 0 at the cutoff, in the unit of the usual sum.
        center, neighbor : int64 [n_edges]
        n_local : int

        Returns
        -------
        [n_local, width + 8 features]
        """
        scalars, features = node[:, : self.width], self._bounded(node[:, self.width :])
        seen = self.normalize(scalars)
        sent = self._send(features).index_select(0, neighbor)
        # products in place, since these are the largest arrays
        x = torch.addmm(self.radial.bias, radial, self.radial.weight.t())
        x = x.addmm_(sent * directions, (self.angle.weight @ self.spread).t())
        x = x.add_(self.center(seen[:n_local]).index_select(0, center))
        x = x.add_(self.neighbor(seen).index_select(0, neighbor))
        x = silu(x) * share
        of_scalars = self.scalar_gate(x) * self.send_scalars(seen).index_select(0, neighbor)
        gate = linear(x, self.spread.t() @ self.feature_gate.weight)
        of_features = gate * (sent + directions)
        received = _sum(of_scalars, center, n_local)
        around = self._bounded(_sum(of_features, center, n_local))
        return self._update(
            scalars[:n_local], features[:n_local], own, seen[:n_local], received, around
        )

    def _bounded(self, features: Tensor) -> Tensor:
        """Features [n, 8 features], none of them longer than 1 in a channel.

        Products of products would grow without bound in a particle that has moved far.
        """
        squares = features.square() @ self.spread.t()
        return features * ((1.0 + squares).rsqrt() @ self.spread)

    def _send(self, features: Tensor) -> Tensor:
        rows = features.view(features.shape[0], self.rows, self.features)
        vectors, matrices = rows[:, : self.vector], rows[:, self.vector :]
        return torch.cat([self.send_vectors(vectors), self.send_matrices(matrices)], 1).flatten(1)

    def _update(
        self,
        scalars: Tensor,
        features: Tensor,
        own: Tensor,
        seen: Tensor,
        received: Tensor,
        around: Tensor,
    ) -> Tensor:
        before = features.view(features.shape[0], self.rows, self.features)
        around = around.view(before.shape)
        crossed = products(around, before, self.unpack)
        squared = products(around, around, self.unpack)
        invariants = torch.cat(
            [
                dots(around, around),
                dots(around, before),
                dots(before, before),
                dots(squared[:, :, self.features :], around),
            ],
            dim=1,
        )
        x = silu(self.update(torch.cat([seen, received, own, invariants], dim=1)))
        x = self.change(x)
        scalars = scalars + x[:, : self.width]
        several = torch.cat([around, before, crossed, squared], dim=2)
        several = several * x[:, self.width :].unsqueeze(1)
        vectors = before[:, : self.vector] + self.mix_vectors(several[:, : self.vector])
        matrices = before[:, self.vector :] + self.mix_matrices(several[:, self.vector :])
        return torch.cat([scalars, vectors.flatten(1), matrices.flatten(1)], dim=1)


def _sum(messages: Tensor, center: Tensor, n_local: int) -> Tensor:
    zeros = torch.zeros(n_local, messages.shape[1], dtype=messages.dtype, device=messages.device)
    return zeros.index_add_(0, center, messages)
