"""A model file with the contract of docs/model_file.md that shows the history it is given."""

from pathlib import Path

import torch
from torch import Tensor, nn
from toy_models import save_model

HISTORY = {"window": 0.6, "interval": 0.05, "parts": 3}  # 12 samples, 4 in a part


class Remembers(nn.Module):
    """Node outputs: the mean energies of the neighbors summed, displacement, variance, energy.

    The edge output is the distance between the mean positions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rounds, self.width = 1, 6
        self.node_outputs, self.edge_outputs = 6, 1

    @torch.jit.export
    def encode(
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        displacement = node_vectors[:, 0]
        energy = node_scalars[:, 1:2]
        node = torch.cat((energy, displacement, node_scalars), dim=1)[:n_local]
        between = vectors + displacement[center] - displacement[neighbor]
        return node.contiguous(), node.contiguous(), between, between

    @torch.jit.export
    def step(
        self,
        round: int,
        node: Tensor,
        node_const: Tensor,
        edge: Tensor,
        edge_const: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> tuple[Tensor, Tensor]:
        energies = torch.zeros(n_local, 1).index_add_(0, center, node[neighbor, 0:1])
        return torch.cat((energies, node[:n_local, 1:]), dim=1), edge

    @torch.jit.export
    def decode(self, node_local: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        return node_local, edge.square().sum(dim=1, keepdim=True).sqrt()

    def forward(
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
    ) -> tuple[Tensor, Tensor]:
        n = species.shape[0]
        node, node_const, edge, edge_const = self.encode(
            species, vectors, node_vectors, node_scalars, center, neighbor, n
        )
        node, edge = self.step(0, node, node_const, edge, edge_const, center, neighbor, n)
        return self.decode(node, edge)


def save_remembering(
    path: Path, *, mixture: dict[str, object] | None = None, **changes: object
) -> Path:
    """Write the model file.

    `changes` replace entries of the history that it asks for, those of `mixture` entries of the
    Kob-Andersen mixture.
    """
    inputs = {"history": {**HISTORY, **changes}, "inherent": None}
    return save_model(path, Remembers(), mixture=mixture, format_version=3, inputs=inputs)
