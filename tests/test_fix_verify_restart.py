"""Predictions that are pending in a restart file."""

import pytest
from fix_toys import Walks, save_model
from lmp import liquid, run_lmp
from verified import AFTER_RESTART, DT, FIX, check_rows, verify

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("ranks", "then"), [(1, 4), (2, 1)])
def test_a_restarted_run_verifies_what_was_predicted_before(tmp_path, ranks, then):
    """Also between two scorings, and on another number of ranks."""
    common = {"lag_steps": 50, "stride": 10}
    start = liquid().replace("nve/limit 0.05", "nve") + "velocity all scale 1.0\n"
    whole = tmp_path / "whole"
    whole.mkdir()
    uninterrupted = verify(whole, start, "run 70\nrun 50", ranks=ranks, **common)
    before = verify(tmp_path, start, "run 70\nwrite_restart r.restart", ranks=ranks, **common)
    rows = verify(tmp_path, AFTER_RESTART, "run 50", ranks=then, **common)
    results = [f"f_g[{k}]" for k in (6, 7, 8)]
    assert before[-1]["f_g[8]"] == 2
    assert all(rows[0][name] == before[-1][name] for name in ("Step", *results))
    check_rows(rows, tmp_path, lag_steps=50)
    # the two trajectories part slowly
    for name in results:
        assert rows[-1][name] == pytest.approx(uninterrupted[-1][name], abs=1e-4)


def test_a_restart_file_of_the_middle_of_a_run_is_gone_on_with(tmp_path):
    """It holds the places of its step, not those of the end of the last run."""
    start = liquid().replace("nve/limit 0.05", "nve") + "velocity all scale 1.0\n"
    run = "run 20\nrestart 30 r.*.restart\nrun 40"
    verify(tmp_path, start, run, lag_steps=50, stride=10)
    after = AFTER_RESTART.replace("r.restart", "r.30.restart")
    save_model(tmp_path / "m.pt", Walks(rounds=2), lag_times=[50 * DT])
    fix = FIX.format(group="all", every=20, species="A B")
    run = run_lmp(f"{after}{fix}thermo_style custom step f_g[8]\nrun 50", tmp_path, ranks=2)
    assert "WARNING: Fix botan" not in run.output
    assert [row["f_g[8]"] for row in run.thermo()] == [0, 2]  # begun at 0 and 20


@pytest.mark.parametrize("when", ["before the file is written", "after it is read"])
def test_atoms_that_were_moved_around_a_restart_end_what_is_pending(tmp_path, when):
    move = "variable x atom x+0.01\nset atom 7 x v_x\n"
    before, after = (move, "") if when == "before the file is written" else ("", move)
    verify(tmp_path, liquid(), f"run 20\n{before}write_restart r.restart", lag_steps=50)
    fix = "fix g all botan 20 m.pt A B verify yes\nthermo_style custom step f_g[8]\nrun 60"
    run = run_lmp(AFTER_RESTART + after + fix, tmp_path, ranks=2)
    expected = "2 prediction(s) will not be verified: 1 atom(s) are not where the last run left"
    assert expected in run.output
    assert run.thermo()[-1]["f_g[8]"] == 1  # begun at 20


def test_restart_files_are_the_same_with_and_without_a_fix_that_does_not_verify(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[0.1])
    contents = []
    for fix in ("", "fix g all botan 10 m.pt A B", "fix g all botan 10 m.pt A B verify no"):
        run_lmp(f"{liquid('2 2 2')}{fix}\nrun 20\nwrite_restart r.restart", tmp_path)
        contents.append((tmp_path / "r.restart").read_bytes())
    assert contents[0] == contents[1] == contents[2]


def test_two_fixes_find_their_own_predictions_in_a_restart_file(tmp_path):
    save_model(tmp_path / "short.pt", lag_times=[30 * DT])
    save_model(tmp_path / "long.pt", Walks(rounds=2), lag_times=[60 * DT])
    fixes = """
    fix short all botan 10 short.pt A B verify yes
    fix long all botan 10 long.pt A B verify yes
    thermo_style custom step f_short[6] f_short[7] f_short[8] f_long[6] f_long[7] f_long[8]
    thermo_modify format float %.12g
    """
    start = liquid().replace("nve/limit 0.05", "nve") + "velocity all scale 1.0\n"
    whole = run_lmp(start + fixes + "run 40\nrun 80", tmp_path).thermo()[-1]
    run_lmp(start + fixes + "run 40\nwrite_restart r.restart", tmp_path)
    # the restart file hands them out by name, not by order
    lines = fixes.strip().splitlines()
    fixes = "\n".join([lines[1], lines[0], *lines[2:]])
    rows = run_lmp(AFTER_RESTART + fixes + "\nrun 80", tmp_path).thermo()
    # what is verified at the end was begun after the restart
    assert rows[-1] == pytest.approx(whole, abs=1e-4)
    assert (whole["f_short[8]"], whole["f_long[8]"]) == (10, 7)


def test_a_restart_of_another_lag_time_or_without_verification_starts_anew(tmp_path):
    verify(tmp_path, liquid(), "run 60\nwrite_restart r.restart", lag_steps=50)
    save_model(tmp_path / "m.pt", lag_times=[30 * DT])
    fix = "fix g all botan 10 m.pt A B verify {}\nthermo_style custom step {}\nrun 40"
    run = run_lmp(AFTER_RESTART + fix.format("yes", "f_g[8]"), tmp_path, ranks=2)
    assert (
        "WARNING: Fix botan: the restart file holds predictions of another model or" in run.output
    )
    assert [row["f_g[8]"] for row in run.thermo()] == [0, 2]
    run_lmp(AFTER_RESTART + fix.format("no", "f_g"), tmp_path, ranks=2)
