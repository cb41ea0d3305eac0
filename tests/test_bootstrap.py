"""Correlations over several configurations, and their errors."""

import numpy as np
import pytest

from lammps_botan.evaluation.bootstrap import FEWEST, ceilings, correlations
from lammps_botan.evaluation.pearson import halves_moments, moments, pearson

RESAMPLING = 0.1  # relative error of an error from 1000 resamples, with a margin


def predictions(quality, seed=0, n=400):
    """Moments of predictions that are better in some configurations than in others."""
    rng = np.random.default_rng(seed)
    found = []
    for weight in quality:
        truth = rng.normal(size=n)
        found.append(moments(weight * truth + rng.normal(size=n), truth))
    return np.stack(found)


QUALITY = np.linspace(0.3, 2.0, 12)


def test_the_error_of_the_mean_is_the_standard_error():
    found = correlations(predictions(QUALITY))
    each = found.per_configuration
    assert found.mean == pytest.approx(each.mean())
    expected = each.std(ddof=1) / np.sqrt(len(each))
    assert found.mean_error == pytest.approx(expected, rel=RESAMPLING)


def test_pooled_correlations_have_an_error_of_the_same_size():
    found = correlations(predictions(QUALITY))
    assert 0.5 < found.pooled_error / found.mean_error < 2


def test_the_same_configurations_are_drawn_at_each_call():
    first, again = (correlations(predictions(QUALITY)) for _ in range(2))
    np.testing.assert_array_equal(first.resampled_mean, again.resampled_mean)
    np.testing.assert_array_equal(first.resampled_pooled, again.resampled_pooled)


def test_the_error_of_five_configurations_is_not_too_small():
    """Sets drawn from five scatter by sqrt(4 / 5) of the standard error, which is 11 % less."""
    found = correlations(predictions(QUALITY[:5]))
    expected = found.per_configuration.std(ddof=1) / np.sqrt(5)
    assert found.mean_error == pytest.approx(expected, rel=0.06)


def test_one_configuration_is_its_own_mean():
    found = correlations(predictions([1.0]))
    assert found.mean == found.pooled == found.per_configuration[0]


@pytest.mark.parametrize("n", [1, 2, FEWEST - 1, FEWEST])
def test_few_configurations_have_no_error(n):
    found = correlations(predictions(QUALITY[:n]))
    other = correlations(predictions(QUALITY[:n] + 0.1))
    errors = [found.mean_error, found.pooled_error, found.minus(other)[1]]
    assert np.isnan(errors).all() == (n < FEWEST)
    assert np.isfinite(found.minus(other)[0])


def test_what_configurations_have_in_common_drops_out_of_a_difference():
    """Two predictions that are good and bad in the same configurations."""
    better, worse = (correlations(predictions(QUALITY + shift)) for shift in (0.1, 0.0))
    difference, error = better.minus(worse)
    assert difference == pytest.approx(better.mean - worse.mean)
    steps = better.per_configuration - worse.per_configuration
    assert error == pytest.approx(steps.std(ddof=1) / np.sqrt(len(steps)), rel=RESAMPLING)
    assert error < 0.2 * better.mean_error


def test_one_undefined_rho_leaves_the_mean_undefined():
    sums = predictions([1.0, 1.0])
    sums[1] = moments(np.ones(9), np.arange(9))
    found = correlations(sums)
    assert np.isnan(found.per_configuration).tolist() == [False, True]
    assert np.isnan(found.mean)
    assert np.isfinite(found.pooled)


def test_the_pooled_ceiling_of_one_configuration_is_its_own():
    rng = np.random.default_rng(0)
    common = rng.normal(size=500)
    halves = moments(*(common + rng.normal(size=(2, 7, 500))))[:, None]
    found = ceilings(halves, [2])
    assert found.per_configuration.shape == (1,)
    assert found.pooled == pytest.approx(found.mean)
    # halves correlate with 1 / 2, so that the whole has the reliability 2 / 3
    assert found.mean == pytest.approx(np.sqrt(2 / 3), abs=0.03)


@pytest.mark.parametrize("n_runs", [0, 1])
def test_no_ceiling_is_known_with_a_configuration_of_one_run_or_none(n_runs):
    rng = np.random.default_rng(2)
    known = rng.normal(size=500)
    runs = [known + rng.normal(size=(n, 500)) for n in (4, 4, n_runs)]
    found = ceilings(np.stack([halves_moments(one) for one in runs], axis=1), [4, 4, n_runs])
    assert np.isnan([found.mean, found.pooled]).all()
    assert np.isfinite(found.per_configuration).tolist() == [True, True, False]


def test_ceilings_count_the_run_that_an_odd_number_leaves_out():
    rng = np.random.default_rng(1)
    known = rng.normal(size=(2, 20_000))
    halves, each = [], []
    for one, n_runs in zip(known, (3, 3), strict=True):
        runs = one + rng.normal(size=(n_runs, len(one)))
        halves.append(halves_moments(runs))
        each.append(pearson(one, runs.mean(axis=0)))
    found = ceilings(np.stack(halves, axis=1), [3, 3])
    assert found.per_configuration == pytest.approx(each, abs=0.01)
    assert found.pooled == pytest.approx(np.mean(each), abs=0.01)
