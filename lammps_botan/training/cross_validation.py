"""Ridge regression whose penalty cross-validation over configurations chooses."""

from dataclasses import dataclass, field

import numpy as np

from lammps_botan.structure.box import Floats
from lammps_botan.training.moments import Moments, add_moments, solve_ridge

PENALTIES = np.logspace(0, 4.5, 10)  # of descriptors in units of their standard deviation
MOST_PARTS = 5  # of the configurations, of which each is predicted from the others
WEIGHTS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)  # of a reversed run, beside an average over runs


@dataclass(frozen=True, eq=False)
class Regression:
    """A linear function, y = mean_y + (x - mean_x) . weights.

    Attributes
    ----------
    weights, mean_x : float64 [n_descriptors]
    mean_y : float

    Examples
    --------
    >>> Regression(weights=np.array([2.0]), mean_x=np.zeros(1), mean_y=1.0).weights
    array([2.])
    """

    weights: Floats
    mean_x: Floats
    mean_y: float


@dataclass(eq=False)
class CrossValidation:
    """The regression of one target on the moments of each configuration.

    Weights come from differences within configurations; the means of all configurations give the
    level. A configuration thus has the level that its descriptors say, which is nearer to its own
    than a constant.

    Attributes
    ----------
    least_spread : float64 [n_descriptors] or float
        See `training.moments.solve_ridge`.
    penalty : float
        Chosen by `choose`.
    reversed_weight : float
        Weight of a reversed run; chosen by `choose`.

    Examples
    --------
    >>> from lammps_botan.training.moments import moments_of
    >>> regression = CrossValidation()
    >>> for k in range(3):
    ...     x = np.random.default_rng(k).normal(size=(50, 1))
    ...     regression.add(k, moments_of(x, 2 * x[:, 0]))
    >>> regression.choose()
    >>> regression.fit().weights.round(1)
    array([2.])
    """

    least_spread: Floats | float = 0.0
    penalty: float = 0.0
    reversed_weight: float = 0.0
    _own: dict[int, Moments] = field(default_factory=dict)
    _reversed: dict[int, Moments] = field(default_factory=dict)

    def add(self, configuration: int, moments: Moments, *, reversed_run: bool = False) -> None:
        """Add a sample of a configuration: its own targets, or those of a reversed run."""
        known = self._reversed if reversed_run else self._own
        before = [known[configuration]] if configuration in known else []
        known[configuration] = add_moments([*before, moments])

    @property
    def n_parts(self) -> int:
        """Number of parts with configurations; a choice needs two or more."""
        return len({part_of(k) for k in self._own})

    def choose(self) -> None:
        """Choose the penalty and the weight of reversed runs; `n_parts` must be 2 or more."""
        weights = WEIGHTS if self._reversed else (0.0,)
        errors = {(p, w): self._error(p, w) for w in weights for p in PENALTIES}
        penalty, self.reversed_weight = min(errors, key=lambda choice: errors[choice])
        self.penalty = float(penalty)

    def fit(self, part: int | None = None) -> Regression:
        """Fit to all configurations, or to those outside a part (see `part_of`)."""
        weights = self._solve(part, self.penalty, self.reversed_weight)
        own = add_moments([m for k, m in self._own.items() if part is None or part_of(k) != part])
        return Regression(weights, own.mean_x, own.mean_y)

    def _error(self, penalty: float, reversed_weight: float) -> float:
        error = 0.0
        for part in {part_of(k) for k in self._own}:
            weights = self._solve(part, penalty, reversed_weight)
            held = [one for k, one in self._own.items() if part_of(k) == part]
            error += sum(one.squared_error(weights) for one in held)
        return error

    def _solve(self, part: int | None, penalty: float, reversed_weight: float) -> Floats:
        parts = [
            one.times(weight)
            for known, weight in ((self._own, 1.0), (self._reversed, reversed_weight))
            for k, one in known.items()
            if weight and (part is None or part_of(k) != part)
        ]
        if not parts:
            return np.zeros_like(next(iter(self._own.values())).xy)
        return solve_ridge(add_moments(parts), penalty, self.least_spread)


def part_of(configuration: int) -> int:
    """Give the part of the configurations that one belongs to; other parts predict it.

    Parameters
    ----------
    configuration : int
        Number of the configuration.

    Returns
    -------
    int

    Examples
    --------
    >>> part_of(7)
    2
    """
    return configuration % MOST_PARTS
