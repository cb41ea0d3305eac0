"""Every python block of README and docs/ runs, in order, or is marked as a fragment."""

import os
import shutil
import subprocess
import sys

import pytest
from lmp import run_lmp
from public_data import CONFIGURATION_401, PRESENT
from typed import DOCS, PATH, blocks_of

pytestmark = pytest.mark.slow

ROOT = DOCS.parent
PAGES = [
    page
    for page in sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
    if any(block.language == "python" and not block.is_fragment for block in blocks_of(page))
]
NEEDS_PUBLIC_DATA = {"README.md", "index.md"}  # pages that begin with configuration 401

END = "the end of the page"

GLASS = """
units lj
read_data glass.data
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
velocity all create 1.0 {seed} mom yes rot no dist gaussian
timestep 0.002
fix nve all nve
"""
RUN = """
dump run all custom 200 {dump} id type xu yu zu
dump_modify run format float %.15g
run 5000
"""


@pytest.fixture(scope="module")
def material(glasses, ensembles, tmp_path_factory):
    """Files of the names that pages use: a glass, dumps, ensembles, a scored dump."""
    folder = tmp_path_factory.mktemp("material")
    shutil.copy(glasses[0], folder / "glass.data")
    (folder / "in.glass").write_text(GLASS.format(seed=1))
    (folder / "ensembles").mkdir()
    for path in ensembles:
        if path.parent.name == "t0.05":
            shutil.copy(path, folder / "ensembles")
    for seed, dump in ((1, "run_1.dump"), (2, "run_2.dump"), (1, "run.dump")):
        run_lmp(GLASS.format(seed=seed) + RUN.format(dump=dump), folder)
    _typed(folder, "lammps-botan", "score", "run.dump", "-m", "ka-t064", "--species", "A", "B")
    if PRESENT:
        (folder / CONFIGURATION_401.name).symlink_to(CONFIGURATION_401)
    return folder


def _typed(folder, *command):
    environment = os.environ | {"PATH": PATH, "MPLBACKEND": "agg"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_python_of_a_page_runs(page, material, tmp_path):
    if page.name in NEEDS_PUBLIC_DATA and not PRESENT:
        pytest.skip("no public data")
    folder = tmp_path / "folder"
    shutil.copytree(material, folder, symlinks=True)
    blocks = [block for block in blocks_of(page) if block.language == "python"]
    script = folder / "page.py"
    codes = [block.code for block in blocks if not block.is_fragment]
    script.write_text("\n".join([*codes, f'print("{END}")', ""]))
    # not only without an error: no block may end the process before the page ends
    assert END in _typed(folder, sys.executable, script.name).splitlines()
