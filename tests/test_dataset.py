"""Data sets: files that cannot be used are named, with what is wrong."""

import numpy as np
import pytest
from public_data import CONFIGURATION_401, needs_public_data

from lammps_botan.analysis.ground_truth import ground_truth
from lammps_botan.analysis.sample import make_relative_displacement, make_sample, read_sample
from lammps_botan.evaluation.reference import make_reference
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

N = 8
CUBE = (N / 1.2) ** (1 / 3)


def write(path, **changes):
    """Particles that fill a cube at the density of the Kob-Andersen mixture."""
    rng = np.random.default_rng(0)
    corners = np.array(list(np.ndindex(2, 2, 2)))
    initial = (corners + 0.1 + 0.8 * rng.random((N, 3))) * CUBE / 2
    arrays = {
        "types": np.array([0] * 6 + [1] * 2, dtype=np.int8),
        "initial_positions": initial,
        "positions": initial + rng.normal(0, 0.1, (3, N, 3)),
    } | changes
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def test_without_a_box_it_is_a_cube_at_density_1_2(tmp_path):
    start = read_start(write(tmp_path / "c.npz"), mixture=KOB_ANDERSEN)
    assert start.box.volume == pytest.approx(N / 1.2)
    assert start.box.is_orthogonal
    assert start.box.periodic == (True, True, True)


@pytest.mark.parametrize("scale", [0.4, 1.3])
def test_without_a_box_particles_that_do_not_fill_that_cube_are_refused(scale, tmp_path):
    initial = np.random.default_rng(0).random((N, 3)) * CUBE * scale
    path = write(tmp_path / "c.npz", initial_positions=initial)
    with pytest.raises(ValueError, match=r"c\.npz: has no box, .* 1\.2, has the edge 1\.88"):
        read_start(path, mixture=KOB_ANDERSEN)


def test_without_a_box_particles_of_no_known_mixture_are_refused(tmp_path):
    for path in (
        write(tmp_path / "a.npz", types=np.array([0] * 4 + [1] * 4)),
        write(tmp_path / "b.npz", types=np.zeros(N, int)),
    ):
        with pytest.raises(ValueError, match=r"has no box, and its particles are no known mixture"):
            read_start(path)


@needs_public_data
def test_the_public_files_without_a_box_are_the_kob_andersen_mixture():
    ensemble = read_ensemble(CONFIGURATION_401)
    assert ensemble.configuration.mixture is KOB_ANDERSEN
    assert ensemble.box.volume == pytest.approx(4096 / 1.2)
    assert ensemble.final.shape == (32, 4096, 3)


def test_a_box_in_the_file_counts(tmp_path):
    cell = read_start(write(tmp_path / "c.npz", box=[3.0, 4.0, 5.0])).box.cell
    np.testing.assert_array_equal(cell, np.diag([3.0, 4.0, 5.0]))


def test_a_sample_has_targets_for_all_particles_and_edges(tmp_path):
    sample = read_sample(write(tmp_path / "c.npz", box=CUBE), cutoff=0.9)
    assert sample.propensity.shape == (N,)
    assert sample.pair_distance_change.shape == (sample.graph.n_edges,)


def test_wrapped_ends_of_runs_are_refused_and_unwrapped_ones_are_not(tmp_path):
    rng = np.random.default_rng(1)
    n, edge = 200, 6.0
    initial = rng.random((n, 3)) * edge
    unwrapped = initial + rng.normal(0, 0.3, (4, n, 3))
    unwrapped[:, 0] += edge  # one particle went far
    known = {"types": np.repeat([0, 1], [160, 40]), "initial_positions": initial, "box": edge}
    sample = read_sample(write(tmp_path / "u.npz", positions=unwrapped, **known))
    assert sample.propensity[0] == pytest.approx(3**0.5 * edge, rel=0.1)
    wrapped = write(tmp_path / "w.npz", positions=unwrapped % edge, **known)
    with pytest.raises(ValueError, match=r"w\.npz: the final positions are wrapped into the box"):
        read_sample(wrapped)
    # LAMMPS wraps atoms when it makes neighbor lists; until then they leave by half a skin of 0.3
    wrapped = (unwrapped + 0.15) % edge - 0.15
    wrapped[0, 1] += edge - wrapped[0, 1].max() + 0.15
    left = write(tmp_path / "l.npz", positions=wrapped, **known)
    with pytest.raises(ValueError, match=r"l\.npz: the final positions are wrapped into the box"):
        read_sample(left)
    flat = {"periodic": np.array([False, False, False])}
    assert read_sample(write(tmp_path / "f.npz", positions=unwrapped % edge, **known, **flat))


@pytest.mark.parametrize(
    "use",
    [
        make_sample,
        make_reference,
        ground_truth,
        lambda ensemble: make_relative_displacement(ensemble, "D"),
    ],
)
def test_whoever_makes_displacements_refuses_wrapped_ends(use):
    rng = np.random.default_rng(2)
    edge, periodic = 6.0, (True, True, True)
    initial = rng.random((200, 3)) * edge
    start = Configuration(
        initial, np.repeat([0, 1], [160, 40]), Box(edge, periodic), mixture=KOB_ANDERSEN
    )
    ends = initial + rng.normal(0, 0.3, (4, 200, 3))
    assert use(Ensemble(start, ends)) is not None
    with pytest.raises(ValueError, match="the final positions are wrapped into the box"):
        use(Ensemble(start, ends % edge))


def test_a_negative_lag_time_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"c\.npz: the lag time must not be negative, found -3"):
        read_ensemble(write(tmp_path / "c.npz", time=-3.0), mixture=KOB_ANDERSEN)


@pytest.mark.parametrize("box", [0.1, [9.0, 9.0, 3.9], [[9, 0, 0], [9, 9, 0], [9, 9, 3.9]]])
def test_a_box_smaller_than_two_cutoffs_is_refused(tmp_path, box):
    """Before its neighbors are listed, which fill the memory."""
    path = write(tmp_path / "c.npz", box=box)
    with pytest.raises(
        ValueError, match=r"c\.npz: the box is smaller than two cutoffs .* expected 4 "
    ):
        read_sample(path, cutoff=2.0)


def test_a_box_of_two_cutoffs_is_large_enough(tmp_path):
    path = write(tmp_path / "c.npz", box=[4.0, 4.0, 4.0])
    assert read_sample(path, cutoff=2.0).graph.n_particles == N


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": None}, "lacks types; found initial_positions, positions"),
        ({"types": np.full(N, 0.5)}, "types must be integers from 0"),
        ({"types": np.full(N, -1)}, "types must be integers from 0"),
        ({"initial_positions": np.full((N, 3), np.nan)}, "initial_positions holds values that are"),
        ({"box": [1.0, 2.0]}, r"a box with 2 edges, .* expected periodic = \(True, True, False\)"),
        ({"box": np.ones((2, 2))}, r"the box must be .* found shape \[2, 2\]"),
        ({"periodic": [True, True]}, r"periodic must be three bools, found \[True, True\]"),
        ({"types": np.array([2] * 6 + [3] * 2)}, "LAMMPS types of which each occurs, from 1"),
        ({"types": np.ones(N, int)}, "cannot be told which is the first species"),
        ({"mixture": "{}"}, "mixture: lacks the key name"),
        ({"mixture": KA2D.model_dump_json()}, "ka2d is two-dimensional"),
        (
            {"inherent_energies": np.zeros(3)},
            r"inherent_energies must have shape \[8\] or \[4, 8\], found",
        ),
        ({"initial_positions_inherent": np.zeros((3, 3))}, r"inherent must have shape \[8, 3\]"),
        ({"types": np.array([{}] * N, dtype=object)}, "expected an npz file"),
        ({"types": np.array(3)}, r"expected types \[n\] .*, found \[\] and \[8, 3\]"),
        ({"types": np.zeros((N, 1), dtype=int)}, r"expected types \[n\] .*, found \[8, 1\] and"),
        ({"initial_positions": np.full((N, 3), "x")}, "initial_positions must be numbers, found"),
        ({"temperature": "cold"}, "temperature must be numbers, found the type <U4"),
        ({"temperature": [1.0, 2.0]}, r"temperature must be one number, found \[1.0, 2.0\]"),
        ({"box": "large"}, "box must be numbers, found the type <U5"),
        ({"box": -2.0}, "box must be positive lengths, found -2.0"),
        ({"box": [1.0, 0.0, 1.0]}, r"box must be positive lengths, found \[1.0, 0.0, 1.0\]"),
    ],
)
def test_bad_content_is_named(tmp_path, changes, message):
    path = write(tmp_path / "bad.npz", **changes)
    with pytest.raises(ValueError, match=rf"bad\.npz: .*{message}"):
        read_start(path, mixture=None if "mixture" in changes else KOB_ANDERSEN)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.zeros((3, N + 1, 3))}, r"found \[8\], \[8, 3\] and \[3, 9, 3\]"),
        ({"positions": np.full((3, N, 3), "x")}, "positions must be numbers, found the type <U1"),
        ({"positions": np.zeros((0, N, 3))}, r"has no runs: .* found \[0, 8, 3\]"),
        ({"positions": np.full((3, N, 3), np.nan)}, "positions holds values that are not finite"),
        ({"time": "soon"}, "time must be numbers, found the type <U4"),
        ({"time": [1.0, 2.0]}, r"time must be one number, found \[1.0, 2.0\]"),
    ],
)
def test_bad_runs_are_named(tmp_path, changes, message):
    path = write(tmp_path / "bad.npz", box=3.0, **changes)
    with pytest.raises(ValueError, match=rf"bad\.npz: .*{message}"):
        read_ensemble(path)


def test_targets_may_stand_in_place_of_runs(tmp_path):
    n_edges = read_sample(write(tmp_path / "runs.npz", box=CUBE), cutoff=0.9).graph.n_edges
    targets = {"propensity": np.arange(N), "pair_distance_change": np.arange(n_edges)}
    sample = read_sample(write(tmp_path / "c.npz", positions=None, box=CUBE, **targets), cutoff=0.9)
    np.testing.assert_array_equal(sample.propensity, np.arange(N))
    np.testing.assert_array_equal(sample.pair_distance_change, np.arange(n_edges))
    assert read_ensemble(tmp_path / "c.npz", mixture=KOB_ANDERSEN).n_runs == 0
    # runs count where there are any; without E there is none to learn
    path = write(tmp_path / "both.npz", box=CUBE, **targets)
    assert not np.array_equal(read_sample(path, cutoff=0.9).propensity, np.arange(N))
    path = write(tmp_path / "c.npz", positions=None, box=CUBE, propensity=np.arange(N))
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
    path = write(tmp_path / "bad.npz", positions=None, box=CUBE, **targets)
    with pytest.raises(ValueError, match=rf"bad\.npz: {message}"):
        read_sample(path, cutoff=0.9)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"text"])
def test_what_is_no_npz_file_is_named(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.npz: expected an npz file"):
        read_start(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz: no such file"):
        read_start(tmp_path / "none.npz")


def test_a_damaged_compressed_file_is_named(tmp_path):
    path = tmp_path / "bad.npz"
    with np.load(write(tmp_path / "good.npz")) as good:
        np.savez_compressed(path, **good)
    content = bytearray(path.read_bytes())
    for place in range(200, 260):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.npz: expected an npz file"):
        read_start(path)
