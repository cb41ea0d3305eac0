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
from lammps_botan.structure.graph import minimum_image

N = 300
LENGTH = 11.0


@pytest.fixture(scope="module")
def points():
    """Random points in a box of more than two reaches, and their species."""
    rng = np.random.default_rng(1)
    return rng.random((N, 3)) * LENGTH, np.eye(3) * LENGTH, np.arange(N) % 3 // 2


def densities_and_order(found, n_species):
    split = n_species * len(RADII)
    return (
        found[:, :split].reshape(len(found), n_species, len(RADII)),
        found[:, split:].reshape(len(found), len(SHELLS), len(DEGREES)),
    )


def test_radial_densities_are_sums_of_gaussians(points):
    positions, cell, species = points
    densities, _ = densities_and_order(shell_descriptors(*points), 2)
    apart = np.linalg.norm(minimum_image(positions[:, None] - positions, cell), axis=2)
    np.fill_diagonal(apart, np.inf)
    near = np.exp(-((apart[:, :, None] - RADII) ** 2) / (2 * WIDTHS**2))
    for kind in (0, 1):
        expected = near[:, species == kind].sum(axis=1)
        np.testing.assert_allclose(densities[:, kind], expected, atol=0.35)
        np.testing.assert_allclose(densities[:, kind].mean(0), expected.mean(0), rtol=0.04)


def test_bond_order_is_that_of_steinhardt_in_a_simple_cubic_lattice():
    """q_4 = .764, q_6 = .354, and none of odd degree."""
    side = np.arange(8.0)
    positions = np.stack(np.meshgrid(side, side, side), axis=-1).reshape(-1, 3)
    found = shell_descriptors(positions, np.eye(3) * 8, np.zeros(512, dtype=np.int64))
    _, order = densities_and_order(found, 1)
    first = order[:, np.flatnonzero(np.isclose(SHELLS, 1.0))[0]]
    np.testing.assert_allclose(first[:, 3], np.sqrt(7 / 12), atol=0.005)
    np.testing.assert_allclose(first[:, 5], np.sqrt(1 / 8), atol=0.005)
    np.testing.assert_allclose(first[:, ::2], 0, atol=1e-3)


def test_rotations_change_nothing(points):
    """Of a cluster in a box so large that its images are out of reach."""
    positions, _, species = points
    cell = np.eye(3) * (2 * LENGTH + 12)
    turned = positions @ ortho_group.rvs(3, random_state=2)
    first, second = (shell_descriptors(x, cell, species) for x in (positions, turned))
    np.testing.assert_allclose(second[:, 2 * len(RADII) :], first[:, 2 * len(RADII) :], atol=1e-5)
    # a distance at the border of two bins may be counted in the other one
    np.testing.assert_allclose(second, first, atol=0.3)


def test_averages_are_weighted_by_distance(points):
    positions, cell, species = points
    values = np.random.default_rng(2).normal(size=(N, 2))
    apart = np.linalg.norm(minimum_image(positions[:, None] - positions, cell), axis=2)
    weights = np.where(apart < AVERAGING, np.exp(-apart / AVERAGING), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    found = neighborhood_averages(values, positions, cell, species)
    expected = np.concatenate([values, weights @ values, weights @ weights @ values], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-12)
