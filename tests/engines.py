"""The sets of instructions of the scoring engine that this processor has."""

import pytest
import torch

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
