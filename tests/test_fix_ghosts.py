"""Types and groups may change between two reneighborings: `fix botan` knows them on ghosts too."""

import numpy as np
import pytest
from fix_toys import Walks, save_model
from lmp import all_images, liquid, read_dump, run_lmp

pytestmark = pytest.mark.slow

CUTOFF = 2.0
RANKS = pytest.mark.parametrize("ranks", [1, 2, 4])

# one reneighboring, at the start; types change at step 5, 10, ..., before the scoring of the step
CHANGING_TYPES = """
neigh_modify every 1000 delay 0 check no
variable t atom "1+((id+step)%3==0)"
fix change all set 5 0 group all type v_t
"""


@RANKS
def test_types_that_change_between_two_reneighborings(tmp_path, ranks):
    """Walks are weighted by the species they end on, often that of a ghost."""
    save_model(tmp_path / "m.pt", Walks(rounds=3, weights=(1.0, 100.0)))
    script = f"""{liquid()}{CHANGING_TYPES}
    fix g all botan 10 m.pt A B
    dump d all custom 10 d.txt id type x y z f_g
    dump_modify d format float %.17g
    run 30"""
    run_lmp(script, tmp_path, ranks=ranks)
    frames = read_dump(tmp_path / "d.txt")
    for frame in frames:
        ends = np.where(frame["type"] == 2, 100.0, 1.0)
        expected = all_images(frame, CUTOFF).walks(len(frame["id"]), 3, ends)
        np.testing.assert_array_equal(frame["f_g"], expected)
    assert (frames[0]["type"] != frames[1]["type"]).any()


@RANKS
def test_atoms_that_leave_the_graph_between_two_reneighborings(tmp_path, ranks):
    """Type 2 is NULL: a ghost of this type has no edges."""
    save_model(tmp_path / "m.pt", Walks(rounds=1))
    script = f"""{liquid()}{CHANGING_TYPES}
    fix g all botan 10 m.pt A NULL
    dump d all custom 10 d.txt id type x y z f_g
    dump_modify d format float %.17g
    run 30"""
    run_lmp(script, tmp_path, ranks=ranks)
    frames = read_dump(tmp_path / "d.txt")
    assert len(frames) == 4
    for frame in frames:
        inside = (frame["type"] == 1).astype(float)
        neighbors = all_images(frame, CUTOFF).walks(len(frame["id"]), 1, inside)
        np.testing.assert_array_equal(frame["f_g"], inside * neighbors)


@RANKS
def test_groups_that_change_between_two_reneighborings(tmp_path, ranks):
    """Bonds are those with both ends in the group of this step, which is 1 of 3 atoms."""
    save_model(tmp_path / "m.pt")
    script = f"""{liquid()}
    neigh_modify every 1000 delay 0 check no
    variable v atom "(id+step)%3==0"
    group some dynamic all var v every 5
    fix g some botan 10 m.pt A B bonds 1.3
    dump x all custom 10 x.txt id type x y z f_g
    dump_modify x format float %.17g
    dump b all local 10 b.txt f_g[1] f_g[2]
    run 30"""
    run_lmp(script, tmp_path, ranks=ranks)
    frames, bonds = read_dump(tmp_path / "x.txt"), read_dump(tmp_path / "b.txt")
    for frame, rows in zip(frames, bonds, strict=True):
        inside = (frame["id"] + frame.step) % 3 == 0
        edges = all_images(frame, 1.3)
        both = inside[edges.center] & inside[edges.neighbor]
        ids = frame["id"]
        expected = sorted(zip(ids[edges.center[both]], ids[edges.neighbor[both]], strict=True))
        found = sorted(zip(rows["f_g[1]"], rows["f_g[2]"], strict=True))
        assert found == expected
        assert len(found) > 20
        np.testing.assert_array_equal(frame["f_g"] > 0, inside)


def test_the_run_itself_stays_as_it_was(tmp_path):
    """Forces see ghosts of the old types, with the fix as without it."""
    save_model(tmp_path / "m.pt")
    for name, fix in (("with", "fix g all botan 10 m.pt A B"), ("without", "")):
        script = f"""{liquid()}{CHANGING_TYPES}{fix}
        run 30
        write_dump all custom {name}.txt id x y z modify format float %.17g"""
        run_lmp(script, tmp_path, ranks=2)
    (one,), (other,) = (read_dump(tmp_path / f"{name}.txt") for name in ("with", "without"))
    np.testing.assert_array_equal(one.positions, other.positions)


@RANKS
def test_positions_are_those_that_a_fix_before_has_left(tmp_path, ranks):
    """Fix deform moves atoms and box at the end of a step."""
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"""{liquid(region="prism 0 3 0 3 0 3 0.1 0 0")}
    neigh_modify every 1000 delay 0 check no
    comm_modify cutoff 4.0
    fix d all deform 1 xy erate 2.0 remap x
    fix g all botan 10 m.pt A B
    dump d all custom 10 d.txt id type x y z f_g
    dump_modify d format float %.17g
    run 20"""
    run_lmp(script, tmp_path, ranks=ranks)
    frames = read_dump(tmp_path / "d.txt")
    for frame in frames:
        expected = all_images(frame, CUTOFF).walks(len(frame["id"]), 2)
        np.testing.assert_array_equal(frame["f_g"], expected)
    assert frames[-1].cell[1, 0] > frames[0].cell[1, 0] + 0.5
