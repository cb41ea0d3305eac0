"""Which commands between two runs end the predictions that are pending."""

import re

import pytest
from fix_toys import save_model
from lmp import liquid, run_lmp
from verified import DT

pytestmark = [pytest.mark.slow, pytest.mark.long]
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
