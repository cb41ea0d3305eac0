"""What a training step costs: the plain formula in eager torch, and ours.

    python benchmarks/train.py [--steps 5] [--threads 2] [--json]

A step is forward, backward and Adam on one graph of N = 4096 (the shipped glass, T = 0.64), with
seven rounds. The plain formula has the concatenations of the paper. The kinds of steps take turns,
so that their times come from the same moments of a machine that may be busy. The peak of memory is
that of a process that does nothing else, with Python and torch.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor
from torch.nn.functional import mse_loss

from lammps_botan.cli.train import keep_memory
from lammps_botan.data_frame import read_data_frame
from lammps_botan.engine import training
from lammps_botan.graph import build_graph
from lammps_botan.model import Botan, Mlp

GLASS = Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"
LIMIT = 2.5  # times faster than the plain formula
PLAIN = "plain formula, float32"
Graph = tuple[Tensor, Tensor, Tensor, Tensor]


def tensors() -> Graph:
    """Species, vectors, centers and neighbors."""
    glass = read_data_frame(GLASS)
    graph = build_graph(glass.positions, glass.box, glass.types - 1)
    return (
        torch.from_numpy(graph.species),
        torch.from_numpy(graph.vectors).float(),
        torch.from_numpy(graph.center),
        torch.from_numpy(graph.neighbor),
    )


def plain(
    model: Botan, species: Tensor, vectors: Tensor, center: Tensor, neighbor: Tensor
) -> tuple[Tensor, Tensor]:
    """The network as the paper writes it down (sec. II)."""

    def mlp(layers: Mlp, x: Tensor) -> Tensor:
        return torch.relu(layers.fc2(torch.relu(layers.fc1(x))))

    h_v0 = h_v = mlp(model.node_encoder, species.float()[:, None])
    h_e0 = h_e = mlp(model.edge_encoder, vectors)
    for _ in range(model.rounds):
        h_e = mlp(model.edge_model, torch.cat([h_v[neighbor], h_v[center], h_e, h_e0], dim=1))
        received = torch.zeros_like(h_v).index_add(0, center, h_e)
        h_v = mlp(model.node_model, torch.cat([h_v, h_v0, received], dim=1))
    return model.output(mlp(model.decoder, h_v)), model.output(mlp(model.decoder, h_e))


def ours(model: Botan, *graph: Tensor) -> tuple[Tensor, Tensor]:
    return model(*graph)


def rounded(model: Botan, *graph: Tensor) -> tuple[Tensor, Tensor]:
    if training.available(model):
        return training.forward(model, *graph)
    with torch.autocast("cpu", torch.bfloat16):
        return model(*graph)


KINDS: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {
    PLAIN: plain,
    "ours, precision 32-true": ours,
    "ours, precision bf16-mixed": rounded,
}


def make_step(kind: str, graph: Graph) -> Callable[[], None]:
    """A step of training towards arbitrary targets."""
    torch.manual_seed(0)
    model = Botan()
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    targets = torch.rand(len(graph[0])), torch.rand(len(graph[1]))

    def step() -> None:
        optimizer.zero_grad()
        node, edge = KINDS[kind](model, *graph)
        loss = 0.4 * mse_loss(node[:, 0].float(), targets[0])
        (loss + 0.6 * mse_loss(edge[:, 0].float(), targets[1])).backward()
        optimizer.step()

    return step


def peak() -> int:
    """Bytes. Linux counts in kB; getrusage would tell the peak of the parent as well."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.memory_of != PLAIN:
        keep_memory()  # as `lammps-botan train` does
    graph = tensors()
    if arguments.memory_of:
        step = make_step(arguments.memory_of, graph)
        for _ in range(3):
            step()
        print(peak())
        return

    console = Console(stderr=True)
    steps = {kind: make_step(kind, graph) for kind in KINDS}
    for step in steps.values():
        step()  # warm
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in track(range(arguments.steps), "time", console=console, transient=True):
        for kind, step in steps.items():
            start = time.perf_counter()
            step()
            taken[kind].append(time.perf_counter() - start)
    peaks = {}
    for kind in track(KINDS, "memory", console=console, transient=True):
        command = [sys.executable, __file__, "--memory-of", kind]
        command += ["--threads", str(arguments.threads)]
        peaks[kind] = int(subprocess.run(command, capture_output=True, check=True).stdout)
    kernels = training.available(Botan())
    if arguments.json:
        print(json.dumps({"seconds": taken, "peak_bytes": peaks, "kernels": kernels}))
        return
    title = f"training step, N = 4096, {len(graph[1])} edges, {arguments.threads} threads"
    columns = ("median s", "from", "to", "times faster", "peak memory, GB")
    table = Table("", *columns, title=title)
    slow = statistics.median(taken[PLAIN])
    for kind, values in taken.items():
        median = statistics.median(values)
        numbers = (f"{value:.2f}" for value in (median, min(values), max(values)))
        table.add_row(kind, *numbers, f"{slow / median:.1f}", f"{peaks[kind] / 1e9:.2f}")
    Console().print(table)
    used = "the compiled kernels" if kernels else "autocast: no AVX-512 BF16 here"
    print(f"bf16-mixed by {used}; to be at least {LIMIT} times faster than the plain formula")


if __name__ == "__main__":
    main()
