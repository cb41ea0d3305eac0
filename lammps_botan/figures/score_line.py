"""A line of correlations with their errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from lammps_botan.figures.evaluations import Score


def spread(n_models: int) -> str:
    """What to add to the label of a line with up to so many models at one place."""
    return f"; median, worst and best of {n_models}" if n_models > 1 else ""


def draw_scores(axes: Axes, scores: Mapping[float, Sequence[Score]], **style: Any) -> None:
    """Draw rho with bars: the bootstrap error, or the spread where there are several models.

    Parameters
    ----------
    axes : Axes
    scores : dict
        Of one model, or of several, at each place along the axis. Of several, the point is the
        median and the bar goes from the worst to the best, as in fig. 8.
    **style
        Of the line and its markers, and its label.
    """
    places = sorted(scores)
    points = np.array([_point(scores[place]) for place in places])
    bars = np.nan_to_num(points[:, 1:].T)  # a single configuration has no error
    common = {"linewidth": 1.2, "markersize": 5, "capsize": 2.5}
    axes.errorbar(places, points[:, 0], bars, **common | style)


def _point(scores: Sequence[Score]) -> tuple[float, float, float]:
    """Rho, and how far its bar goes down and up."""
    if len(scores) == 1:
        return scores[0].rho, scores[0].error, scores[0].error
    values = [score.rho for score in scores]
    median = float(np.median(values))
    return median, median - min(values), max(values) - median
