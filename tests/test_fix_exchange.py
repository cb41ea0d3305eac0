"""`fix botan` counts what an all-images loop counts, in any box and on any number of ranks."""

import re

import numpy as np
import pytest
from fix_toys import Walks, save_model
from lmp import Frame, all_images, liquid, liquid_in_the_plane, read_dump, run_lmp

pytestmark = pytest.mark.slow

CUTOFF = 2.0
SCORE = """
fix g all botan {every} m.pt A B
dump d all custom {every} d.txt id type x y z f_g
dump_modify d format float %.17g
"""


def walks(frame: Frame, rounds: int, cutoff: float = CUTOFF) -> np.ndarray:
    return all_images(frame, cutoff).walks(len(frame["id"]), rounds)


def score(tmp_path, script, *, ranks=1, rounds=3, every=10, run="run 0", **model) -> list[Frame]:
    """Append the fix and a run to a script, and return the frames it dumped."""
    save_model(tmp_path / "m.pt", Walks(rounds=rounds), **model)
    run_lmp(script + SCORE.format(every=every) + run, tmp_path, ranks=ranks)
    frames = read_dump(tmp_path / "d.txt")
    assert frames
    return frames


BOXES = {
    "orthogonal": {},
    "two cutoffs along x only": {"cells": "4 2 2"},
    "smaller than two cutoffs": {"cells": "2 2 2"},
    "smaller than one cutoff": {"cells": "1 1 1"},
    "triclinic": {"region": "prism 0 3 0 3 0 3 0.9 0.4 -0.7"},
    "triclinic, smaller than two cutoffs": {"region": "prism 0 2 0 2 0 2 0.6 -0.5 0.3"},
    "not periodic": {"before_box": "boundary s f s", "after_box": "change_box all y delta -1 1"},
    "newton off": {"before_box": "newton off"},
}


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_walks_are_exact_in_any_box_on_any_number_of_ranks(tmp_path, box, ranks):
    (frame,) = score(tmp_path, liquid(**BOXES[box]), ranks=ranks)
    np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))


LAYOUTS = {
    "slices": {"before_box": "processors 4 1 1"},
    "plates": {"before_box": "processors 1 1 4"},
    "unequal": {"before_box": "processors 4 1 1", "after_box": "balance 1.0 x 0.15 0.5 0.7"},
    "tiled": {"after_box": "comm_style tiled\nbalance 1.0 rcb"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_walks_are_exact_in_any_layout_of_ranks(tmp_path, layout):
    (frame,) = score(tmp_path, liquid("4 3 3", **LAYOUTS[layout]), ranks=4)
    np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))


@pytest.mark.parametrize("style", ["", "comm_style tiled"])
def test_a_rank_without_atoms_takes_part(tmp_path, style):
    emptied = "region empty block 1.6 INF INF INF INF INF\ndelete_atoms region empty"
    script = liquid("6 2 2", before_box="processors 4 1 1", after_box=f"{emptied}\n{style}")
    save_model(tmp_path / "m.pt", Walks(rounds=3))
    run = run_lmp(script + SCORE.format(every=10) + "run 20", tmp_path, ranks=4)
    assert re.search(r"Nlocal: .* 0 min", run.output)
    frames = read_dump(tmp_path / "d.txt")
    for frame in frames:
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))


@pytest.mark.parametrize("length", [6, 2])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_walks_are_exact_in_two_dimensions(tmp_path, ranks, length):
    """Also where the square is smaller than two cutoffs."""
    script = liquid_in_the_plane(length)
    frames = score(tmp_path, script, ranks=ranks, run="run 50", mixture={"dimension": 2})
    assert len(frames) == 6
    for frame in frames:
        frame.periodic = (True, True, False)
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))


@pytest.mark.parametrize("ranks", [1, 2])
def test_ids_may_have_gaps_and_atoms_may_be_deleted_between_runs(tmp_path, ranks):
    delete = "delete_atoms random fraction 0.3 yes all NULL 77 compress no\nrun 0\n"
    frames = score(tmp_path, liquid(), ranks=ranks, run=f"run 10\n{delete}run 10")
    first, last = frames[0], frames[-1]
    assert len(last["id"]) < len(first["id"])
    assert last["id"].max() > len(last["id"])
    for frame in (first, last):
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))


@pytest.mark.parametrize(
    ("ranks", "style"), [(1, ""), (2, ""), (4, ""), (4, "comm_style tiled\nbalance 1.0 rcb")]
)
def test_walks_stay_exact_while_atoms_migrate(tmp_path, ranks, style):
    frames = score(tmp_path, liquid(after_box=style), ranks=ranks, every=50, run="run 300")
    assert len(frames) == 7
    moved = np.abs(frames[-1].positions - frames[0].positions).max()
    assert moved > 1.0
    for frame in frames:
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))


def test_a_list_made_between_reneighborings_does_not_go_stale(tmp_path):
    """Two atoms part by more than a skin and meet again before LAMMPS makes new lists."""
    # distance 2.14 at the reneighboring of step 25, 2.40 when scored at 30, 1.88 at 40
    script = """
    units lj
    region box block 0 12 0 12 0 12
    create_box 2 box
    create_atoms 1 single 4 6 6
    create_atoms 1 single 6.14 6 6
    mass * 1.0
    pair_style zero 2.0
    pair_coeff * *
    neighbor 0.3 bin
    neigh_modify every 25 delay 0 check no
    variable x equal "0.13 * sin(2*PI*(step-25)/20)"
    variable minus equal -v_x
    variable zero equal 0
    group left id 1
    group right id 2
    fix left left move variable v_minus v_zero v_zero NULL NULL NULL
    fix right right move variable v_x v_zero v_zero NULL NULL NULL
    """
    frames = score(tmp_path, script, rounds=1, every=5, run="run 60")
    apart = {frame.step: float(np.ptp(frame["x"])) for frame in frames}
    assert apart[30] > CUTOFF + 0.3
    assert apart[40] < CUTOFF
    for frame in frames:
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 1))


@pytest.mark.parametrize("ranks", [1, 2])
def test_one_round_equals_compute_coord_atom(tmp_path, ranks):
    save_model(tmp_path / "m.pt", Walks(rounds=1))
    script = f"""{liquid()}
    compute coord all coord/atom cutoff {CUTOFF}
    fix g all botan 10 m.pt A B
    dump d all custom 10 d.txt id f_g c_coord
    run 50"""
    run_lmp(script, tmp_path, ranks=ranks)
    frames = read_dump(tmp_path / "d.txt")
    assert len(frames) == 6
    for frame in frames:
        np.testing.assert_array_equal(frame["f_g"], frame["c_coord"])
        assert frame["f_g"].min() > 0


@pytest.mark.parametrize("ranks", [1, 2])
def test_types_that_are_null_are_not_in_the_graph(tmp_path, ranks):
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"""{liquid()}
    fix g all botan 10 m.pt NULL B
    dump d all custom 10 d.txt id type x y z f_g
    dump_modify d format float %.17g
    run 30"""
    run_lmp(script, tmp_path, ranks=ranks)
    frames = read_dump(tmp_path / "d.txt")
    assert len(frames) == 4
    for frame in frames:
        inside = frame["type"] == 2
        part = Frame(
            0, frame.cell, frame.periodic, {k: v[inside] for k, v in frame.columns.items()}
        )
        np.testing.assert_array_equal(frame["f_g"][inside], walks(part, 2))
        assert not frame["f_g"][~inside].any()


def test_words_map_types_to_species(tmp_path):
    """`B A` exchanges the species, and with them the weights of the toy."""
    save_model(tmp_path / "m.pt", Walks(rounds=1, weights=(1.0, 100.0)))
    script = f"""{liquid()}
    fix ab all botan 10 m.pt A B
    fix ba all botan 10 m.pt B A
    dump d all custom 10 d.txt id type x y z f_ab f_ba
    dump_modify d format float %.17g
    run 0"""
    run_lmp(script, tmp_path, ranks=2)
    (frame,) = read_dump(tmp_path / "d.txt")
    edges, n_atoms = all_images(frame, CUTOFF), len(frame["id"])
    second = frame["type"] == 2
    np.testing.assert_array_equal(frame["f_ab"], edges.walks(n_atoms, 1, np.where(second, 100, 1)))
    np.testing.assert_array_equal(frame["f_ba"], edges.walks(n_atoms, 1, np.where(second, 1, 100)))


RANGES = {
    "pair style shorter than the model": {"pair_cutoff": 1.2},
    "model longer than every pair": {"pair_cutoff": 2.5, "cutoff": 3.1},
    "no pair style": {"pair_cutoff": 2.5, "no_pair": True},
}


@pytest.mark.parametrize("case", RANGES)
@pytest.mark.parametrize("ranks", [1, 2])
def test_comm_modify_gives_the_ghosts_that_the_pair_style_does_not(tmp_path, case, ranks):
    settings = dict(RANGES[case])
    cutoff = settings.pop("cutoff", CUTOFF)
    none = "\npair_style none" if settings.pop("no_pair", False) else ""
    script = liquid(**settings, after_box=f"comm_modify cutoff {cutoff + 0.3}{none}")
    frames = score(tmp_path, script, ranks=ranks, run="run 30", cutoff=cutoff)
    for frame in frames:
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 3, cutoff))


def test_pair_style_zero_gives_ghosts_without_forces(tmp_path):
    script = liquid() + "pair_style zero 2.0\npair_coeff * *\n"
    frames = score(tmp_path, script, ranks=2, run="run 30")
    for frame in frames:
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))


def test_threads_of_lammps_and_of_torch_do_not_disturb_each_other(tmp_path):
    script = liquid(before_box="package omp 2\nsuffix omp")
    frames = score(tmp_path, script.replace("nve/limit 0.05", "nve"), ranks=2, run="run 20")
    for frame in frames:
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))


def test_a_box_that_changes_its_shape(tmp_path):
    script = liquid(region="prism 0 3 0 3 0 3 0.1 0 0")
    deform = "fix shear all deform 1 xy erate 0.5 remap x\n"
    frames = score(tmp_path, script + deform, ranks=2, run="run 100")
    assert frames[-1].cell[1, 0] > frames[0].cell[1, 0] + 0.5
    for frame in frames:
        np.testing.assert_array_equal(frame["f_g"], walks(frame, 3))
