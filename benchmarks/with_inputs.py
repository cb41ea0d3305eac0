"""What a forward pass of BOTAN with a history costs: by the compiled engine, by torch, and without.

    python benchmarks/with_inputs.py [--configuration FILE] [--turns 5] [--json]

All take turns, on one thread, and times are those of the processor, so that other programs on the
machine matter little. The first turn is not counted.
"""

import argparse
import functools
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import configuration
import numpy as np
import torch
from figures import Figure, Sections, ratio, show
from network import CUTOFF, PHYSICS, random_network, with_scales
from steps import steps

from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.inputs import HistoryInput, Inputs, node_inputs
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.history import History

INPUTS = Inputs(history=HistoryInput(window=30.0, interval=0.2, parts=10))
CAGE = 0.1  # diameters


def remember(glass: Configuration) -> Configuration:
    """The configuration with random numbers, of the size of those in a glass, for its history."""
    rng = np.random.default_rng(0)
    n = glass.n_particles
    cage = CAGE * glass.diameter
    history = History(
        window=30.0,
        displacement=rng.normal(0, cage, (n, 3)),
        variance=cage**2 * rng.lognormal(0, 0.5, n),
        energy=rng.normal(-6, 1, n),
    )
    return replace(glass, history=history)


def seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(path: Path, turns: int) -> Sections:
    torch.set_num_threads(1)
    glass = remember(configuration.read(path))
    graph = build_graph(glass, CUTOFF)
    given = (graph, *node_inputs(glass, INPUTS))
    model = with_scales(graph, *given[1:])
    with tempfile.TemporaryDirectory() as folder:
        file, thermal = Path(folder) / "model.pt", Path(folder) / "thermal.pt"
        export(Checkpoint(model, PHYSICS.model_copy(update={"inputs": INPUTS})), file)
        export(Checkpoint(random_network(graph), PHYSICS), thermal)
        ours, without = Predictor(file, threads=1), Predictor(thermal, threads=1)
    actions: dict[str, Callable[[], object]] = {
        "torch": functools.partial(ours.predict_by_torch, *given),
        "ours": functools.partial(ours.predict_graph, *given),
        "thermal": functools.partial(without.predict_graph, graph),
    }
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for turn in steps(range(turns + 1), "with inputs"):
        for name, action in actions.items():
            spent = seconds(action)
            if turn > 0:
                taken[name].append(spent)
    found, expected = ours.predict_graph(*given), ours.predict_by_torch(*given)
    apart = (found.node - expected.node, found.edge - expected.edge)
    title = f"BOTAN with a history, N = {glass.n_particles:,}, 1 thread; ours: {ours.engine}"
    return {
        title: [
            Figure("forward, engine torch", taken["torch"], "s"),
            Figure("forward, ours", taken["ours"], "s"),
            ratio("forward, engine torch / ours", taken["torch"], taken["ours"], at_least=3.0),
            Figure("forward without history, ours", taken["thermal"], "s"),
            ratio("with history / without, ours", taken["ours"], taken["thermal"], at_most=1.2),
            Figure(
                "difference from engine torch",
                [max(float(np.abs(a).max()) for a in apart)],
                at_most=2e-5,
            ),
        ]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    show(measure(arguments.configuration, arguments.turns), as_json=arguments.json)


if __name__ == "__main__":
    main()
