"""What the ground truth costs: targets of one configuration, large frames, memory.

    python benchmarks/targets.py [--json]

Times are medians of one run on one core, with the smallest and the largest. The configuration is
the shipped glass (N = 4096, T = 0.64) with 32 copies whose particles moved by 0.3 on average.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import MDAnalysis
import numpy as np
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lammps_botan.ensemble import EnsembleFrame
from lammps_botan.graph import build_graph
from lammps_botan.ground_truth import ground_truth
from lammps_botan.targets import pair_distance_change, propensity

GLASS = Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"
REPEATS = (2, 3, 4)  # of the glass in each direction


def ensemble(repeat: int = 1, runs: int = 32) -> EnsembleFrame:
    """The shipped glass, repeated in each direction."""
    universe = MDAnalysis.Universe(GLASS, atom_style="id type x y z")
    length = float(universe.dimensions[0])
    corners = np.mgrid[:repeat, :repeat, :repeat].reshape(3, -1).T * length
    initial = (universe.atoms.positions.astype(float)[None] + corners[:, None]).reshape(-1, 3)
    species = np.tile(universe.atoms.types.astype(int) - 1, repeat**3)
    rng = np.random.default_rng(1)
    final = initial + rng.normal(0, 0.19, (runs, *initial.shape))
    return EnsembleFrame(16.5, species, initial, final, np.eye(3) * length * repeat)


def seconds(action: Callable[[], object], times: int = 5) -> list[float]:
    """How long an action takes, after one that warms up."""
    action()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return taken


def memory_of(repeat: int) -> tuple[int, float]:
    """Particles, and peak memory of all targets of two copies beyond the arrays, bytes a particle.

    In a process of its own, since a peak is never forgotten.
    """
    ground_truth(ensemble(runs=1))  # imports
    frame = ensemble(repeat, runs=2)
    before = psutil.Process().memory_info().rss
    ground_truth(frame)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in kB
    n = len(frame.species)
    return n, (peak - before) / n


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(json.dumps(memory_of(arguments.memory_of)))
        return

    frame = ensemble()
    graph = build_graph(frame.initial, frame.cell, frame.species)
    rng = np.random.default_rng(2)
    start = rng.random((1_000_000, 3)) * 100
    end = start[None] + rng.normal(0, 0.3, (1, 1_000_000, 3))
    initial, final, cell = frame.initial, frame.final, frame.cell
    cases: dict[str, Callable[[], object]] = {
        "graph": lambda: build_graph(initial, cell, frame.species),
        "S": lambda: propensity(initial, final),
        f"E, {graph.n_edges} edges": lambda: pair_distance_change(initial, final, graph, cell),
        "all targets with their graph": lambda: ground_truth(frame),
        "S of a pair of frames, N = 1,000,000": lambda: propensity(start, end),
    }
    console = Console(stderr=True)
    taken = {
        name: seconds(action)
        for name, action in track(cases.items(), "time", console=console, transient=True)
    }
    memory = []
    for repeat in track(REPEATS, "memory", console=console, transient=True):
        command = [sys.executable, __file__, "--memory-of", str(repeat)]
        memory.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))

    if arguments.json:
        print(json.dumps({"seconds": taken, "bytes_per_particle": memory}))
        return
    table = Table("one core", "median s", "from", "to", title="ground truth, N = 4096, 32 copies")
    for name, values in taken.items():
        numbers = (statistics.median(values), min(values), max(values))
        table.add_row(name, *(f"{value:.3f}" for value in numbers))
    print_to = Console()
    print_to.print(table)
    table = Table("N", "kB per particle", title="peak memory of all targets, 2 copies")
    for n, size in memory:
        table.add_row(f"{n:,}", f"{size / 1000:.1f}")
    print_to.print(table)


if __name__ == "__main__":
    main()
