"""A network with inputs, whose outputs can be counted by hand."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs
from lammps_botan.network.network import NetworkWithInputs
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.history import History

HISTORY = HistoryInput(window=30.0, interval=0.2, parts=10)
INHERENT = InherentInput(force=0.1)
SEES = {
    "history": Inputs(history=HISTORY),
    "inherent": Inputs(inherent=INHERENT),
    "both": Inputs(history=HISTORY, inherent=INHERENT),
}


class Sees(NetworkWithInputs):
    """Sums over neighbors of what each particle is given.

    Node output: sum over the edges that arrive of the sum of all scalars of the neighbor and the x
    components of all its vectors, times a weight (1 unless it is changed).
    Edge output: |vector + d_center - d_neighbor|, where d is the last vector of a particle.
    """

    def __init__(
        self, inputs: list[str], n_species: int = 2, width: int = 5, weight: float = 1.0
    ) -> None:
        super().__init__(rounds=1, n_species=n_species, inputs=inputs)
        self.width = width
        self.weight = nn.Parameter(torch.tensor(weight))

    @property
    def settings(self) -> dict[str, Any]:
        return {"inputs": self.inputs, "width": self.width}

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
        node = torch.zeros(n_local, self.width, dtype=vectors.dtype)
        own = node_scalars.sum(1) + node_vectors[:, :, 0].sum(1)
        node[:, 0] = own[:n_local]
        d = node_vectors[:, -1]
        edge = vectors + d.index_select(0, center) - d.index_select(0, neighbor)
        return node, node[:, :1], edge.square().sum(1, keepdim=True).sqrt(), edge[:, :0]

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
        received = node.index_select(0, neighbor)
        return torch.zeros_like(node[:n_local]).index_add_(0, center, received), edge

    @torch.jit.export
    def decode(self, node: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        return self.weight * node[:, :1], edge


def seen(n_particles: int = 60, length: float = 5.0, seed: int = 3) -> Configuration:
    """Particles anywhere in a periodic cube, with a history and an inherent structure."""
    rng = np.random.default_rng(seed)
    box = Box(length, (True, True, True))
    positions = rng.random((n_particles, 3)) * length
    return Configuration(
        positions=positions,
        species=rng.integers(2, size=n_particles),
        box=box,
        history=History(
            window=30.0,
            displacement=rng.normal(0, 0.1, (n_particles, 3)),
            variance=rng.random(n_particles),
            energy=rng.normal(-6, 1, n_particles),
        ),
        # in the box, as LAMMPS writes them
        inherent_positions=box.wrap(positions + rng.normal(0, 0.1, (n_particles, 3))),
        inherent_energies=rng.normal(-7, 1, n_particles),
    )


def expected_outputs(
    configuration: Configuration, name: str, cutoff: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of `Sees` with weight 1: [n_particles], and the distances [n_particles, n_particles].

    Pair by pair, for a cube of more than two cutoffs; NaN where a pair is no edge.
    """
    n, length = configuration.n_particles, configuration.box.cell[0, 0]
    vectors, scalars = [], []
    if name in {"history", "both"}:
        vectors.append(configuration.history.displacement)
        scalars += [configuration.history.variance, configuration.history.energy]
    if name in {"inherent", "both"}:
        d = configuration.inherent_positions - configuration.positions
        vectors.append(d - length * np.rint(d / length))
        scalars.append(configuration.inherent_energies)
    own = sum(scalars) + sum(d[:, 0] for d in vectors)
    node, distances = np.zeros(n), np.full((n, n), np.nan)
    for i in range(n):
        for j in range(n):
            r = configuration.positions[i] - configuration.positions[j]
            r -= length * np.rint(r / length)
            if i != j and np.linalg.norm(r) < cutoff:
                node[i] += own[j]
                distances[i, j] = np.linalg.norm(r + vectors[-1][i] - vectors[-1][j])
    return node, distances
