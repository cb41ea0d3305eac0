"""The numbered examples, run as a user runs them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lmp import read_dump
from toy_models import save_model

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(example, *arguments):
    command = [sys.executable, EXAMPLES / example, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_01_says_what_was_predicted_and_what_happened(tmp_path):
    done = run("01_score_a_glass.py", "--out", tmp_path, "--time", 0.2)
    assert done.returncode == 0, done.stderr
    frames = read_dump(tmp_path / "score.dump")
    assert [frame.step for frame in frames] == list(range(3300, 3501, 20))  # after t_w
    first, last = frames[0], frames[-1]
    assert f"{first['f_mob'][first['type'] == 1].mean():.3f}" in done.stdout
    moved = np.linalg.norm([last[k] - first[k] for k in ("xu", "yu", "zu")], axis=0)
    assert f"{moved[first['type'] == 2].mean():.3f}" in done.stdout
    rho = np.corrcoef(*[a[first["type"] == 1] for a in (first["f_mob"], moved)])[0, 1]
    assert f"{rho:.3f}" in done.stdout
    assert "the same, predicted from positions alone" in done.stdout
    assert (tmp_path / "score.png").read_bytes()[:4] == b"\x89PNG"


def test_01_passes_on_the_error_of_lammps(tmp_path):
    """Python reads the facts of the model only; that the network does not fit is for the fix."""
    model = save_model(tmp_path / "m.pt", width=7)
    done = run("01_score_a_glass.py", "--out", tmp_path, "--model", model, "--time", 0.1)
    assert done.returncode != 0
    assert "ERROR: Fix botan: model file" in done.stderr
    assert "LAMMPS stopped with an error" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("time", ["0", "-1", "nan", "inf", "long"])
def test_01_refuses_times_that_are_none(tmp_path, time):
    done = run("01_score_a_glass.py", "--out", tmp_path, f"--time={time}")
    assert done.returncode == 2
    assert "argument --time: " in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_01_says_that_there_is_no_such_model(tmp_path):
    done = run("01_score_a_glass.py", "--out", tmp_path / "out", "--model", "nothing-like-this")
    assert done.returncode != 0
    assert "nothing-like-this: no such file" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
