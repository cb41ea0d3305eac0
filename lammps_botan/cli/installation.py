"""Check of the installation: versions, and problems in words."""

import ctypes
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from lammps_botan.network.archive import Archive
from lammps_botan.network.shipped import shipped_models

SECONDS = 60  # for two ranks to start and end, which takes one
TWO_RANKS = """
region box block 0 1 0 1 0 1
create_box 1 box
"""
ON_TWO_RANKS = re.compile(r"(2 by 1 by 1|1 by 2 by 1|1 by 1 by 2) MPI processor grid")


@dataclass
class Report:
    """Result of the check.

    Attributes
    ----------
    versions : dict
        Versions of LAMMPS, torch, MPI and the plugin.
    problems : list of str
        Empty if `fix botan` can be used.
    notes : list of str
        Facts that are no problem but may surprise.
    """

    versions: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(folder: Path = Path(__file__).parents[1] / "plugin") -> Report:
    """Load the plugin in LAMMPS, as `lmp` does at its start.

    Parameters
    ----------
    folder : Path
        Folder of the installed plugin.
    """
    report = Report()
    for package in ("lammps-botan", "lammps"):
        try:
            report.versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            report.problems.append(f"the Python package {package} is not installed")
    plugin = folder / "botanplugin.so"
    report.versions["plugin"] = str(plugin)
    if not plugin.is_file():
        report.problems.append(
            f"{plugin} is missing: in the source folder of lammps-botan type "
            "pip install --force-reinstall ."
        )
    if report.problems:
        return report
    _check_torch(report, folder / "libbotan_model.so")
    _check_lammps(report, plugin)
    _check_ranks(report)
    _check_models(report)
    return report


def _check_torch(report: Report, library: Path) -> None:
    """Load the part of the plugin that needs torch, which the models that ship do without."""
    try:
        report.versions["torch"] = metadata.version("torch")
    except metadata.PackageNotFoundError:
        report.versions["torch"] = "none"
        why = "torch is not installed: pip install 'lammps-botan[torch]'"
    else:
        why = _load(library)
    if why:
        report.notes.append(
            f"{why}. GPUs and networks that the compiled engine does not know need torch; the "
            "models that ship do not"
        )


def _load(library: Path) -> str:
    """Why the part of the plugin that needs torch cannot be loaded; empty where it can."""
    if not library.is_file():
        return f"{library} is missing: this lammps-botan was compiled without torch"
    # in a process of its own: torch may be loaded in this one
    load = (
        "import ctypes, sys; failure = ctypes.CDLL(sys.argv[1]).botan_torch_failure; "
        "failure.restype = ctypes.c_char_p; print(failure().decode())"
    )
    done = subprocess.run([sys.executable, "-c", load, library], capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout.strip()
    pins = [r for r in metadata.requires("lammps-botan") or [] if r.startswith("torch==")]
    return (
        f"the plugin cannot load torch: {_last_line(done)}. It was compiled "
        f"for {pins[0].partition(';')[0].strip() if pins else 'another torch'}"
    )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"it ended with the status {done.returncode}"


def _check_lammps(report: Report, plugin: Path) -> None:
    try:
        lammps = importlib.import_module("lammps")  # its import runs our entry point
        lmp = lammps.lammps(cmdargs=["-log", "none", "-screen", "none"])
    except (ImportError, OSError) as error:
        report.problems.append(f"LAMMPS does not start in this Python: {error}")
        return
    report.versions["LAMMPS"] = str(lmp.version())
    report.versions["MPI"] = _mpi_version()
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        report.problems.append(
            f"LAMMPS cannot load the plugin: {error}. It was compiled for {', '.join(_pins())}: "
            "install these versions, or compile it again"
        )
    if not lmp.has_style("fix", "botan"):
        report.problems.append(
            f"LAMMPS {lammps.__file__} started without `fix botan`; it searches the folders "
            f"{os.environ.get('LAMMPS_PLUGIN_PATH', '(none)')}"
        )
    lmp.close()
    command = shutil.which("lmp")
    beside = Path(sys.executable).with_name("lmp")
    if command is None or Path(command).resolve() != beside.resolve():
        report.notes.append(
            f"the shell finds lmp at {command}; the one with the plugin is {beside}"
        )


def _check_ranks(report: Report) -> None:
    """Start LAMMPS on two ranks by its own mpirun, and by the one that the shell finds."""
    own, found = Path(sys.executable).with_name("mpirun"), shutil.which("mpirun")
    if own.exists() and (why := _two_ranks(own)):
        report.problems.append(why)
    if found is None:
        report.notes.append(f"the shell finds no mpirun; the one of LAMMPS is {own}")
    elif Path(found).resolve() != own.resolve() and (why := _two_ranks(found)):
        report.notes.append(f"{why}. The one of LAMMPS is {own}")


def _two_ranks(mpirun: str | Path) -> str:
    """What is wrong with LAMMPS on two ranks, in words; empty where nothing is."""
    words = [str(mpirun), "-np", "2", str(Path(sys.executable).with_name("lmp"))]
    typed = f"type `{' '.join(words)} -h`"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in.ranks").write_text(TWO_RANKS)
        process = subprocess.Popen(
            [*words, "-in", "in.ranks", "-log", "none"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            printed, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()  # mpirun ends its ranks
            process.communicate()
            return (
                f"{mpirun} does not start LAMMPS on two ranks within {SECONDS} s. A rank that "
                f"cannot start, for want of a library say, leaves the others waiting: {typed}"
            )
    if process.returncode:
        said = " ".join(printed.split())[:300]
        return f"{mpirun} does not start LAMMPS on two ranks: {said}; {typed}"
    if not ON_TWO_RANKS.search(printed):
        return (
            f"{mpirun} starts LAMMPS twice, and not once on two ranks: it belongs to another MPI "
            "than LAMMPS"
        )
    return ""


def _check_models(report: Report) -> None:
    for model in shipped_models():
        try:
            if not Archive(model.path).has_checksum:
                report.notes.append(f"{model.path} has no checksum, so that damage goes unseen")
        except (OSError, ValueError) as error:
            report.problems.append(str(error))


def _mpi_version() -> str:
    text = ctypes.create_string_buffer(8192)
    length = ctypes.c_int()
    # the symbols are in this process since LAMMPS is
    ctypes.CDLL(None).MPI_Get_library_version(text, ctypes.byref(length))
    return " ".join(text.value.decode().splitlines()[0].split())


def _pins() -> list[str]:
    requires = metadata.requires("lammps-botan") or []
    return [r for r in requires if "==" in r and "extra" not in r]
