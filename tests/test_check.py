"""`lammps-botan check` says in words why the plugin does not load."""

import shutil
from pathlib import Path

import pytest

from lammps_botan import plugin
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
    assert report.versions["torch"].startswith("2.13.0")
    assert "MPICH" in report.versions["MPI"]


def test_a_missing_library_is_named(copy):
    (copy / "libbotan_model.so").unlink()
    (problem,) = check(copy).problems
    assert "libbotan_model.so is missing: in the source folder" in problem


def test_a_library_without_its_torch_is_named(copy):
    """Moved away from site-packages, it does not find torch/lib beside it."""
    problems = check(copy).problems
    assert any("cannot load torch: OSError: libtorch" in problem for problem in problems)
    assert any("torch==2.13.0" in problem for problem in problems)


def test_a_plugin_that_does_not_load_is_named(copy):
    (copy / "botanplugin.so").write_text("not a library")
    assert any("LAMMPS cannot load the plugin: " in problem for problem in check(copy).problems)
