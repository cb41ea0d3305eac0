"""Frames of LAMMPS dumps: what is read, and what is refused."""

import pickle
import re

import numpy as np
import pytest
from dumps import ORTHOGONAL, TRICLINIC, frame, write
from lmp import liquid, run_lmp
from MDAnalysis.lib.mdamath import triclinic_box

from lammps_botan.files.trajectory import open_dump

DUMPS = """
dump a all custom 50 u.dump id type xu yu zu
dump b all custom 50 wrapped.dump id type x y z ix iy iz
dump c all custom 50 scaled.dump id type xsu ysu zsu
dump d all custom 50 wrapped_scaled.dump.gz ix iy iz zs ys xs vx id type
dump e all custom 50 sorted.dump id type xu yu zu
dump_modify e sort id
dump_modify a format float %.16g units yes time yes
dump_modify b format float %.16g
dump_modify c format float %.16g time yes
dump_modify d format float %.16g
dump_modify e format float %.16g
"""


@pytest.fixture
def points():
    return np.random.default_rng(3).normal(0, 9, (5, 3))


@pytest.mark.parametrize("region", ["block 0 3 -1 3 0 3", "prism 0 3 -1 3 0 3 0.7 -0.4 0.3"])
def test_all_kinds_of_coordinates_of_a_real_run_are_the_same_unwrapped_ones(region, tmp_path):
    # fast enough to cross the box
    script = liquid(region=region) + "velocity all create 400.0 7\n"
    run_lmp(script + DUMPS + "timestep 0.002\nthermo 50\nrun 200\n", tmp_path)
    expected = open_dump(tmp_path / "u.dump", dt=0.002)
    cell = expected.trajectory.ts.data["cell"]
    assert np.any(np.tril(cell, -1)) == region.startswith("prism")
    start = expected.atoms.positions.copy()
    for name in ("wrapped.dump", "scaled.dump", "wrapped_scaled.dump.gz", "sorted.dump"):
        other = open_dump(tmp_path / name, dt=0.002)
        assert len(other.trajectory) == 5
        for ts, own in zip(expected.trajectory, other.trajectory, strict=True):
            assert own.time == pytest.approx(ts.time)
            assert ts.data["step"] == own.data["step"] == 50 * ts.frame
            np.testing.assert_allclose(own.positions, ts.positions, atol=1e-12)
            np.testing.assert_array_equal(own.data["cell"], cell)
        np.testing.assert_array_equal(other.atoms.types, expected.atoms.types)
    expected.trajectory[4]
    assert expected.trajectory.time == pytest.approx(0.4)
    # the nearest image would be the wrong one
    assert np.abs((expected.atoms.positions - start) @ np.linalg.inv(cell)).max() > 0.5


@pytest.mark.parametrize("cell", [ORTHOGONAL, TRICLINIC])
@pytest.mark.parametrize("suffix", [".dump", ".dump.gz"])
def test_positions_and_box_keep_every_bit(cell, suffix, points, tmp_path):
    path = write(tmp_path / f"run{suffix}", frame(points, cell), frame(points + 1, cell, step=7))
    universe = open_dump(path)
    assert universe.atoms.positions.dtype == np.float64
    np.testing.assert_array_equal(universe.atoms.positions, points)
    np.testing.assert_allclose(universe.trajectory.ts.data["cell"], cell, atol=1e-14)
    np.testing.assert_allclose(universe.dimensions, triclinic_box(*cell), rtol=1e-6)
    assert [ts.time for ts in universe.trajectory] == pytest.approx([0.0, 0.007])
    np.testing.assert_array_equal(universe.trajectory[1].positions, points + 1)
    np.testing.assert_array_equal(universe.trajectory[0].positions, points)


def test_atoms_are_sorted_by_id(points, tmp_path):
    types = np.array([1, 2, 1, 2, 3])
    ids = np.array([40, 7, 11, 3, 5])
    later = [4, 0, 3, 1, 2]
    path = write(
        tmp_path / "run.dump",
        frame(points, ORTHOGONAL, ids=ids, types=types),
        frame(points[later], ORTHOGONAL, step=1, ids=ids[later], types=types[later]),
    )
    universe = open_dump(path)
    assert universe.atoms.ids.tolist() == [3, 5, 7, 11, 40]
    assert universe.atoms.types.tolist() == ["2", "3", "2", "1", "1"]
    for ts in universe.trajectory:
        np.testing.assert_array_equal(ts.positions, points[[3, 4, 1, 2, 0]])


def test_the_time_of_the_header_wins_over_steps(points, tmp_path):
    frames = [frame(points, ORTHOGONAL, step=s, time=t) for s, t in [(5, 0.25), (9, 3.5)]]
    universe = open_dump(write(tmp_path / "run.dump", *frames), dt=0.1)
    assert [ts.time for ts in universe.trajectory] == [0.25, 3.5]


def test_copies_and_pickles_stand_at_the_same_frame_in_float64(points, tmp_path):
    frames = [frame(points + k, TRICLINIC, step=k) for k in range(3)]
    universe = open_dump(write(tmp_path / "run.dump", *frames))
    universe.trajectory[1]
    for other in (universe.copy(), pickle.loads(pickle.dumps(universe))):
        assert other.trajectory.frame == 1
        np.testing.assert_array_equal(other.atoms.positions, points + 1)
        np.testing.assert_allclose(other.trajectory.ts.data["cell"], TRICLINIC, atol=1e-14)
        other.trajectory[2]
        np.testing.assert_array_equal(other.atoms.positions, points + 2)
    np.testing.assert_array_equal(universe.atoms.positions, points + 1)


def refused(path):
    """What `open_dump` and reading all frames say."""
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        for _ in open_dump(path).trajectory:
            pass
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": "type mol xu yu zu"}, "frame 1 (step 9): no column id in"),
        ({"columns": "id element xu yu zu"}, "frame 1 (step 9): no column type in"),
        ({"columns": "id type x y z"}, "neither unwrapped coordinates nor image flags"),
        ({"columns": "id type xs ys zs"}, "use dump 1 all custom 1000 run.dump id type xu yu zu"),
        ({"boundary": "abc origin pp pp pp"}, "a general triclinic box; use dump_modify"),
        ({"units": "real"}, "units real, in the first frame none"),
        ({"ids": np.array([1, 2, 3, 4, 6])}, "frame 1 (step 9): atom ID 5 is missing"),
        ({"ids": np.array([0, 2, 3, 4, 5])}, "integers from 1 to 9007199254740992 as id, found 0"),
        ({"ids": np.array([1, 2, 3, 3, 5])}, "frame 1 (step 9): atom ID 3 appears twice"),
        ({"types": np.array([1, 1, 1, 2, 1])}, "atom ID 4 is of type 2, in the first frame of 1"),
        ({"positions": np.full((5, 3), np.nan)}, "atom ID 1 is at [nan nan nan]"),
        ({"positions": np.zeros((4, 3))}, "4 atoms, expected 5 as in the first frame"),
        ({"positions": np.zeros((0, 3))}, "frame 1 (step 9): no atoms"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_by_name(changes, message, points, tmp_path):
    second = {"positions": points, "cell": ORTHOGONAL, "step": 9} | changes
    path = write(tmp_path / "run.dump", frame(points, ORTHOGONAL), frame(**second))
    assert message in refused(path)
    assert "frame 1 (step 9)" in refused(path)


def test_an_atom_that_is_new_is_named(points, tmp_path):
    texts = [frame(points, ORTHOGONAL, ids=np.arange(k, k + 5)) for k in (2, 1)]
    assert "atom ID 1 is new" in refused(write(tmp_path / "run.dump", *texts))


def test_files_that_are_no_dumps_are_refused(points, tmp_path):
    assert "empty" in refused(write(tmp_path / "empty.dump"))
    assert "empty" in refused(write(tmp_path / "empty.dump.gz"))
    assert "frame 0: no ITEM: TIMESTEP" in refused(write(tmp_path / "data", "LAMMPS data file\n"))
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    assert "expected a whole LAMMPS text dump" in refused(tmp_path / "binary")
    local = frame(points, ORTHOGONAL).replace("NUMBER OF ATOMS", "NUMBER OF ENTRIES")
    assert "no ITEM: NUMBER OF ATOMS" in refused(write(tmp_path / "local.dump", local))
    with pytest.raises(FileNotFoundError, match="no such file"):
        open_dump(tmp_path / "absent.dump")


@pytest.mark.parametrize("left", [10, 20, 60, 200, 290, 320, -1])
def test_a_truncated_last_frame_is_refused_when_the_file_is_opened(left, points, tmp_path):
    first, second = frame(points, ORTHOGONAL), frame(points, ORTHOGONAL, step=9)
    path = write(tmp_path / "run.dump", first, second[:left])
    with pytest.raises(ValueError, match=rf"{path}: frame 1( \(step 9\))?: .*(ends|whole)"):
        open_dump(path)


def test_damaged_frames_are_refused(points, tmp_path):
    first, second = frame(points, ORTHOGONAL), frame(points, ORTHOGONAL, step=9)
    rows = second.splitlines(keepends=True)
    short = write(tmp_path / "short.dump", first, *rows[:-1], second)
    assert "frame 1 (step 9): expected 5 rows, found" in refused(short)
    long = write(tmp_path / "long.dump", first, second, rows[-1], second)
    assert "frame 1 (step 9): expected 5 rows, found" in refused(long)
    words = write(tmp_path / "words.dump", first, *rows[:-1], "5 1 2.0 oops 3.0\n")
    assert "frame 1 (step 9)" in refused(words)
    columns = write(tmp_path / "columns.dump", first, *rows[:-1], "5 1 2.0\n")
    assert "frame 1 (step 9)" in refused(columns)


def test_a_truncated_archive_is_refused(points, tmp_path):
    path = write(tmp_path / "run.dump.gz", *(frame(points, ORTHOGONAL, step=k) for k in range(9)))
    path.write_bytes(path.read_bytes()[:-40])
    assert "damaged file" in refused(path)


def test_a_file_that_changes_under_the_reader_is_no_quiet_end(points, tmp_path):
    path = write(tmp_path / "run.dump", *(frame(points, ORTHOGONAL, step=k) for k in range(3)))
    universe = open_dump(path)
    path.unlink()
    universe.trajectory.close()
    with pytest.raises(ValueError, match="no such file"):
        for _ in universe.trajectory:
            pass
