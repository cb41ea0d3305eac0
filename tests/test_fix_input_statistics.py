"""`fix botan` compares what its model sees with what it saw in training, at each scoring."""

import re

import numpy as np
import pytest
from fix_toys import HAS_TORCH, SINGLE_NUMBERS, save_model, save_remembering, save_thermal
from lmp import GLASS, Finished, liquid, read_dump, run_lmp
from nearest import nearest_neighbors
from public_data import CONFIGURATION_401, needs_public_data
from test_fix_errors import check_fails
from toy_history import CUTOFF, Window, save_averages
from toy_inputs import save_given_back, save_inherent
from wrong_seen import WRONG_SEEN, seen

from lammps_botan.files.ensemble import read_start
from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.simulation.starts import write_start

pytestmark = [pytest.mark.slow, pytest.mark.long]

WINDOW = Window(parts=2, per_part=3, stride=5)  # of 6 samples, every .025
UNLIKE = re.compile(
    r"WARNING: Fix botan: what the model sees at step (\d+) is unlike what it saw in training: (.*)"
    r"\. Are pair style, its shift of the energy, temperature and density those of the training\?"
)
NOT_COMPARED = "the file does not say what the model saw in training: nothing is compared with it"
SMOOTH = "pair_style lj/smooth/linear 2.5\npair_coeff * * 1.0 1.0\npair_coeff 1 2 1.5 0.8\n"
SMOOTH += "pair_coeff 2 2 0.5 0.88\n"
CUT = SMOOTH.replace("lj/smooth/linear", "lj/cut")


def warnings(finished: Finished) -> list[tuple[int, str]]:
    """Step and quantities of each warning."""
    return [(int(step), words) for step, words in UNLIKE.findall(finished.output)]


def smooth(script: str) -> str:
    return script.replace("pair_style lj/cut", "pair_style lj/smooth/linear")


def statistics(frame, columns: dict[str, list[int]]) -> dict[str, list[list[float]]]:
    """Of what `GivenBack` hands back: lengths of vectors, scalars, and nearest neighbors."""
    if not HAS_TORCH:
        pytest.skip(SINGLE_NUMBERS)
    way = np.stack([frame[f"f_g[{k}]"] for k in columns["vector"]], axis=1)
    species = frame["type"].astype(int) - 1
    values = np.column_stack(
        [
            np.linalg.norm(way, axis=1),
            *(frame[f"f_g[{k}]"] for k in columns["scalars"]),
            nearest_neighbors(frame.positions, species, np.diag(frame.cell), way, CUTOFF),
        ]
    )
    kinds = [values[species == kind] for kind in (0, 1)]
    return {
        "mean": [own.mean(axis=0).tolist() for own in kinds],
        "deviation": [own.std(axis=0).tolist() for own in kinds],
    }


HISTORY = {"vector": [1, 2, 3], "scalars": [4, 5]}
INHERENT = {"vector": [1, 2, 3], "scalars": [4]}


# --- histories ------------------------------------------------------------------------------------


CUT_GLASS = GLASS.replace("lj/smooth/linear", "lj/cut")
FIX = "fix g all botan 150 m.pt A B\nthermo 150\n"
DUMP = "dump g all custom 150 g.txt id type x y z f_g[*]\ndump_modify g format float %.17g\n"
SAMPLES = "dump s all custom 25 s.txt id type xu yu zu\ndump_modify s format float %.17g\n"


@pytest.fixture(scope="module")
def glass(tmp_path_factory):
    """A run with a history of the right pair style: its samples, and what the fix hands back."""
    folder = tmp_path_factory.mktemp("glass")
    save_averages(folder / "m.pt", WINDOW)
    finished = run_lmp(GLASS + FIX + DUMP + SAMPLES + "run 150", folder)
    assert not warnings(finished)
    assert finished.output.count(NOT_COMPARED) == 1
    return folder


@pytest.fixture(scope="module")
def training(glass):
    """What a model saw that is trained on this history."""
    return statistics(read_dump(glass / "g.txt")[-1], HISTORY)


def run_history(folder, saw, script, *, ranks=1, run="run 150"):
    save_averages(folder / "m.pt", WINDOW, seen=saw)
    finished = run_lmp(script + run, folder, ranks=ranks)
    assert NOT_COMPARED not in finished.output
    return warnings(finished)


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_pair_style_of_the_training_is_scored_in_silence(tmp_path, training, ranks):
    """Also with other velocities."""
    script = GLASS.replace("create 0.64 1", "create 0.64 2") + FIX
    assert run_history(tmp_path, training, script, ranks=ranks) == []


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_another_shift_of_the_energy_is_told_once(tmp_path, training, ranks):
    """At the first prediction, when the window is full, with means over all MPI tasks."""
    script = CUT_GLASS + FIX + DUMP
    ((step, words),) = run_history(tmp_path, training, script, ranks=ranks, run="run 300")
    assert step == 150
    found = statistics(read_dump(tmp_path / "g.txt")[1], HISTORY)
    expected = [
        f"mean energy of {name} is {found['mean'][kind][2]:.4g} on average, "
        f"{training['mean'][kind][2]:.4g} +- {training['deviation'][kind][2]:.2g} in training"
        for kind, name in enumerate("AB")
    ]
    assert words == "; ".join(expected)


@pytest.fixture(scope="module")
def samples(glass):
    """As many as the window has, so that a rerun has its first prediction with the last one."""
    return read_dump(glass / "s.txt")[-WINDOW.n_samples :]


def rerun(folder, saw, samples, ways, ranks):
    """Where atoms are now, with samples that lie so far away [n_samples, n, 3]."""
    now, lines = samples[-1], []
    place = np.stack([now[f"{axis}u"] for axis in "xyz"], axis=1)
    for frame, way in zip(samples, ways, strict=True):
        lines += ["ITEM: TIMESTEP", str(frame.step), "ITEM: NUMBER OF ATOMS", str(len(place))]
        lines += ["ITEM: BOX BOUNDS pp pp pp", *(f"0 {edge:.17g}" for edge in np.diag(now.cell))]
        lines += ["ITEM: ATOMS id type xu yu zu"]
        lines += [
            f"{i:.0f} {kind:.0f} {x:.17g} {y:.17g} {z:.17g}"
            for i, kind, (x, y, z) in zip(now["id"], now["type"], place + way, strict=True)
        ]
    (folder / "new.txt").write_text("\n".join([*lines, ""]))
    script = GLASS + FIX + DUMP
    return run_history(folder, saw, script, ranks=ranks, run="rerun new.txt dump x y z")


def ways_of(samples):
    places = np.array([[frame[f"{axis}u"] for axis in "xyz"] for frame in samples])
    return (places - places[-1]).swapaxes(1, 2)


def check_nearest(folder, saw, found):
    """Both species are told of, with the numbers of what the fix hands back."""
    ((step, words),) = found
    assert step == 150
    is_so = statistics(read_dump(folder / "g.txt")[-1], HISTORY)
    for kind, name in enumerate("AB"):
        assert (
            f"distance to the nearest neighbor in the mean positions (in bond lengths) of {name} "
            f"is {is_so['mean'][kind][3]:.4g} on average, {saw['mean'][kind][3]:.4g} +- "
            f"{saw['deviation'][kind][3]:.2g} in training"
        ) in words
        assert is_so["mean"][kind][3] < saw["mean"][kind][3]
    # these are as in the training, so that only distances of pairs tell
    assert "distance to the mean position of" not in words
    assert "variance" not in words


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_samples_of_the_run_are_like_those_of_the_training(tmp_path, samples, training, ranks):
    assert rerun(tmp_path, training, samples, ways_of(samples), ranks) == []


@pytest.mark.parametrize("ranks", [1, 2])
def test_displacements_with_the_wrong_sign_are_told(tmp_path, samples, training, ranks):
    """Each sample lies on the other side of the atom."""
    found = rerun(tmp_path, training, samples, -ways_of(samples), ranks)
    check_nearest(tmp_path, training, found)


@pytest.mark.parametrize("ranks", [1, 2])
def test_displacements_of_other_atoms_of_the_species_are_told(tmp_path, samples, training, ranks):
    rng = np.random.default_rng(0)
    others = np.arange(len(samples[-1]["id"]))
    for kind in (1, 2):
        (own,) = np.nonzero(samples[-1]["type"] == kind)
        others[own] = rng.permutation(own)
    found = rerun(tmp_path, training, samples, ways_of(samples)[:, others], ranks)
    check_nearest(tmp_path, training, found)


@pytest.mark.parametrize("ranks", [1, 2])
def test_atoms_without_neighbors_have_no_nearest_one(tmp_path, ranks):
    """Two pairs and one atom alone: the mean is that of four; nothing is told where all are."""
    saw = {"mean": [[0.0, 0.0, 0.0, 9.0]] * 2, "deviation": [[1.0, 1.0, 1.0, 1.0]] * 2}
    told = []
    for first, second in ((1.2, 1.5), (6.0, 6.0)):
        places = [0.0, first, 20.0, 20.0 + second, 30.0]
        atoms = "".join(f"create_atoms 1 single {x} 0 0\n" for x in places)
        script = f"""
        units lj
        region box block -5 40 -5 5 -5 5
        create_box 2 box
        {atoms}
        mass * 1.0
        timestep 0.001
        pair_style zero 2.5
        pair_coeff * *
        {FIX}"""
        told.append(run_history(tmp_path, saw, script, ranks=ranks))
    ((_, words),) = told[0]
    assert words == (
        "distance to the nearest neighbor in the mean positions (in bond lengths) of A is 1 on "
        "average, 9 +- 1 in training"
    )
    assert told[1] == []


def test_a_rank_without_atoms_takes_part(tmp_path, training):
    """Half of the box is empty, and the warning is that of one rank."""
    script = CUT_GLASS.replace("units lj", "units lj\nprocessors * 1 1")
    script = script.replace("timestep", "change_box all x final -16 16\ntimestep") + FIX
    alone, together = (run_history(tmp_path, training, script, ranks=n) for n in (1, 2))
    assert len(alone) == 1
    assert together == alone


def test_atoms_outside_the_graph_are_not_compared(tmp_path, training):
    """Where B is mapped to NULL, it may be unlike anything that the model saw."""
    distance, variance, _, nearest = training["mean"][1]
    saw = training | {"mean": [training["mean"][0], [distance, variance, 1000.0, nearest]]}
    # without B the nearest neighbor of A is A
    saw["deviation"] = [[*row[:3], 10.0] for row in saw["deviation"]]
    ((_, words),) = run_history(tmp_path, saw, GLASS + FIX)
    assert words.startswith("mean energy of B is ")
    assert ";" not in words
    assert run_history(tmp_path, saw, GLASS + FIX.replace("A B", "A NULL")) == []


def test_a_fallback_that_does_not_say_what_it_saw_is_not_compared(tmp_path):
    """The warning comes with the first prediction of the model."""
    save_thermal(tmp_path / "thermal.pt")
    save_remembering(tmp_path / "m.pt", tmp_path / "thermal.pt", saw=InputStatistics(**seen()))
    script = liquid() + "fix a all botan 10 m.pt A B\nthermo 10\n"
    ((step, _),) = warnings(run_lmp(script + "run 60", tmp_path))
    assert step == 30


# --- inherent structures --------------------------------------------------------------------------


def test_the_warning_comes_again_after_all_was_right(tmp_path):
    """As the input script changes the pair style and changes it back."""
    start = smooth(liquid("4 4 4"))
    fix = "fix g all botan 10 m.pt A B\n"
    dump = "dump g all custom 10 g.txt id type x y z f_g[*]\n"
    save_inherent(tmp_path / "m.pt", 0.1)
    run_lmp(start + fix + dump + "run 0", tmp_path)
    saw = statistics(read_dump(tmp_path / "g.txt")[0], INHERENT)
    asked = {"inherent": {"force": 0.1}}
    save_given_back(tmp_path / "m.pt", asked, seen=saw)
    styles = [CUT, CUT, SMOOTH, SMOOTH, CUT, CUT]
    runs = "".join(f"reset_timestep {k}\n{style}run 0\n" for k, style in enumerate(styles))
    found = warnings(run_lmp(start + fix + runs, tmp_path, ranks=2))
    assert [step for step, _ in found] == [0, 4]
    for _, words in found:
        assert re.match(r"inherent energy of A is \S+ on average, \S+ \+- \S+ in training", words)


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_mean_may_differ_by_half_a_deviation_and_five_standard_errors(tmp_path, sign, ranks):
    """A little less than that is silent, and a little more is told."""
    script = smooth(liquid("3 3 3")) + "fix g all botan 10 m.pt A B\n"
    save_inherent(tmp_path / "m.pt", 0.1)
    dump = "dump g all custom 10 g.txt id type x y z f_g[*]\n"
    run_lmp(script + dump + "run 0", tmp_path, ranks=ranks)
    (frame,) = read_dump(tmp_path / "g.txt")
    saw = statistics(frame, INHERENT)
    largest = 0.5 + 5 / np.sqrt((frame["type"] == 2).sum())
    told = []
    for share in (0.99, 1.01):
        (distance, energy, nearest), (_, deviation, _) = saw["mean"][1], saw["deviation"][1]
        mean = energy - sign * share * largest * deviation
        changed = saw | {"mean": [saw["mean"][0], [distance, mean, nearest]]}
        save_given_back(tmp_path / "m.pt", {"inherent": {"force": 0.1}}, seen=changed)
        told.append(warnings(run_lmp(script + "run 0", tmp_path, ranks=ranks)))
    ((_, words),) = told[1]
    assert told[0] == []
    assert words.startswith("inherent energy of B is ")
    assert ";" not in words


@pytest.mark.parametrize("ranks", [1, 2])
def test_all_quantities_of_both_inputs_are_compared(tmp_path, ranks):
    """In the order of the model file: lengths, scalars, and distances to the nearest neighbor."""
    asked = {**WINDOW.inputs(), "inherent": {"force": 0.1}}
    saw = {"mean": [[1000.0] * 7] * 2, "deviation": [[1.0] * 7] * 2}
    save_given_back(tmp_path / "m.pt", asked, seen=saw)
    script = smooth(liquid("4 4 4")) + "fix g all botan 30 m.pt A B\n"
    dump = "dump g all custom 30 g.txt id type x y z f_g[*]\ndump_modify g format float %.17g\n"
    ((_, words),) = warnings(run_lmp(script + dump + "run 30", tmp_path, ranks=ranks))
    frame = read_dump(tmp_path / "g.txt")[-1]
    # two vectors, and then three scalars
    of_history = statistics(frame, {"vector": [1, 2, 3], "scalars": [7, 8]})["mean"]
    of_inherent = statistics(frame, {"vector": [4, 5, 6], "scalars": [9]})["mean"]
    expected = []
    for one, other in zip(of_history, of_inherent, strict=True):
        distance, variance, energy, nearest = one
        expected += [distance, other[0], variance, energy, other[1], nearest, other[2]]
    found = [one.split(" is ")[1].split()[0] for one in words.split("; ")]
    assert found == [f"{value:.4g}" for value in expected]
    assert re.findall(r"nearest neighbor in the (\w+) positions", words) == ["mean", "inherent"] * 2


@needs_public_data
@pytest.mark.parametrize(
    ("style", "energy"),
    [
        ("lj/smooth/linear 2.5", None),
        ("lj/cut 2.5", -8.554),
        ("lj/cut 2.5\npair_modify shift yes", -7.961),
    ],
)
def test_a_shipped_model_knows_the_pair_style_of_its_training(tmp_path, style, energy):
    """On a public configuration that it has never seen, which is an outlier among them."""
    write_start(tmp_path / "start.data", read_start(CONFIGURATION_401), "configuration 401")
    script = f"""
    units lj
    read_data start.data
    pair_style {style}
    pair_coeff 1 1 1.0 1.0 2.5
    pair_coeff 1 2 1.5 0.8 2.0
    pair_coeff 2 2 0.5 0.88 2.2
    mass * 1.0
    fix integrate all nve
    fix g all botan 10 ka-t044-inherent A B
    run 0
    """
    found = warnings(run_lmp(script, tmp_path))
    assert bool(found) == (energy is not None)
    if found:
        words = r"inherent energy of A is (\S+) on average, -7\.08 \+- 0\.61 in training; "
        assert float(re.match(words, found[0][1])[1]) == pytest.approx(energy, abs=0.01)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", WRONG_SEEN)
def test_impossible_statistics_are_refused(tmp_path, case):
    value, _, message = WRONG_SEEN[case]
    save_averages(tmp_path / "m.pt", WINDOW, seen=value)
    check_fails(tmp_path, liquid("2 2 2") + FIX, message)


def test_statistics_of_inputs_that_a_model_does_not_see_are_refused(tmp_path):
    save_model(tmp_path / "m.pt", seen=seen())
    message = "'seen.mean' must be 2 rows of 3 numbers, one for each species and quantity, got [["
    check_fails(tmp_path, liquid("2 2 2") + FIX, message, ranks=2)


def test_nothing_is_said_by_null(tmp_path):
    save_averages(tmp_path / "m.pt", WINDOW, seen=None)
    finished = run_lmp(liquid("2 2 2") + FIX + "run 0", tmp_path)
    assert NOT_COMPARED in finished.output
