"""`fix botan` on real glasses: equal to Python, and to itself on any number of ranks."""

import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from fix_toys import HAS_TORCH
from lmp import read_dump, run_lmp
from public_data import CONFIGURATION_401, needs_public_data, weights

from lammps_botan.cli import main
from lammps_botan.files.ensemble import read_start
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import find_model

pytestmark = pytest.mark.slow

ROUNDING = 2e-5  # one graph, other order of float32 sums
RANKS = 5e-5  # the same over 300 steps

SCRIPT = """
units lj
{before}
read_data {data}
timestep 0.001
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
{after}
velocity all create {temperature} 1 loop geom
fix nve all nve
fix mob all botan 100 {model} A B
dump atoms all custom 100 atoms.dump id type x y z f_mob
dump_modify atoms format float %.9g
dump bonds all local 100 bonds.dump f_mob[1] f_mob[2] f_mob[3] f_mob[4]
dump_modify bonds format float %.9g
run {steps}
"""


@pytest.fixture(scope="module")
def glass(tmp_path_factory):
    """Configuration 401 as a data file, and public weights 1 as a model file.

    Without torch, which reads them, it is a model that ships.
    """
    folder = tmp_path_factory.mktemp("glass")
    commands = [("data-file", CONFIGURATION_401, "-o", folder / "401.data")]
    if HAS_TORCH:
        commands += [
            ("import-weights", weights(1), "-o", folder / "m.ckpt"),
            ("export", folder / "m.ckpt", "-o", folder / "m.pt"),
        ]
    else:
        shutil.copy(find_model("ka-t044"), folder / "m.pt")
    for command in commands:
        CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
    return folder


def bonds_by_ids(frame):
    first, second = frame["f_mob[1]"].astype(int), frame["f_mob[2]"].astype(int)
    order = np.lexsort((second, first))
    return np.column_stack([first, second, frame["f_mob[3]"], frame["f_mob[4]"]])[order]


def script(glass, steps, before="", after="", temperature=0.44):
    data, model = glass / "401.data", glass / "m.pt"
    return SCRIPT.format(**locals())


@needs_public_data
@pytest.mark.parametrize("ranks", [1, 2])
def test_run_0_gives_the_python_outputs_by_atom_id(glass, tmp_path, ranks):
    run_lmp(script(glass, 0), tmp_path, ranks=ranks)
    prediction = Predictor(glass / "m.pt").predict(read_start(CONFIGURATION_401))
    graph = prediction.graph
    (atoms,) = read_dump(tmp_path / "atoms.dump")
    np.testing.assert_array_equal(atoms["id"], np.arange(4096) + 1)
    np.testing.assert_allclose(atoms["f_mob"], prediction.node[:, 0], atol=ROUNDING)

    (frame,) = read_dump(tmp_path / "bonds.dump")
    bonds = bonds_by_ids(frame)
    near = graph.distances < 1.35
    np.testing.assert_array_equal(bonds[:, 0], graph.center[near] + 1)
    np.testing.assert_array_equal(bonds[:, 1], graph.neighbor[near] + 1)
    np.testing.assert_allclose(bonds[:, 2], graph.distances[near], atol=1e-7)
    np.testing.assert_allclose(bonds[:, 3], prediction.edge[near, 0], atol=ROUNDING)


CASES = {
    "2 ranks": (2, "", ""),
    "4 ranks": (4, "", ""),
    "processors 4 1 1": (4, "processors 4 1 1", ""),
    "tiled": (4, "comm_style tiled", "balance 1.0 rcb"),
}


@pytest.fixture(scope="module")
def one_rank(glass, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one_rank")
    run_lmp(script(glass, 300), folder)
    return folder


def assert_equal_frames(folder, other):
    for ours, theirs in zip(
        read_dump(folder / "atoms.dump"), read_dump(other / "atoms.dump"), strict=True
    ):
        assert ours.step == theirs.step
        np.testing.assert_allclose(ours["f_mob"], theirs["f_mob"], atol=RANKS)
    for ours, theirs in zip(
        read_dump(folder / "bonds.dump"), read_dump(other / "bonds.dump"), strict=True
    ):
        np.testing.assert_allclose(bonds_by_ids(ours), bonds_by_ids(theirs), atol=RANKS)


@needs_public_data
@pytest.mark.parametrize("case", CASES)
def test_300_steps_agree_on_any_number_of_ranks(glass, one_rank, tmp_path, case):
    ranks, before, after = CASES[case]
    run_lmp(script(glass, 300, before, after), tmp_path, ranks=ranks)
    assert [frame.step for frame in read_dump(tmp_path / "atoms.dump")] == [0, 100, 200, 300]
    assert_equal_frames(tmp_path, one_rank)


@needs_public_data
def test_a_slab_that_leaves_ranks_without_atoms_agrees(glass, tmp_path):
    """Vacuum above and below: the lowest and the highest of four ranks are empty."""
    text = script(glass, 300, "processors 1 1 *", "change_box all z final -20 35.1")
    for ranks in (1, 4):
        folder = tmp_path / str(ranks)
        folder.mkdir()
        done = run_lmp(text, folder, ranks=ranks)
    assert "Nlocal:" in done.output
    assert " 0 min" in done.output.split("Nlocal:")[1].splitlines()[0]
    assert_equal_frames(tmp_path / "1", tmp_path / "4")
