"""Graph and network as the paper writes them down: correct, short and slow.

Shiba et al., J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791, sec. II.
"""

import numpy as np
import torch
from torch import Tensor

from lammps_botan.network.botan import Botan, Mlp
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph

ROWS = 16  # of the pairs at a time: they fit the cache


def build_graph(configuration: Configuration, cutoff: float) -> Graph:
    """All pairs in an orthogonal periodic box, whose lengths are at least two cutoffs."""
    positions, lengths = configuration.positions, np.diagonal(configuration.box.cell)
    found = []
    for first in range(0, len(positions), ROWS):
        apart = positions[first : first + ROWS, None] - positions
        apart -= lengths * np.rint(apart / lengths)
        near = np.einsum("ijd,ijd->ij", apart, apart) < cutoff**2
        near[:, first : first + ROWS] &= ~np.eye(len(near), dtype=bool)
        center, neighbor = np.nonzero(near)
        found.append((center + first, neighbor, apart[near]))
    center, neighbor, vectors = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Graph(configuration.species, center, neighbor, vectors, cutoff)


def forward(
    model: Botan, species: Tensor, vectors: Tensor, center: Tensor, neighbor: Tensor
) -> tuple[Tensor, Tensor]:
    """The network in eager torch, with the concatenations of the paper."""

    def mlp(layers: Mlp, x: Tensor) -> Tensor:
        return torch.relu(layers.fc2(torch.relu(layers.fc1(x))))

    h_v0 = h_v = mlp(model.node_encoder, species.float()[:, None])
    h_e0 = h_e = mlp(model.edge_encoder, vectors)
    for _ in range(model.rounds):
        h_e = mlp(model.edge_model, torch.cat([h_v[neighbor], h_v[center], h_e, h_e0], dim=1))
        received = torch.zeros_like(h_v).index_add(0, center, h_e)
        h_v = mlp(model.node_model, torch.cat([h_v, h_v0, received], dim=1))
    return model.output(mlp(model.decoder, h_v)), model.output(mlp(model.decoder, h_e))


def tensors(graph: Graph) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Arguments of `forward` after the model."""
    return (
        torch.from_numpy(graph.species),
        torch.from_numpy(graph.vectors.astype(np.float32)),
        torch.from_numpy(graph.center),
        torch.from_numpy(graph.neighbor),
    )
