"""Configurations to evaluate models on, and the command that does it."""

from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from lammps_botan.cli import main
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph, build_graph

SIZES = ((150, 4), (120, 6), (180, 5), (140, 4), (160, 3))  # particles and runs
DENSITY = 1.2


def graph_of(positions: np.ndarray, types: np.ndarray, box: float) -> Graph:
    """The graph with cutoff 2 in a periodic cube."""
    return build_graph(Configuration(positions, types, Box(box, (True, True, True))), cutoff=2.0)


def arrays(seed: int = 0, n: int = 150, n_runs: int = 4, box: float = 5.0) -> dict[str, Any]:
    """Particles that move the farther the fewer neighbors they have, a fifth of them B."""
    rng = np.random.default_rng(seed)
    initial = rng.random((n, 3)) * box
    types = (np.arange(n) % 5 == 4).astype(np.int64)
    counts = np.bincount(graph_of(initial, types, box).center, minlength=n)
    moved = rng.normal(size=(n_runs, n, 3)) * (1 / (1 + counts))[:, None]
    return {
        "types": types,
        "initial_positions": initial,
        "positions": initial + moved,
        "box": box,
    }


def write(
    path: Path,
    seed: int = 0,
    drop: str = "",
    n: int = 150,
    n_runs: int = 4,
    box: float = 5.0,
    **changes: object,
) -> Path:
    """The npz file of such particles, with other entries, or without one."""
    content = {**arrays(seed, n, n_runs, box), **changes}
    np.savez(path, **{key: value for key, value in content.items() if key != drop})
    return path


def write_five(folder: Path) -> list[Path]:
    """Configurations of one density, with different numbers of particles and runs."""
    files = []
    for k, (n, n_runs) in enumerate(SIZES):
        content = arrays(k, n, n_runs, (n / DENSITY) ** (1 / 3))
        moved = content["positions"] - content["initial_positions"]
        content["positions"] = content["initial_positions"] + (1 + 0.2 * k) * moved
        files.append(folder / f"c{k}.npz")
        np.savez(files[-1], **content)
    return files


def groups(table: dict[str, Any]) -> dict[str, Any]:
    """Entries of all species and of all pairs of species."""
    return {**table["S"], **table["E"]}


def run(*words: object, fails: bool = False) -> str:
    """What `lammps-botan evaluate` prints on 100 columns."""
    result = CliRunner().invoke(main, ["evaluate", *map(str, words)], env={"COLUMNS": "100"})
    assert (result.exit_code != 0) == fails, result.output
    return result.output
