"""The history of `fix botan` from run to run: what it outlives, and what makes it begin anew."""

import re

import numpy as np
import pytest
from fix_toys import HAS_TORCH, needs_single_numbers, needs_torch, save_model
from lmp import Finished, liquid, read_dump, run_lmp
from test_fix_errors import check_fails
from toy_history import DT, Window, check_history, given_by_fix, output, save_averages

pytestmark = [pytest.mark.slow, pytest.mark.long]

WINDOW = Window(parts=3, per_part=2, stride=5)  # 30 steps
EVERY = 10
FIX = "fix g all botan 10 m.pt A B {}\n"
START = FIX.format("") + output(WINDOW, EVERY)
SHARE = "thermo_style custom step f_g f_g[4] f_g[6]\n"  # edges, and the share of the window
ANEW = "WARNING: Fix botan: the history of the atoms begins anew: "


def run(folder, runs: str, *, script: str = "", ranks: int = 1, **model) -> Finished:
    """A liquid with the fix, its dumps, and the share of the window in thermo output."""
    save_averages(folder / "m.pt", WINDOW, **model)
    return run_lmp((script or liquid()) + START + SHARE + runs, folder, ranks=ranks)


def shares(finished: Finished) -> dict[float, float]:
    """By step; of a step that ends a run and begins another one, the later."""
    return {row["Step"]: row["f_g[6]"] for row in finished.thermo()}


# --- until the window is full ---------------------------------------------------------------------


def test_nothing_is_predicted_until_the_window_is_full(tmp_path):
    """The share of the window is in the last element, and the log says when predictions begin."""
    save_averages(tmp_path / "m.pt", WINDOW)
    bonds = "dump b all local 10 b.txt f_g[3] f_g[4]\n"
    finished = run_lmp(liquid() + START + SHARE + bonds + "run 40", tmp_path, ranks=2)
    rows = finished.thermo()
    # samples at 0, 5, 10, ...: 1, 3 and 5 of 6
    assert [row["f_g[6]"] for row in rows] == pytest.approx([1 / 6, 3 / 6, 5 / 6, 1, 1])
    assert [row["f_g"] == 0 for row in rows] == [True, True, True, False, False]
    assert all(row["f_g[4]"] > 1000 for row in rows)
    for frame in read_dump(tmp_path / "b.txt"):
        assert len(frame["f_g[3]"]) > 500
        assert frame["f_g[4]"].any() == (frame.step >= 30)
    check_history(tmp_path, WINDOW, least=2)
    message = "17 % of the history is there at step 0; values are 0 until step 30, the first with"
    assert finished.output.count(message) == 1
    assert finished.output.count("% of the history") == 1
    kept = "keeps the history of each atom: 0.15 in 3 parts of 2 samples, 352 bytes per atom"
    assert kept in finished.output


def test_verification_begins_with_the_first_prediction(tmp_path):
    save_averages(tmp_path / "m.pt", WINDOW, lag_times=[20 * DT])
    script = (
        liquid() + FIX.format("verify yes") + "thermo 10\nthermo_style custom step f_g[8] f_g[9]\n"
    )
    rows = run_lmp(script + "run 60", tmp_path, ranks=2).thermo()
    # begun at 30 and 40, where the run starts with nothing
    assert [row["f_g[8]"] for row in rows] == [0, 0, 0, 0, 0, 1, 2]
    assert [row["f_g[9]"] == 1 for row in rows] == [False] * 3 + [True] * 4


def test_only_atoms_in_the_graph_must_have_a_history(tmp_path):
    """An atom of a type mapped to NULL may be as new as it likes."""
    save_averages(tmp_path / "m.pt", WINDOW)
    fix = "fix g all botan 10 m.pt A NULL\n" + SHARE
    new = "run 40\ncreate_atoms {} single 0.5 0.5 0.5 units box\nmass * 1.0\nrun 0"
    for kind, share in ((2, 1), (1, 0)):
        finished = run_lmp(liquid() + fix + new.format(kind), tmp_path)
        assert finished.thermo()[-1]["f_g[6]"] == share


# --- what it outlives -----------------------------------------------------------------------------


SPLITS = {
    "several runs": "run 23\nrun 0\nrun 57",
    "without setup": "run 23\nrun 57 pre no",
    "in pieces": "run 80 every 20 NULL",
    "new velocities": "run 40\nvelocity all create 1.0 7 loop geom\nrun 40",
    "at a sample": "run 40\nrun 40",
}


@pytest.mark.parametrize("split", SPLITS)
def test_a_run_may_be_split(tmp_path, split):
    finished = run(tmp_path, SPLITS[split])
    check_history(tmp_path, WINDOW, least=5)
    assert shares(finished)[30] == 1


def test_the_clock_of_lammps_may_be_reset(tmp_path):
    """Steps are counted anew: a window goes on, with all of its samples."""
    save_averages(tmp_path / "m.pt", WINDOW)
    script = liquid() + FIX.format("") + SHARE + "thermo 10\n"
    runs = "run 40\nreset_timestep 1000\nrun 20\nreset_timestep 3\nrun 27"
    finished = run_lmp(script + runs, tmp_path)
    rows = finished.thermo()
    assert [row["Step"] for row in rows] == [0, 10, 20, 30, 40, 1000, 1010, 1020, 3, 10, 20, 30]
    assert [row["f_g[6]"] == 1 for row in rows] == [False] * 3 + [True] * 9
    assert all(row["f_g"] for row in rows[3:])
    assert ANEW not in finished.output


def test_steps_of_another_length_are_sampled_after_the_same_time(tmp_path):
    """With half of the timestep there are twice as many steps from one sample to the next."""
    finished = run(tmp_path, "run 10\ntimestep 0.0025\nrun 50")
    # samples at 0, 5, 10 and then 20, 30, 40
    expected = {0: 1, 10: 3, 20: 4, 30: 5, 40: 6, 50: 6, 60: 6}
    assert shares(finished) == pytest.approx({k: n / 6 for k, n in expected.items()})


UNEVEN = {
    "timestep": "run 7\ntimestep 0.0025\nrun 7\ntimestep 0.005\n" * 5,
    "clock": "run 33\n" + "reset_timestep 0\nrun 13\n" * 5,
    # the way of the fastest atom in a step is given, so that its time varies
    "fix dt/reset": "fix d all dt/reset 7 0.002 0.01 0.02\nrun 600",
}


@pytest.mark.parametrize("runs", UNEVEN)
def test_a_window_of_uneven_gaps_begins_anew(tmp_path, runs):
    save_averages(tmp_path / "m.pt", WINDOW)
    finished = run_lmp(liquid() + FIX.format("") + SHARE + UNEVEN[runs], tmp_path, ranks=2)
    assert f"{ANEW}samples were 0.0" in finished.output
    assert "apart in place of 0.025, more than once in a window" in finished.output


def test_one_gap_of_another_length_in_a_window_does_no_harm(tmp_path):
    save_averages(tmp_path / "m.pt", WINDOW)
    runs = "run 53\nreset_timestep 0\n" * 4 + "run 40"
    finished = run_lmp(liquid() + FIX.format("") + SHARE + runs, tmp_path, ranks=2)
    assert ANEW not in finished.output
    assert finished.thermo()[-1]["f_g[6]"] == 1


@needs_single_numbers
def test_atoms_that_are_left_keep_their_history(tmp_path):
    """Others are deleted, in the middle of a part and of an interval."""
    delete = "delete_atoms random fraction 0.3 yes all NULL 77 compress no"
    finished = run(tmp_path, f"run 33\n{delete}\nrun 47", ranks=2)
    assert min(share for step, share in shares(finished).items() if step >= 30) == 1
    frames = read_dump(tmp_path / "s.txt")
    left = frames[-1]["id"]
    assert len(left) < len(frames[0]["id"])
    samples = {frame.step: frame for frame in frames}
    rows = {step: np.searchsorted(frame["id"], left) for step, frame in samples.items()}
    places = [
        np.stack([samples[s][f"{axis}u"][rows[s]] for axis in "xyz"], axis=1)
        for s in range(50, 81, 5)  # the last three parts, and one sample of the next
    ]
    own, _ = given_by_fix(read_dump(tmp_path / "g.txt")[-1])
    np.testing.assert_allclose(own[:, :3], np.mean(places, axis=0) - places[-1], atol=1e-6)


def test_a_new_atom_waits_for_a_whole_window(tmp_path):
    """Which begins with the next part, and for all atoms, since a prediction looks at neighbors."""
    new = "create_atoms 1 single 0.5 0.5 0.5 units box\nmass * 1.0\n"
    finished = run(tmp_path, f"run 43\n{new}run 47", ranks=2)
    # parts begin at 0, 10, 20...; the first of its samples that counts is that of 50
    expected = {30: 6, 40: 6, 50: 1, 60: 3, 70: 5, 80: 6, 90: 6}
    found = {step: share for step, share in shares(finished).items() if step in expected}
    assert found == pytest.approx({k: n / 6 for k, n in expected.items()})
    assert "0 % of the history is there at step 43; values are 0 until step 80" in finished.output
    own, _ = given_by_fix(read_dump(tmp_path / "g.txt")[-1])
    assert len(own) == 109
    if HAS_TORCH:  # the variance is a number of its own
        assert own[:, 3].min() > 0


@pytest.mark.parametrize("ranks", [(1, 2), (4, 1)])
@pytest.mark.parametrize("words", ["", "verify yes"])
@pytest.mark.parametrize("steps", [43, 50])
def test_a_restart_on_other_ranks_goes_on_with_the_window(tmp_path, ranks, words, steps):
    """In the middle of a part and of an interval, and at a sample."""
    save_averages(tmp_path / "m.pt", WINDOW, lag_times=[20 * DT])
    fix = FIX.format(words) + output(WINDOW, EVERY)
    begin = f"{liquid()}{fix}run {steps}\nwrite_restart r.restart"
    run_lmp(begin, tmp_path, ranks=ranks[0])
    again = "units lj\nread_restart r.restart\nneighbor 0.3 bin\nfix integrate all nve/limit 0.05\n"
    finished = run_lmp(f"{again}{fix}run {80 - steps}", tmp_path, ranks=ranks[1])
    assert ANEW not in finished.output
    check_history(tmp_path, WINDOW, least=5)


def test_a_restart_file_of_a_run_under_way_holds_the_window(tmp_path):
    save_averages(tmp_path / "m.pt", WINDOW)
    run_lmp(f"{liquid()}{START}restart 43 r.*\nrun 60", tmp_path, ranks=2)
    again = "units lj\nread_restart r.43\nneighbor 0.3 bin\nfix integrate all nve/limit 0.05\n"
    # the steps up to 60 are done twice, alike but for rounding
    run_lmp(f"{again}{START}run 37", tmp_path)
    check_history(tmp_path, WINDOW, least=8)


def test_rerun_has_the_history_of_the_run(tmp_path):
    # on as many ranks, since these choose the types of the atoms
    run(tmp_path, "run 60", ranks=2)
    first = read_dump(tmp_path / "g.txt")
    again = liquid() + FIX.format("") + SHARE
    again += "dump r all custom 10 r.txt id f_g[*]\ndump_modify r format float %.17g\nthermo 10\n"
    finished = run_lmp(again + "rerun s.txt dump x y z", tmp_path, ranks=2)
    assert [row["f_g[6]"] == 1 for row in finished.thermo()] == [False] * 3 + [True] * 4
    for one, other in zip(first, read_dump(tmp_path / "r.txt"), strict=True):
        np.testing.assert_allclose(given_by_fix(other)[0], given_by_fix(one)[0], atol=2e-6)
    # a window with holes is none
    sparse = run_lmp(again + "rerun s.txt every 10 dump x y z", tmp_path)
    assert max(row["f_g[6]"] for row in sparse.thermo()) == pytest.approx(1 / 6)


def test_two_fixes_keep_windows_of_their_own_and_leave_nothing_behind(tmp_path):
    save_averages(tmp_path / "m.pt", WINDOW)
    longer = Window(parts=2, per_part=5, stride=5)
    save_averages(tmp_path / "n.pt", longer)
    script = (
        liquid() + START + "fix h all botan 10 n.pt A B\nthermo_style custom step f_g[6] f_h[6]\n"
    )
    rows = run_lmp(script + "run 60\nunfix h\ncompute h_pe all pe/atom", tmp_path).thermo()
    check_history(tmp_path, WINDOW, least=4)
    assert rows[-1]["f_h[6]"] == 1
    assert [row["f_h[6]"] for row in rows[:3]] == pytest.approx([0.1, 0.3, 0.5])


# --- what makes it begin anew ---------------------------------------------------------------------


BREAKS = {
    "displace_atoms": ("displace_atoms all move 0.1 0 0", r"108 atom\(s\) are not where the last"),
    "set": ("set atom 5 x 1.0", r"1 atom\(s\) are not where the last run left them"),
    "change_box": ("change_box all x scale 1.05", "the box is not the one of the last run"),
    "change_box with atoms": ("change_box all x scale 1.05 remap", r"108 atom\(s\) are not where"),
    "minimize": ("minimize 0 1e-3 20 200", "a minimization moves the atoms"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_atoms_that_something_else_moved_have_no_history(tmp_path, case):
    command, reason = BREAKS[case]
    # unwrapped positions of atoms in the box do not know it
    whole = "run 40\nset group all image 0 0 0\nrun 0\n" if case == "change_box" else "run 40\n"
    save_averages(tmp_path / "m.pt", WINDOW)
    script = liquid() + FIX.format("") + SHARE + whole + command
    # a timestep cannot be reset while there are dumps
    after = f"\nreset_timestep 100\n{output(WINDOW, EVERY)}run 40"
    finished = run_lmp(script + after, tmp_path)
    assert re.search(re.escape(ANEW) + reason, finished.output)
    found = {step: share for step, share in shares(finished).items() if step >= 100}
    expected = {100: 1, 110: 3, 120: 5, 130: 6, 140: 6}
    assert found == pytest.approx({k: n / 6 for k, n in expected.items()})
    check_history(tmp_path, WINDOW, begin=100, least=2)


def test_a_restart_with_another_window_begins_anew(tmp_path):
    run(tmp_path, "run 40\nwrite_restart r.restart")
    save_averages(tmp_path / "m.pt", Window(parts=2, per_part=3, stride=5))
    again = "units lj\nread_restart r.restart\nneighbor 0.3 bin\nfix integrate all nve/limit 0.05\n"
    finished = run_lmp(again + FIX.format("") + SHARE + "run 0", tmp_path)
    expected = "WARNING: Fix botan: the restart file holds the history of another window or of"
    assert expected in finished.output
    assert finished.thermo()[-1]["f_g[6]"] == pytest.approx(1 / 6)


# --- what is refused ------------------------------------------------------------------------------


HISTORY = {"window": 3.0, "interval": 0.1, "parts": 10}
DAMAGES = {
    "no inputs": (None, "metadata.json: 'inputs' must be an object with the keys history and"),
    "neither": ({}, "'format_version' must be 2 for a model without inputs, got 3"),
    "unknown input": ({"velocity": {}}, "'inputs' must be an object with the keys history and"),
    "a word": ({"history": "long"}, "'inputs.history' must be null, or an object with the keys"),
    "unknown key": (
        {"history": {**HISTORY, "shape": 1}},
        "'inputs.history' must be null, or an object with the keys interval parts window",
    ),
    "no window": ({"history": {"interval": 0.1, "parts": 10}}, "has no key 'window'"),
    "negative window": ({"history": {**HISTORY, "window": -1}}, "'window' must be a positive"),
    "no interval": ({"history": {**HISTORY, "interval": 0}}, "'interval' must be a positive"),
    "half a part": ({"history": {**HISTORY, "parts": 2.5}}, "'parts' must be a positive integer"),
    "too many parts": ({"history": {**HISTORY, "parts": 1001}}, "'parts' must be 1000 or less"),
    "broken samples": (
        {"history": {**HISTORY, "parts": 7}},
        "'inputs.history' must be a window of whole samples in each of its parts",
    ),
    "no force": ({"inherent": {}}, "has no key 'force'"),
    "no force at all": (
        {"history": HISTORY, "inherent": {"force": 0}},
        "'force' must be a positive number",
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_damaged_inputs_are_named(tmp_path, case):
    inputs, message = DAMAGES[case]
    save_averages(tmp_path / "m.pt", WINDOW, inputs=inputs)
    check_fails(tmp_path, liquid("2 2 2") + FIX.format(""), message)


def test_inputs_in_a_file_without_them_are_refused(tmp_path):
    save_averages(tmp_path / "m.pt", WINDOW, format_version=2)
    message = "'format_version' must be 3 for a model with inputs, got 2"
    check_fails(tmp_path, liquid("2 2 2") + FIX.format(""), message)


@needs_torch
def test_a_model_without_a_place_for_its_inputs_is_refused(tmp_path):
    save_model(tmp_path / "m.pt", format_version=3, inputs=WINDOW.inputs())
    message = "method encode of the model takes 2 arguments, expected 7"
    check_fails(tmp_path, liquid("2 2 2") + FIX.format(""), message)


def test_a_timestep_that_misses_the_samples_is_refused(tmp_path):
    save_averages(tmp_path / "m.pt", WINDOW)
    message = "needs a sample of the atoms every 0.025, and with timestep 0.02 samples are 0.02"
    check_fails(tmp_path, liquid("2 2 2") + FIX.format("") + "timestep 0.02\nrun 0", message)


def test_the_compute_of_the_fix_must_stay(tmp_path):
    save_averages(tmp_path / "m.pt", WINDOW)
    script = liquid("2 2 2") + FIX.format("") + "uncompute g_pe\nrun 0"
    check_fails(tmp_path, script, "compute g_pe, which gives energies to the history of atoms, is")
