"""Calibration: predictions with the mean and the spread of the truth."""

import numpy as np
import pytest

from lammps_botan.evaluation.calibration import calibrate

RNG = np.random.default_rng(0)
GROUPS = [RNG.integers(0, 2, n) for n in (300, 200, 400)]
TRUE = [RNG.gamma(2.0, 0.2, len(one)) + one for one in GROUPS]


def test_a_straight_line_for_each_species_is_undone():
    slope, offset = np.array([0.5, 2.0]), np.array([0.3, -1.0])
    predicted = [slope[g] * y + offset[g] for g, y in zip(GROUPS, TRUE, strict=True)]
    found = calibrate(predicted, TRUE, GROUPS)
    np.testing.assert_allclose(found.slope, 1 / slope)
    for x, y, g in zip(predicted, TRUE, GROUPS, strict=True):
        np.testing.assert_allclose(found.apply(x, g), y)


def test_mean_and_variance_of_each_species_are_those_of_the_truth():
    """And the correlation within each species is what it was."""
    predicted = [0.3 * y + RNG.normal(0, 0.1, len(y)) for y in TRUE]
    found = calibrate(predicted, TRUE, GROUPS)
    calibrated = [found.apply(x, g) for x, g in zip(predicted, GROUPS, strict=True)]
    for k in (0, 1):
        some = [g == k for g in GROUPS]
        now, then, wanted = (
            [one[mask] for one, mask in zip(part, some, strict=True)]
            for part in (calibrated, predicted, TRUE)
        )
        assert np.mean([a.mean() - b.mean() for a, b in zip(now, wanted, strict=True)]) == (
            pytest.approx(0, abs=1e-12)
        )
        assert sum(a.var() for a in now) == pytest.approx(sum(b.var() for b in wanted))
        for a, b, y in zip(now, then, wanted, strict=True):
            assert np.corrcoef(a, y)[0, 1] == pytest.approx(np.corrcoef(b, y)[0, 1])


def test_noise_of_runs_is_not_predicted():
    """Without it predictions would get the variance of the field and of the noise."""
    field = RNG.normal(0.5, 0.2, 100_000)
    runs = field + RNG.normal(0, 0.6, (4, len(field)))
    groups = np.zeros(len(field), dtype=int)
    noise = runs.var(axis=0, ddof=1) / 4
    quiet = calibrate([field / 2], [runs.mean(axis=0)], [groups], [noise])
    assert quiet.slope[0] == pytest.approx(2, rel=0.02)
    loud = calibrate([field / 2], [runs.mean(axis=0)], [groups])
    assert loud.slope[0] == pytest.approx(2 * np.sqrt(1 + 0.09 / 0.04), rel=0.02)


def test_levels_of_configurations_are_no_variance():
    """Predictions that are right within configurations keep their spread, whatever the levels."""
    levels = (0.0, 5.0, -3.0)
    predicted = [y + level for y, level in zip(TRUE, levels, strict=True)]
    np.testing.assert_allclose(calibrate(predicted, TRUE, GROUPS).slope, 1)


def test_without_a_spread_the_mean_alone_is_calibrated():
    """Of predictions, or of a truth that is all noise; and of a species that is nowhere."""
    groups = [np.array([0, 0, 2, 2])]
    true = [np.array([1.0, 3.0, 5.0, 7.0])]
    found = calibrate([np.ones(4)], true, groups)
    np.testing.assert_array_equal(found.slope, 1)
    np.testing.assert_allclose(found.apply(np.ones(4), groups[0]), [2, 2, 6, 6])
    noisy = calibrate([np.array([0.0, 1.0, 0.0, 1.0])], true, groups, [np.full(4, 9.0)])
    np.testing.assert_array_equal(noisy.slope, 1)
    np.testing.assert_allclose(noisy.offset, [1.5, 0, 5.5])


@pytest.mark.parametrize(
    ("parts", "lengths"),
    [(([], [], []), r"\[\]"), (([np.ones(3)], [np.ones(2)], [np.zeros(3, int)]), r"\[3\], \[2\]")],
)
def test_parts_that_do_not_fit_together_are_refused(parts, lengths):
    with pytest.raises(ValueError, match=f"found lengths {lengths}"):
        calibrate(*parts)
