"""What a training step costs: the plain formula in eager torch, and ours.

    python benchmarks/train.py [--configuration FILE] [--turns 5] [--threads 2] [--json]

A step is forward, backward and Adam on one graph (the shipped glass: N = 4096, T = 0.64), with
seven rounds. The plain formula has the concatenations of the paper. The kinds of steps take turns,
so that their times come from the same moments of a machine that may be busy. The peak of memory is
that of a process that does nothing else, with Python and torch.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import configuration
import plain
import torch
from figures import Figure, Sections, ratio, show
from network import CUTOFF, random_network
from peak import peak
from steps import steps
from torch import Tensor
from torch.nn.functional import mse_loss

from lammps_botan.cli.train import keep_memory
from lammps_botan.network.botan import Botan
from lammps_botan.network.engine import training
from lammps_botan.network.engine.scoring import find_instructions
from lammps_botan.structure.graph import build_graph

PLAIN = "plain formula, float32"
OURS = "ours, precision 32-true"
ROUNDED = "ours, precision bf16-mixed"
AIMS = {OURS: 1e-5, ROUNDED: 1e-2}  # of the difference of gradients
RATIOS = {OURS: 4.0, ROUNDED: 2.5}
Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


def ours(model: Botan, *graph: Tensor) -> tuple[Tensor, Tensor]:
    if training.available(model):
        return training.forward(model, *graph)
    return model(*graph)


def rounded(model: Botan, *graph: Tensor) -> tuple[Tensor, Tensor]:
    return training.forward(model, *graph, precision="bfloat16")


KINDS: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {
    PLAIN: plain.forward,
    OURS: ours,
    ROUNDED: rounded,
}


class Step:
    """A step of training towards arbitrary targets."""

    def __init__(self, kind: str, model: Botan, inputs: Inputs) -> None:
        self.model = Botan()
        self.model.load_state_dict(model.state_dict())
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-4)
        self.forward = KINDS[kind]
        self.inputs = inputs
        generator = torch.Generator().manual_seed(0)
        self.targets = [torch.rand(len(x), generator=generator) for x in inputs[:2]]

    def gradient(self) -> Tensor:
        """All of it, in one vector; it is of the weights before the step."""
        self.optimizer.zero_grad()
        node, edge = self.forward(self.model, *self.inputs)
        loss = 0.4 * mse_loss(node[:, 0].float(), self.targets[0])
        (loss + 0.6 * mse_loss(edge[:, 0].float(), self.targets[1])).backward()
        return torch.cat([p.grad.flatten() for p in self.model.parameters() if p.grad is not None])

    def __call__(self) -> None:
        """Gradient and Adam."""
        self.gradient()
        self.optimizer.step()


def measure(path: Path, turns: int, threads: int) -> Sections:
    glass = configuration.read(path)
    graph = build_graph(glass, CUTOFF)
    model, inputs = random_network(graph), plain.tensors(graph)
    kinds = [*KINDS]
    if not training.available(model, "bfloat16"):  # trains in 32-true then
        kinds.remove(ROUNDED)
    all_steps = {kind: Step(kind, model, inputs) for kind in kinds}
    gradients: dict[str, Tensor] = {}
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    peaks: dict[str, float] = {}

    def warm() -> None:
        for kind, step in all_steps.items():
            gradients[kind] = step.gradient()

    def turn() -> None:
        for kind, step in all_steps.items():
            start = time.perf_counter()
            step()
            taken[kind].append(time.perf_counter() - start)

    def memory() -> None:
        for kind in kinds:
            command = [sys.executable, __file__, "--memory-of", kind, "--threads", str(threads)]
            command += ["--configuration", str(path)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            peaks[kind] = float(done.stdout)

    for action in steps([warm, *[turn] * turns, memory], "training step"):
        action()

    figures = []
    for kind, values in taken.items():
        figures.append(Figure(kind, values, "s"))
        figures.append(Figure(f"{kind}: peak memory", [peaks[kind]], "B"))
    reference = gradients[PLAIN]
    for kind in kinds[1:]:
        apart = float((gradients[kind] - reference).norm() / reference.norm())
        figures.append(ratio(f"plain / {kind}", taken[PLAIN], taken[kind], at_least=RATIOS[kind]))
        name = f"{kind}: gradient, relative to plain"
        figures.append(Figure(name, [apart], at_most=AIMS[kind]))
    single = find_instructions() if training.available(model) else "torch"
    on = f"{threads} thread{'s' * (threads > 1)}"
    return {f"training step, {on}; 32-true: {single}": figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.memory_of != PLAIN:
        keep_memory()  # as `lammps-botan train` does
    if arguments.memory_of:
        glass = configuration.read(arguments.configuration)
        graph = build_graph(glass, CUTOFF)
        step = Step(arguments.memory_of, Botan(), plain.tensors(graph))
        for _ in range(3):
            step()
        print(peak())
        return
    show(
        measure(arguments.configuration, arguments.turns, arguments.threads),
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
