"""Levels: how large predictions are, and how much they vary, which no correlation tells.

Of each configuration and group (a species, or bonds of two species) there are nine numbers, in the
length unit and its square; `Levels` is what follows from those of several configurations.

The average over few runs varies more than what a configuration makes its particles do: it holds the
noise of the runs. Variance and four-point amplitude of the truth are therefore products of two
different runs, averaged over all pairs of runs: what these have in common is no noise. This is the
mean over all splits of the runs into halves of what the two halves have in common. Predictions have
no such noise, and count as they are.
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

    The error is NaN for fewer than `lammps_botan.evaluation.bootstrap.FEWEST` configurations.
    """

    value: float
    error: float


@dataclass(frozen=True)
class Levels:
    """Levels of predictions over several configurations, each of which weighs the same.

    Attributes
    ----------
    bias : Level
        Mean of prediction - truth, length unit.
    rmse : Level
        Square root of the mean of (prediction - truth)^2, length unit. The truth holds the noise of
        the runs, so that a perfect prediction has an RMSE as well.
    variance : float
        Of the prediction within configurations, length unit squared.
    variance_ratio : Level
        `variance` over that of the truth without the noise of the runs. Of a regression it is the
        square of rho over its ceiling, as the mean of what cannot be told varies less than what
        happens.
    amplitude : float
        Four-point amplitude of the prediction, see `lammps_botan.evaluation.four_point`.
    amplitude_ratio : Level
        `amplitude` over that of the truth without the noise of the runs.
    chi_4_ratio : Level
        Variance of the mean predictions of configurations, over that of the mean truths without the
        noise of the runs; NaN for fewer configurations than give errors.
    """

    bias: Level
    rmse: Level
    variance: float
    variance_ratio: Level
    amplitude: float
    amplitude_ratio: Level
    chi_4_ratio: Level


def level_sums(
    prediction: Floats, truth: Floats, runs: Floats, places: Floats, waves: Floats
) -> Floats:
    """Numbers of a configuration that give the levels of a prediction.

    Parameters
    ----------
    prediction, truth : [n]
        Length unit.
    runs : [n_runs, n]
        What the truth is the average of.
    places : [n, 3]
        Positions of the particles, or middles of the bonds.
    waves : [n_waves, 3]
        See `lammps_botan.evaluation.four_point.longest_waves`.

    Returns
    -------
    float64 [9]
        Mean error, mean squared error, variance of the prediction, that of the truth without noise,
        amplitude of the prediction, that of the truth without noise, mean of the prediction, that
        of the truth, and the variance that noise brings into the latter. NaN where nothing is
        there, or fewer than two runs.
    """
    if not len(truth):
        return np.full(9, np.nan)
    error = prediction.astype(np.float64) - truth
    predicted = fourier_components(prediction.astype(np.float64), places, waves)
    _, variance, amplitude = _of_runs(runs, places, waves)
    return np.array(
        [
            error.mean(),
            (error**2).mean(),
            prediction.var(dtype=np.float64),
            variance,
            _mean(np.abs(predicted) ** 2) / len(truth),
            amplitude,
            prediction.mean(dtype=np.float64),
            truth.mean(),
            runs.mean(axis=1).var(ddof=1) / len(runs) if len(runs) > 1 else np.nan,
        ]
    )


def perfect_level_sums(runs: Floats, places: Floats, waves: Floats) -> Floats:
    """The same numbers of a prediction that knows the average over infinitely many runs.

    Its mean squared error is the noise of the average over these runs.

    Parameters
    ----------
    runs, places, waves
        As of `level_sums`.
    """
    if not runs.shape[1] or not len(runs):
        return np.full(9, np.nan)
    noise, variance, amplitude = _of_runs(runs, places, waves)
    mean = runs.mean()
    return np.array([0, noise, variance, variance, amplitude, amplitude, mean, mean, 0])


def levels(sums: Floats, unit: float = 1.0) -> Levels:
    """Levels of predictions.

    Parameters
    ----------
    sums : [n_configurations, 9]
        As of `level_sums`.
    unit : float
        A length such as the diameter of a particle. Where the truth varies by less than 1e-12 of
        it, as in runs that never moved, ratios are NaN.
    """
    n = len(sums)
    drawn = draw_configurations(n)
    means, resampled = sums.mean(axis=0), sums[drawn].mean(axis=1)
    least = (ROUNDING * unit) ** 2

    def ratio(of: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> Level:
        """Of what the function says of means [..., 9] and sums [..., n_configurations, 9]."""
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


def _of_runs(runs: Floats, places: Floats, waves: Floats) -> tuple[float, float, float]:
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
    return noise, float(common) / n, _mean(waves_in_common) / n


def _mean(values: Floats) -> float:
    """The mean of values [n]; NaN of none."""
    return float(values.mean()) if len(values) else np.nan
