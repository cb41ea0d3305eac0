"""One state of a liquid, scored on other numbers of ranks and threads, and by other engines.

A liquid runs until the history of the model is full, and is written into a restart file. All
scorings start from that file: they differ by the order of sums, and by what the engine computes
with. They are compared with the scoring on one rank, one thread and with the best instructions.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fault import BROKEN, OTHER, RIGHT, Fault
from in_fix import run_on_ranks
from liquid_script import script

from lammps_botan.network.metadata import Metadata, read_metadata
from lammps_botan.network.shipped import find_model, shipped_models

TIMESTEP = 0.004
SECONDS = 400.0  # that a run may take
# of the spread of an output; torch sums one operation after the other
FLOAT32, TORCH, BFLOAT16 = 1e-5, 3e-5, 0.1
OTHER_BASIN = "another order of sums may end in another inherent structure"
FORCES = """
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
"""
LIQUID = f"""{script(1, region="block 0 4 0 4 0 4")}{FORCES}
unfix integrate
minimize 0 1e-2 100 1000
velocity all create 1.2 1
fix nve all nve
fix bath all langevin 0.6 0.6 0.2 1
timestep {TIMESTEP}
reset_timestep 0
"""
SCORE = """
fix g all botan {every} {model} A B {words}
{commands}
dump a all custom {every} a.dump id {column}
dump_modify a sort id format float %.9g
dump b all local {every} b.dump f_g[1] f_g[2] f_g[4]
dump_modify b format float %.9g
run {steps}
"""


@dataclass(frozen=True)
class Way:
    """How a state is scored.

    Attributes
    ----------
    ranks : int
    words : str
        Of the fix.
    commands : str
        Between the fix and the scoring.
    engine : str
        The environment variable LAMMPS_BOTAN_ENGINE.
    bound : float
        Of the difference, in spreads of the output; 0 asks for the same bytes.
    """

    ranks: int = 1
    words: str = ""
    commands: str = ""
    engine: str = ""
    bound: float = FLOAT32


WAYS = {
    "1 rank again": Way(bound=0),
    "2 ranks": Way(2),
    "2 ranks again": Way(2, bound=0),
    "4 ranks": Way(4),
    "8 ranks": Way(8),
    "8 ranks, tiled": Way(8, commands="comm_style tiled\nbalance 1.0 rcb"),
    "2 threads": Way(words="threads 2", bound=0),
    "avx2": Way(engine="avx2"),
    "portable": Way(engine="portable"),
    "torch": Way(engine="torch", bound=TORCH),
    "bfloat16": Way(words="precision bfloat16", bound=BFLOAT16),
}
Scores = tuple[np.ndarray, np.ndarray]


def steps_of(metadata: Metadata) -> int:
    """Until the history is full."""
    history = metadata.inputs.history
    return round(1.2 * history.window / TIMESTEP) if history else 500


def run(folder: Path, text: str, way: Way) -> str:
    """Why LAMMPS failed, or an empty string."""
    before = os.environ.get("LAMMPS_BOTAN_ENGINE")
    if way.engine:
        os.environ["LAMMPS_BOTAN_ENGINE"] = way.engine
    try:
        status, output = run_on_ranks(folder, text, way.ranks, SECONDS)
    finally:
        os.environ.pop("LAMMPS_BOTAN_ENGINE", None)
        if before is not None:
            os.environ["LAMMPS_BOTAN_ENGINE"] = before
    return f"{status}: {output[-400:]}" if status else ""


def scores(folder: Path) -> Scores:
    """Outputs of particles and of pairs, in the order of their ids."""
    particles = np.loadtxt(folder / "a.dump", skiprows=9)[:, 1]
    pairs = np.loadtxt(folder / "b.dump", skiprows=9)
    return particles, pairs[np.lexsort((pairs[:, 1], pairs[:, 0])), 2]


def apart(one: Scores, other: Scores) -> list[float]:
    """Largest differences of particles and of pairs, in spreads."""
    return [
        float(np.abs(a - b).max() / b.std()) if a.shape == b.shape else np.inf
        for a, b in zip(one, other, strict=True)
    ]


def of_model(name: str, folder: Path, ways: dict[str, Way]) -> Iterator[tuple[str, str, str]]:
    """What each way ended in, and how far it was from the first one."""
    metadata = read_metadata(find_model(name))
    steps = steps_of(metadata)
    given = {
        "every": steps,
        "model": name,
        "column": "f_g[1]" if len(metadata.node_outputs) > 1 else "f_g",
    }
    begin = LIQUID + SCORE.format(**given, words="", commands="", steps=steps)
    failure = run(folder, f"{begin}write_restart state\n", Way())
    results: dict[str, Scores] = {}
    for words, way in {"": Way(), **ways}.items():
        text = f"read_restart state\n{FORCES}timestep {TIMESTEP}\n"
        text += SCORE.format(**given, words=way.words, commands=way.commands, steps=0)
        failure = failure or run(folder, text, way)
        if failure:
            yield words, BROKEN, failure
            failure = ""
            continue
        results[words] = scores(folder)
        if words:
            reference = results[words.removesuffix(" again") if way.ranks > 1 else ""]
            found = apart(results[words], reference if way.bound == 0 else results[""])
            outcome = RIGHT if max(found) <= way.bound else OTHER
            yield words, outcome, ", ".join(f"{x:.1g}" for x in found)


def faults(share: float) -> Iterator[Fault]:
    """One for each model that ships."""
    for model in (one.name for one in shipped_models()):
        metadata = read_metadata(find_model(model))
        fault = Fault(f"{model}: ranks, threads, engines")
        if metadata.inputs.inherent:
            fault.allowed = OTHER_BASIN
        ways = dict(WAYS)
        if metadata.architecture != "botan":  # the only one in bfloat16
            del ways["bfloat16"]
        ways = dict(list(ways.items())[: max(2, round(share * len(ways)))])
        figures = []
        with tempfile.TemporaryDirectory() as folder:
            for words, outcome, text in of_model(model, Path(folder), ways):
                fault.add(outcome, f"{words}: {text}", case=(model, words or "1 rank"))
                if outcome != BROKEN:
                    figures.append(f"{words}: {text}")
        fault.figures = "largest differences of particles, pairs, in spreads: " + "; ".join(figures)
        yield fault
