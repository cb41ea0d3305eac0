"""Correlations over several configurations, with the error that the choice of these brings.

The error is the standard deviation over sets of configurations that are drawn anew with
replacement (bootstrap: Efron, Ann. Statist. 7, 1 (1979), doi:10.1214/aos/1176344552). Of n
configurations it is multiplied by sqrt(n / (n - 1)), which makes the variance of a mean unbiased.
The same sets are drawn at each call, so that correlations over the same configurations can be
compared set by set.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lammps_botan.evaluation.pearson import ceiling, correlation, lengthening, rho_pooled
from lammps_botan.structure.box import Floats, Ints

N_RESAMPLES = 1000  # gives the error to 2 %
FEWEST = 5  # of fewer configurations the error is itself wrong by 40 % and more


@dataclass(frozen=True)
class Correlations:
    """Rho of several configurations.

    Attributes
    ----------
    per_configuration : float64 [n_configurations]
        NaN where rho is not defined, and then also the mean.
    pooled : float
        Rho over the entries of all configurations together.
    resampled_mean, resampled_pooled : float64 [N_RESAMPLES]
        The mean of `per_configuration`, and `pooled`, for configurations drawn anew.
    """

    per_configuration: Floats
    pooled: float
    resampled_mean: Floats
    resampled_pooled: Floats

    @property
    def mean(self) -> float:
        """Rho of each configuration, then averaged."""
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
        """How much larger the mean is than another one of the same configurations, and its error.

        The error is paired: what the configurations have in common drops out.
        """
        difference = float((self.per_configuration - other.per_configuration).mean())
        return difference, self._error(self.resampled_mean - other.resampled_mean)

    def _error(self, resampled: Floats) -> float:
        return standard_error(resampled, len(self.per_configuration))


def correlations(moments: Floats) -> Correlations:
    """Correlations of predictions.

    Parameters
    ----------
    moments : [n_configurations, 6]
        Of prediction and truth, see `lammps_botan.evaluation.pearson.moments`.
    """
    return _resample(correlation(moments), lambda drawn: rho_pooled(moments[drawn]))


def ceilings(moments: Floats, n_runs: npt.ArrayLike) -> Correlations:
    """The highest rho that predictions can reach, see `lammps_botan.evaluation.pearson.ceiling`.

    Parameters
    ----------
    moments : [n_splits, n_configurations, 6]
        Of the averages over two halves of the runs; rho is averaged over the splits.
    n_runs : int [n_configurations]
        Of each. Where some are even and some odd, the pooled ceiling takes the mean of their k.
    """
    k = lengthening(n_runs)

    def pooled(drawn: Ints) -> Floats:
        rho = np.mean([rho_pooled(split[drawn]) for split in moments], axis=0)
        return ceiling(rho, k[drawn].mean(axis=-1))

    return _resample(ceiling(correlation(moments).mean(axis=0), k), pooled)


def draw_configurations(n: int) -> Ints:
    """Sets of configurations drawn anew, int64 [N_RESAMPLES, n]; the same ones at each call."""
    return np.random.default_rng(0).integers(n, size=(N_RESAMPLES, n))


def standard_error(resampled: Floats, n: int) -> float:
    """Standard error of a number over n configurations; NaN where n is below `FEWEST`.

    Parameters
    ----------
    resampled : [N_RESAMPLES]
        The number for each set of `draw_configurations`.
    n : int
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
