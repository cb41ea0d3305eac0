"""Published correlations of other models, to draw beside ours.

`published.toml` has them with their papers. They are correlations of the propensity of the
reference species, means over 100 test configurations.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from pydantic import BaseModel, ConfigDict

MARKERS = "x+^vd"
STYLE: dict[str, Any] = {"color": "0.6", "linewidth": 0.8, "markersize": 5, "zorder": 1}


class PublishedCurve(BaseModel):
    """Rho of a published model against the lag time.

    Attributes
    ----------
    name : str
        Name of the model.
    source : str
        Paper, with its DOI or arXiv number.
    configurations : int
        Number of training configurations.
    mixture : str
        Name of the mixture.
    temperature : float
        Temperature unit.
    times : tuple of float
        Lag times, time unit.
    rho : tuple of float
        rho_mean at each of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str
    configurations: int
    mixture: str
    temperature: float
    times: tuple[float, ...]
    rho: tuple[float, ...]


def published_curves(mixture: str | None = None) -> list[PublishedCurve]:
    """Give the published curves of a mixture, or of all.

    Examples
    --------
    >>> {curve.temperature for curve in published_curves("kob-andersen")} == {0.44, 0.5, 0.64}
    True
    """
    path = Path(__file__).with_name("published.toml")
    curves = map(PublishedCurve.model_validate, tomllib.loads(path.read_text())["curve"])
    return [curve for curve in curves if mixture in {None, curve.mixture}]


def draw_published(axes: Axes, curves: Sequence[PublishedCurve]) -> None:
    """Draw curves in grey, with a marker for each model and its training in the label."""
    names = list(dict.fromkeys(curve.name for curve in published_curves()))
    for curve in curves:
        axes.plot(
            curve.times,
            curve.rho,
            marker=MARKERS[names.index(curve.name) % len(MARKERS)],
            label=f"{curve.name}, published, {curve.configurations} configurations",
            **STYLE,
        )
