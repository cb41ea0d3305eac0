"""What the ground truth costs: targets of one configuration, large frames, memory.

    python benchmarks/targets.py [--configuration FILE] [--json]

Times are of one core. There are 32 copies of the configuration (the shipped glass: N = 4096,
T = 0.64), whose particles moved by 0.3 on average.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import configuration
import numpy as np
import psutil
from figures import Figure, Sections, show
from peak import peak
from steps import steps

from lammps_botan.analysis.ground_truth import ground_truth
from lammps_botan.analysis.targets import pair_distance_change, propensity
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN

REPEATS = (2, 3, 4)  # of the configuration in each direction
TIMES = 5


def ensemble(glass: Configuration, repeat: int = 1, runs: int = 32) -> Ensemble:
    """The configuration, repeated in each direction."""
    corners = np.mgrid[:repeat, :repeat, :repeat].reshape(3, -1).T @ glass.box.cell
    many = Configuration(
        positions=(glass.positions[None] + corners[:, None]).reshape(-1, 3),
        species=np.tile(glass.species, repeat**3),
        box=Box(glass.box.cell * repeat, glass.box.periodic),
        mixture=KOB_ANDERSEN,
    )
    rng = np.random.default_rng(1)
    final = many.positions + rng.normal(0, 0.19, (runs, *many.positions.shape))
    return Ensemble(many, final, lag_time=16.5)


def memory_of(path: Path, repeat: int) -> tuple[int, float]:
    """Particles, and peak memory of all targets of two copies beyond the arrays, bytes a particle.

    In a process of its own, since a peak is never forgotten.
    """
    glass = configuration.read(path)
    ground_truth(ensemble(glass, runs=1))  # imports
    many = ensemble(glass, repeat, runs=2)
    before = psutil.Process().memory_info().rss
    ground_truth(many)
    n = many.configuration.n_particles
    return n, (peak() - before) / n


def measure(path: Path) -> Sections:
    runs = ensemble(configuration.read(path))
    start = runs.configuration
    graph = build_graph(start, 2.0)
    rng = np.random.default_rng(2)
    before = rng.random((1_000_000, 3)) * 100
    after = before[None] + rng.normal(0, 0.3, (1, 1_000_000, 3))
    initial, final, box = runs.initial, runs.final, runs.box
    cases: dict[str, Callable[[], object]] = {
        "graph": lambda: build_graph(start, 2.0),
        "S": lambda: propensity(initial, final),
        f"E, {graph.n_edges} edges": lambda: pair_distance_change(initial, final, graph, box),
        "all targets with their graph": lambda: ground_truth(runs),
        "S of a pair of frames, N = 1,000,000": lambda: propensity(before, after),
    }
    taken: dict[str, list[float]] = {name: [] for name in cases}
    memory = []

    def turn() -> None:
        for name, action in cases.items():
            began = time.perf_counter()
            action()
            taken[name].append(time.perf_counter() - began)

    def memory_of_all() -> None:
        for repeat in REPEATS:
            command = [sys.executable, __file__, "--memory-of", str(repeat)]
            command += ["--configuration", str(path)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            memory.append(json.loads(done.stdout))

    for action in steps([*[turn] * (TIMES + 1), memory_of_all], "targets"):
        action()
    return {
        "targets of 32 copies, 1 thread": [
            Figure(name, values[1:], "s") for name, values in taken.items()
        ],
        "peak memory of the targets of 2 copies, per particle": [
            Figure(f"N = {n:,}", [size], "B") for n, size in memory
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(json.dumps(memory_of(arguments.configuration, arguments.memory_of)))
        return
    show(measure(arguments.configuration), as_json=arguments.json)


if __name__ == "__main__":
    main()
