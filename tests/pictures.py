"""Pictures that tests can read, and small liquids whose future is known."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

BOX = 5.0


def words(path: Path) -> list[str]:
    """All texts of an SVG picture, as they were given to matplotlib."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(), flags=re.DOTALL)


def pixels(path: Path, color: Sequence[float]) -> int:
    """How many pixels of a PNG picture have this color, given from 0 to 1."""
    expected = np.round(np.array(color[:3]) * 255)
    with Image.open(path) as picture:
        return int((np.asarray(picture.convert("RGB")) == expected).all(axis=-1).sum())


def liquid(seed: int = 1, n: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Positions [n, 3] of particles that do not overlap much, and their species."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), -1).reshape(-1, 3)
    sites = grid[rng.permutation(125)[:n]] + 0.5
    return sites + rng.normal(0, 0.1, (n, 3)), (np.arange(n) >= 0.8 * n).astype(int)


def write_ensemble(
    path: Path, lengths: np.ndarray | float = 0.3, *, seed: int = 1, **more: object
) -> Path:
    """An npz file of the liquid, whose particles move by these lengths [n] in each of 3 runs."""
    initial, types = liquid(seed)
    directions = np.random.default_rng(seed + 1).normal(size=(3, *initial.shape))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    final = initial + directions * np.broadcast_to(lengths, len(initial))[:, None]
    content = {"box": BOX, "types": types, "initial_positions": initial, "positions": final}
    np.savez(path, **{**content, **more})
    return path


def distances(positions: np.ndarray) -> np.ndarray:
    """Of all pairs [n, n], by the nearest images."""
    vectors = positions[:, None] - positions
    return np.linalg.norm(vectors - BOX * np.rint(vectors / BOX), axis=2)
