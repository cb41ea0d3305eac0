"""Levels: size and spread of predictions, which no correlation tells.

Each configuration and group (a species, or bonds of two species) gives nine numbers, in the length
unit and its square; `Levels` follows from the numbers of several configurations.

The average over few runs varies more than the propensity itself, since it holds the noise of the
runs. Variance and four-point amplitude of the truth are therefore products of two different runs,
averaged over all pairs of runs: the common part of two runs is no noise. Equivalently, it is the
mean, over all splits of the runs into halves, of the common part of the two halves. Predictions
have no such noise and count as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lammps_botan.evaluation.bootstrap import FEWEST, draw_configurations, standard_error
from lammps_botan.evaluation.four_point import fourier_components
from lammps_botan.evaluation.pearson import ROUNDING
from lammps_botan.structure.box import Floats


@dataclass(frozen=True)
class Level:
    """A number over several configurations, and its standard error by bootstrap.

    Attributes
    ----------
    value : float
    error : float
        NaN for fewer than `lammps_botan.evaluation.bootstrap.FEWEST` configurations.

    Examples
    --------
    >>> Level(value=0.9, error=0.1).value
    0.9
    """

    value: float
    error: float


@dataclass(frozen=True)
class Levels:
    """Levels of predictions over several configurations with equal weights.

    Attributes
    ----------
    bias : Level
        Mean of prediction - truth, length unit.
    rmse : Level
        Square root of the mean of (prediction - truth)^2, length unit. The truth holds the noise of
        the runs, so that a perfect prediction has an RMSE as well.
    variance : float
        Variance of the prediction within configurations, length unit squared.
    variance_ratio : Level
        `variance` over that of the truth without the noise of the runs. A regression predicts
        means: its ratio is the square of rho over its ceiling.
    amplitude : float
        Four-point amplitude of the prediction, length unit squared, see
        `lammps_botan.evaluation.four_point`.
    amplitude_ratio : Level
        `amplitude` over that of the truth without the noise of the runs.
    chi_4_ratio : Level
        Variance of the mean predictions of configurations, over that of the mean truths without the
        noise of the runs; NaN for fewer configurations than give errors.

    Examples
    --------
    >>> sums = np.array([[0.1, 0.04, 1.0, 2.0, 1.0, 4.0, 0.6, 0.5, 0.0]])
    >>> found = levels(sums)
    >>> found.bias.value, found.variance_ratio.value, found.amplitude_ratio.value
    (0.1, 0.5, 0.25)
    """

    bias: Level
    rmse: Level
    variance: float
    variance_ratio: Level
    amplitude: float
    amplitude_ratio: Level
    chi_4_ratio: Level


def level_sums(
    prediction: Floats,
    truth: Floats,
    runs: Floats,
    places: Floats,
    waves: Floats,
    ends: int = 1,
) -> Floats:
    """Compute the numbers of a configuration that give the levels of a prediction.

    Parameters
    ----------
    prediction, truth : float [n]
        Length unit.
    runs : float [n_runs, n]
        The quantity in each run, whose average is the truth; length unit.
    places : float [n, 3]
        Positions of the particles, or middles of the bonds; length unit.
    waves : float [n_waves, 3]
        See `lammps_botan.evaluation.four_point.longest_waves`.
    ends : int
        2 for bonds, each of which is there from both ends and counts once in amplitudes.

    Returns
    -------
    float64 [9]
        Mean error; mean squared error; variance of the prediction; variance of the truth without
        noise; amplitude of the prediction; amplitude of the truth without noise; mean of the
        prediction; mean of the truth; variance that noise adds to the mean of the truth. NaN where
        there are no entries, or fewer than two runs.

    Examples
    --------
    >>> runs = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> numbers = level_sums(np.array([2.0, 4.0]), np.array([2.0, 3.0]), runs, np.zeros((2, 3)),
    ...                      np.ones((1, 3)))
    >>> numbers[:4]
    array([0.5 , 0.5 , 1.  , 0.25])
    """
    if not len(truth):
        return np.full(9, np.nan)
    error = prediction.astype(np.float64) - truth
    predicted = fourier_components(prediction.astype(np.float64), places, waves)
    _, variance, amplitude = _of_runs(runs, places, waves, ends)
    return np.array(
        [
            error.mean(),
            (error**2).mean(),
            prediction.var(dtype=np.float64),
            variance,
            _mean(np.abs(predicted) ** 2) / (ends * len(truth)),
            amplitude,
            prediction.mean(dtype=np.float64),
            truth.mean(),
            runs.mean(axis=1).var(ddof=1) / len(runs) if len(runs) > 1 else np.nan,
        ]
    )


def perfect_level_sums(runs: Floats, places: Floats, waves: Floats, ends: int = 1) -> Floats:
    """Compute the numbers of a prediction that knows the average over infinitely many runs.

    Its mean squared error is the noise of the average over these runs.

    Parameters
    ----------
    runs, places, waves, ends
        As of `level_sums`.

    Returns
    -------
    float64 [9]
        As of `level_sums`.

    Examples
    --------
    >>> runs = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> perfect_level_sums(runs, np.zeros((2, 3)), np.ones((1, 3)))[:4]
    array([0.  , 1.  , 0.25, 0.25])
    """
    if not runs.shape[1] or not len(runs):
        return np.full(9, np.nan)
    noise, variance, amplitude = _of_runs(runs, places, waves, ends)
    mean = runs.mean()
    return np.array([0, noise, variance, variance, amplitude, amplitude, mean, mean, 0])


def levels(sums: Floats, unit: float = 1.0) -> Levels:
    """Compute the levels of predictions.

    Parameters
    ----------
    sums : float64 [n_configurations, 9]
        As of `level_sums`.
    unit : float
        A length such as the diameter of a particle. Ratios are NaN where the truth varies by less
        than 1e-12 of it, as in runs that never moved.

    Returns
    -------
    Levels

    Examples
    --------
    >>> sums = np.array([[0.1, 0.04, 1.0, 2.0, 1.0, 4.0, 0.6, 0.5, 0.0]])
    >>> levels(sums).rmse
    Level(value=0.2, error=nan)
    """
    n = len(sums)
    drawn = draw_configurations(n)
    means, resampled = sums.mean(axis=0), sums[drawn].mean(axis=1)
    least = (ROUNDING * unit) ** 2

    def ratio(of: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> Level:
        """Ratio of the two results of a function of means [..., 9] and sums [..., n, 9]."""
        value, values = (
            predicted / np.where(true > least, true, np.nan)
            for predicted, true in (of(means, sums), of(resampled, sums[drawn]))
        )
        return Level(float(value), standard_error(values, n))

    return Levels(
        bias=Level(float(means[0]), standard_error(resampled[:, 0], n)),
        rmse=Level(float(np.sqrt(means[1])), standard_error(np.sqrt(resampled[:, 1]), n)),
        variance=float(means[2]),
        variance_ratio=ratio(lambda mean, _: (mean[..., 2], mean[..., 3])),
        amplitude=float(means[4]),
        amplitude_ratio=ratio(lambda mean, _: (mean[..., 4], mean[..., 5])),
        chi_4_ratio=ratio(_between) if n >= FEWEST else Level(np.nan, np.nan),
    )


def _between(means: Floats, sums: Floats) -> tuple[Floats, Floats]:
    """Variances between configurations, of the prediction and of the truth without noise."""
    predicted, true = np.moveaxis(sums[..., 6:8].var(axis=-2, ddof=1), -1, 0)
    return predicted, true - means[..., 8]


def _of_runs(runs: Floats, places: Floats, waves: Floats, ends: int) -> tuple[float, float, float]:
    """Noise of the average over runs, and its variance and amplitude without noise."""
    n_runs, n = runs.shape
    if n_runs < 2:
        return np.nan, np.nan, np.nan
    pairs = n_runs * (n_runs - 1)
    noise = float(runs.var(axis=0, ddof=1).mean()) / n_runs
    relative = runs - runs.mean(axis=1, keepdims=True)
    common = ((relative.sum(axis=0) ** 2).sum() - (relative**2).sum()) / pairs
    each = fourier_components(runs, places, waves)
    waves_in_common = (np.abs(each.sum(axis=0)) ** 2 - (np.abs(each) ** 2).sum(axis=0)) / pairs
    # a wave of n entries with all bonds twice is twice as high as that of n / 2 bonds
    return noise, float(common) / n, _mean(waves_in_common) / (ends * n)


def _mean(values: Floats) -> float:
    """Mean of values [n]; NaN for none."""
    return float(values.mean()) if len(values) else np.nan
