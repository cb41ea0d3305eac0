"""The relaxation time: known curves with noise, and curves that have none."""

import numpy as np
import pytest

from lammps_botan.analysis.relaxation_time import RelaxationTime, fit_relaxation_time

NOISE = 0.005
# curves like those of the Kob-Andersen mixture at T = 0.44, 0.50 and 0.64, at the paper's times
CURVES = {
    "0.44": RelaxationTime(4120.0, 0.0, 0.65, 0.82, 0.15, 1.0),
    "0.50": RelaxationTime(217.0, 0.0, 0.70, 0.80, 0.15, 1.2),
    "0.64": RelaxationTime(16.5, 0.0, 0.78, 0.78, 0.16, 1.4),
}
TIMES = {
    "0.44": [0.13, 1.3, 13, 130, 412, 1300, 4120, 13000, 41200, 130000],
    "0.50": [0.108, 0.434, 2.17, 6.86, 21.7, 68.6, 217, 686, 2170, 6860],
    "0.64": [0.032, 0.1, 0.165, 0.52, 1.65, 5.2, 16.5, 52, 165, 520],
}


def pulls(curve, times, *, with_errors):
    """(found - true) / quoted error of tau_alpha over 20 draws of the noise."""
    found = []
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, NOISE, len(times))
        errors = np.full(len(times), NOISE) if with_errors else None
        fit = fit_relaxation_time(times, curve.curve(times) + noise, errors)
        assert fit.tau_alpha == pytest.approx(curve.tau_alpha, rel=0.1)
        found.append((fit.tau_alpha - curve.tau_alpha) / fit.error)
    return np.array(found)


@pytest.mark.parametrize("temperature", CURVES)
def test_known_times_are_found_within_the_quoted_error(temperature):
    found = pulls(CURVES[temperature], TIMES[temperature], with_errors=True)
    assert abs(found.mean()) < 3 / np.sqrt(20)
    assert 0.6 < np.sqrt((found**2).mean()) < 1.5


@pytest.mark.parametrize("temperature", CURVES)
def test_the_scatter_of_thirty_points_gives_the_error_as_well(temperature):
    curve, times = CURVES[temperature], TIMES[temperature]
    found = pulls(curve, np.geomspace(times[0], times[-1], 30), with_errors=False)
    assert abs(found.mean()) < 3 / np.sqrt(20)
    assert 0.6 < np.sqrt((found**2).mean()) < 1.5


def test_seven_times_are_enough():
    found = pulls(CURVES["0.64"], [0.1, 0.52, 1.65, 5.2, 16.5, 52, 165], with_errors=True)
    assert np.abs(found).max() < 3


@pytest.mark.parametrize("temperature", CURVES)
def test_every_parameter_of_a_curve_without_noise_is_found(temperature):
    true, times = CURVES[temperature], np.geomspace(0.01, 2e5, 40)
    fit = fit_relaxation_time(times, true.curve(times))
    for name in ("tau_alpha", "beta", "plateau", "tau_short", "beta_short"):
        assert getattr(fit, name) == pytest.approx(getattr(true, name), rel=1e-4), name
    assert fit.error < 1e-4 * fit.tau_alpha


def test_a_simple_exponential_has_its_own_time():
    times = np.geomspace(0.3, 80, 25)
    noise = np.random.default_rng(3).normal(0, NOISE, 25)
    fit = fit_relaxation_time(times, np.exp(-times / 10.0) + noise)
    assert fit.one_over_e == pytest.approx(10.0, rel=0.03)
    assert fit.tau_alpha == pytest.approx(10.0, rel=0.05)
    np.testing.assert_allclose(fit.curve(times), np.exp(-times / 10.0), atol=0.02)


@pytest.mark.parametrize("temperature", CURVES)
def test_the_curve_is_one_over_e_where_it_says(temperature):
    curve = CURVES[temperature]
    assert curve.curve(curve.one_over_e) == pytest.approx(np.exp(-1), abs=1e-9)
    assert curve.one_over_e < curve.tau_alpha  # the fast decay has taken its part


def test_the_curve_is_the_formula():
    curve = RelaxationTime(100.0, 0.0, 0.7, 0.8, 0.2, 1.5)
    expected = 0.2 * np.exp(-((3 / 0.2) ** 1.5)) + 0.8 * np.exp(-((3 / 100) ** 0.7))
    assert curve.curve(3.0) == pytest.approx(expected)
    assert curve.curve([0.0, 1e9]).tolist() == [1.0, 0.0]


def test_other_units_of_time_give_the_same_fit():
    """Times in steps of 0.001 instead of LJ units."""
    curve, times = CURVES["0.50"], np.array(TIMES["0.50"])
    noisy = curve.curve(times) + np.random.default_rng(4).normal(0, NOISE, len(times))
    fit, in_steps = fit_relaxation_time(times, noisy), fit_relaxation_time(times / 1e-3, noisy)
    assert in_steps.tau_alpha == pytest.approx(fit.tau_alpha / 1e-3)
    assert in_steps.error == pytest.approx(fit.error / 1e-3)
    assert in_steps.one_over_e == pytest.approx(fit.one_over_e / 1e-3)


def test_the_start_of_a_run_may_be_among_the_times():
    curve, times = CURVES["0.64"], np.array([0.0, *TIMES["0.64"]])
    fit = fit_relaxation_time(times, curve.curve(times), np.full(len(times), NOISE))
    assert fit.tau_alpha == pytest.approx(16.5, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scattering": [1.0, 0.5]}, r"one length .* found times \[8\], scattering \[2\]"),
        ({"errors": [0.1]}, r"found times \[8\], scattering \[8\], errors \[1\]"),
        ({"scattering": [0.9, np.nan, *[0.1] * 6]}, "scattering must be finite, found nan at ind"),
        ({"times": [1, 2, 4, 3, 5, 6, 7, 8]}, r"times must increase .* found \[1.0, 2.0, 4.0"),
        ({"times": [-1, 2, 3, 4, 5, 6, 7, 8]}, "times must increase from 0 or later"),
        ({"errors": [0.0] * 8}, "errors must be positive, found 0.0"),
        (
            {"times": [1, 2, 3], "scattering": [1, 0.5, 0.1]},
            "5 parameters needs at least 6 times, found 3: add lag times",
        ),
        (
            {"scattering": np.linspace(0.9, 0.5, 8)},
            "after these times: the scattering function is still 0.5 at the last one, 8, .* longer",
        ),
        (
            {"scattering": np.linspace(0.3, 0.0, 8)},
            "before these times: the scattering function is already 0.3 at the first one, 1, ",
        ),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"times": np.arange(1, 9), "scattering": np.linspace(0.9, 0.1, 8)} | change
    with pytest.raises(ValueError, match=message):
        fit_relaxation_time(**arguments)
