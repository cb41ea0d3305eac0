"""Verification over several runs, other time steps, reruns and minimizations."""

import subprocess
import sys

import pytest
from fix_toys import Walks, save_model
from lmp import liquid, run_lmp
from toy_history import Window, save_averages
from verified import DT, FIX, ROUNDING, Dumps, check_rows, verify

pytestmark = pytest.mark.slow

SPLITS = {
    "several runs": "run 50\nrun 0\nrun 70",
    "without setup": "run 50\nrun 70 pre no",
    "in pieces": "run 120 every 30 NULL",
    "with a sort of the atoms": "atom_modify sort 7 0.5\nrun 120",
}


@pytest.mark.parametrize("split", SPLITS)
def test_a_run_may_be_split(tmp_path, split):
    rows = verify(tmp_path, liquid(), SPLITS[split], lag_steps=50, stride=10)
    check_rows(rows, tmp_path, lag_steps=50)


def test_the_clock_of_lammps_may_be_reset(tmp_path):
    """Simulated time counts, and none passes between two runs."""
    save_model(tmp_path / "m.pt", Walks(rounds=2), lag_times=[45 * DT])
    script = liquid() + FIX.format(group="all", every=10, species="A B")
    script += "thermo_style custom step f_g[6] f_g[7] f_g[8]\nthermo_modify format float %.12g\n"
    runs = ("run 40\n", "run 20\n", "run 30\n")
    whole = run_lmp(script + "".join(runs), tmp_path).thermo()[-1]
    resets = "reset_timestep 1000000\n", "reset_timestep 0 time 3.5\n"
    between = runs[0] + resets[0] + runs[1] + resets[1] + runs[2]
    last = run_lmp(script + between, tmp_path).thermo()[-1]
    assert last == {**whole, "Step": 30}
    assert last["f_g[8]"] == 5


@pytest.mark.parametrize("new", [0, 40, 43, 1000000])
@pytest.mark.parametrize("time", ["", " time 5000.0"])
def test_the_clock_may_be_reset_before_a_run_without_setup(tmp_path, new, time):
    """Scores, verification and history are those of steps that are not counted anew."""
    save_model(tmp_path / "m.pt", Walks(rounds=2), lag_times=[45 * DT])
    save_averages(tmp_path / "h.pt", Window(parts=2, per_part=2, stride=5))
    script = liquid() + FIX.format(group="all", every=1, species="A B")
    script += "fix h all botan 1 h.pt A B\nthermo 10\nthermo_modify format float %.12g\n"
    script += "thermo_style custom step f_g f_g[6] f_g[7] f_g[8] f_h f_h[6]\nrun 20\nrun 20\n"
    whole = run_lmp(script + "run 60 pre no\n", tmp_path).thermo()[-6:]
    rows = run_lmp(script + f"reset_timestep {new}{time}\nrun 60 pre no\n", tmp_path).thermo()[-6:]
    found = [{**row, "Step": row["Step"] - new + 40} for row in rows]
    assert whole[-1]["f_h[6]"] == 1
    if new % 10 == 0:
        assert found == whole
    for name in ("Step", "f_g", "f_g[6]", "f_g[7]", "f_g[8]"):
        assert found[-1][name] == whole[-1][name]


STEPS = {
    "between runs": "timestep 0.0025\nrun 80",
    "inside a run": "fix dt all dt/reset 1 0.0024999 0.0025 1.0 units box\nrun 80",
    "to longer ones": "timestep 0.01\nrun 20",
}


@pytest.mark.parametrize("case", STEPS)
def test_predictions_wait_for_the_same_time_in_steps_of_another_length(tmp_path, case):
    """40 steps of 0.005 are 20 of them and 40 of half or 10 of twice their length."""
    run = f"run 20\n{STEPS[case]}"
    rows = verify(tmp_path, liquid(), run, every=10, stride=10, lag_steps=40)
    last = 30 if "longer" in case else 60
    (row,) = [row for row in rows if row["f_g[8]"] == 1][:1]
    assert row["Step"] == last
    expected = Dumps(tmp_path).rho(0, last)
    assert (row["f_g[6]"], row["f_g[7]"]) == pytest.approx(expected, abs=ROUNDING)


def test_rerun_verifies_snapshots_at_the_lag_time_and_no_others(tmp_path):
    rows = verify(tmp_path, liquid(), "run 100", lag_steps=40, ranks=2)
    again = liquid() + FIX.format(group="all", every=20, species="A B")
    again += "thermo 20\nthermo_style custom step f_g[6] f_g[7] f_g[8]\n"
    again += "thermo_modify format float %.12g\n"
    rerun = run_lmp(again + "rerun x.txt dump x y z ix iy iz", tmp_path, ranks=2).thermo()
    assert len(rerun) == len(rows)
    for one, other in zip(rows, rerun, strict=True):
        assert other == pytest.approx({k: one[k] for k in other}, abs=ROUNDING, nan_ok=True)
    # 0, 60: the lag time ends between the two
    sparse = run_lmp(again + "rerun x.txt every 60 dump x y z ix iy iz", tmp_path, ranks=2)
    assert [row["f_g[8]"] for row in sparse.thermo()] == [0, 0]


def test_a_minimization_ends_what_is_pending(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[40 * DT])
    script = f"""{liquid()}
    fix g all botan 20 m.pt A B verify yes
    thermo_style custom step f_g[8]
    thermo_modify lost ignore
    run 20
    unfix integrate
    minimize 0 1e-3 5 50
    reset_timestep 20
    fix integrate all nve/limit 0.05
    run 60"""
    run = run_lmp(script, tmp_path, ranks=2)
    (line,) = [line for line in run.output.splitlines() if "WARNING: Fix botan" in line]
    assert "2 prediction(s) will not be verified: a minimization moves the atoms" in line
    assert run.thermo()[-1]["f_g[8]"] == 2  # begun at 20 and 40, the second ends at 80


def test_a_rerun_ends_what_a_run_has_left_pending(tmp_path):
    """Its frames are another trajectory; two frames of its own are a lag time apart."""
    save_model(tmp_path / "m.pt", lag_times=[40 * DT])
    script = f"""{liquid()}
    fix g all botan 20 m.pt A B verify yes
    dump x all custom 20 x.txt id type x y z ix iy iz
    thermo_style custom step f_g[8]
    run 30
    rerun x.txt first 20 last 20 dump x y z ix iy iz
    """
    run = run_lmp(script, tmp_path)
    assert "2 prediction(s) will not be verified: 108 atom(s) are not where" in run.output
    assert run.thermo()[-1]["f_g[8]"] == 0


def test_a_run_that_stopped_with_an_error_leaves_nothing_pending(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[40 * DT])
    (tmp_path / "in.python").write_text(liquid())
    code = """
from lammps import lammps
lmp = lammps(cmdargs=["-log", "lammps.log", "-screen", "none"])
lmp.file("in.python")
lmp.command("fix g all botan 20 m.pt A B verify yes")
lmp.command("variable stop equal 1/(step<30)")
lmp.command("fix stop all print 10 '${stop}' screen no")
try:
    lmp.command("run 60")
except Exception as error:
    print(str(error).splitlines()[0])
lmp.command("unfix stop")
lmp.command("displace_atoms all move 0.1 0 0 units box")
lmp.command("run 20")
print(lmp.extract_fix("g", 0, 1, 7))
lmp.close()
"""
    python = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert python.returncode == 0, python.stderr
    assert "Divide by 0" in python.stdout
    assert python.stdout.splitlines()[-1] == "0.0"
    log = (tmp_path / "lammps.log").read_text()
    assert "2 prediction(s) will not be verified: the run before did not come to its end" in log
