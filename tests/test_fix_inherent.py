"""`fix botan` gives models the minimum of a copy, and the run goes on as without it."""

import re

import numpy as np
import pytest
from fix_toys import SHARE, handed_back
from lmp import all_images, liquid, liquid_in_the_plane, read_dump, run_lmp
from minimized import MINIMIZE, smooth
from toy_history import given_by_fix
from toy_inputs import save_inherent

pytestmark = [pytest.mark.slow, pytest.mark.long]

FORCE = 1e-6
LOOSE = 1.0  # within some iterations: many ranks on few cores take long for each
# that of the fix, at the last step of a run
OUTPUT = """
fix g all botan {every} m.pt A B
dump g all custom {every} g.txt id x y z xu yu zu f_g[*]
dump_modify g format float %.17g sort id
"""

WALLS = "change_box all z delta -1 1\nfix walls all wall/reflect zlo EDGE zhi EDGE"
# atoms leave the box, and the subdomain of their rank, before they are scored
LIQUIDS = {
    "cube": liquid("3 3 3"),
    "skewed": liquid(region="prism 0 3 0 3 0 3 1.2 -0.8 0.5"),
    "plane": liquid_in_the_plane(9),
    "walls": liquid("3 3 3", before_box="boundary p p f", after_box=WALLS),
    "box of the atoms": liquid("3 3 3", before_box="boundary p s m"),
    "other owners": liquid("4 3 3", after_box="balance 1.0 shift xyz 9 1.01"),
    "tiles": liquid("4 3 3", after_box="comm_style tiled\nbalance 1.0 rcb"),
    "a rank without atoms": liquid("3 3 3", after_box="change_box all x final 0 30"),
    "newton off": liquid("3 3 3", before_box="newton off"),
}


def positions(frame):
    return np.stack([frame[axis] for axis in ("xu", "yu", "zu")], axis=1)


@pytest.mark.parametrize(
    ("kind", "ranks"),
    [("cube", 1), ("skewed", 1), ("plane", 1), ("cube", 4), *((kind, 2) for kind in LIQUIDS)],
)
def test_the_inherent_structure_is_where_a_minimization_of_the_run_ends(tmp_path, kind, ranks):
    """Displacement and energy of atoms, and of their ghosts, which neighbors see."""
    force = LOOSE if ranks == 4 else FORCE
    save_inherent(tmp_path / "m.pt", force, dimension=2 if kind == "plane" else 3)
    script = smooth(LIQUIDS[kind]) + OUTPUT.format(every=10) + "run 10"
    script += MINIMIZE.format(force=force)
    run_lmp(script, tmp_path, ranks=ranks)
    _, now = read_dump(tmp_path / "g.txt")
    (after,) = read_dump(tmp_path / "after.txt")
    moved = positions(after) - positions(now)
    assert np.sqrt((moved**2).sum(axis=1).mean()) > 0.02
    expected = handed_back(moved[:, None], after["c_e"][:, None], has_history=False)
    own, of_neighbors = given_by_fix(now)
    np.testing.assert_allclose(own, expected, rtol=1e-6, atol=1e-6)
    if kind == "plane":
        now.periodic = (True, True, False)  # LAMMPS calls the third direction periodic as well
    edges = all_images(now, 2.0)
    sums = np.stack([edges.walks(len(moved), 1, column) for column in expected.T], axis=1)
    np.testing.assert_allclose(of_neighbors, SHARE * sums, rtol=2e-6, atol=2e-5)


CELLS = {
    "cube": np.diag([12.0, 12.0, 12.0]),
    "skewed": np.array([[11.9, 0.0, 0.0], [3.3, 10.3, 0.0], [2.1, -1.7, 9.9]]),
}


@pytest.mark.parametrize("kind", CELLS)
def test_atoms_on_the_bounds_of_ranks_are_copied(tmp_path, kind):
    """Crystals on six ranks: planes of atoms lie where subdomains meet, up to rounding."""
    save_inherent(tmp_path / "m.pt", FORCE)
    cell, shares = CELLS[kind], np.stack(np.meshgrid(*[np.arange(12) / 12] * 3), -1).reshape(-1, 3)
    rows = [f"{k} 1 {x!r} {y!r} {z!r}" for k, (x, y, z) in enumerate((shares @ cell).tolist(), 1)]
    head = ["a crystal", "", f"{len(rows)} atoms", "2 atom types", ""]
    head += [f"0 {cell[d, d]} {axis}lo {axis}hi" for d, axis in enumerate("xyz")]
    if kind == "skewed":
        head.append(f"{cell[1, 0]} {cell[2, 0]} {cell[2, 1]} xy xz yz")
    (tmp_path / "crystal.data").write_text("\n".join([*head, "", "Atoms", "", *rows, ""]))
    script = """
units lj
processors 6 1 1
read_data crystal.data
mass * 1.0
pair_style lj/smooth/linear 2.5
pair_coeff * * 1.0 1.0
compute e all pe/atom
"""
    script += OUTPUT.format(every=10).replace("f_g[*]", "c_e f_g[*]") + "run 0"
    run_lmp(script, tmp_path, ranks=6)
    (frame,) = read_dump(tmp_path / "g.txt")
    assert len(frame["id"]) == 12**3
    # a crystal is its own inherent structure
    own, _ = given_by_fix(frame)
    np.testing.assert_allclose(own[:, :3], 0, atol=1e-6)
    np.testing.assert_allclose(own[:, 3], frame["c_e"], rtol=1e-6)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_the_run_is_the_same_to_the_last_bit_as_without(tmp_path, ranks):
    """Positions, velocities, forces, thermo output, random numbers and reneighborings."""
    script = (
        smooth(liquid("3 3 3", after_box="neigh_modify delay 4 every 2"))
        + """
    fix bath all langevin 1.0 0.7 0.1 4711
    {fix}
    dump d all custom 5 {name}.txt id x y z vx vy vz fx fy fz ix iy iz
    dump_modify d format float %.17g
    thermo_style custom step temp pe press
    thermo 5
    thermo_modify format float %.17g
    run 25
    """
    )
    save_inherent(tmp_path / "m.pt", LOOSE)
    outputs = []
    for name, fix in (("with", "fix g all botan 15 m.pt A B"), ("without", "")):
        done = run_lmp(script.format(fix=fix, name=name), tmp_path, ranks=ranks)
        lines = [line for line in done.output.splitlines() if "builds" in line]
        outputs.append((lines, done.thermo(), (tmp_path / f"{name}.txt").read_text()))
    assert outputs[0][0]
    assert len(outputs[0][1]) == 6
    assert outputs[0] == outputs[1]


def test_threads_of_the_run_are_as_many_as_without(tmp_path):
    """LAMMPS sets those of the whole process when an instance starts."""
    script = smooth(liquid("3 3 3", before_box="package omp 2\nsuffix omp"))
    script = "shell putenv OMP_NUM_THREADS=\n" + script
    save_inherent(tmp_path / "m.pt", FORCE)
    runs = []
    for fix in ("fix g all botan 5 m.pt A B", ""):
        thermo = "thermo 5\nthermo_modify format float %.10g\nrun 20"
        runs.append(run_lmp(f"{script}{fix}\n{thermo}", tmp_path).thermo())
    assert runs[0] == runs[1]


def test_a_rerun_and_a_run_of_no_step_give_the_same(tmp_path):
    save_inherent(tmp_path / "m.pt", FORCE)
    script = smooth(liquid("3 3 3"))
    run_lmp(script + OUTPUT.format(every=10) + "run 20", tmp_path)
    first = read_dump(tmp_path / "g.txt")
    (tmp_path / "g.txt").rename(tmp_path / "run.txt")
    run_lmp(script + OUTPUT.format(every=10) + "rerun run.txt dump x y z", tmp_path)
    again = read_dump(tmp_path / "g.txt")
    assert [frame.step for frame in again] == [0, 10, 20]
    for one, other in zip(first, again, strict=True):
        for found, expected in zip(given_by_fix(other), given_by_fix(one), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


REFUSED = {
    "hybrid": ("pair_style hybrid lj/cut 2.5\npair_coeff * * lj/cut 1 1", "pair style hybrid"),
    "table": ("pair_style table linear 100\npair_coeff * * t.table A", "pair"),
    "excluded": ("neigh_modify exclude type 1 2", "neigh_modify exclude"),
    "included": (
        "group a type 1\natom_modify first a\nneigh_modify include a",
        "neigh_modify include",
    ),
    "not computed": ("pair_modify compute no", "pair_modify compute no"),
    "forces": ("fix hold all setforce 0 0 0", r"fix hold \(setforce\)"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_forces_that_cannot_be_copied_are_refused_on_all_ranks(tmp_path, kind):
    lines, words = REFUSED[kind]
    save_inherent(tmp_path / "m.pt", FORCE)
    script = liquid("3 3 3")
    if kind == "table":
        run_lmp(script + "pair_write 1 1 100 r 0.5 2.5 t.table A", tmp_path)
    script += f"{lines}\nfix g all botan 10 m.pt A B\nrun 10"
    done = run_lmp(script, tmp_path, ranks=2, succeeds=False)
    assert done.returncode != 0
    assert "Fix botan: " in done.error
    assert re.search(words, done.error), done.output


def test_a_minimization_that_does_not_get_there_is_told(tmp_path):
    """Forces jump at the cutoff of lj/cut: there is no place without them."""
    save_inherent(tmp_path / "m.pt", 1e-13)
    done = run_lmp(liquid("3 3 3") + "fix g all botan 10 m.pt A B\nrun 0", tmp_path)
    assert "the minimization at step 0 ended with a force of" in done.output
