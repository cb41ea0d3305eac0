"""What the package needs is in its metadata: for all, or in the extra of the room that needs it."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from lammps_botan.simulation.jobs import Job, Task, run_tasks

SOURCE = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
# the rooms that may ask for more than what is installed for all
EXTRAS = {
    "network": {"torch"},
    "training": {"train"},
    "cli": {"train"},
    "figures": {"plot", "view"},
    "simulation": {"simulate"},
    "prediction": {"mpi"},
}
# asked for where a file or a training wants them, with a message of their own
BY_MESSAGE = {"gsd", "torch_scatter", "zstandard"}


def packages(requirements):
    """Names by which the required packages are imported, dask[distributed] by both."""
    names = {
        name.lower() for one in requirements for name in re.findall(r"[\w-]+", one.split(">")[0])
    }
    return {
        module
        for module, distributions in metadata.packages_distributions().items()
        if names & {one.lower() for one in distributions}
    }


def imported(path):
    """First names of all absolute imports of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(
    "room", sorted(p.parent.name for p in SOURCE.glob("lammps_botan/*/__init__.py"))
)
def test_a_room_imports_what_its_installation_brings(room):
    extras = PROJECT["optional-dependencies"]
    for extra in EXTRAS.get(room, ()):
        if packages(extras[extra]) <= {"lammps_botan"}:
            pytest.skip(f"the extra {extra} is not installed")
    allowed = packages(PROJECT["dependencies"]).union(
        *(packages(extras[extra]) for extra in EXTRAS.get(room, ()))
    )
    found = {
        name: path.name
        for path in (SOURCE / "lammps_botan" / room).rglob("*.py")
        for name in imported(path)
        if name not in sys.stdlib_module_names | BY_MESSAGE | {"lammps_botan"}
    }
    assert {name: path for name, path in found.items() if name not in allowed} == {}


@pytest.mark.parametrize("package", ["dask", "distributed", "cryptography"])
def test_simulations_without_dask_say_what_to_type(package, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, package, None)
    job = Job(tmp_path, "in.melt", "product", "log", 1, {})
    task = Task([job], in_turn=False, finish=lambda: None)
    message = f"the package {package} is not installed; type pip install 'lammps-botan.simulate.'"
    with pytest.raises(ValueError, match=message):
        run_tasks([task], "melt")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (["train", "config.toml"], "lightning", "train"),
        (["plot", "learning-curve", "folder", "-o", "it.png"], "matplotlib", "plot"),
        (["view", "scored.dump", "-o", "it.html"], "k3d", "view"),
    ],
)
def test_a_command_without_its_extra_says_what_to_type(words, package, extra, tmp_path):
    missing = f"raise ModuleNotFoundError('no {package}', name='{package}')"
    (tmp_path / f"{package}.py").write_text(missing)
    for name in ("config.toml", "scored.dump"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    done = subprocess.run(
        [Path(sys.executable).with_name("lammps-botan"), *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert " ".join(done.stderr.split()) == (
        f"Error: no {package}: this command needs more packages; type pip install "
        f"'lammps-botan[{extra}]'"
    )
