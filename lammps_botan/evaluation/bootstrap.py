"""Correlations over several configurations, with the error from the choice of configurations.

The error is the standard deviation over resampled sets of configurations, drawn with replacement
(bootstrap: Efron, Ann. Statist. 7, 1 (1979), doi:10.1214/aos/1176344552). For n configurations the
error is multiplied by sqrt(n / (n - 1)), which makes the variance of a mean unbiased. Every call
uses the same sets, so that correlations over the same configurations can be compared set by set.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lammps_botan.evaluation.pearson import ceiling, correlation, lengthening, rho_pooled
from lammps_botan.structure.box import Floats, Ints

N_RESAMPLES = 1000  # gives the error to 2 %
FEWEST = 5  # with fewer configurations the error itself is wrong by 40 % and more


@dataclass(frozen=True)
class Correlations:
    """Rho of several configurations.

    Attributes
    ----------
    per_configuration : float64 [n_configurations]
        NaN where rho is not defined; then the mean is NaN too.
    pooled : float
        Rho over the entries of all configurations together.
    resampled_mean, resampled_pooled : float64 [N_RESAMPLES]
        Mean of `per_configuration`, and `pooled`, for each resampled set of configurations.

    Examples
    --------
    >>> from lammps_botan.evaluation.pearson import moments
    >>> rng = np.random.default_rng(1)
    >>> truth = rng.normal(size=(5, 100))
    >>> found = correlations(moments(truth + rng.normal(size=(5, 100)), truth))
    >>> round(found.mean, 2), round(found.mean_error, 2)
    (0.65, 0.03)
    """

    per_configuration: Floats
    pooled: float
    resampled_mean: Floats
    resampled_pooled: Floats

    @property
    def mean(self) -> float:
        """Mean of rho over the configurations."""
        return float(self.per_configuration.mean())

    @property
    def mean_error(self) -> float:
        """Standard error of `mean`; NaN for fewer than `FEWEST` configurations."""
        return self._error(self.resampled_mean)

    @property
    def pooled_error(self) -> float:
        """Standard error of `pooled`; NaN for fewer than `FEWEST` configurations."""
        return self._error(self.resampled_pooled)

    def minus(self, other: "Correlations") -> tuple[float, float]:
        """Difference of the mean to another one of the same configurations, and its error.

        The error is paired: what the configurations have in common drops out.
        """
        difference = float((self.per_configuration - other.per_configuration).mean())
        return difference, self._error(self.resampled_mean - other.resampled_mean)

    def _error(self, resampled: Floats) -> float:
        return standard_error(resampled, len(self.per_configuration))


def correlations(moments: Floats) -> Correlations:
    """Compute the correlations of predictions.

    Parameters
    ----------
    moments : float64 [n_configurations, 6]
        Moments of prediction and truth, see `lammps_botan.evaluation.pearson.moments`.

    Returns
    -------
    Correlations

    Examples
    --------
    >>> from lammps_botan.evaluation.pearson import moments
    >>> truth = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 8.0]])
    >>> correlations(moments(2 * truth, truth)).per_configuration.round(6)
    array([1., 1.])
    """
    return _resample(correlation(moments), lambda drawn: rho_pooled(moments[drawn]))


def ceilings(moments: Floats, n_runs: npt.ArrayLike) -> Correlations:
    """Compute the highest rho that predictions can reach, see `evaluation.pearson.ceiling`.

    Parameters
    ----------
    moments : float64 [n_splits, n_configurations, 6]
        Moments of the averages over two halves of the runs; rho is averaged over the splits.
    n_runs : int [n_configurations]
        Number of runs of each configuration. Where some numbers are even and some odd, the pooled
        ceiling takes the mean of their k.

    Returns
    -------
    Correlations

    Examples
    --------
    >>> from lammps_botan.evaluation.pearson import halves_moments
    >>> rng = np.random.default_rng(1)
    >>> runs = rng.normal(size=100) + rng.normal(size=(32, 100))
    >>> found = ceilings(halves_moments(runs)[:, None], [32])
    >>> round(found.mean, 2)
    0.98
    """
    k = lengthening(n_runs)

    def pooled(drawn: Ints) -> Floats:
        rho = np.mean([rho_pooled(split[drawn]) for split in moments], axis=0)
        return ceiling(rho, k[drawn].mean(axis=-1))

    return _resample(ceiling(correlation(moments).mean(axis=0), k), pooled)


def draw_configurations(n: int) -> Ints:
    """Draw resampled sets of configurations, with replacement; the same ones at each call.

    Parameters
    ----------
    n : int
        Number of configurations.

    Returns
    -------
    int64 [N_RESAMPLES, n]
        Numbers of the configurations in each set.

    Examples
    --------
    >>> draw_configurations(5).shape
    (1000, 5)
    """
    return np.random.default_rng(0).integers(n, size=(N_RESAMPLES, n))


def standard_error(resampled: Floats, n: int) -> float:
    """Compute the standard error of a number over n configurations.

    Parameters
    ----------
    resampled : float [N_RESAMPLES]
        The number for each set of `draw_configurations`.
    n : int
        Number of configurations.

    Returns
    -------
    float
        NaN where n is below `FEWEST`.

    Examples
    --------
    >>> standard_error(np.ones(1000), n=10), standard_error(np.ones(1000), n=3)
    (0.0, nan)
    """
    if n < FEWEST:
        return float("nan")
    return float(resampled.std(ddof=1) * np.sqrt(n / (n - 1)))


def _resample(per_configuration: Floats, pooled: Callable[[Ints], Floats]) -> Correlations:
    n = len(per_configuration)
    drawn = draw_configurations(n)
    return Correlations(
        per_configuration=per_configuration,
        pooled=float(pooled(np.arange(n))),
        resampled_mean=per_configuration[drawn].mean(axis=1),
        resampled_pooled=pooled(drawn),
    )
