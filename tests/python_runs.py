"""Python scripts that drive LAMMPS, on one or several MPI ranks."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lmp import BIN

HEADER = """
import json
from pathlib import Path

import numpy as np
from lammps import lammps

from lammps_botan.prediction.callbacks import attach

def start(script):
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    lmp.commands_string(script)
    return lmp

def state(lmp):
    # what must be the same to the last bit: atoms of this rank, energy and pressure
    n = lmp.extract_global("nlocal")
    names = ("id", "x", "v", "f", "image")
    arrays = [lmp.numpy.extract_atom(name)[:n].copy() for name in names]
    return arrays + [lmp.get_thermo(word) for word in ("pe", "press")]

def fails(action):
    try:
        action()
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was raised"

"""
needs_mpi4py = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None, reason="no mpi4py: pip install mpi4py"
)
RANKS = pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=needs_mpi4py)])


def run_python(code: str, folder: Path, *, ranks: int = 1, succeeds: bool = True, **more: str):
    """Run a Python script on MPI ranks; one that neither ends nor fails is killed."""
    (folder / "script.py").write_text(HEADER + code)
    command = [sys.executable, "script.py"]
    if ranks > 1:
        command = [str(BIN / "mpirun"), "-np", str(ranks), *command]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error", **more},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        raise AssertionError(f"the script hangs:\n{output}") from None
    assert (process.returncode == 0) == succeeds, output
    return output


def results(folder: Path, ranks: int):
    """What each rank has put into its json file."""
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(ranks)]
