"""Trajectories to score, and the command that scores them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from dumps import frame
from lmp import read_dump
from toy_models import Walks, save_model

from lammps_botan.cli import main
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration

LENGTHS = np.array([5.0, 5.5, 6.0])
COMMAND = [sys.executable, "-P", "-c", "from lammps_botan.cli import main; main()"]


def run(*arguments: object, fails: bool = False) -> Result:
    """Run `lammps-botan` in this process."""
    result = CliRunner().invoke(main, [str(word) for word in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert (result.exit_code != 0) == fails, result.output
    return result


def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
    """Start `lammps-botan` as a process of its own."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def liquid_frames(n_frames: int = 3, n: int = 90, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Positions [n_frames, n, 3] of particles that do not overlap much, and their types."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), -1).reshape(-1, 3)
    sites = (grid[rng.permutation(125)[:n]] + 0.5) / 5 * LENGTHS
    types = np.where(rng.random(n) < 0.2, 2, 1)
    return sites + rng.normal(0, 0.1, (n_frames, n, 3)), types


def liquid_configuration(positions: np.ndarray, types: np.ndarray, **more: object) -> Configuration:
    """One of these frames; types are from 1."""
    box = Box(LENGTHS, (True, True, True))
    return Configuration(**{"positions": positions, "species": types - 1, "box": box, **more})


def dump_text(positions: np.ndarray, types: np.ndarray, **options: object) -> list[str]:
    """Frames of a dump, at steps 0, 10, 20 ..."""
    cell = np.diag(LENGTHS)
    return [
        frame(x, cell, step=10 * k, types=types, **{"columns": "id type x y z", **options})
        for k, x in enumerate(positions)
    ]


def toy(folder: Path, **options: object) -> Path:
    """A model file that counts the neighbors of a particle."""
    return save_model(folder / "toy.pt", Walks(**options))


def neighbors(positions: np.ndarray, cutoff: float = 2.0) -> np.ndarray:
    """Number of neighbors of each particle in the orthogonal box, by a loop over all pairs."""
    vectors = positions[:, None] - positions[None]
    vectors -= LENGTHS * np.rint(vectors / LENGTHS)
    near = np.linalg.norm(vectors, axis=2) < cutoff
    return near.sum(axis=1) - 1


def whole_frames(path: Path, expected: list[np.ndarray]) -> int:
    """How many frames a scored dump has; they are the first ones of those expected, and whole."""
    frames = read_dump(path)
    for scored, numbers in zip(frames, expected, strict=False):
        np.testing.assert_array_equal(scored["d_propensity"], numbers)
    assert path.read_text().endswith("\n")
    return len(frames)


def propensities(path: Path) -> np.ndarray:
    """Of a scored dump, [n_frames, n_atoms]."""
    return np.array([frame["d_propensity"] for frame in read_dump(path)])
