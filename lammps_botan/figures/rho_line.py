"""A line of correlations with their errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from lammps_botan.figures.conditions import Rho


def spread(n_models: int) -> str:
    """Give the end of the label of a line with up to so many models at one place."""
    return f"; median, worst and best of {n_models}" if n_models > 1 else ""


def draw_rho(axes: Axes, several: Mapping[float, Sequence[Rho]], **style: Any) -> None:
    """Draw rho with bars: the bootstrap error, or the spread of several models.

    Parameters
    ----------
    axes : Axes
    several : dict
        Rho of one model, or of several, at each place along the axis. For several models the point
        is the median and the bar goes from the worst to the best, as in fig. 8, of those whose rho
        is defined.
    **style
        Style of the line and its markers, and its label.
    """
    places = sorted(several)
    points = np.array([_point(several[place]) for place in places])
    bars = np.nan_to_num(points[:, 1:].T)  # few configurations have no error
    common = {"linewidth": 1.2, "markersize": 5, "capsize": 2.5}
    axes.errorbar(places, points[:, 0], bars, **common | style)


def _point(several: Sequence[Rho]) -> tuple[float, float, float]:
    """Rho, and the lengths of its bar down and up."""
    if len(several) == 1:
        return several[0].value, several[0].error, several[0].error
    values = [rho.value for rho in several if not np.isnan(rho.value)]
    if not values:
        return np.nan, np.nan, np.nan
    median = float(np.median(values))
    return median, median - min(values), max(values) - median
