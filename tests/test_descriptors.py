"""Descriptors of neighborhoods: their definitions, on lattices and on random points."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from lammps_botan.analysis.descriptors import (
    AVERAGING,
    DEGREES,
    RADII,
    SHELLS,
    WIDTHS,
    neighborhood_averages,
    shell_descriptors,
)
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KOB_ANDERSEN

N = 300
LENGTH = 11.0


@pytest.fixture(scope="module")
def points():
    """Random points of two species in a box of more than two reaches."""
    rng = np.random.default_rng(1)
    return liquid(rng.random((N, 3)) * LENGTH, LENGTH, np.arange(N) % 3 // 2)


def liquid(positions, length, species):
    return Configuration(positions, species, Box(length, (True, True, True)))


def distances(points):
    between = points.positions[:, None] - points.positions
    return np.linalg.norm(points.box.minimum_image(between), axis=2)


def densities_and_order(found, n_species):
    split = n_species * len(RADII)
    return (
        found[:, :split].reshape(len(found), n_species, len(RADII)),
        found[:, split:].reshape(len(found), len(SHELLS), len(DEGREES)),
    )


def test_radial_densities_are_sums_of_gaussians(points):
    densities, _ = densities_and_order(shell_descriptors(points), 2)
    apart = distances(points)
    np.fill_diagonal(apart, np.inf)
    near = np.exp(-((apart[:, :, None] - RADII) ** 2) / (2 * WIDTHS**2))
    for kind in (0, 1):
        expected = near[:, points.species == kind].sum(axis=1)
        np.testing.assert_allclose(densities[:, kind], expected, atol=0.35)
        np.testing.assert_allclose(densities[:, kind].mean(0), expected.mean(0), rtol=0.04)


def test_bond_order_is_that_of_steinhardt_in_a_simple_cubic_lattice():
    """q_4 = .764, q_6 = .354, and none of odd degree."""
    side = np.arange(8.0)
    positions = np.stack(np.meshgrid(side, side, side), axis=-1).reshape(-1, 3)
    found = shell_descriptors(liquid(positions, 8.0, np.zeros(512, int)))
    _, order = densities_and_order(found, 1)
    first = order[:, np.flatnonzero(np.isclose(SHELLS, 1.0))[0]]
    np.testing.assert_allclose(first[:, 3], np.sqrt(7 / 12), atol=0.005)
    np.testing.assert_allclose(first[:, 5], np.sqrt(1 / 8), atol=0.005)
    np.testing.assert_allclose(first[:, ::2], 0, atol=1e-3)


def test_rotations_change_nothing(points):
    """Of a cluster in a box so large that its images are out of reach."""
    turned = points.positions @ ortho_group.rvs(3, random_state=2)
    first, second = (
        shell_descriptors(liquid(x, 2 * LENGTH + 12, points.species))
        for x in (points.positions, turned)
    )
    np.testing.assert_allclose(second[:, 2 * len(RADII) :], first[:, 2 * len(RADII) :], atol=1e-5)
    # a distance at the border of two bins may be counted in the other one
    np.testing.assert_allclose(second, first, atol=0.3)


def test_averages_are_weighted_by_distance(points):
    values = np.random.default_rng(2).normal(size=(N, 2))
    apart = distances(points)
    weights = np.where(apart < AVERAGING, np.exp(-apart / AVERAGING), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    found = neighborhood_averages(values, points)
    expected = np.concatenate([values, weights @ values, weights @ weights @ values], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_lengths_are_those_of_the_mixture(points):
    """All lengths times 3.4, the diameter included, leave the descriptors as they are."""
    scale = 3.4
    argon = KOB_ANDERSEN.model_copy(update={"units": "real", "diameter": scale})
    large = Configuration(
        scale * points.positions,
        points.species,
        Box(scale * LENGTH, (True, True, True)),
        mixture=argon,
    )
    # a distance at the border of two bins may be counted in the other one
    np.testing.assert_allclose(shell_descriptors(large), shell_descriptors(points), atol=0.3)
    values = np.random.default_rng(2).normal(size=(N, 2))
    np.testing.assert_allclose(
        neighborhood_averages(values, large), neighborhood_averages(values, points), atol=1e-12
    )


def test_units_without_a_diameter_are_refused(points):
    metal = Configuration(points.positions, points.species, points.box, units="metal")
    with pytest.raises(ValueError, match=r"in metal units, where cutoffs need the diameter"):
        shell_descriptors(metal)
