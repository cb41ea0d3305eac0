"""Networks and graphs to compute, and the sets of instructions that this processor has."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lammps_botan.network.botan import Botan, ThermalBotan
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.export import export
from lammps_botan.network.inputs import VECTORS
from lammps_botan.network.network import Network
from lammps_botan.network.weights import NetworkWeights
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph, build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN

INSTRUCTIONS = ["portable", "avx2", "avx512"]
HAS_BFLOAT16 = torch.cpu._is_avx512_bf16_supported()
needs_bfloat16 = pytest.mark.skipif(not HAS_BFLOAT16, reason="no AVX-512 BF16 in this processor")


def available(instructions: str) -> bool:
    """By torch, not by the engine."""
    return {
        "portable": True,
        "avx2": torch.cpu._is_avx2_supported(),
        "avx512": torch.cpu._is_avx512_supported(),
    }[instructions]


def with_bfloat16(instructions: str) -> str:
    """The name of an engine that keeps numbers on edges in bfloat16."""
    multiplies = instructions == "avx512" and HAS_BFLOAT16
    return "avx512_bf16" if multiplies else f"{instructions}+bfloat16"


def physics(**changes: object) -> Physics:
    """The Kob-Andersen mixture at T = 0.44 and tau_alpha, or what differs from it."""
    usual = {"mixture": KOB_ANDERSEN, "cutoff": 2.0, "lag_times": (4120.0,), "temperature": 0.44}
    return Physics(**(usual | {"density": 1.2} | changes))


def random_graph(
    n_particles: int, length: float, *, cutoff: float = 2.0, seed: int = 0, n_species: int = 2
) -> Graph:
    """Particles anywhere in a periodic cube."""
    rng = np.random.default_rng(seed)
    positions = rng.random((n_particles, 3)) * length
    species = rng.integers(n_species, size=n_particles)
    box = Box(length, (True, True, True))
    return build_graph(Configuration(positions=positions, species=species, box=box), cutoff)


def tensors(graph: Graph) -> tuple[torch.Tensor, ...]:
    """What a network is given."""
    return (
        torch.from_numpy(graph.species),
        torch.from_numpy(graph.vectors.astype(np.float32)),
        torch.from_numpy(graph.center),
        torch.from_numpy(graph.neighbor),
    )


def network(seed: int = 1, rounds: int = 3, width: int = 64) -> Botan:
    """With weights larger than torch's first ones, so that outputs are of order 1."""
    torch.manual_seed(seed)
    model = Botan(rounds, width)
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 1.7
    return model


def plain_weights(kind: str, network: Network) -> NetworkWeights:
    """Those of a model file."""
    settings = {name: value for name, value in network.settings.items() if name != "inputs"}
    settings |= {name: name in network.inputs for name in VECTORS}
    tensors = {name: tensor.numpy(force=True) for name, tensor in network.state_dict().items()}
    return NetworkWeights(kind, settings | {"n_species": network.n_species}, tensors)


def write(path: Path, *models: Botan, **changes: object) -> Path:
    """A model file of a network, or of several as a committee; see `physics`."""
    checkpoints = [Checkpoint(model, physics(**changes), {}) for model in models]
    export(checkpoints[0] if len(models) == 1 else checkpoints, path)
    return path


class Doubled(ThermalBotan):
    """The weights of BOTAN, and another formula."""

    @torch.jit.export
    def decode(self, node: torch.Tensor, edge: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        node, edge = self.output(self.decoder(node)), self.output(self.decoder(edge))
        return node + node, edge
