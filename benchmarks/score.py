"""What `lammps-botan score` costs beyond the scoring itself, and what a second worker saves.

    python benchmarks/score.py [--frames 100] [--json]

The dump has the shipped glass (N = 4096, T = 0.64), shaken anew in each frame. After each frame
that the command wrote, the graph of the same frame is built and scored once more, bare: so both
times come from the same moments of a machine that may be busy. Loading the model counts for the
command, once.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lammps_botan.data_frame import read_data_frame
from lammps_botan.frames import DumpFrames, Frame
from lammps_botan.graph import build_graph
from lammps_botan.score import score_file
from lammps_botan.scored_dump import ScoredFrame, atoms_text
from lammps_botan.scorer import Scorer

GLASS = Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"
MODEL = "ka-t044"
LIMIT = 1.3  # times the bare scoring, N = 4096


def write_dump(path: Path, n_frames: int) -> None:
    """A dump of the shaken glass."""
    glass = read_data_frame(GLASS)
    rng = np.random.default_rng(1)
    n = len(np.asarray(glass.types))
    nothing = np.zeros(0, int)
    with path.open("wb") as file:
        for k in range(n_frames):
            positions = glass.positions + rng.normal(0, 0.02, (n, 3))
            frame = Frame(positions, glass.box, glass.types, step=k)
            scored = ScoredFrame(
                frame,
                np.asarray(glass.ids),
                np.asarray(glass.types),
                np.zeros((n, 1)),
                nothing,
                nothing,
                np.zeros(0),
                np.zeros((0, 1)),
            )
            file.write(atoms_text(scored))


def paired(
    dump: Path, out: Path, bonds: Path | None, n_frames: int, console: Console
) -> dict[str, list[float]]:
    """Seconds for each frame: by the command, and bare (graph and network)."""
    scorer = Scorer(MODEL)
    frames = iter(DumpFrames(dump))
    first = read_data_frame(GLASS)
    scorer.score(build_graph(first.positions, first.box, np.asarray(first.types) - 1))  # warm
    command = score_file(dump, MODEL, out, bonds_output=bonds)
    taken: dict[str, list[float]] = {"command": [], "graph": [], "network": []}
    name = "bonds too" if bonds else "particles"
    for _ in track(range(n_frames), name, console=console, transient=True):
        start = time.perf_counter()
        next(command)
        taken["command"].append(time.perf_counter() - start)
        frame = next(frames)
        species = np.asarray(frame.types) - 1
        start = time.perf_counter()
        graph = build_graph(frame.positions, frame.box, species)
        middle = time.perf_counter()
        scorer.score(graph)
        taken["graph"].append(middle - start)
        taken["network"].append(time.perf_counter() - middle)
    start = time.perf_counter()
    list(command)  # closes the files
    taken["command"][-1] += time.perf_counter() - start
    return taken


def seconds(dump: Path, out: Path, workers: int) -> float:
    """The whole command, from nothing."""
    start = time.perf_counter()
    list(score_file(dump, MODEL, out, workers=workers))
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    n_frames = arguments.frames
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dump, out, bonds = (folder / file for file in ("run.dump", "s.dump", "s.bonds"))
        write_dump(dump, n_frames)
        cases = {
            "particles": paired(dump, out, None, n_frames, console),
            "particles and bonds": paired(dump, out, bonds, n_frames, console),
        }
        by_workers = {n: seconds(dump, out, n) for n in (1, 2)}
    if arguments.json:
        print(json.dumps({"seconds": cases, "by_workers": by_workers}))
        return
    title = f"lammps-botan score, {n_frames} frames of N = 4096, one thread"
    columns = ("median s a frame", "graph", "network", "sum / sum of both", "sum / network alone")
    table = Table("written", *columns, title=title)
    for case, taken in cases.items():
        total = {key: sum(values) for key, values in taken.items()}
        medians = (f"{statistics.median(values):.3f}" for values in taken.values())
        bare = total["command"] / (total["graph"] + total["network"])
        table.add_row(case, *medians, f"{bare:.3f}", f"{total['command'] / total['network']:.3f}")
    Console().print(table)
    one, two = by_workers[1], by_workers[2]
    print(
        f"to be at most {LIMIT}; 1 worker {one:.1f} s, 2 workers {two:.1f} s: {one / two:.2f} times"
    )


if __name__ == "__main__":
    main()
