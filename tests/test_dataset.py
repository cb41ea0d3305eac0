"""Data sets: files that cannot be used are named, with what is wrong."""

import numpy as np
import pytest

from lammps_botan.analysis.sample import read_sample
from lammps_botan.evaluation.reference import read_outcome
from lammps_botan.files.ensemble_npz import read_configuration

N = 8


def write(path, **changes):
    rng = np.random.default_rng(0)
    initial = rng.random((N, 3)) * 2
    arrays = {
        "types": np.array([0] * 6 + [1] * 2, dtype=np.int8),
        "initial_positions": initial,
        "positions": initial + rng.normal(0, 0.1, (3, N, 3)),
    } | changes
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def test_without_a_box_it_is_a_cube_at_density_1_2(tmp_path):
    cell = read_configuration(write(tmp_path / "c.npz")).cell
    assert np.linalg.det(cell) == pytest.approx(N / 1.2)


def test_a_box_in_the_file_counts(tmp_path):
    cell = read_configuration(write(tmp_path / "c.npz", box=[3.0, 4.0, 5.0])).cell
    np.testing.assert_array_equal(cell, np.diag([3.0, 4.0, 5.0]))


def test_a_sample_has_targets_for_all_particles_and_edges(tmp_path):
    sample = read_sample(write(tmp_path / "c.npz"), cutoff=0.9)
    assert sample.propensity.shape == (N,)
    assert sample.pair_distance_change.shape == (sample.graph.n_edges,)


@pytest.mark.parametrize("read", [read_sample, read_outcome])
@pytest.mark.parametrize("box", [0.1, [9.0, 9.0, 3.9], [[9, 0, 0], [9, 9, 0], [9, 9, 3.9]]])
def test_a_box_smaller_than_two_cutoffs_is_refused(tmp_path, read, box):
    """Before its neighbors are listed, which fill the memory."""
    path = write(tmp_path / "c.npz", box=box)
    with pytest.raises(
        ValueError, match=r"c\.npz: the box is smaller than two cutoffs .* expected 4 "
    ):
        read(path, cutoff=2.0)


def test_a_box_of_two_cutoffs_is_large_enough(tmp_path):
    path = write(tmp_path / "c.npz", box=[4.0, 4.0, 4.0])
    assert read_sample(path, cutoff=2.0).graph.n_particles == N
    assert read_outcome(path, cutoff=2.0).n_runs == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": None}, "lacks types; found initial_positions, positions"),
        ({"positions": np.zeros((3, N + 1, 3))}, r"found \[8\], \[8, 3\] and \[3, 9, 3\]"),
        ({"types": np.full(N, 0.5)}, "types must be integers from 0"),
        ({"types": np.full(N, -1)}, "types must be integers from 0"),
        ({"initial_positions": np.full((N, 3), np.nan)}, "initial_positions holds values that are"),
        ({"box": [1.0, 2.0]}, r"the box must be .* found shape \(2,\)"),
        ({"types": np.array([{}] * N, dtype=object)}, "expected an npz file"),
        ({"types": np.array(3)}, r"expected types \[n\], .*, found \[\], \[8, 3\]"),
        ({"types": np.zeros((N, 1), dtype=int)}, r"expected types \[n\], .*, found \[8, 1\]"),
        ({"initial_positions": np.full((N, 3), "x")}, "initial_positions must be numbers, found"),
        ({"positions": np.full((3, N, 3), "x")}, "positions must be numbers, found the type <U1"),
        ({"time": "soon"}, "time must be numbers, found the type <U4"),
        ({"time": [1.0, 2.0]}, r"time must be one number, found \[1.0, 2.0\]"),
        ({"box": "large"}, "box must be numbers, found the type <U5"),
        ({"box": -2.0}, "box must be positive lengths, found -2.0"),
        ({"box": [1.0, 0.0, 1.0]}, r"box must be positive lengths, found \[1.0, 0.0, 1.0\]"),
    ],
)
def test_bad_content_is_named(tmp_path, changes, message):
    path = write(tmp_path / "bad.npz", **changes)
    with pytest.raises(ValueError, match=rf"bad\.npz: .*{message}"):
        read_configuration(path)


def test_targets_may_stand_in_place_of_runs(tmp_path):
    n_edges = read_sample(write(tmp_path / "runs.npz"), cutoff=0.9).graph.n_edges
    targets = {"propensity": np.arange(N), "pair_distance_change": np.arange(n_edges)}
    sample = read_sample(write(tmp_path / "c.npz", positions=None, **targets), cutoff=0.9)
    np.testing.assert_array_equal(sample.propensity, np.arange(N))
    np.testing.assert_array_equal(sample.pair_distance_change, np.arange(n_edges))
    assert len(read_configuration(tmp_path / "c.npz").final) == 0
    # runs count where there are any; without E there is none to learn
    path = write(tmp_path / "both.npz", **targets)
    assert not np.array_equal(read_sample(path, cutoff=0.9).propensity, np.arange(N))
    path = write(tmp_path / "c.npz", positions=None, propensity=np.arange(N))
    assert np.isnan(read_sample(path, cutoff=0.9).pair_distance_change).all()


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"propensity": np.zeros(N + 1)}, r"propensity must have shape \[8\], found \[9\]"),
        ({"propensity": np.full(N, np.nan)}, "propensity holds values that are not finite"),
        ({"propensity": np.full(N, "x")}, "propensity must be numbers, found the type <U1"),
        (
            {"propensity": np.zeros(N), "pair_distance_change": np.zeros((2, 3))},
            r"pair_distance_change must have shape \[n_edges\], found \[2, 3\]",
        ),
        (
            {"propensity": np.zeros(N), "pair_distance_change": np.zeros(3)},
            r"pair_distance_change has 3 values, but there are \d+ pairs within 0\.9",
        ),
    ],
)
def test_bad_targets_are_named(tmp_path, targets, message):
    path = write(tmp_path / "bad.npz", positions=None, **targets)
    with pytest.raises(ValueError, match=rf"bad\.npz: {message}"):
        read_sample(path, cutoff=0.9)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"text"])
def test_what_is_no_npz_file_is_named(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.npz: expected an npz file"):
        read_configuration(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz: no such file"):
        read_configuration(tmp_path / "none.npz")


def test_a_damaged_compressed_file_is_named(tmp_path):
    path = tmp_path / "bad.npz"
    with np.load(write(tmp_path / "good.npz")) as good:
        np.savez_compressed(path, **good)
    content = bytearray(path.read_bytes())
    for place in range(200, 260):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.npz: expected an npz file"):
        read_configuration(path)
