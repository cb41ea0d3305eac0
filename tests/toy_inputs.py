"""A model file that hands back the history, or the inherent structure, that it is given."""

from pathlib import Path

import torch
from torch import Tensor
from toy_models import save_model

from lammps_botan.network.network import NetworkWithInputs

HISTORY = {"window": 0.6, "interval": 0.05, "parts": 3}  # 12 samples, 4 in a part


class GivenBack(NetworkWithInputs):
    """What each atom is given, and the same of its neighbors.

    Node outputs are first the components of the vectors of an atom and its scalars, then the sums
    of these over walks of `rounds` steps from the atom: with one round over its neighbors. Edge
    output 0 is the distance of mean positions, or of inherent ones where they are given.
    """

    def __init__(self, inputs: list[str], rounds: int = 1) -> None:
        super().__init__(rounds=rounds, n_species=2, inputs=inputs)
        self.numbers = 3 * self.n_vectors + self.n_scalars
        self.width = 2 * self.numbers
        self.node_outputs = 2 * self.numbers

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
        own = torch.cat((node_vectors.flatten(1), node_scalars), dim=1)[:n_local]
        way = node_vectors[:, -1]
        between = vectors + way[center] - way[neighbor]
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
        sent = node[neighbor, self.numbers :]
        sums = torch.zeros_like(node_const).index_add_(0, center, sent)
        return torch.cat((node_const, sums), dim=1), edge

    @torch.jit.export
    def decode(self, node_local: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        return node_local, edge


def save_given_back(
    path: Path,
    asked: dict[str, object],
    *,
    rounds: int = 1,
    mixture: dict[str, object] | None = None,
    **changes: object,
) -> Path:
    """Write the model file of these inputs; for the rest see `toy_models.save_model`."""
    model = GivenBack(list(asked), rounds)
    entries = {"format_version": 3, "inputs": asked, **changes}
    return save_model(path, model, mixture=mixture, **entries)


def save_history(
    path: Path, *, mixture: dict[str, object] | None = None, **changes: object
) -> Path:
    """One that asks for 12 samples, 4 in a part; `changes` replace entries of its history."""
    return save_given_back(path, {"history": {**HISTORY, **changes}}, mixture=mixture)


def save_inherent(path: Path, force: float, **changes: object) -> Path:
    """One that asks for the inherent structure; `changes` replace entries of its mixture."""
    return save_given_back(path, {"inherent": {"force": force}}, mixture=changes)
