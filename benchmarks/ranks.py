"""What a scoring costs on more ranks: what they exchange, what ghosts cost, 1,000 ranks on paper.

    python benchmarks/ranks.py [--configuration FILE] [--turns 3] [--json]

The same step is run without `fix botan` and with it, by BOTAN with seven rounds, on up to eight
ranks (ranks_run.py). All calls of MPI are counted (mpi_calls.py), which needs a C compiler: without
one, ghosts and edges are counted, and the rest is left out. The constants of a model
(ranks_model.py) are fitted where each rank has a core.
"""

import argparse
import functools
import math
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import configuration
import mpi_calls
import numpy as np
from figures import Figure, Sections, ratio, show
from network import CUTOFF, PHYSICS, random_network
from numpy.typing import ArrayLike
from ranks_model import (
    AT_FIRST,
    EXCHANGES,
    ROUNDS,
    STATE,
    Constants,
    blocks,
    count_ghosts,
    scoring,
)
from ranks_run import CORES, Run, Sample, count
from scipy.optimize import nnls
from steps import steps

from lammps_botan.files.lammps_data import write_lammps_data
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.structure.box import Floats
from lammps_botan.structure.graph import build_graph

RANKS = (1, 2, 4, 8)
FAR = 6.0  # range of ghosts where there are more of them for the same edges
# on paper, assumed and not measured
GRID, LATENCY, BANDWIDTH = (10, 10, 10), 2e-6, 10e9
SIZES = (512, 4096, 32_768)  # particles of a rank


def measure(path: Path, turns: int) -> Sections:
    glass = configuration.read(path)
    graph = build_graph(glass, CUTOFF)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, data = folder / "model.pt", folder / "glass.data"
        export(Checkpoint(random_network(graph), PHYSICS), model)
        write_lammps_data(data, glass, path.name)
        density = glass.n_particles / glass.box.volume
        degrees = np.bincount(graph.center, minlength=glass.n_particles)
        library = mpi_calls.compiled(folder)
        sample = Sample(data, degrees, model, density, library)
        # ghosts cost little: to tell their time from others, there are more turns
        near = [functools.partial(count, sample, ranks, 3 * turns) for ranks in RANKS[:2]]
        far = [functools.partial(action, reach=FAR) for action in near]
        small = [*near, *(functools.partial(count, sample, r, turns) for r in RANKS[2:])]
        large = [functools.partial(count, sample, r, min(turns, 2), repeat=2) for r in RANKS]
        runs = [action() for action in steps([*small, *large, *far], "ranks")]
    return tables(runs[: -len(far)], runs)


def tables(runs: list[Run], to_fit: list[Run]) -> Sections:
    counted = all(run.scorings for run in runs)
    without = "" if counted else "; no C compiler: the exchanges were not counted"
    sections: Sections = {}
    for n in sorted({run.n for run in runs}):
        sections[f"counted in a scoring by ranks, N = {n:,}{without}"] = [
            figure for run in runs if run.n == n for figure in of_counts(run)
        ]
    if counted:
        constants = fit([run for run in to_fit if run.fits])
        sections["constants of a scoring by ranks"] = of_constants(constants, to_fit)
        sections[f"time of a scoring by ranks, {CORES} cores"] = [
            figure for run in runs for figure in of_times(run, constants)
        ]
        network = f"{1e6 * LATENCY:g} µs a message, {1e-9 * BANDWIDTH:g} GB/s a rank"
        sections[f"{math.prod(GRID):,} ranks, on paper: {network}"] = on_paper(runs, constants)
    return sections


def fit(runs: list[Run]) -> Constants:
    """Of runs where each rank has a core; ghosts from pairs of runs that differ in them alone."""
    times = [run.computing() for run in runs]
    ghost = statistics.median(
        (times[j] - times[i]) / (far.ghosts[1] - near.ghosts[1])
        for i, near in enumerate(runs)
        for j, far in enumerate(runs)
        if (near.n, near.ranks) == (far.n, far.ranks) and near.liquid.reach < far.liquid.reach
    )
    edges = [[ROUNDS * run.edges.mean()] for run in runs]
    (edge,) = relative(edges, times, known=[ghost * run.ghosts[1] for run in runs])
    checks = [
        run.check_time() * math.prod(blocks(run.n, run.ranks, run.liquid)) / run.n for run in runs
    ]
    shared = [run for run in runs if run.ranks > 1]
    message = min(run.latency() for run in shared)
    sent = np.array([run.exchange(k) for run in shared for k in range(EXCHANGES)])
    (byte,) = relative(sent[:, 1:2], sent[:, 2], known=message * sent[:, 0])
    return Constants(edge, ghost, statistics.median(checks), message, byte)


def relative(amounts: ArrayLike, times: ArrayLike, known: ArrayLike = 0.0) -> Floats:
    """Seconds of one each, by least squares of relative errors; a part of the times is known."""
    amounts, times, known = (np.asarray(each) for each in (amounts, times, known))
    return nnls(amounts / times[:, None], np.broadcast_to(1.0 - known / times, times.shape))[0]


def of_counts(run: Run) -> list[Figure]:
    """Ghosts and edges of a rank: fewest, mean, most. What it sends: mean."""
    edges = [float(f(run.edges)) for f in (np.min, np.mean, np.max)]
    ghosts, received = count_ghosts(run.n, run.grid, run.liquid)
    figures = [
        Figure(f"{run.on}: ghosts of a rank", run.ghosts),
        Figure(f"{run.on}: ghosts, counted / formula", [run.ghosts[1] / ghosts]),
        Figure(f"{run.on}: edges of a rank", edges),
        Figure(f"{run.on}: edges, most / mean", [run.most]),
    ]
    if not run.scorings or run.ranks == 1:
        return figures
    first, _, rounds, _ = mpi_calls.STAGES
    formula = {first: AT_FIRST * received, rounds: (ROUNDS - 1) * STATE * received}
    for stage in mpi_calls.STAGES:
        parts = [mpi_calls.in_stages(rank[0].calls)[stage] for rank in run.scorings]
        n_bytes = float(np.mean([mpi_calls.size(part) for part in parts]))
        n_messages = round(np.mean([mpi_calls.messages(part) for part in parts]))
        figures.append(Figure(f"{run.on}: {stage}, {n_messages} messages", [n_bytes], "B"))
        if stage in formula:
            name = f"{run.on}: {stage}, counted / formula"
            figures.append(Figure(name, [n_bytes / formula[stage]]))
    return figures


def of_constants(constants: Constants, runs: list[Run]) -> list[Figure]:
    """With what is left of what they were fitted to."""
    fitted = [run for run in runs if run.fits]
    own = [
        constants.edge * ROUNDS * run.edges.mean() + constants.ghost * run.ghosts[1]
        for run in fitted
    ]
    return [
        Figure("an edge, a round", [constants.edge], "s"),
        Figure("a ghost", [constants.ghost], "s"),
        Figure("check of pairs, a particle", [constants.check], "s"),
        Figure("a message", [constants.message], "s"),
        Figure("a megabyte", [1e6 * constants.byte], "s"),
        ratio("computing, measured / fit", [run.computing() for run in fitted], own),
    ]


def of_times(run: Run, constants: Constants) -> list[Figure]:
    """As they are, with what the model says."""
    on = f"N = {run.n:,}, {run.on}{', oversubscribed' * (run.ranks > CORES)}"
    waits = np.median(run.waits(), axis=1)
    parts = scoring(run.n, run.grid, run.liquid, constants, run.most, run.collectives)
    model = sum(parts.values()) * max(1.0, run.ranks / CORES)
    return [
        Figure(f"{on}: scoring", run.clock, "s"),
        Figure(f"{on}: in MPI", list(waits), "s"),
        Figure(f"{on}: scoring / model", [clock / model for clock in run.clock]),
    ]


def on_paper(runs: list[Run], constants: Constants) -> list[Figure]:
    """Many ranks in a network that is assumed; the imbalance shrinks as that of random numbers."""
    network = replace(constants, message=LATENCY, byte=1 / BANDWIDTH)
    ranks = math.prod(GRID)
    # copies of the same box would be equal
    known = min(runs, key=lambda run: (run.n, -run.ranks))
    spread = np.std(known.edges, ddof=1) / known.edges.mean()
    of_many = statistics.NormalDist().inv_cdf(1 - 1 / ranks)
    figures = []
    for n in SIZES:
        most = 1 + of_many * spread * math.sqrt(known.n / known.ranks / n)
        given = (known.liquid, network)
        parts = scoring(n * ranks, GRID, *given, most, known.collectives)
        alone = sum(scoring(n * ranks, (1, 1, 1), *given, 1.0, known.collectives).values())
        total = sum(parts.values())
        on = f"{n:,} particles a rank"
        figures.append(Figure(f"{on}: scoring", [total], "s"))
        figures += [
            Figure(f"{on}: {name}", [100 * part / total], "%") for name, part in parts.items()
        ]
        besides = total - sum(parts[name] for name in ("edges", "imbalance", "check of pairs"))
        figures.append(Figure(f"{on}: ghosts and exchanges", [100 * besides / total], "%"))
        figures.append(Figure(f"{on}: parallel efficiency", [100 * alone / ranks / total], "%"))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    show(measure(arguments.configuration, arguments.turns), as_json=arguments.json)


if __name__ == "__main__":
    main()
