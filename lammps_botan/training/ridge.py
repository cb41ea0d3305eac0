"""Ridge regression within configurations, with a penalty that cross-validation chooses."""

from collections.abc import Sequence

import numpy as np
from sklearn import linear_model
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from lammps_botan.structure.box import Floats

PENALTIES = np.logspace(1, 5, 5)  # of standardized descriptors
MOST_PARTS = 5  # of the configurations, of which each is predicted from the others
CONSTANT = 1e-4  # descriptors that vary less, or in fewer particles, say nothing


class Ridge:
    """A regression that was fitted to several configurations, see `fit_ridge`.

    Parameters
    ----------
    x : sequence of float [n, n_descriptors]
        Descriptors of each configuration; none is empty.
    y : sequence of float [n]
        Targets of each configuration.
    penalty : float, optional
        Default: the one of `PENALTIES` that predicts configurations best from the others.

    Attributes
    ----------
    penalty : float

    Examples
    --------
    >>> x = [np.random.default_rng(k).normal(size=(50, 1)) for k in range(3)]
    >>> ridge = Ridge(x, [2 * one[:, 0] for one in x], penalty=1e-9)
    >>> ridge.predict(np.array([[1.0]])).round(3)
    array([2.])
    """

    def __init__(
        self, x: Sequence[Floats], y: Sequence[Floats], penalty: float | None = None
    ) -> None:
        within = np.concatenate([one - one.mean(axis=0, dtype=np.float64) for one in x])
        target = np.concatenate([one - one.mean() for one in y])
        regression = linear_model.Ridge(penalty, fit_intercept=False)
        if penalty is None:
            groups = np.repeat(np.arange(len(x)), [len(one) for one in x])
            parts = GroupKFold(min(len(x), MOST_PARTS))
            splits = list(parts.split(within, target, groups))
            regression = linear_model.RidgeCV(PENALTIES, fit_intercept=False, cv=splits)
        self._steps: Pipeline = make_pipeline(
            VarianceThreshold(CONSTANT**2), StandardScaler(), regression
        ).fit(within, target)
        self.penalty = float(regression.alpha if penalty else regression.alpha_)
        weights = [len(one) for one in x]
        self._mean = np.average([one.mean(axis=0, dtype=np.float64) for one in x], 0, weights)
        self._offset = np.average([one.mean() for one in y], weights=weights)

    def predict(self, x: Floats) -> Floats:
        """Predict float64 [n] from descriptors [n, n_descriptors]."""
        return np.asarray(self._steps.predict(x - self._mean) + self._offset)

    def unseen(self, x: Sequence[Floats], y: Sequence[Floats]) -> list[Floats]:
        """Predict each configuration, float64 [n], from the others with the same penalty."""
        found: list[Floats] = []
        for k, one in enumerate(x):
            others = [j for j, other in enumerate(x) if j != k and len(other)]
            if not others or not len(one):
                found.append(np.zeros(len(one)))
                continue
            ridge = Ridge([x[j] for j in others], [y[j] for j in others], self.penalty)
            found.append(ridge.predict(one))
        return found


def fit_ridge(x: Sequence[Floats], y: Sequence[Floats]) -> Ridge | None:
    """Fit ridge regression on standardized descriptors, each configuration relative to its mean.

    Parameters
    ----------
    x : sequence of float [n, n_descriptors]
        Descriptors of each configuration; it may have no rows.
    y : sequence of float [n]
        Targets of each configuration.

    Returns
    -------
    Ridge or None
        None where fewer than two configurations have rows.

    Examples
    --------
    >>> x = [np.random.default_rng(k).normal(size=(50, 1)) for k in range(3)]
    >>> fit_ridge(x, [2 * one[:, 0] for one in x]).penalty
    10.0
    """
    filled = [k for k, one in enumerate(x) if len(one)]
    if len(filled) < 2:
        return None
    return Ridge([x[k] for k in filled], [y[k] for k in filled])
