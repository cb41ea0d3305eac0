"""A model file that hands back the history, or the inherent structure, that it is given."""

from pathlib import Path

from fix_toys import GivenBack, save_model

HISTORY = {"window": 0.6, "interval": 0.05, "parts": 3}  # 12 samples, 4 in a part


def save_given_back(
    path: Path,
    asked: dict[str, object],
    *,
    rounds: int = 1,
    mixture: dict[str, object] | None = None,
    **changes: object,
) -> Path:
    """Write the model file of these inputs; for the rest see `toy_metadata.entries`."""
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
