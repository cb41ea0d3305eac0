"""`lammps-botan check` says in words why the plugin does not load."""

import shutil
from pathlib import Path

import pytest
from lmp import BIN

from lammps_botan import plugin
from lammps_botan.cli import installation
from lammps_botan.cli.installation import check


@pytest.fixture
def copy(tmp_path):
    """A copy of the plugin that a test may break."""
    target = tmp_path / "lammps_botan" / "plugin"
    shutil.copytree(plugin.folder(), target)
    return target


def test_an_installed_plugin_has_no_problem():
    report = check(Path(plugin.folder()))
    assert report.problems == []
    assert report.versions["LAMMPS"] == "20250722"
    assert "MPICH" in report.versions["MPI"]


def test_the_version_of_torch_is_said():
    pytest.importorskip("torch")
    report = check(Path(plugin.folder()))
    assert report.versions["torch"].startswith("2.13.0")
    assert not any("torch" in note for note in report.notes)


def test_a_missing_library_is_named(copy):
    (copy / "botanplugin.so").unlink()
    (problem,) = check(copy).problems
    assert "botanplugin.so is missing: in the source folder" in problem


def test_a_plugin_compiled_without_torch_is_noted(copy):
    pytest.importorskip("torch")
    (copy / "libbotan_model.so").unlink()
    report = check(copy)
    assert any("libbotan_model.so is missing: this lammps-botan was" in n for n in report.notes)
    assert report.problems == []


def test_a_library_without_its_torch_is_named(copy):
    """Moved away from site-packages, it does not find torch/lib beside it."""
    pytest.importorskip("torch")
    report = check(copy)
    (note,) = [note for note in report.notes if "cannot load torch: OSError: libtorch" in note]
    assert "torch==2.13.0" in note
    assert report.problems == []  # the models that ship are computed without torch


def test_a_plugin_that_does_not_load_is_named(copy):
    (copy / "botanplugin.so").write_text("not a library")
    assert any("LAMMPS cannot load the plugin: " in problem for problem in check(copy).problems)


def mpirun(folder, monkeypatch, commands):
    """Another mpirun, which the shell finds first."""
    (folder / "mpirun").write_text(f"#!/bin/sh\nshift 2\n{commands}\n")
    (folder / "mpirun").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return str(folder / "mpirun")


@pytest.mark.slow
def test_the_mpirun_of_another_mpi_is_named(tmp_path, monkeypatch):
    """It starts LAMMPS twice, each time on one rank, and both write the same files."""
    name = mpirun(tmp_path, monkeypatch, '"$@"; "$@"')
    report = check(Path(plugin.folder()))
    assert report.problems == []
    (note,) = [note for note in report.notes if "MPI" in note]
    assert note.startswith(f"{name} starts LAMMPS twice, and not once on two ranks")
    assert note.endswith(f"The one of LAMMPS is {BIN / 'mpirun'}")


@pytest.mark.slow
def test_ranks_that_cannot_start_are_told(tmp_path, monkeypatch):
    mpirun(tmp_path, monkeypatch, "echo lmp: error while loading shared libraries; exit 127")
    (problem,) = [note for note in check(Path(plugin.folder())).notes if "ranks" in note]
    assert (
        "does not start LAMMPS on two ranks: lmp: error while loading shared libraries; t"
        in problem
    )


@pytest.mark.slow
def test_ranks_that_wait_for_one_that_cannot_start_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(installation, "SECONDS", 1)
    name = mpirun(tmp_path, monkeypatch, "exec sleep 100")
    notes = check(Path(plugin.folder())).notes
    (problem,) = [note for note in notes if note.startswith(name)]
    assert "does not start LAMMPS on two ranks within 1 s. A rank that cannot start" in problem
    assert "-np 2" in problem
