"""Levels of predictions: bias, error, and how much they vary in space."""

import itertools

import numpy as np
import pytest

from lammps_botan.evaluation.four_point import longest_waves
from lammps_botan.evaluation.level import level_sums, levels, perfect_level_sums
from lammps_botan.structure.box import Box

PLACES = np.stack(np.meshgrid(*[np.arange(16.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
WAVES = longest_waves(Box(16.0, (True, True, True)))
N = len(PLACES)


def runs_around(field, n_runs, *, noise=0.0, waves=0.0, seed=0):
    """Runs with noise of each particle, and noise that waves through the box."""
    rng = np.random.default_rng(seed)
    shift = rng.normal(0, noise, (n_runs, N))
    return field + shift + waves * rng.normal(size=(n_runs, 1)) * np.sin(PLACES @ WAVES[1])


def of(prediction, runs):
    return levels(level_sums(prediction, runs.mean(axis=0), runs, PLACES, WAVES)[None])


FIELD = 0.5 + 0.2 * np.cos(PLACES @ WAVES[0])  # has the variance .02


def test_of_the_truth_itself_there_is_no_error_and_both_ratios_are_one():
    found = of(FIELD, np.stack([FIELD, FIELD]))
    assert found.bias.value == found.rmse.value == 0
    assert found.variance_ratio.value == pytest.approx(1)
    assert found.amplitude_ratio.value == pytest.approx(1)
    assert found.variance == pytest.approx(0.02)
    # (.2 N / 2)^2 / N in one of thirteen waves
    assert found.amplitude == pytest.approx(0.01 * N / 13)


def test_a_flatter_field_that_is_too_high_has_the_bias_and_the_ratios_it_was_made_with():
    """Of half the height: a quarter of the variance, and an error of .1 and the other half."""
    found = of(0.1 + 0.5 + (FIELD - 0.5) / 2, np.stack([FIELD, FIELD]))
    assert found.bias.value == pytest.approx(0.1)
    assert found.rmse.value == pytest.approx(np.sqrt(0.1**2 + 0.02 / 4))
    assert found.variance_ratio.value == pytest.approx(0.25)
    assert found.amplitude_ratio.value == pytest.approx(0.25)


def test_variance_that_is_not_in_long_waves_has_no_amplitude():
    checkered = 0.2 * (-1) ** PLACES.sum(axis=1)
    found = of(0.5 + checkered, np.stack([FIELD, FIELD]))
    assert found.variance_ratio.value == pytest.approx(0.04 / 0.02)
    assert found.amplitude_ratio.value == pytest.approx(0, abs=1e-12)


def test_noise_of_runs_is_no_variance_of_the_truth():
    """The average over four runs varies by .02 + .16 / 4, three times as much as the field."""
    runs = runs_around(FIELD, 4, noise=0.4)
    assert runs.mean(axis=0).var() == pytest.approx(0.06, rel=0.05)
    assert of(FIELD, runs).variance_ratio.value == pytest.approx(1, abs=0.1)


def test_noise_that_waves_through_the_box_is_no_amplitude_of_the_truth():
    """The average over 16 runs has waves of noise that are as large as those of the field."""
    runs = [runs_around(FIELD, 16, waves=0.8, seed=k) for k in range(40)]
    assert np.mean([one.mean(axis=0).var() for one in runs]) == pytest.approx(0.04, rel=0.2)
    true = [level_sums(FIELD, FIELD, one, PLACES, WAVES)[5] for one in runs]
    assert np.mean(true) == pytest.approx(0.01 * N / 13, rel=0.15)


def test_a_perfect_prediction_has_the_error_that_it_shows():
    runs = runs_around(FIELD, 8, noise=0.4)
    perfect = levels(perfect_level_sums(runs, PLACES, WAVES)[None])
    assert perfect.bias.value == 0
    assert perfect.rmse.value == pytest.approx(of(FIELD, runs).rmse.value, rel=0.03)
    assert perfect.rmse.value == pytest.approx(0.4 / np.sqrt(8), rel=0.02)
    assert perfect.variance == pytest.approx(0.02, rel=0.1)
    assert perfect.variance_ratio.value == perfect.amplitude_ratio.value == 1


def test_pairs_of_runs_are_all_splits_into_halves():
    """Of six runs there are ten splits; the halves of each have the truth in common."""
    runs = np.random.default_rng(1).normal(1, 1, (6, N)) + FIELD
    noise, variance, amplitude = [], [], []
    phases = np.exp(1j * PLACES @ WAVES.T)
    for other in itertools.combinations(range(1, 6), 2):
        first = runs[[0, *other]].mean(axis=0)
        second = runs[[k for k in range(1, 6) if k not in other]].mean(axis=0)
        noise.append(((first - second) ** 2).mean() / 4)
        variance.append(np.cov(first, second, bias=True)[0, 1])
        waves = [(one - one.mean()) @ phases for one in (first, second)]
        amplitude.append((waves[0] * waves[1].conj()).real.mean() / N)
    found = perfect_level_sums(runs, PLACES, WAVES)
    expected = [0, *(np.mean(one) for one in (noise, variance, variance, amplitude, amplitude))]
    np.testing.assert_allclose(found[:6], expected, rtol=1e-9, atol=1e-12)


def test_configurations_weigh_the_same_and_five_give_errors():
    rng = np.random.default_rng(2)
    sums = np.abs(rng.normal(1, 0.1, (12, 9)))
    found = levels(sums)
    assert found.bias.value == pytest.approx(sums[:, 0].mean())
    assert found.bias.error == pytest.approx(sums[:, 0].std(ddof=1) / 12**0.5, rel=0.1)
    assert found.rmse.value == pytest.approx(np.sqrt(sums[:, 1].mean()))
    assert found.variance_ratio.value == pytest.approx(sums[:, 2].sum() / sums[:, 3].sum())
    # of a quotient of two independent means, each with an error of 10 % / sqrt(12)
    assert found.amplitude_ratio.error == pytest.approx(0.1 * (2 / 12) ** 0.5, rel=0.4)
    assert np.isnan(levels(sums[:4]).rmse.error)
    assert np.isfinite(levels(sums[:5]).rmse.error)


def test_chi_4_is_the_variance_between_configurations_without_noise():
    """Means differ by .3 between configurations, and by .6 between the four runs of each.

    The means of averages over runs then vary by .09 + .36 / 4. The prediction knows a third of
    each mean.
    """
    rng = np.random.default_rng(4)
    sums = []
    for mean in rng.normal(0, 0.3, 2000):
        runs = mean + FIELD[:512] + rng.normal(0, 0.6, (4, 1))
        one = level_sums(mean / 3 + FIELD[:512], runs.mean(axis=0), runs, PLACES[:512], WAVES)
        sums.append(one)
    assert np.var(np.array(sums)[:, 7]) == pytest.approx(0.09 + 0.36 / 4, rel=0.1)
    found = levels(np.array(sums)).chi_4_ratio
    assert found.value == pytest.approx(1 / 9, rel=0.1)
    assert abs(found.value - 1 / 9) < 3 * found.error


def test_chi_4_of_a_perfect_prediction_is_that_of_the_truth():
    runs = [runs_around(FIELD + k, 4, noise=0.1, seed=k) for k in range(5)]
    sums = np.array([perfect_level_sums(one, PLACES, WAVES) for one in runs])
    assert levels(sums).chi_4_ratio.value == pytest.approx(1, rel=1e-12)
    assert np.isnan(levels(sums[:4]).chi_4_ratio.value)


@pytest.mark.parametrize("n_runs", [0, 1])
def test_a_single_run_does_not_tell_its_noise(n_runs):
    runs = FIELD + np.zeros((n_runs, 1))
    found = levels(level_sums(FIELD + 0.1, FIELD, runs, PLACES, WAVES)[None])
    assert found.bias.value == found.rmse.value == pytest.approx(0.1)
    assert np.isnan([found.variance_ratio.value, found.amplitude_ratio.value]).all()
    assert np.isnan(levels(perfect_level_sums(runs, PLACES, WAVES)[None]).rmse.value)


def test_of_nothing_and_of_runs_that_never_moved_there_are_no_ratios():
    nothing = np.zeros((0, 3))
    found = levels(level_sums(nothing[:, 0], nothing[:, 0], nothing.T[:2], nothing, WAVES)[None])
    assert np.isnan([found.bias.value, found.rmse.value, found.variance_ratio.value]).all()
    rounding = np.random.default_rng(0).normal(0, 1e-16, (2, N))
    found = of(FIELD, rounding)
    assert found.bias.value == pytest.approx(0.5)
    assert np.isnan([found.variance_ratio.value, found.amplitude_ratio.value]).all()


def test_a_box_without_images_has_no_waves_and_no_amplitude():
    runs = np.stack([FIELD, FIELD])
    found = levels(level_sums(FIELD, FIELD, runs, PLACES, np.empty((0, 3)))[None])
    assert found.variance_ratio.value == pytest.approx(1)
    assert np.isnan([found.amplitude, found.amplitude_ratio.value]).all()
