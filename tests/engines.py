"""Networks for the scoring engine, and the sets of instructions that this processor has."""

from pathlib import Path

import pytest
import torch

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.export import export

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


def network(seed: int = 1, rounds: int = 3, width: int = 64) -> Botan:
    """With weights larger than torch's first ones, so that outputs are of order 1."""
    torch.manual_seed(seed)
    model = Botan(rounds, width)
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 1.7
    return model


def write(path: Path, *models: Botan) -> Path:
    """A model file of a network, or of several as an ensemble."""
    checkpoints = [Checkpoint(model, Physics(), {}) for model in models]
    export(checkpoints[0] if len(models) == 1 else checkpoints, path)
    return path


class Doubled(Botan):
    """The weights of BOTAN, and another formula."""

    @torch.jit.export
    def decode(self, node: torch.Tensor, edge: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        node, edge = self.output(self.decoder(node)), self.output(self.decoder(edge))
        return node + node, edge
