"""Where the torch that is found is of another release than the one of the plugin."""

import shutil
import subprocess
from pathlib import Path

import pytest
from lmp import GLASS, run_lmp

from lammps_botan import plugin
from lammps_botan.cli.installation import check

pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no compiler")

EXPECTED = "expected torch 2.13.0, with which libbotan_model.so was built, found torch 2.14.1"
# torch's own function says its release in the first three bytes
CODE = 'extern "C" unsigned long aoti_torch_abi_version() { return 0x020e010000000000UL; }\n'


@pytest.fixture
def other_torch(tmp_path, monkeypatch):
    """Torch says that it is 2.14.1, and is what it is in all else."""
    source, library = tmp_path / "release.cpp", tmp_path / "release.so"
    source.write_text(CODE)
    subprocess.run(["g++", "-shared", "-fPIC", source, "-o", library], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))


@pytest.mark.usefixtures("other_torch")
@pytest.mark.parametrize("ranks", [1, 2])
def test_the_fix_refuses_to_compute_with_it(ranks, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "torch")
    script = f"{GLASS}fix mob all botan 10 ka-t064 A B\nrun 0\n"
    output = run_lmp(script, tmp_path, ranks=ranks, succeeds=False).output
    assert f"(LAMMPS_BOTAN_ENGINE is torch): {EXPECTED}: pip install torch==2.13.0" in output
    assert output.count("ERROR: Fix botan") == 1


@pytest.mark.usefixtures("other_torch")
def test_models_of_the_engine_do_without_it(tmp_path):
    script = f"{GLASS}fix mob all botan 10 ka-t064 A B\nrun 0\n"
    assert "ERROR" not in run_lmp(script, tmp_path).output


@pytest.mark.usefixtures("other_torch")
def test_check_says_so():
    report = check(Path(plugin.folder()))
    assert any(note.startswith(EXPECTED) for note in report.notes)
    assert report.problems == []
