"""Time correlations: against loops, exact cases, and the public configurations."""

import itertools

import numpy as np
import pytest
from public_data import FOLDER, needs_public_data

from lammps_botan.analysis.time_correlations import (
    mean_squared_displacement,
    overlap,
    overlap_susceptibility,
    self_intermediate_scattering,
    wavevectors,
)
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.structure.box import Box

CELLS = {
    "cubic": np.eye(3) * 6.0,
    "orthogonal": np.diag([5.0, 6.0, 7.5]),
    "triclinic": np.array([[6.0, 0, 0], [1.5, 5.5, 0], [-1.0, 0.7, 6.5]]),
}
K = 2 * np.pi
LENGTH = 0.3  # of the overlap


def periodic(cell):
    return Box(cell, (True, True, True))


@pytest.fixture
def runs():
    rng = np.random.default_rng(8)
    initial = rng.random((40, 3)) * 6.0
    return initial, initial + rng.normal(0, 0.25, (5, 40, 3))


@pytest.mark.parametrize("name", CELLS)
def test_wavevectors_are_periodic_in_the_box(name):
    vectors = wavevectors(periodic(CELLS[name]), K)
    turns = vectors @ CELLS[name].T / (2 * np.pi)
    np.testing.assert_allclose(turns, np.rint(turns), atol=1e-9)


@pytest.mark.parametrize("name", CELLS)
def test_wavevectors_are_the_closest_in_length_and_one_of_each_pair(name):
    cell = CELLS[name]
    vectors = wavevectors(periodic(cell), K)
    integers = {tuple(n) for n in np.rint(vectors @ cell.T / (2 * np.pi)).astype(int)}
    assert len(integers) == len(vectors)
    assert not {tuple(-x for x in n) for n in integers} & integers

    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    every = set(itertools.product(range(-12, 13), repeat=3)) - {(0, 0, 0)}
    offsets = {n: abs(np.linalg.norm(np.array(n) @ reciprocal) - K) for n in every}
    reach = max(offsets[n] for n in integers)
    within = {n for n in every if offsets[n] < reach + 1e-9}
    assert len(within) == 2 * len(integers)
    assert reach <= max(0.005 * K, min(offsets.values())) + 1e-9


def test_a_large_box_has_a_narrow_shell_of_about_a_hundred():
    """L of the Kob-Andersen mixture with N = 4096."""
    vectors = wavevectors(periodic(15.05658), K)
    assert 100 <= len(vectors) <= 300
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), K, rtol=0.005)
    # a cube has no preferred axis
    squares = (np.concatenate([vectors, -vectors]) ** 2).mean(axis=0)
    np.testing.assert_allclose(squares, squares.mean(), rtol=1e-9)


@pytest.mark.parametrize(("k", "n_found"), [(0.5, 3), (0.9, 3), (1.2, 3), (1.3, 6)])
def test_a_small_box_gives_its_closest_wavevectors(k, n_found):
    """In a cube of 2 pi the lengths are 1 (three vectors), sqrt(2) (six), ..."""
    vectors = wavevectors(periodic(2 * np.pi), k)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1 if n_found == 3 else 2**0.5)
    assert len(vectors) == n_found


def test_a_long_box_allows_short_wavevectors_along_it():
    np.testing.assert_allclose(
        np.abs(wavevectors(periodic([60.0, 6.0, 6.0]), 0.1)), [[K / 60, 0, 0]]
    )


@pytest.mark.parametrize(
    ("k", "message"),
    [
        (0.0, "must be positive, found 0.0"),
        (-1.0, "must be positive, found -1.0"),
        (np.nan, "must be positive, found nan"),
        (0.5, "at least 0.523599, half the shortest of this box, found 0.5: take a larger k"),
    ],
)
def test_a_wavenumber_that_the_box_cannot_have_is_refused(k, message):
    with pytest.raises(ValueError, match=message):
        wavevectors(periodic(6.0), k)


@pytest.mark.parametrize(
    "cell", [np.diag([5.0, 6.0, 1.0]), np.array([[5.0, 0, 0], [1.5, 5.5, 0], [0.5, 0.7, 4.0]])]
)
def test_wavevectors_of_a_slab_lie_in_its_plane(cell):
    """Without images along the third cell vector: k fits the other two and has nothing beside."""
    vectors = wavevectors(Box(cell, (True, True, False)), K)
    turns = vectors @ cell[:2].T / (2 * np.pi)
    np.testing.assert_allclose(turns, np.rint(turns), atol=1e-9)
    np.testing.assert_allclose(vectors[:, 2], 0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), K, rtol=0.1)
    integers = {tuple(n) for n in np.rint(turns).astype(int)}
    assert len(integers) == len(vectors) > 1
    assert not {tuple(-x for x in n) for n in integers} & integers


def test_wavevectors_of_the_plane_are_as_many_as_the_ring_holds():
    """2 pi k wide and 1 % of k thick, half of it, in the area (2 pi / L)^2 of each: 35."""
    vectors = wavevectors(Box([32.8962, 32.8962], (True, True, False)), K)
    assert len(vectors) == pytest.approx(0.01 * np.pi * K**2 * (32.8962 / K) ** 2, rel=0.2)
    squares = (vectors[:, :2] ** 2).mean(axis=0)
    np.testing.assert_allclose(squares, K**2 / 2, rtol=0.05)


def test_a_wire_has_wavevectors_along_it_alone():
    np.testing.assert_allclose(
        np.abs(wavevectors(Box([4.0, 3.0, 60.0], (False, False, True)), 0.21)),
        [[0, 0, 4 * np.pi / 60]],
    )


def test_a_box_without_images_has_no_wavevectors_of_its_own():
    with pytest.raises(ValueError, match="not periodic allows any wavevector"):
        wavevectors(Box(5.0, (False, False, False)), K)


def test_scattering_is_that_of_a_loop(runs):
    initial, final = runs
    vectors = wavevectors(periodic(CELLS["triclinic"]), K)
    expected = [
        np.mean([np.cos(k @ (run[i] - initial[i])) for i in range(40) for k in vectors])
        for run in final
    ]
    found = self_intermediate_scattering(initial, final, vectors)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_scattering_of_many_particles_is_the_mean_over_its_parts():
    """More particles than are taken at a time."""
    rng = np.random.default_rng(9)
    initial, vectors = rng.random((2500, 3)), wavevectors(periodic(6.0), K)
    final = initial + rng.normal(0, 0.2, (2, 2500, 3))
    parts = [
        self_intermediate_scattering(initial[part], final[:, part], vectors)
        for part in np.split(np.arange(2500), 5)
    ]
    whole = self_intermediate_scattering(initial, final, vectors)
    np.testing.assert_allclose(whole, np.mean(parts, axis=0), atol=1e-12)


def test_gaussian_displacements_scatter_as_a_gaussian():
    """F_s = exp(-k^2 sigma^2 / 2) and MSD = 3 sigma^2 for a Gaussian of width sigma."""
    rng = np.random.default_rng(10)
    initial, sigma = np.zeros((4000, 3)), 0.15
    final = rng.normal(0, sigma, (8, 4000, 3))
    scattering = self_intermediate_scattering(initial, final, wavevectors(periodic(15.05658), K))
    assert scattering.mean() == pytest.approx(np.exp(-((K * sigma) ** 2) / 2), abs=0.005)
    squared = mean_squared_displacement(initial, final)
    assert squared.mean() == pytest.approx(3 * sigma**2, rel=0.02)


def test_a_translation_by_a_cell_vector_scatters_as_none(runs):
    """The wavevectors fit the box: unwrapped jumps by a whole cell leave F_s as it is."""
    initial, final = runs
    vectors = wavevectors(periodic(CELLS["triclinic"]), K)
    jumped = final + np.random.default_rng(1).integers(-2, 3, (40, 3)) @ CELLS["triclinic"]
    np.testing.assert_allclose(
        self_intermediate_scattering(initial, jumped, vectors),
        self_intermediate_scattering(initial, final, vectors),
        atol=1e-10,
    )


def test_squared_displacement_and_overlap_are_those_of_loops(runs):
    initial, final = runs
    lengths = [[np.linalg.norm(run[i] - initial[i]) for i in range(40)] for run in final]
    squared = [np.mean([d**2 for d in run]) for run in lengths]
    np.testing.assert_allclose(mean_squared_displacement(initial, final), squared, rtol=1e-12)
    slow = [sum(d < 0.3 for d in run) / 40 for run in lengths]
    np.testing.assert_allclose(overlap(initial, final, LENGTH), slow)
    assert 0 < min(slow) < max(slow) < 1
    # half the mean squared difference of two different runs is the unbiased variance
    pairs = [(a - b) ** 2 for a, b in itertools.combinations(slow, 2)]
    chi_4 = overlap_susceptibility(initial, final, LENGTH)
    assert chi_4 == pytest.approx(40 * sum(pairs) / len(pairs) / 2)


def test_nothing_moved_is_full_overlap_and_full_scattering(runs):
    initial, _ = runs
    still = np.stack([initial, initial])
    assert overlap(initial, still, LENGTH).tolist() == [1, 1]
    assert overlap_susceptibility(initial, still, LENGTH) == 0
    assert mean_squared_displacement(initial, still).tolist() == [0, 0]
    assert self_intermediate_scattering(initial, still, wavevectors(periodic(6.0), K)).tolist() == [
        1,
        1,
    ]


def test_particles_that_move_together_have_a_susceptibility_that_grows_with_their_number():
    """All of N particles move in one run of two: Q is 0 and 1, and N (1/4 + 1/4) / 1 = N / 2."""
    for n in (10, 100):
        initial = np.zeros((n, 3))
        final = np.stack([initial, initial + 1.0])
        assert overlap_susceptibility(initial, final, LENGTH) == pytest.approx(n / 2)


def test_the_susceptibility_of_three_runs_worked_out_by_hand():
    """Ten particles, of which 2, 4 and 9 stay: Q = .2, .4, .9 with the mean .5.

    Squares .09 + .01 + .16 = .26, over n_runs - 1 = 2 is .13, times ten particles 1.3.
    """
    final = np.ones((3, 10, 3))
    for run, n_slow in zip(final, (2, 4, 9), strict=True):
        run[:n_slow] = 0.1
    assert overlap_susceptibility(np.zeros((10, 3)), final, LENGTH) == pytest.approx(1.3)


def test_particles_that_move_on_their_own_have_the_susceptibility_of_a_coin():
    """Each stays with probability p: <chi_4> = p (1 - p), whatever their number and the runs'.

    With three runs the biased variance gives two thirds of it. Standard error of the mean .004.
    """
    rng = np.random.default_rng(3)
    found = []
    for _ in range(3000):
        final = np.where(rng.random((3, 20, 1)) < 0.3, 0.0, 1.0) * np.ones(3)
        found.append(overlap_susceptibility(np.zeros((20, 3)), final, LENGTH))
    assert np.mean(found) == pytest.approx(0.21, abs=0.015)


def test_bad_input_is_named(runs):
    initial, final = runs
    with pytest.raises(ValueError, match="needs at least 2, found 1"):
        overlap_susceptibility(initial, final[:1], LENGTH)
    with pytest.raises(ValueError, match="overlap length must be positive, found 0"):
        overlap(initial, final, 0)
    with pytest.raises(ValueError, match=r"found \[5, 39, 3\] and \[40, 3\]"):
        mean_squared_displacement(initial, final[:, :39])


@needs_public_data
def test_scattering_and_squared_displacement_of_the_public_configurations():
    """F_s .348 and MSD .438 of A at T = 0.44, t = 4120, means over 15 configurations.

    12 of the 15 are here; the means over 12 and over 15 differ by about .13 of the spread between
    configurations, which is .086 and .119.
    """
    found = []
    for path in sorted(FOLDER.glob("T0.44/*/*.npz")):
        ensemble = read_ensemble(path)
        a = ensemble.species == 0
        initial, final = ensemble.initial[a], ensemble.final[:, a]
        scattering = self_intermediate_scattering(initial, final, wavevectors(ensemble.box, K))
        found.append([scattering.mean(), mean_squared_displacement(initial, final).mean()])
    assert len(found) == 12
    scattering, squared = np.transpose(found)
    assert scattering.mean() == pytest.approx(0.348, abs=2 * 0.13 * 0.086)
    assert squared.mean() == pytest.approx(0.438, abs=2 * 0.13 * 0.119)
    assert scattering.std(ddof=1) == pytest.approx(0.086, rel=0.3)
    assert squared.std(ddof=1) == pytest.approx(0.119, rel=0.3)
