"""A model file that hands back the inherent structure it is given."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn
from toy_models import metadata, save_archive

NUMBERS = 4  # of a node: displacement, energy


class Minimum(nn.Module):
    """The inherent structure of each atom, and that of its neighbors.

    Node outputs 0 to 3 are displacement and energy of the atom, and 4 to 7 their sums over its
    neighbors. Edge output 0 is the distance in the inherent structure.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rounds = 1
        self.width = 2 * NUMBERS
        self.node_outputs = 2 * NUMBERS

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
        to_minimum = node_vectors[:, -1]
        own = torch.cat((to_minimum, node_scalars[:, -1:]), dim=1)[:n_local]
        between = vectors + to_minimum[center] - to_minimum[neighbor]
        edge = between.square().sum(dim=1, keepdim=True).sqrt()
        return torch.cat((own, own), dim=1), own, edge, vectors

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
        sums = torch.zeros_like(node_const).index_add_(0, center, node[neighbor, 4:])
        return torch.cat((node_const, sums), dim=1), edge

    @torch.jit.export
    def decode(self, node_local: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        return node_local, edge

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


def save_minimum(path: Path, force: float, **changes: object) -> Path:
    """Write the model file; `changes` replace entries of its mixture."""
    model = Minimum()
    inputs = {"history": None, "inherent": {"force": force}}
    entries = {**metadata(model), "format_version": 3, "inputs": inputs}
    entries["mixture"] = {**entries["mixture"], **changes}  # type: ignore[dict-item]
    save_archive(path, model, {"metadata.json": json.dumps(entries)})
    return path
