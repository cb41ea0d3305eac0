"""`fix botan` tells where positions are unlike those that a thermal model, or a fallback, knows."""

import re

import numpy as np
import pytest
from fix_toys import save_remembering, save_thermal
from lmp import GLASS, liquid, read_dump, run_lmp
from nearest import nearest_neighbors
from public_data import CONFIGURATION_401, needs_public_data
from scipy.spatial import cKDTree
from test_fix_input_statistics import NOT_COMPARED
from wrong_seen import seen

from lammps_botan.files.ensemble import read_start
from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.simulation.starts import write_start

pytestmark = pytest.mark.slow

UNLIKE = re.compile(
    r"WARNING: Fix botan: what the (\w+) sees at step (\d+) is unlike what it saw in training: (.*)"
    r"\. Are species, composition, temperature and density those of the training\?"
)
PAIRS = """
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
mass * 1.0
fix integrate all nve
"""


def save(path, mean, deviation=((1.0, 1.0, 0.01),) * 2):
    """A thermal model that saw this."""
    save_thermal(path, saw=InputStatistics(mean=mean, deviation=deviation))


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_numbers_of_neighbors_and_distances_are_those_of_the_atoms(tmp_path, ranks):
    """Counted by a tree of another library, and all pairs; ghosts and ranks change nothing."""
    save(tmp_path / "m.pt", [[1000.0] * 3] * 2)
    fix = "fix a all botan 10 m.pt A B\n"
    dump = "dump g all custom 10 g.txt id type x y z\ndump_modify g format float %.17g sort id\n"
    finished = run_lmp(GLASS + fix + dump + "run 0", tmp_path, ranks=ranks)
    ((_, step, words),) = UNLIKE.findall(finished.output)
    assert step == "0"
    assert NOT_COMPARED not in finished.output
    (frame,) = read_dump(tmp_path / "g.txt")
    kinds, edges = frame["type"].astype(int) - 1, np.diag(frame.cell)
    near = cKDTree(frame.positions % edges, boxsize=edges).query_pairs(2.0, output_type="ndarray")
    near = np.concatenate([near, near[:, ::-1]])
    still = np.zeros((len(kinds), 3))
    nearest = nearest_neighbors(frame.positions, kinds, edges, still, 2.0)
    expected = []
    for kind in (0, 1):
        own = near[kinds[near[:, 0]] == kind, 1]
        counts = [(kinds[own] == other).sum() / (kinds == kind).sum() for other in (0, 1)]
        expected += [*counts, nearest[kinds == kind].mean()]
    found = re.findall(r"(number of|distance to).*? of ([AB]) is (\S+) on average", words)
    assert [float(value) for *_, value in found] == pytest.approx(expected, rel=1e-3)
    assert [kind for _, kind, _ in found] == ["A"] * 3 + ["B"] * 3


@needs_public_data
@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("change", "words", "is_right"),
    [
        ("", "A B", True),
        ("", "B A", False),
        ("set group all type 1", "A B", False),
        ("change_box all x scale 1.1 y scale 1.1 z scale 1.1 remap units box", "A B", False),
    ],
)
def test_another_composition_or_density_is_told_by_a_shipped_model(
    tmp_path, ranks, change, words, is_right
):
    write_start(tmp_path / "start.data", read_start(CONFIGURATION_401), "configuration 401")
    script = "units lj\nread_data start.data\npair_style lj/smooth/linear 2.5\n" + PAIRS
    fix = f"{change}\nfix g all botan 10 ka-t044 {words}\nrun 0"
    found = UNLIKE.findall(run_lmp(script + fix, tmp_path, ranks=ranks).output)
    assert [(who, step) for who, step, _ in found] == [("model", "0")] * (not is_right)


# a shift of the upper end by 0.3013 is 2 % of the edge 15.0572
@needs_public_data
@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("change", "words", "density"),
    [
        ("change_box all x delta 0 0.3013 units box", "A B", "1.176"),
        ("change_box all triclinic y delta 0 0.3013 units box", "A B", "1.176"),
        ("change_box all x scale 0.9945 y scale 0.9945 z scale 0.9945 remap", "A B", "1.22"),
        ("change_box all x delta -2 2 units box", "A B", None),  # a slab
        ("change_box all z delta -0.2 0.2 boundary p p f units box", "A B", None),
        ("set group all type/fraction 3 0.05 77", "A B NULL", None),
    ],
)
def test_another_number_density_is_told_where_the_liquid_fills_the_box(
    tmp_path, ranks, change, words, density
):
    """Positions are those of before, but for the third change, and so is the number of atoms."""
    glass = read_start(CONFIGURATION_401)
    write_start(tmp_path / "start.data", glass, "configuration 401")
    types = 1 if "NULL" in words else 0
    script = f"units lj\nread_data start.data extra/atom/types {types}\n"
    script += "pair_style lj/smooth/linear 2.5\n"
    script += PAIRS + ("pair_coeff * 3 1.0 1.0\nmass 3 1.0\n" if types else "")
    script += f"{change}\nfix g all botan 10 ka-t044 {words}\nrun 0"
    finished = run_lmp(script, tmp_path, ranks=ranks)
    assert finished.returncode == 0
    told = re.findall(r"number density is (\S+), 1.2 in training", finished.output)
    assert told == ([] if density is None else [density])


def test_a_fallback_tells_by_itself_and_so_does_the_model_after_it(tmp_path):
    """The fallback at once, and the model with its first prediction at step 30."""
    save(tmp_path / "thermal.pt", [[1000.0] * 3] * 2)
    save_remembering(tmp_path / "m.pt", tmp_path / "thermal.pt", saw=InputStatistics(**seen()))
    script = liquid() + "fix a all botan 10 m.pt A B\nthermo 10\n"
    output = run_lmp(script + "run 60", tmp_path).output
    assert [(who, step) for who, step, _ in UNLIKE.findall(output)] == [("fallback", "0")]
    assert "what the model sees at step 30 is unlike" in output


def test_a_file_that_does_not_say_it_is_not_compared(tmp_path):
    save_thermal(tmp_path / "m.pt")
    output = run_lmp(liquid() + "fix a all botan 10 m.pt A B\nrun 0", tmp_path).output
    assert output.count(NOT_COMPARED) == 1
    assert not UNLIKE.findall(output)
