"""The plugin and the engine as a whole under sanitizers, in real LAMMPS and in Python.

The libraries are built again with the sanitizers of addresses and undefined behaviour, and once
more with that of threads, into a folder that Python finds before the installed package. LAMMPS,
MPI, torch and Python are those that are installed and know nothing of sanitizers: a report counts
where one of our libraries is in its stacks.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from between import COMMANDS, commands_of
from fault import BROKEN, RIGHT, Fault
from in_fix import BIN, PATIENT
from liquid_script import script, write_model
from model_files import LAG_TIME, write_network
from parsers import BUILD, ROOT
from sanitized_python import END, INSTRUCTIONS, SHIPPED
from sanitized_python import MODELS as OF_PYTHON

import lammps_botan

COMPILER = "g++"  # its sanitizers are libraries, which a program that knows nothing of them loads
SECONDS = 900.0  # that a try may take
OURS = re.compile(r"botanplugin\.so|libbotan_\w+\.so|lammps_botan/\w+/")
BEGIN = re.compile(r"^(?:=+\d*=+ ?ERROR|=+\n|.*runtime error:)", re.MULTILINE)
# a library of ours with an error of its kind: what does not find it finds nothing
CONTROLS = {
    "address": (
        "int control() { int *x = new int[4]; int y = x[4]; delete[] x; return y; }",
        "int control() { volatile int x = 2147483647; return x + 1; }",
    ),
    "thread": (
        "volatile int x;\nvoid add() { for (int i = 0; i < 100000; i++) x = x + 1; }\n"
        "int control() { std::thread other(add); add(); other.join(); return 0; }",
    ),
}
CALL = "import ctypes; ctypes.CDLL({library!r}).control(); print({end!r})"
REFUSED_BETWEEN = ("replicate with the fix", "comm_modify mode", "units")  # an error ends a script


@dataclass(frozen=True)
class Sanitizer:
    """How libraries are built and programs are run.

    Attributes
    ----------
    words : str
    flags : str
        Of the compiler.
    runtime : str
        What a program loads first.
    options : dict of str to str
        Environment variables.
    """

    words: str
    flags: str
    runtime: str
    options: dict[str, str]


# the engine is part of two libraries, which is no violation of the rule of one definition
SANITIZERS = {
    "address": Sanitizer(
        "addresses and undefined behaviour",
        "-fsanitize=address,undefined",
        "libasan.so",
        {
            "ASAN_OPTIONS": "halt_on_error=0:detect_leaks=0:detect_odr_violation=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
    ),
    "thread": Sanitizer(
        "threads",
        "-fsanitize=thread",
        "libtsan.so",
        # UCX, part of MPI, watches the memory of threads that have ended: the sanitizer fails
        {
            "TSAN_OPTIONS": "ignore_noninstrumented_modules=1:exitcode=0",
            "UCX_MEM_MMAP_HOOK_MODE": "none",
            "UCX_TLS": "^cma",  # reads of another process, likewise
        },
    ),
}
# small and warm; the forces are those of the mixture, so that nothing blows up
LIQUID = """
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
"""
START = "minimize 0 1e-2 100 1000\nvelocity all create 0.5 1\n"
MOTION = "fix nve all nve\nfix bath all langevin 0.5 0.5 1.0 1\ntimestep 0.002\n"
# two windows and lag times, then the same from a restart file
SCORINGS = (
    "fix g all botan 20 {model} A B verify yes threads 2 bonds 1.3\n"
    "dump b all local 20 b.txt f_g[1] f_g[2] f_g[3] f_g[4]\n"
    "dump a all custom 20 a.txt id f_g{all}\n"
)
STEPS = round(2 * LAG_TIME / 0.002)


def build(name: str, sanitizer: Sanitizer, package: Path) -> None:
    """Build all libraries into a copy of the package."""
    folder = BUILD.with_name(f"build-{name}")
    options = {
        "CMAKE_CXX_FLAGS": f"{sanitizer.flags} -fno-omit-frame-pointer -g1",
        "Python_EXECUTABLE": sys.executable,
    }
    defined = [f"-D{name}={value}" for name, value in options.items()]
    commands = (
        ["cmake", "-S", str(ROOT), "-B", str(folder), *defined],
        ["cmake", "--build", str(folder), "--parallel", str(os.cpu_count())],
        ["cmake", "--install", str(folder), "--prefix", str(package.parent)],
    )
    shutil.copytree(
        lammps_botan.__path__[0], package, ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    for command in commands:
        chosen = os.environ | {"CXX": COMPILER}
        done = subprocess.run(command, capture_output=True, text=True, env=chosen)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\nfailed:\n{done.stdout}{done.stderr}")


def environment(sanitizer: Sanitizer, package: Path, reports: Path) -> dict[str, str]:
    """Of a program under a sanitizer, which finds the libraries in the copy of the package."""
    libraries = [_library(sanitizer.runtime), _library("libstdc++.so")]
    found = {
        name: f"{words}:log_path={reports}" if name.endswith("SAN_OPTIONS") else words
        for name, words in sanitizer.options.items()
    }
    found |= {"LD_PRELOAD": " ".join(libraries), "PYTHONPATH": str(package.parent)}
    return found | {"LD_LIBRARY_PATH": str(Path(_torch()) / "lib")}


def why_not(sanitizer: Sanitizer) -> str:
    """Why a sanitizer does not run here, or an empty string."""
    if not shutil.which(COMPILER) or not shutil.which("cmake"):
        return f"not tried: no {COMPILER} or no cmake"
    if not Path(_library(sanitizer.runtime)).is_absolute():
        return f"not tried: {COMPILER} has no {sanitizer.runtime}"
    start = {"LD_PRELOAD": _library(sanitizer.runtime)}
    done = subprocess.run(_fixed([sys.executable, "-c", ""]), env=os.environ | start)
    return "" if done.returncode == 0 else f"not tried: a program with {sanitizer.runtime} ends"


def of_models(folder: Path) -> tuple[str, int]:
    """A script that scores with every kind of model, and the number of kinds."""
    names = {
        "thermal.pt": ("", {}),
        "torch.pt": ("", {"width": 8}),
        "committee.pt": ("", {"members": 3}),
        "history.pt": ("history", {}),
        "inherent.pt": ("inherent", {}),
        "both.pt": ("history inherent", {"members": 2}),
    }
    for name, (sees, changes) in names.items():
        write_network(folder / name, *sees.split(), **changes)
    text = []
    for model in (*names, "ka-t044-history", "ka-t044-equivariant"):
        columns = "[*]" if model in ("committee.pt", "both.pt") else ""
        scorings = SCORINGS.format(model=model, all=columns)
        text += [script(1) + "unfix integrate\n" + LIQUID + START + MOTION + scorings]
        text += [f"run {STEPS}\nwrite_restart r.restart\nclear\nread_restart r.restart\n"]
        text += [LIQUID + MOTION + scorings + "run 60\nbalance 1.0 shift xyz 5 1.1\nrun 20\n"]
        text += ["minimize 0 1e-2 10 100\nrun 20\nunfix g\nclear\n"]
    return "".join(text), len(names) + 2


def of_commands(folder: Path) -> tuple[str, int]:
    """A script with all commands that are tried between two scorings, and their number."""
    write_model(folder / "model.pt")
    names = [name for name in COMMANDS if name not in REFUSED_BETWEEN]
    return "clear\n".join(commands_of(name, random.Random(7)) for name in names), len(names)


def run(command: list[str], folder: Path, variables: dict[str, str], reports: Path) -> str:
    """What is wrong: reports of our libraries, or how the program ended; else an empty string."""
    done = subprocess.run(
        _fixed(command),
        cwd=folder,
        env=os.environ | PATIENT | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=SECONDS,
    )
    texts = [path.read_text(errors="replace") for path in reports.parent.glob(f"{reports.name}.*")]
    texts.append(done.stdout)  # beside that of addresses, undefined behaviour is reported there
    ours = [one for text in texts for one in split(text) if OURS.search(one)]
    if ours:
        return f"{len(ours)} reports: {ours[0][:2000]}"
    if done.returncode or END not in done.stdout:  # a sanitizer that fails may end with 0
        return f"ended with {done.returncode}: {done.stdout[-600:]}"
    return ""


def split(text: str) -> list[str]:
    """The reports in what a sanitizer wrote."""
    begins = [found.start() for found in BEGIN.finditer(text)]
    return [text[a:b] for a, b in zip(begins, [*begins[1:], len(text)], strict=False)]


def control(name: str, sanitizer: Sanitizer, folder: Path, variables: dict[str, str]) -> Fault:
    """Whether the error in a library that is built and run like ours is reported."""
    library = folder / "site" / "lammps_botan" / "plugin" / "libbotan_control.so"
    source = library.with_suffix(".cpp")
    command = [COMPILER, *sanitizer.flags.split(), "-g1", "-O1", "-shared", "-fPIC", str(source)]
    call = CALL.format(library=str(library), end=END)
    fault = Fault(f"{sanitizer.words}: an error that is there on purpose is reported")
    for code in CONTROLS[name]:
        source.write_text(f'#include <thread>\nextern "C" {{\n{code}\n}}\n')
        subprocess.run([*command, "-o", library], check=True)
        found = run([sys.executable, "-c", call], folder, variables, folder / "report")
        fault.add(RIGHT if "reports: " in found else BROKEN, f"{code}: no report: {found}")
        for path in (library, *folder.glob("report.*")):
            path.unlink()
    return fault


def faults(share: float) -> Iterator[Fault]:
    """Scripts on one rank and on two, and Python, under each sanitizer."""
    for name, sanitizer in SANITIZERS.items():
        reason = why_not(sanitizer)
        if reason:
            yield Fault(f"{sanitizer.words}: all", reason)
            continue
        with tempfile.TemporaryDirectory() as there:
            folder = Path(there)
            package = folder / "site" / "lammps_botan"
            build(name, sanitizer, package)
            variables = environment(sanitizer, package, folder / "report")
            yield control(name, sanitizer, folder, variables)
            yield from _tries(name, sanitizer, folder, variables)


def _tries(
    name: str, sanitizer: Sanitizer, folder: Path, variables: dict[str, str]
) -> Iterator[Fault]:
    scripts = {"every kind of model": of_models(folder)}
    if name == "address":  # nothing of it has threads
        scripts["commands between two scorings"] = of_commands(folder)
    tries = []
    for words, (text, n) in scripts.items():
        path = folder / f"in.{len(tries)}"
        path.write_text(f"{text}\nprint '{END}'\n")
        lmp = [str(BIN / "lmp"), "-log", "none", "-in", path.name]
        for ranks in (1, 2):
            command = lmp if ranks == 1 else [str(BIN / "mpirun"), "-np", "2", *lmp]
            tries.append((f"{words} in LAMMPS, {ranks} rank{'s' * (ranks > 1)}", command, n))
    python = [sys.executable, str(ROOT / "reliability" / "sanitized_python.py")]
    n = len(OF_PYTHON) + len(SHIPPED) * len(INSTRUCTIONS)
    tries.append(("the engine and the kernels of training in Python", python, n))
    for words, command, n in tries:
        fault = Fault(f"{sanitizer.words}: {words}")
        wrong = run(command, folder, variables, folder / "report")
        fault.add(BROKEN if wrong else RIGHT, f"{' '.join(command)}: {wrong}", n=n)
        for path in folder.glob("report.*"):
            path.unlink()
        yield fault


def _fixed(command: list[str]) -> list[str]:
    """Without random addresses, for which the sanitizer of threads may find no room."""
    return ["setarch", "-R", *command] if shutil.which("setarch") else command


def _library(name: str) -> str:
    """The path of a library of the compiler, or its name where there is none."""
    command = [COMPILER, f"-print-file-name={name}"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _torch() -> str:
    return torch.__path__[0]
