"""Second moments of descriptors and targets: all that ridge regression needs.

The moments of several samples are added up: any number of samples takes the memory of one, and
cross-validation over configurations costs no more than solving for the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lammps_botan.structure.box import Floats

SOLE = 1e-9  # of the largest number of a descriptor: one that varies less is constant


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of one sample or of several, each relative to its own means.

    Attributes
    ----------
    n : float
        Number of particles or pairs, each times its weight.
    mean_x, mean_y : float64 [n_descriptors], float
        Means of descriptors and target over all of them.
    xx, xy, yy : float64 [n_descriptors, n_descriptors], [n_descriptors], float
        Sums of products of differences from the mean of the sample.

    Examples
    --------
    >>> one = moments_of(np.array([[0.0], [2.0]]), np.array([0.0, 4.0]))
    >>> one.n, one.xx, one.xy
    (2.0, array([[2.]]), array([4.]))
    """

    n: float
    mean_x: Floats
    mean_y: float
    xx: Floats
    xy: Floats
    yy: float

    def times(self, weight: float) -> "Moments":
        """Give the moments where each particle has this weight; the means stay."""
        return replace(
            self,
            n=weight * self.n,
            xx=weight * self.xx,
            xy=weight * self.xy,
            yy=weight * self.yy,
        )

    def squared_error(self, weights: Floats) -> float:
        """Sum of (y - x . weights)^2, each relative to the means of its sample."""
        return float(self.yy - 2 * weights @ self.xy + weights @ self.xx @ weights)


def moments_of(x: Floats, y: Floats) -> Moments:
    """Compute the moments of a sample.

    Parameters
    ----------
    x : float [n, n_descriptors]
        n is at least 1.
    y : float [n]

    Returns
    -------
    Moments

    Examples
    --------
    >>> moments_of(np.array([[0.0], [2.0]]), np.array([0.0, 4.0])).mean_y
    2.0
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    mean_x, mean_y = x.mean(axis=0), float(y.mean())
    x, y = x - mean_x, y - mean_y
    return Moments(float(len(y)), mean_x, mean_y, x.T @ x, x.T @ y, float(y @ y))


def add_moments(several: Sequence[Moments]) -> Moments:
    """Combine the moments of several samples.

    Parameters
    ----------
    several : sequence of Moments

    Returns
    -------
    Moments

    Examples
    --------
    >>> one = moments_of(np.array([[0.0], [2.0]]), np.array([0.0, 4.0]))
    >>> add_moments([one, one]).xx
    array([[4.]])
    """
    n = sum(one.n for one in several)
    return Moments(
        n=n,
        mean_x=np.asarray(sum(one.n * one.mean_x for one in several) / n),
        mean_y=sum(one.n * one.mean_y for one in several) / n,
        xx=np.asarray(sum(one.xx for one in several)),
        xy=np.asarray(sum(one.xy for one in several)),
        yy=sum(one.yy for one in several),
    )


def solve_ridge(moments: Moments, penalty: float, least_spread: Floats | float = 0.0) -> Floats:
    """Solve ridge regression on descriptors in units of their standard deviation.

    Parameters
    ----------
    moments : Moments
    penalty : float
        Factor of the sum of squared weights, beside the sum of squared errors.
    least_spread : float [n_descriptors] or float
        Smallest standard deviation; smaller ones count as this.

    Returns
    -------
    float64 [n_descriptors]
        Weights.

    Examples
    --------
    >>> one = moments_of(np.array([[0.0], [2.0]]), np.array([0.0, 4.0]))
    >>> solve_ridge(one, penalty=0.0)
    array([2.])
    """
    spread = np.maximum(np.sqrt(np.diagonal(moments.xx) / moments.n), least_spread)
    used = spread > SOLE * np.maximum(np.abs(moments.mean_x), np.finfo(np.float64).tiny)
    spread = spread[used]
    matrix = moments.xx[np.ix_(used, used)] / np.outer(spread, spread)
    matrix[np.diag_indices(len(spread))] += penalty
    weights = np.zeros(len(used))
    weights[used] = np.linalg.solve(matrix, moments.xy[used] / spread) / spread
    return weights
