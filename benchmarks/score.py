"""What `lammps-botan score` costs beyond the scoring itself, and what a second worker saves.

    python benchmarks/score.py [--configuration FILE] [--frames 20] [--json]

The dump has the configuration (the shipped glass: N = 4096, T = 0.64), shaken anew in each frame.
After each frame that the command wrote, the graph of the same frame is built and scored once more,
bare: so both times come from the same moments of a machine that may be busy. Loading the model
counts for the command, once.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import configuration
import numpy as np
from figures import Figure, Sections, show
from steps import steps

from lammps_botan.files.lammps_dump import DumpFrames
from lammps_botan.files.scored_dump import ScoredConfiguration, atoms_text
from lammps_botan.network.predictor import Predictor
from lammps_botan.prediction.trajectory import score_file
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph

MODEL = "ka-t044"
LONG = 10  # times as many frames for the workers: that they start takes a second


def write_dump(path: Path, glass: Configuration, n_frames: int) -> None:
    """A dump of the shaken configuration."""
    rng = np.random.default_rng(1)
    n = glass.n_particles
    nothing = np.zeros(0, int)
    with path.open("wb") as file:
        for k in range(n_frames):
            positions = glass.positions + rng.normal(0, 0.02, (n, 3))
            scored = ScoredConfiguration(
                replace(glass, positions=positions, step=k),
                np.zeros((n, 1)),
                nothing,
                nothing,
                np.zeros(0),
                np.zeros((0, 1)),
                ["propensity"],
                [],
            )
            file.write(atoms_text(scored))


class Paired:
    """Seconds for each frame: by the command, and bare (graph and network)."""

    def __init__(self, dump: Path, out: Path, bonds: Path | None) -> None:
        self.command = score_file(dump, MODEL, out, bonds_output=bonds)
        self.frames = iter(DumpFrames(dump))
        self.predictor = Predictor(MODEL)
        self.taken: dict[str, list[float]] = {"command": [], "graph": [], "network": []}

    def frame(self) -> None:
        """One more."""
        start = time.perf_counter()
        next(self.command)
        self.taken["command"].append(time.perf_counter() - start)
        frame = next(self.frames)
        start = time.perf_counter()
        graph = build_graph(frame, self.predictor.metadata.cutoff)
        middle = time.perf_counter()
        self.predictor.predict_graph(graph)
        self.taken["graph"].append(middle - start)
        self.taken["network"].append(time.perf_counter() - middle)

    def finish(self) -> None:
        """Close the files."""
        start = time.perf_counter()
        list(self.command)
        self.taken["command"][-1] += time.perf_counter() - start

    def figures(self) -> list[Figure]:
        """Medians, and the ratio of the sums, since opening and closing belong to the command."""
        total = {name: sum(values) for name, values in self.taken.items()}
        bare = total["command"] / (total["graph"] + total["network"])
        return [
            *(Figure(name, values, "s") for name, values in self.taken.items()),
            Figure("command / graph and network, sums", [bare], at_most=1.3),
            Figure("command / network alone, sums", [total["command"] / total["network"]]),
        ]


def measure(path: Path, n_frames: int) -> Sections:
    glass = configuration.read(path)
    # warm
    Predictor(MODEL).predict(glass)
    by_workers: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dump, out, bonds = (folder / file for file in ("run.dump", "s.dump", "s.bonds"))
        write_dump(dump, glass, n_frames)
        long = folder / "long.dump"
        long.write_bytes(dump.read_bytes() * LONG)
        particles, both = Paired(dump, out, None), Paired(dump, folder / "both.dump", bonds)

        def whole(workers: int) -> None:
            start = time.perf_counter()
            list(score_file(long, MODEL, folder / f"{workers}.dump", workers=workers))
            by_workers[workers] = time.perf_counter() - start

        actions: list[Callable[[], object]] = []
        for case in (particles, both):
            actions += [*[case.frame] * n_frames, case.finish]
        actions += [lambda: whole(1), lambda: whole(2)]
        for action in steps(actions, "lammps-botan score"):
            action()
    title = "lammps-botan score, a frame, 1 thread"
    return {
        f"{title}: particles": particles.figures(),
        f"{title}: particles and bonds": both.figures(),
        f"lammps-botan score, {n_frames * LONG} frames": [
            *(Figure(f"{n} worker{'s' * (n > 1)}", [s], "s") for n, s in by_workers.items()),
            Figure("1 worker / 2 workers", [by_workers[1] / by_workers[2]], at_least=1.8),
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    show(measure(arguments.configuration, arguments.frames), as_json=arguments.json)


if __name__ == "__main__":
    main()
