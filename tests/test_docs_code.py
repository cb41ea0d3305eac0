"""Python blocks and commands of README and docs/ run, in order, or are marked as fragments."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from lmp import read_dump, run_lmp
from public_data import CONFIGURATION_401, PRESENT
from typed import DOCS, PATH, blocks_of, type_page

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROOT = DOCS.parent
ALL = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def pages_with(language):
    """Pages that have blocks of a language that are no fragments."""
    return [
        page
        for page in ALL
        if any(block.language == language and not block.is_fragment for block in blocks_of(page))
    ]


each_page = pytest.mark.parametrize("page", ALL, ids=lambda page: page.relative_to(ROOT).as_posix())
# typed by test_tutorials.py, test_how_to.py and docs/gallery.py
ELSEWHERE = {*(DOCS / "tutorials").glob("*.md"), DOCS / "gallery.md"}
ELSEWHERE |= {DOCS / "how_to" / f"{name}.md" for name in ("cluster", "restarts")}
COMMANDS = [page for page in pages_with("sh") if page not in ELSEWHERE]
TYPED = re.compile(r"^(?:lammps-botan|lmp|mpirun|pip|torchrun|srun) ", re.MULTILINE)
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
dump old all custom 1000 old.dump type x y z
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
    score = ("lammps-botan", "score", "run.dump", "-m", "ka-t064", "--species", "A", "B")
    _typed(folder, *score, "--bonds", "scored.bonds")
    if PRESENT:
        (folder / CONFIGURATION_401.name).symlink_to(CONFIGURATION_401)
    return folder


def _typed(folder, *command):
    environment = os.environ | {"PATH": PATH, "MPLBACKEND": "agg"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if re.search("No module named '(torch|lightning)'", done.stderr):
        pytest.importorskip("torch")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    "page", pages_with("python"), ids=lambda page: page.relative_to(ROOT).as_posix()
)
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


@each_page
def test_each_command_of_a_page_is_typed_or_has_a_reason_why_not(page):
    for block in blocks_of(page):
        if block.language == "sh" and block.is_fragment:
            assert block.reason, block.code
        if not block.language:
            assert not TYPED.search(block.code), f"write ```sh\n{block.code}"


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_commands_of_a_page_run(page, material, tmp_path):
    folder = tmp_path / "folder"
    shutil.copytree(material, folder, symlinks=True)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    printed = type_page(page, folder)
    now = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert now != before or "fix botan is ready" in printed


def test_a_dump_without_ids_is_scored_when_its_rows_are_numbered(material, tmp_path):
    """The awk program of the page Trouble; the same propensities as from the dump with IDs."""
    folder = tmp_path / "folder"
    shutil.copytree(material, folder, symlinks=True)
    type_page(DOCS / "trouble.md", folder)
    score = ("lammps-botan", "score", "numbered.dump", "-m", "ka-t064", "--species", "A", "B")
    _typed(folder, *score, "--out", "again.dump")
    scored = {frame.step: frame for frame in read_dump(folder / "scored.dump")}
    again = read_dump(folder / "again.dump")
    assert [frame.step for frame in again] == [*range(0, 5001, 1000)]
    for frame in again:
        pairs = (np.sort(found["d_propensity"]) for found in (frame, scored[frame.step]))
        np.testing.assert_allclose(*pairs, atol=1e-4)  # the dump has six digits
