"""Every command of the tutorial runs, in order, in an empty folder."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from lmp import BIN, read_dump

pytestmark = pytest.mark.slow

TUTORIAL = Path(__file__).resolve().parents[1] / "docs" / "tutorials" / "score_a_run.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the tutorial was typed."""
    folder = tmp_path_factory.mktemp("tutorial")
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    blocks = re.findall(r"^```sh\n(.*?)^```", TUTORIAL.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    for block in blocks:
        done = subprocess.run(
            ["bash", "-eu", "-c", block],
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return folder


def test_the_dump_scored_afterwards_has_what_the_fix_predicted(folder):
    in_situ, afterwards = read_dump(folder / "run.dump"), read_dump(folder / "scored.dump")
    assert [frame.step for frame in afterwards] == [0, 500, 1000, 1500, 2000]
    for a, b in zip(in_situ, afterwards, strict=True):
        first = dict(zip(a["id"], a["f_mob"], strict=True))
        second = dict(zip(b["id"], b["d_propensity"], strict=True))
        assert first.keys() == second.keys()
        assert max(abs(first[i] - second[i]) for i in first) < 2e-5


@pytest.mark.parametrize(
    "picture", ["map.png", "bonds.png", "observables.png", "error.png", "movie/movie.gif"]
)
def test_the_pictures_are_there(folder, picture):
    assert (folder / picture).stat().st_size > 10_000
