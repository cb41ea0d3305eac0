"""A million particles for a hundred steps, scored with their history: time and memory.

    python benchmarks/million.py [--copies 5]

The model is ka-t064-history with a window of 0.05 in place of 3, so that the history of a hundred
steps fills it. Memory is the peak of each rank, with the fix and without it.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

from figures import Figure, Sections, show
from in_lammps import BIN, ENVIRONMENT, HERE
from peak import peak

from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.inputs import HistoryInput, Inputs
from lammps_botan.network.model_file import read_checkpoints
from lammps_botan.network.shipped import find_model

RANKS, STEPS = 2, 100
PARTICLES = 4096  # of inputs/ka-t064.data
LOOP = re.compile(r"^Loop time of (\S+) on", re.MULTILINE)
SCORED = re.compile(r"^ +(\d+) +\S+ +\S+ +(\S+) +(\S+) *$", re.MULTILINE)


def write_model(path: Path) -> None:
    """A model whose window of history is as long as fifty steps."""
    (known,) = read_checkpoints(find_model("ka-t064-history"))
    window = HistoryInput(window=0.05, interval=0.005, parts=10)
    physics = known.physics.model_copy(update={"inputs": Inputs(history=window)})
    export(Checkpoint(known.model, physics), path)


def run(folder: Path, copies: int, *, scored: bool) -> str:
    """What LAMMPS printed."""
    command = [str(BIN / "mpirun"), "-np", str(RANKS), str(BIN / "lmp"), "-in", "in.million"]
    for name, value in (
        ("model", folder / "short.pt"),
        ("scored", int(scored)),
        ("copies", copies),
    ):
        command += ["-var", name, str(value)]
    done = subprocess.run(
        [*command, "-log", "none"], cwd=HERE, env=ENVIRONMENT, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def measure(copies: int) -> Sections:
    """Time and memory with the fix and without it."""
    n = PARTICLES * 2 * copies**3
    with tempfile.TemporaryDirectory() as name:
        write_model(Path(name) / "short.pt")
        printed = {scored: run(Path(name), copies, scored=scored) for scored in (False, True)}
    memory = {scored: RANKS * peak(text) / n for scored, text in printed.items()}
    (bare,) = map(float, LOOP.findall(printed[False]))
    *_, (_, seconds, share) = SCORED.findall(printed[True])
    if float(share) < 1:
        raise RuntimeError(f"expected a full history at the last scoring, found {share} of it")
    return {
        f"{n:,} particles on {RANKS} ranks": [
            Figure("MD step", [bare / STEPS], "s"),
            Figure("scoring", [float(seconds)], "s"),
            Figure("scoring, in MD steps", [float(seconds) / bare * STEPS]),
            Figure("memory of LAMMPS, per particle", [memory[False]], "B"),
            Figure("memory of the fix, per particle", [memory[True] - memory[False]], "B"),
        ]
    }


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--copies", type=int, default=5, help="of 4096 particles, along x and y")
    show(measure(parser.parse_args().copies), as_json=False)


if __name__ == "__main__":
    main()
