"""Calibration: predictions with the mean and the spread of the truth.

A regression predicts the mean of all particles that it cannot tell apart. Its predictions therefore
vary less than the truth: maps are too flat, and the four-point amplitude is too small. A straight
line for each species (or pair of species) gives predictions the mean and the variance of the truth.
The line changes no correlation within a species, and it costs accuracy: the mean squared error of a
prediction with the correlation rho and the variance s^2 of the truth is 2 (1 - rho) s^2, and that
of the best regression (1 - rho^2) s^2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lammps_botan.structure.box import Floats, Ints


@dataclass(frozen=True, eq=False)
class Calibration:
    """A straight line for each group, see `calibrate`.

    Parameters
    ----------
    slope, offset : float64 [n_groups]
        `offset` in the length unit.

    Examples
    --------
    >>> line = Calibration(slope=np.array([2.0]), offset=np.array([0.5]))
    >>> line.apply(np.array([1.0]), np.array([0]))
    array([2.5])
    """

    slope: Floats
    offset: Floats

    def apply(self, predicted: Floats, groups: Ints) -> Floats:
        """Calibrate predictions.

        Parameters
        ----------
        predicted : float [n]
            Length unit.
        groups : int [n]
            Group of each entry.

        Returns
        -------
        float64 [n]
            Length unit.
        """
        return np.asarray(self.slope[groups] * predicted + self.offset[groups])


def calibrate(
    predicted: Sequence[Floats],
    true: Sequence[Floats],
    groups: Sequence[Ints],
    noise: Sequence[Floats] | None = None,
) -> Calibration:
    """Fit the lines that give predictions the mean and the variance of the truth.

    Means are over all configurations with equal weights; variances are those within configurations.
    A group whose predictions do not vary, or whose truth varies no more than its noise, gets the
    slope 1.

    Parameters
    ----------
    predicted : sequence of float [n]
        Predictions for each configuration by a model that has not learned from it (out of fold).
        For configurations that a model has learned from, its predictions vary more. Length unit.
    true : sequence of float [n]
        Averages over runs, length unit.
    groups : sequence of int [n]
        Species, or numbers of pairs of species, from 0.
    noise : sequence of float [n], optional
        Variance of each of these averages, `runs.var(axis=0, ddof=1) / n_runs`, length unit
        squared: the averages vary more than what can be predicted. Default: no noise.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If there is no configuration, or their numbers or lengths differ.

    Examples
    --------
    >>> line = calibrate([np.array([0.0, 1.0])], [np.array([3.0, 7.0])], [np.array([0, 0])])
    >>> line.apply(np.array([0.0, 0.5, 1.0]), np.array([0, 0, 0]))
    array([3., 5., 7.])
    """
    noise = [np.zeros(len(one)) for one in true] if noise is None else noise
    lengths = [[len(one) for one in part] for part in (predicted, true, groups, noise)]
    if not lengths[0] or any(one != lengths[0] for one in lengths):
        raise ValueError(
            "a calibration needs a prediction, a truth and a group for each entry of one or more "
            f"configurations; found lengths {', '.join(map(str, lengths))}"
        )
    n_groups = 1 + max((int(one.max()) for one in groups if len(one)), default=-1)
    slope, offset = np.ones(n_groups), np.zeros(n_groups)
    for group in range(n_groups):
        some = [one == group for one in groups]
        inside = [k for k, mask in enumerate(some) if mask.any()]
        if not inside:
            continue
        x, y, less = (
            [np.asarray(part[k][some[k]], np.float64) for k in inside]
            for part in (predicted, true, noise)
        )
        spread = np.mean([one.var() for one in x])
        wanted = np.mean([one.var() - its.mean() for one, its in zip(y, less, strict=True)])
        if spread > 0 and wanted > 0:
            slope[group] = np.sqrt(wanted / spread)
        mean = np.mean([one.mean() for one in y])
        offset[group] = mean - slope[group] * np.mean([one.mean() for one in x])
    return Calibration(slope, offset)
