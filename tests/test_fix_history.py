"""`fix botan` keeps the history of each atom as numpy finds it in a dump of every sample."""

import numpy as np
import pytest
from fix_toys import HAS_TORCH, handed_back, needs_single_numbers
from lmp import all_images, liquid, liquid_in_the_plane, read_dump, run_lmp
from toy_history import (
    CUTOFF,
    Window,
    assert_equal_to_float32,
    check_history,
    given_by_fix,
    history,
    output,
    save_averages,
)

pytestmark = pytest.mark.slow

WINDOW = Window(parts=3, per_part=4, stride=5)
EVERY = 12  # most scorings are between two samples
FIX = "fix g all botan {every} m.pt A B\n"


def fast(script: str) -> str:
    """Atoms migrate, and leave the box."""
    return script.replace("nve/limit 0.05", "nve/limit 0.1")


def run(folder, script, *, ranks=1, rounds=1, window=WINDOW, every=EVERY, runs="run 120", **model):
    """Append the fix, its output and runs to a script."""
    save_averages(folder / "m.pt", window, rounds, **model)
    text = script + FIX.format(every=every) + output(window, every) + runs
    return run_lmp(text, folder, ranks=ranks)


WALLS = "change_box all y delta -1 1\nfix walls all wall/reflect ylo EDGE yhi EDGE"
BOXES = {
    "orthogonal": {"cells": "4 3 3"},
    "triclinic": {"region": "prism 0 3 0 3 0 3 0.9 0.4 -0.7"},
    "not periodic": {"before_box": "boundary s f s", "after_box": WALLS},
    "newton off": {"before_box": "newton off"},
    "smaller than two cutoffs": {"cells": "2 2 2"},
    "tiled": {"cells": "4 3 3", "after_box": "comm_style tiled\nbalance 1.0 rcb"},
    "sorted often": {"cells": "4 3 3", "after_box": "atom_modify sort 7 0.5"},
}


@pytest.mark.parametrize("box", BOXES)
def test_the_history_is_that_of_the_samples_in_any_box(tmp_path, box):
    run(tmp_path, fast(liquid(**BOXES[box])), ranks=2)
    check_history(tmp_path, WINDOW, least=4)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_the_history_follows_atoms_from_rank_to_rank(tmp_path, ranks):
    """Also where a prediction needs the histories of neighbors of neighbors."""
    run(tmp_path, fast(liquid("4 3 3")), ranks=ranks, rounds=2, runs="run 240")
    check_history(tmp_path, WINDOW, rounds=2, least=12)
    first, *_, last = read_dump(tmp_path / "s.txt")
    assert np.abs(last["xu"] - first["xu"]).max() > 1.5  # a subdomain of four ranks


@pytest.mark.parametrize("ranks", [1, 4])
def test_the_history_is_that_of_the_samples_in_two_dimensions(tmp_path, ranks):
    window = Window(parts=2, per_part=3, stride=5)
    run(tmp_path, liquid_in_the_plane(8), ranks=ranks, window=window, dimension=2, runs="run 60")
    samples, (*_, scored) = (read_dump(tmp_path / f"{name}.txt") for name in "sg")
    own, _ = given_by_fix(scored)
    seen = history(samples, window, scored)
    expected = handed_back(seen[:, None, :3], seen[:, 3:], has_history=True)
    if HAS_TORCH:  # the third number is z
        assert np.abs(own[:, 2]).max() < 1e-15
        own, expected = np.delete(own, 2, axis=1), np.delete(expected, 2, axis=1)
    assert_equal_to_float32(own, expected)


PARTS = {
    "one part": Window(1, 10, 4),
    "a sample in each part": Window(7, 1, 3),
    "many parts": Window(70, 1, 1),
}


@pytest.mark.parametrize("case", PARTS)
def test_a_window_may_have_any_parts(tmp_path, case):
    run(tmp_path, liquid(), window=PARTS[case], every=10, ranks=2, runs="run 90")
    check_history(tmp_path, PARTS[case], least=2)


def test_ghosts_have_the_history_of_their_atoms_when_edges_are_encoded(tmp_path):
    """Edge outputs are the distances of mean positions."""
    save_averages(tmp_path / "m.pt", WINDOW)
    script = liquid("4 3 3") + FIX.format(every=60) + output(WINDOW, 60, edges=True) + "run 60"
    run_lmp(script, tmp_path, ranks=4)
    scored, bonds = (read_dump(tmp_path / f"{name}.txt")[-1] for name in "gb")
    displacement = history(read_dump(tmp_path / "s.txt"), WINDOW, scored)[:, :3]
    edges = all_images(scored, CUTOFF)
    between = edges.vectors + displacement[edges.center] - displacement[edges.neighbor]
    near = np.linalg.norm(edges.vectors, axis=1) < 1.35
    expected = dict(
        zip(
            zip(edges.center[near] + 1, edges.neighbor[near] + 1, strict=True),
            np.linalg.norm(between[near], axis=1),
            strict=True,
        )
    )
    center, neighbor, _, distance = (bonds[f"f_g[{k}]"] for k in range(1, 5))
    assert len(center) == len(expected) > 1000
    found = dict(zip(zip(center, neighbor, strict=True), distance, strict=True))
    assert found == pytest.approx(expected, abs=1e-5)


def test_energies_are_tallied_for_samples_where_no_output_asks_for_them(tmp_path):
    with_output, without = tmp_path / "with", tmp_path / "without"
    for folder in (with_output, without):
        folder.mkdir()
        save_averages(folder / "m.pt", WINDOW)
    run(with_output, liquid())
    dump = "dump g all custom 12 g.txt id f_g[*]\ndump_modify g format float %.17g\n"
    run_lmp(liquid() + FIX.format(every=EVERY) + dump + "thermo 1000\nrun 120", without)
    ends = [read_dump(folder / "g.txt")[-1] for folder in (with_output, without)]
    for one, other in zip(*map(given_by_fix, ends), strict=True):
        assert one.any()
        np.testing.assert_allclose(one, other, rtol=1e-6)


# --- boxes that change ----------------------------------------------------------------------------


@needs_single_numbers
def test_an_affine_change_of_the_box_is_no_motion(tmp_path):
    """Atoms that only follow the box have moved by nothing, whatever the box does."""
    save_averages(tmp_path / "m.pt", WINDOW)
    deform = "fix d all deform 1 x erate 0.2 y vel -0.5 xy erate 0.3 yz erate -0.2 remap x\n"
    script = liquid(region="prism 0 3 0 3 0 3 0.3 0.1 -0.2").replace(
        "fix integrate all nve/limit 0.05\n", deform
    )
    run_lmp(script + FIX.format(every=60) + output(WINDOW, 60) + "run 60", tmp_path, ranks=2)
    first, last = (read_dump(tmp_path / "g.txt")[k] for k in (0, -1))
    assert np.abs(last.positions - first.positions).max() > 0.05
    own, _ = given_by_fix(last)
    assert np.abs(own[:, :4]).max() < 1e-6
    assert np.abs(own[:, 4]).min() > 0


CHANGES = {
    "npt": "fix integrate all npt temp 1.0 1.0 0.5 aniso 5.0 5.0 1.0",
    "npt of a prism": "fix integrate all npt temp 1.0 1.0 0.5 tri 5.0 5.0 1.0",
    "deform": "fix d all deform 1 x erate 0.2 y vel -0.5 remap x\n{}",
    "deform of velocities": "fix d all deform 1 xy erate 0.5 remap v\n{}",
}


@pytest.mark.parametrize("case", CHANGES)
def test_motion_is_that_within_a_box_that_changes(tmp_path, case):
    prism = {"region": "prism 0 3 0 3 0 3 0.3 0.1 -0.2"} if "pr" in case or "vel" in case else {}
    integrate = "fix integrate all nve/limit 0.05"
    script = liquid(**prism).replace(integrate, CHANGES[case].format(integrate))
    run(tmp_path, script, ranks=2)
    check_history(tmp_path, WINDOW, least=4)
    first, *_, last = read_dump(tmp_path / "s.txt")
    assert np.abs(last.cell - first.cell).max() > 0.01


FLIPS = {"xy": (1, 0, 1.8), "xz": (2, 0, -1.8), "yz": (2, 1, 1.8)}


@pytest.mark.parametrize("tilt", FLIPS)
def test_the_history_outlives_flips_of_a_skewed_box(tmp_path, tilt):
    """An edge of the box is replaced by another one of the same lattice, and no atom moves."""
    row, column, rate = FLIPS[tilt]
    integrate = "fix integrate all nve/limit 0.05"
    deform = f"fix d all deform 1 {tilt} erate {rate} remap x\n{integrate}"
    script = liquid(region="prism 0 3 0 3 0 3 1.0 -0.8 1.1").replace(integrate, deform)
    run(tmp_path, script, ranks=2, runs="run 160")
    check_history(tmp_path, WINDOW, least=6)
    tilts = [frame.cell[row, column] for frame in read_dump(tmp_path / "s.txt")]
    assert np.abs(np.diff(tilts)).max() > 4.0
