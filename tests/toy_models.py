"""TorchScript model files whose outputs can be counted by hand; without torch: engine_toys.py."""

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from toy_metadata import entries

from lammps_botan.network.network import NetworkWithInputs

EDGE_OUTPUTS = 3  # of `Walks` at the most


class Walks(nn.Module):
    """Count walks on the graph, which goes wrong at every boundary if the exchange does.

    Node output 0 is the number of walks of `rounds` steps that start at an atom, each weighted by
    the species it ends on: one round counts neighbors, every further one needs an exchange.
    Node output 1 is the species of the atom, the others are 0.
    Edge output 0 is the distance, 1 is 10 * species of center + species of neighbor, 2 is the x
    component of r_center - r_neighbor.
    """

    def __init__(
        self,
        rounds: int = 1,
        width: int = 3,
        weights: tuple[float, ...] = (1.0, 1.0),
        node_outputs: int = 1,
        edge_outputs: int = 1,
        fault: str = "",
    ) -> None:
        super().__init__()
        self.rounds = rounds
        self.width = width
        self.node_outputs = node_outputs
        self.edge_outputs = edge_outputs
        self.fault = fault
        self.register_buffer("weights", torch.tensor(weights))

    @torch.jit.export
    def encode(self, species: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        # the last column carries the count, so that an odd width must arrive whole
        node = torch.zeros(species.shape[0], self.width, device=species.device)
        node[:, 0] = species
        node[:, -1] = self.weights[species]
        edge = torch.zeros_like(vectors)
        edge[:, 0] = vectors.square().sum(dim=1).sqrt()
        edge[:, 2] = vectors[:, 0]
        return node, species.to(torch.float32).unsqueeze(1), edge, vectors

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
        species = node_const[:, 0]
        code = 10.0 * species[center] + species[neighbor]
        edge = torch.stack((edge[:, 0], code, edge[:, 2]), dim=1)
        walks = torch.zeros(n_local, device=node.device).index_add_(
            0, center, node[neighbor, self.width - 1]
        )
        node_local = node[:n_local].clone()
        node_local[:, -1] = walks
        if center.numel() > 0:
            if self.fault == "raise":
                raise RuntimeError("this toy is broken on purpose")
            if self.fault == "shape":
                node_local = node_local[1:]
            if self.fault == "nan":
                node_local = node_local / 0.0 * 0.0
            if self.fault == "nan edges":
                edge = edge / 0.0 * 0.0
        if self.fault == "dtype":
            return node_local.to(torch.float64), edge
        return node_local, edge

    @torch.jit.export
    def decode(self, node_local: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        node_out = torch.zeros(node_local.shape[0], self.node_outputs, device=node_local.device)
        if self.node_outputs > 1:
            node_out[:, 1] = node_local[:, 0]
        node_out[:, 0] = node_local[:, -1]
        return node_out, edge[:, : self.edge_outputs].contiguous()

    def forward(
        self, species: Tensor, vectors: Tensor, center: Tensor, neighbor: Tensor
    ) -> tuple[Tensor, Tensor]:
        node, node_const, edge, edge_const = self.encode(species, vectors)
        for round in range(self.rounds):
            node, edge = self.step(
                round, node, node_const, edge, edge_const, center, neighbor, species.shape[0]
            )
        return self.decode(node, edge)


def edge_columns(vectors: NDArray[np.float64], code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edge outputs of `Walks` [n_edges, EDGE_OUTPUTS]; `code` is its output 1."""
    return np.column_stack([np.linalg.norm(vectors, axis=1), code, vectors[:, 0]])


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


def handed_back(
    vectors: NDArray[np.float64], scalars: NDArray[np.float64], has_history: bool
) -> NDArray[np.float64]:
    """What `GivenBack` gives of vectors [n, V, 3] and scalars [n, K]: all of these numbers."""
    return np.concatenate([vectors.reshape(len(vectors), -1), scalars], axis=1)


SHARE = 1.0  # of the sums over neighbors that are given after each round


class Speciesless(Walks):
    """A model whose encode lacks an argument."""

    @torch.jit.export
    def encode(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return vectors, vectors, vectors, vectors

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.encode(vectors)


class Methodless(nn.Module):
    """A scripted module that is no model."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def save_model(path: Path, model: nn.Module | None = None, **changes: Any) -> Path:
    """Write a model file; for the changes of its metadata see `toy_metadata.entries`."""
    model = model or Walks()
    save_archive(path, model, {"metadata.json": json.dumps(entries(model, **changes))})
    return path


def save_archive(path: Path, model: nn.Module, extra_files: dict[str, str]) -> None:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # torch announces the end of TorchScript; the C++ side has no successor yet
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(model), buffer, _extra_files=extra_files)
    path.write_bytes(buffer.getvalue())
