"""What graph and forward pass cost: as the paper writes them down, and ours.

    python benchmarks/forward.py [--configuration FILE] [--turns 5] [--json]

The plain formula is eager torch with the concatenations of the paper, its graph all pairs by
numpy (plain.py). Ours are `build_graph` and `Predictor.predict_graph`. All take turns, with a large
matrix multiplication by torch, so that ratios come from the same moments of a machine that may be
busy. The first turn, which is slower, is not counted.
"""

import argparse
import contextlib
import functools
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import configuration
import numpy as np
import plain
import torch
from figures import Figure, Sections, ratio, show
from network import CUTOFF, PHYSICS, random_network
from steps import steps

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.predictor import Prediction, Predictor
from lammps_botan.structure.graph import Graph, build_graph

THREADS = (1, 2)
MATRIX = 2048  # rows of the matrices that are multiplied
PLAIN = "plain formula"
OURS = "ours"
ROUNDED = "ours, bfloat16"
ENGINE = "LAMMPS_BOTAN_ENGINE"
ENGINES = ("avx512", "avx2", "portable", "torch")


def predictors(path: Path, threads: int) -> dict[str, Predictor]:
    """The best that this processor can do, all else that it can, and torch on the model file."""
    found = {OURS: Predictor(path, threads=threads)}
    before = os.environ.get(ENGINE)
    for engine in ENGINES:
        os.environ[ENGINE] = engine
        with contextlib.suppress(ValueError):  # a processor without these instructions
            predictor = Predictor(path, threads=threads)
            if predictor.engine != found[OURS].engine:
                found[f"engine {predictor.engine}"] = predictor
    if before is None:
        del os.environ[ENGINE]
    else:
        os.environ[ENGINE] = before
    found[ROUNDED] = Predictor(path, precision="bfloat16", threads=threads)
    return found


def floor(model: Botan, n_edges: int) -> float:
    """Floating-point operations on edges that no order of them avoids.

    A multiply-add counts as two. Per edge: encoder, the block of h_e^0, in each round the block of
    h_e and the second layer, decoder; the blocks of the two particles are applied per particle.
    """
    w = model.width
    encoder = 3 * w + w * w
    decoder = 2 * w * w + w
    return 2.0 * n_edges * (encoder + w * w + model.rounds * 2 * w * w + decoder)


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def difference(prediction: Prediction, model: Botan, graph: Graph) -> float:
    """The largest between a prediction and the plain formula, over particles and edges."""
    with torch.inference_mode():
        node, edge = plain.forward(model, *plain.tensors(graph))
    apart = (prediction.node - node.numpy(), prediction.edge - edge.numpy())
    return max(float(np.abs(a).max()) for a in apart)


def check_graphs(ours: Graph, theirs: Graph) -> None:
    """Both must have the same edges."""
    same = np.array_equal(ours.center, theirs.center)
    same = same and np.array_equal(ours.neighbor, theirs.neighbor)
    if not (same and np.allclose(ours.vectors, theirs.vectors, rtol=0, atol=1e-12)):
        raise SystemExit("the graph of build_graph is not that of all pairs")


def measure(path: Path, turns: int) -> Sections:
    glass = configuration.read(path)
    graph = build_graph(glass, CUTOFF)
    check_graphs(graph, plain.build_graph(glass, CUTOFF))
    model = random_network(graph)
    inputs = plain.tensors(graph)
    matrix = torch.rand(MATRIX, MATRIX)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.pt"
        export(Checkpoint(model, PHYSICS), file)
        by_threads = {n: predictors(file, n) for n in THREADS}
    ours = by_threads[max(THREADS)]
    actions: dict[str, Callable[[], object]] = {
        "product": lambda: matrix @ matrix,
        "plain graph": lambda: plain.build_graph(glass, CUTOFF),
        PLAIN: lambda: plain.forward(model, *inputs),
        "graph": lambda: build_graph(glass, CUTOFF),
    }
    names = [*actions, *ours]
    taken: dict[tuple[str, int], list[float]] = {(name, n): [] for n in THREADS for name in names}
    with torch.inference_mode():
        for turn in steps(range(turns + 1), "forward"):
            for n in THREADS:
                torch.set_num_threads(n)
                scoring: dict[str, Callable[[], object]] = {
                    name: functools.partial(predictor.predict_graph, graph)
                    for name, predictor in by_threads[n].items()
                }
                for name, action in (actions | scoring).items():
                    spent = seconds(action)
                    if turn > 0:
                        taken[name, n].append(spent)

    differences = [
        Figure(
            name,
            [difference(predictor.predict_graph(graph), model, graph)],
            at_most=None if name == ROUNDED else 2e-5,
        )
        for name, predictor in ours.items()
    ]
    sections = {
        f"graph and forward, {n} thread{'s' * (n > 1)}; ours: {ours[OURS].engine}": of_threads(
            {name: taken[name, n] for name in names},
            floor(model, graph.n_edges),
            aimed=n == max(THREADS),
        )
        for n in THREADS
    }
    return {**sections, "largest difference from the plain formula": differences}


def of_threads(taken: dict[str, list[float]], operations: float, *, aimed: bool) -> list[Figure]:
    """The figures on one number of threads; aims are for the largest."""
    slow, slow_graph = taken[PLAIN], taken["plain graph"]
    figures = [
        Figure("graph, all pairs by numpy", slow_graph, "s"),
        Figure("graph, ours", taken["graph"], "s"),
        ratio("graph, numpy / ours", slow_graph, taken["graph"]),
        Figure(f"forward, {PLAIN}", slow, "s"),
    ]
    for name, fast in taken.items():
        if name in {"product", "plain graph", PLAIN, "graph"}:
            continue
        aim = 7.0 if aimed and name == OURS else None
        figures.append(Figure(f"forward, {name}", fast, "s"))
        figures.append(ratio(f"forward, plain / {name}", slow, fast, at_least=aim))
    peak = [2.0 * MATRIX**3 / s / 1e9 for s in taken["product"]]
    reached = [operations / s / 1e9 for s in taken[OURS]]
    share = [100 * r / p for r, p in zip(reached, peak, strict=True)]
    whole = [a + b for a, b in zip(slow_graph, slow, strict=True)]
    both = [a + b for a, b in zip(taken["graph"], taken[OURS], strict=True)]
    return [
        *figures,
        Figure("matrix-multiply peak", peak, "GFLOP/s"),
        Figure(f"floor of {operations / 1e9:.1f} GFLOP / forward, ours", reached, "GFLOP/s"),
        Figure("share of the peak", share, "%", at_least=50.0 if aimed else None),
        Figure("both, plain", whole, "s"),
        Figure("both, ours", both, "s"),
        ratio("both, plain / ours", whole, both, at_least=9.0 if aimed else None),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    show(measure(arguments.configuration, arguments.turns), as_json=arguments.json)


if __name__ == "__main__":
    main()
