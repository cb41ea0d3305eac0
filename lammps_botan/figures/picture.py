"""How the pictures of this package look, and how they are written.

A color stands for what a picture compares (species, runs, models, conditions), in this order. The
colors are those of Okabe and Ito, which the color-blind can tell apart (Wong, Nat. Methods 8, 441
(2011), doi:10.1038/nmeth.1618), without the yellow that is too bright for lines. Where a quantity
of particles and one of pairs share a picture, filled circles on solid lines are the propensity,
open squares on dashed lines the pair-distance change.
"""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
OF_PARTICLES: dict[str, Any] = {"linestyle": "-", "marker": "o"}
OF_PAIRS: dict[str, Any] = {"linestyle": "--", "marker": "s", "markerfacecolor": "white"}


def color(k: int) -> str:
    """Color of the line number k; they start again after the last."""
    return COLORS[k % len(COLORS)]


def save_picture(figure: Figure, path: Path) -> None:
    """Write a PNG, PDF or SVG file, which has its name when it is whole."""
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        figure.savefig(part, dpi=150)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
