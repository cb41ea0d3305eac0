"""Toys for tests of the fix: TorchScript where torch is installed, else those of the engine."""

from importlib.machinery import PathFinder

import pytest

HAS_TORCH = PathFinder.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="torch is not installed")
SINGLE_NUMBERS = "a toy that gives single numbers back is computed by torch, which is not installed"
needs_single_numbers = pytest.mark.skipif(not HAS_TORCH, reason=SINGLE_NUMBERS)

if HAS_TORCH:
    from fallbacks import save_all, save_remembering, save_thermal, save_without_edges
    from toy_models import (
        EDGE_OUTPUTS,
        SHARE,
        GivenBack,
        Walks,
        edge_columns,
        handed_back,
        save_archive,
        save_model,
    )
else:
    from engine_networks import save_all, save_remembering, save_thermal, save_without_edges
    from engine_toys import (
        EDGE_OUTPUTS,
        SHARE,
        GivenBack,
        Walks,
        edge_columns,
        handed_back,
        save_archive,
        save_model,
    )

__all__ = [
    "EDGE_OUTPUTS",
    "HAS_TORCH",
    "SHARE",
    "SINGLE_NUMBERS",
    "GivenBack",
    "Walks",
    "edge_columns",
    "handed_back",
    "needs_single_numbers",
    "needs_torch",
    "save_all",
    "save_archive",
    "save_model",
    "save_remembering",
    "save_thermal",
    "save_without_edges",
]
