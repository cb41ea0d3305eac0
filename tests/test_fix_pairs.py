"""No command of LAMMPS takes a pair out of the graph of `fix botan`, or the fix stops."""

import re

import numpy as np
import pytest
from fix_toys import Walks, save_model
from lmp import all_images, liquid, read_dump, run_lmp

pytestmark = [pytest.mark.slow, pytest.mark.long]

CUTOFF = 2.0
RANKS = pytest.mark.parametrize("ranks", [1, 2])

SCORE = """
fix g all botan 10 m.pt A B
dump d all custom 10 d.txt id type x y z f_g
dump_modify d format float %.17g
thermo_style custom step bonds f_g[4]
thermo_modify lost/bond ignore
"""


def check_walks(folder, script, *, ranks=1, run="run 20", rounds=2):
    """Run a script with the fix and compare every frame with an all-images loop."""
    save_model(folder / "m.pt", Walks(rounds=rounds))
    rows = run_lmp(script + SCORE + run, folder, ranks=ranks).thermo()
    frames = read_dump(folder / "d.txt")
    for frame in frames:
        expected = all_images(frame, CUTOFF).walks(len(frame["id"]), rounds)
        np.testing.assert_array_equal(frame["f_g"], expected)
    return rows, frames


# --- what takes pairs out of neighbor lists -------------------------------------------------------

SETTINGS = {
    "excluded types": "neigh_modify exclude type 1 2",
    "excluded groups": "neigh_modify exclude group some all",
    "included group": "atom_modify first some\nneigh_modify include some",
    "lists by pairs": "neighbor 0.3 nsq",
    "lists by groups": "neighbor 0.3 multi",
    "lists as old as the run": "neigh_modify every 1000 delay 0 check no",
}


@RANKS
@pytest.mark.parametrize("case", SETTINGS)
def test_neighbor_lists_may_lack_any_pair(tmp_path, case, ranks):
    script = liquid(after_box=f"group some type 2\n{SETTINGS[case]}")
    check_walks(tmp_path, script, ranks=ranks)


def bonded(commands: str) -> str:
    """The liquid with bonds, which `special_bonds` takes out of neighbor lists by default."""
    script = liquid(before_box="atom_style bond", after_box=f"bond_style harmonic\n{commands}")
    return script.replace(
        "create_box 2 box",
        "create_box 2 box bond/types 1 extra/bond/per/atom 20 extra/special/per/atom 400",
    )


COEFFICIENTS = "bond_coeff 1 0.01 1.0\n"
CREATE = f"{COEFFICIENTS}create_bonds many all all 1 0.5 1.3\n"
BONDS = {
    "there from the start": CREATE,
    "of which some are switched off": f"{CREATE}delete_bonds all bond 1",
    "deleted, with their special lists left": f"{CREATE}delete_bonds all bond 1 remove",
    "deleted with their special lists": f"{CREATE}delete_bonds all bond 1 remove special",
    "created while it runs": f"{COEFFICIENTS}fix b all bond/create 3 1 1 1.15 1",
    "broken while it runs": f"{CREATE}fix b all bond/break 3 1 1.2",
    "with three kinds of special lists": f"special_bonds lj/coul 0 0 0\n{CREATE}",
}


@RANKS
@pytest.mark.parametrize("case", BONDS)
def test_bonds_take_no_pairs_out_of_the_graph(tmp_path, case, ranks):
    rows, _ = check_walks(tmp_path, bonded(BONDS[case]), ranks=ranks)
    if "while it runs" in case:
        assert rows[0]["Bonds"] != rows[-1]["Bonds"]
    elif "deleted" in case:
        assert rows[-1]["Bonds"] == 0
    else:
        assert rows[-1]["Bonds"] > 100


# --- what takes ghosts away -----------------------------------------------------------------------

# commands before the run, and the run
LOST = {
    "ghosts of one group": (
        "group some type 1\natom_modify first some\ncomm_modify group some",
        "run 10",
    ),
    "a range that shrinks in the run": (
        "pair_style zero 1.0\npair_coeff * *\ncomm_modify cutoff 2.3\n"
        "neigh_modify every 1 delay 0 check no\nfix d all deform 1 x scale 1.01",
        'run 20 pre no every 10 "comm_modify cutoff 0.1"',
    ),
    "atoms that fly on between two reneighborings": (
        "neigh_modify every 1000 delay 0 check no\ncomm_modify cutoff 2.3\npair_style zero 1.0\n"
        "pair_coeff * *\nunfix integrate\nvelocity all create 9.0 4\nfix integrate all nve",
        "run 100",
    ),
}


@RANKS
@pytest.mark.parametrize("case", LOST)
def test_missing_ghosts_stop_the_run_with_both_numbers(tmp_path, case, ranks):
    commands, run = LOST[case]
    save_model(tmp_path / "m.pt")
    script = f"{liquid()}{commands}\nwrite_dump all custom x.txt id type x y z modify format float "
    script += f"%.17g\nfix g all botan 10 m.pt A B\n{run}"
    done = run_lmp(script, tmp_path, ranks=ranks, succeeds=False, timeout=60)
    assert done.returncode == 1, done.output
    pattern = r"at step (\d+) the graph has (\d+) edges, but the positions of all atoms make (\d+)"
    step, found, expected = map(int, re.search(pattern, done.error).groups())
    assert found < expected
    if step == 0:
        (frame,) = read_dump(tmp_path / "x.txt")
        assert expected == len(all_images(frame, CUTOFF).center)
    assert "`comm_modify group all`" in done.error


BOXES = {
    "cube": {},
    "plate": {"cells": "5 1 3"},
    "smaller than a cutoff": {"cells": "2 1 1"},
    "triclinic": {"region": "prism 0 3 0 2 0 2 0.9 0.4 -0.7"},
    "open along y": {"before_box": "boundary p s f", "after_box": "change_box all z delta -1 1"},
}


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("ranks", [1, 4])
def test_pairs_at_the_cutoff_raise_no_alarm(tmp_path, box, ranks):
    """In a perfect crystal a whole shell lies at the cutoff, and rounding decides on each pair."""
    script = liquid(**BOXES[box]).replace("displace_atoms", "# displace_atoms")
    script = script.replace("lattice fcc 1.2", "lattice sc 1.0")
    save_model(tmp_path / "m.pt")
    script += "fix g all botan 10 m.pt A B\nthermo_style custom step f_g[4]\nrun 0"
    (row,) = run_lmp(script, tmp_path, ranks=ranks).thermo()
    assert row["f_g[4]"] > 0
