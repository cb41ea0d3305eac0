"""Ridge regression from moments: against least squares, and what cross-validation chooses."""

import numpy as np
import pytest

from lammps_botan.training.cross_validation import PENALTIES, WEIGHTS, CrossValidation, part_of
from lammps_botan.training.moments import add_moments, moments_of, solve_ridge

P = 6


def draw(seed, n=200, noise=0.0):
    """Descriptors of different sizes and means, a linear target, and a level of its own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, P)) * np.logspace(-2, 2, P) + np.arange(P)
    y = (x / np.logspace(-2, 2, P)) @ np.linspace(1, 2, P) + rng.normal()
    return x, y + noise * rng.normal(size=n)


def least_squares(several, penalty):
    """Weights from a row for each particle and, for the penalty, one for each descriptor."""
    x = np.concatenate([x - x.mean(axis=0) for x, _ in several])
    y = np.concatenate([y - y.mean() for _, y in several])
    spread = x.std(axis=0)
    rows = np.concatenate([x / spread, np.sqrt(penalty) * np.eye(P)])
    return np.linalg.lstsq(rows, np.concatenate([y, np.zeros(P)]))[0] / spread


def test_weights_are_those_of_ridge_regression_within_samples():
    several = [draw(seed, noise=1.0) for seed in range(3)]
    moments = add_moments([moments_of(x, y) for x, y in several])
    np.testing.assert_allclose(
        solve_ridge(moments, 30.0), least_squares(several, 30.0), rtol=1e-8, atol=1e-12
    )


def test_a_descriptor_that_is_constant_has_no_weight():
    x, y = draw(0)
    x[:, 2] = 0.1
    weights = solve_ridge(moments_of(x, y), 1.0)
    assert weights[2] == 0
    assert (weights[np.arange(P) != 2] != 0).all()


def test_a_spread_counts_no_less_than_the_least_one():
    """A descriptor a hundred times smaller than the least spread has a penalty 10000 times more."""
    x, y = draw(0, n=2000)
    x = x[:, :1]
    free = solve_ridge(moments_of(x, y), 1e3)
    held = solve_ridge(moments_of(x, y), 1e3, least_spread=100 * x.std())
    np.testing.assert_allclose(free / held, (1e4 * 1e3 + 2000) / (1e3 + 2000), rtol=1e-6)


def test_the_squared_error_is_that_of_each_particle():
    (x, y), weights = draw(1, noise=2.0), np.linspace(-1, 1, P)
    error = (y - y.mean()) - (x - x.mean(axis=0)) @ weights
    assert moments_of(x, y).squared_error(weights) == pytest.approx(error @ error)


def cross_validation(noise, reversed_noise=None, n=200):
    found = CrossValidation()
    for k in range(5):
        found.add(k, moments_of(*draw(k, n, noise)))
        if reversed_noise is not None:
            found.add(k, moments_of(*draw(10 + k, n, reversed_noise)), reversed_run=True)
    found.choose()
    return found


def test_much_noise_wants_a_large_penalty_and_none_a_small_one():
    assert cross_validation(0.0).penalty == PENALTIES[0]
    assert cross_validation(300.0, n=20).penalty > 100 * PENALTIES[0]


def test_reversed_runs_count_the_less_the_noisier_they_are():
    assert cross_validation(3.0).reversed_weight == 0.0
    assert cross_validation(3.0, reversed_noise=0.0).reversed_weight == WEIGHTS[-1]
    assert cross_validation(1.0, reversed_noise=300.0, n=2000).reversed_weight <= WEIGHTS[1]


def test_a_part_is_predicted_from_the_others():
    """Whatever the target of its configurations, or of their reversed runs."""
    found = cross_validation(1.0, reversed_noise=1.0)
    before = found.fit(part_of(3))
    x, y = draw(3)
    found.add(3, moments_of(x, -100 * y))
    found.add(3, moments_of(x, 100 * y), reversed_run=True)
    after = found.fit(part_of(3))
    np.testing.assert_array_equal(after.weights, before.weights)
    np.testing.assert_array_equal(after.mean_x, before.mean_x)
    assert after.mean_y == before.mean_y
    assert found.fit().mean_y != before.mean_y


def test_a_configuration_is_in_one_part_with_all_its_velocities():
    found = CrossValidation()
    for k in (0, 0, 0):
        found.add(k, moments_of(*draw(k)))
    assert found.n_parts == 1
    found.add(1, moments_of(*draw(1)))
    assert found.n_parts == 2


def test_the_level_is_that_of_the_descriptors():
    """Exactly where level and weights come from the same linear function."""
    found = CrossValidation()
    w = np.linspace(1, 2, P)
    for k in range(4):
        x = np.random.default_rng(k).normal(size=(100, P)) + 0.3 * k
        found.add(k, moments_of(x, x @ w + 5.0))
    found.choose()
    fit = found.fit()
    x = np.random.default_rng(9).normal(size=(100, P)) + 2.0
    predicted = fit.mean_y + (x - fit.mean_x) @ fit.weights
    np.testing.assert_allclose(predicted.mean(), (x @ w).mean() + 5.0, rtol=5e-3)
