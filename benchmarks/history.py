"""What keeping the history of the particles costs: MD steps with it against MD steps without.

    python benchmarks/history.py [--configuration FILE --temperature T] [--json]

Runs with `fix botan` and without it take turns in one process, on one rank. The fix scores before
the first step only, which is not counted. Times are those of the processor, so that other programs
on the machine matter little. A history of t_w = 30 has samples every 0.2, in ten parts.
"""

import argparse
import io
import json
import tempfile
import time
import warnings
from pathlib import Path

import configuration
import torch
from figures import Figure, Sections, ratio, show
from lammps import lammps
from network import CUTOFF, PHYSICS
from steps import steps
from torch import Tensor, nn

from lammps_botan.files.lammps_data import write_lammps_data

SCRIPT = Path(__file__).resolve().parent / "in.history"
HISTORY = {"window": 30.0, "interval": 0.2, "parts": 10}
TIMESTEPS = (0.001, 0.005)
N_STEPS = 1000


class Variance(nn.Module):
    """The smallest model that asks for a history (docs/model_file.md)."""

    @torch.jit.export
    def encode(
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The variance of the positions of each node."""
        node = node_scalars[:n_local, :1]
        return node, node, vectors, vectors

    @torch.jit.export
    def step(
        self,
        round: int,
        node: Tensor,
        node_const: Tensor,
        edge: Tensor,
        edge_const: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> tuple[Tensor, Tensor]:
        """Nothing changes."""
        return node[:n_local], edge

    @torch.jit.export
    def decode(self, node_local: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        """The variance; nothing of edges."""
        return node_local, edge[:, :0]

    def forward(
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The same on a graph without ghosts."""
        return node_scalars[:, :1], vectors[:, :0]


def write_model(path: Path) -> None:
    """The model file."""
    metadata = {
        "format": "lammps-botan",
        "format_version": 3,
        "architecture": "variance",
        "mixture": PHYSICS.mixture.model_dump(mode="json"),
        "inputs": {"history": HISTORY, "inherent": None},
        "node_input": "number",
        "cutoff": CUTOFF,
        "rounds": 1,
        "width": 1,
        "node_outputs": ["variance"],
        "edge_outputs": [],
        "lag_times": None,
        "temperature": None,
        "density": None,
    }
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # torch announces the end of TorchScript; the plugin has no other format
        warnings.simplefilter("ignore", DeprecationWarning)
        extra_files = {"metadata.json": json.dumps(metadata)}
        torch.jit.save(torch.jit.script(Variance()), buffer, _extra_files=extra_files)
    path.write_bytes(buffer.getvalue())


def step(lmp: lammps, n_steps: int) -> float:
    """Seconds of the processor for an MD step; setup and scoring come before."""
    lmp.command("run 0 post no")
    before = time.process_time()
    lmp.command(f"run {n_steps} pre no post no")
    return (time.process_time() - before) / n_steps


def measure(path: Path, temperature: float, turns: int, n_steps: int = N_STEPS) -> Sections:
    glass = configuration.read(path)
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder / "model.pt")
        write_lammps_data(folder / "glass.data", glass, path.name)
        for timestep in TIMESTEPS:
            command = ["-log", "none", "-screen", "none", "-var", "data", f"{folder}/glass.data"]
            command += ["-var", "temperature", str(temperature), "-var", "timestep", str(timestep)]
            lmp = lammps(cmdargs=command)
            lmp.file(str(SCRIPT))
            step(lmp, n_steps)
            without, with_history = [], []
            for _ in steps(range(turns), f"history, timestep {timestep}"):
                without.append(step(lmp, n_steps))
                lmp.command(f"fix mob all botan 100000000 {folder}/model.pt A B")
                with_history.append(step(lmp, n_steps))
                lmp.command("unfix mob")
            lmp.close()
            at = f"timestep {timestep}"
            figures += [
                Figure(f"MD step, {at}", without, "s"),
                Figure(f"MD step with history, {at}", with_history, "s"),
                ratio(f"with history / without, {at}", with_history, without, at_most=1.01),
            ]
    return {f"keeping the history, N = {glass.n_particles:,}, 1 rank": figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--temperature", type=float, default=0.64, help="of the configuration")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    show(
        measure(arguments.configuration, arguments.temperature, arguments.turns),
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
