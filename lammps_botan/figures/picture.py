"""Look and writing of the pictures of this package.

A color stands for the compared things of a picture (species, runs, models, conditions), in this
order; after the last come darker shades, then pale ones. The colors are those of Okabe and Ito,
which the color-blind can tell apart (Wong, Nat. Methods 8, 441 (2011), doi:10.1038/nmeth.1618),
without the yellow, which is too bright for lines. If a quantity of particles and one of pairs share
a picture, filled circles on solid lines are the propensity, open squares on dashed lines the
pair-distance change.
"""

import math
from pathlib import Path
from typing import Any

from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from lammps_botan.files.whole_file import whole_file

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
N_COLORS = 3 * len(COLORS)  # with their shades
OF_PARTICLES: dict[str, Any] = {"linestyle": "-", "marker": "o"}
OF_PAIRS: dict[str, Any] = {"linestyle": "--", "marker": "s", "markerfacecolor": "white"}


def color(k: int) -> str:
    """Color of the line number k; they start again after `N_COLORS`."""
    shade, base = divmod(k % N_COLORS, len(COLORS))
    if shade == 0:
        return COLORS[base]
    black = COLORS[base] == "#000000"  # knows only pale shades
    end, share = (1.0, shade / 3) if black else (shade - 1.0, 0.5)
    red, green, blue = ((1 - share) * x + share * end for x in to_rgb(COLORS[base]))
    return to_hex((red, green, blue))


def plain(text: str) -> str:
    """Text without mathematics, such as the name of a file, for a label of matplotlib."""
    return text.replace("$", r"\$")


def rho_label(rho: float, digits: int) -> str:
    """A correlation as a label has it; a dash where it is not defined."""
    return "-" if math.isnan(rho) else f"{rho:.{digits}f}"


def save_picture(figure: Figure, path: Path) -> None:
    """Write a PNG, PDF or SVG file, which appears under its name when it is whole."""
    with whole_file(path) as part:
        figure.savefig(part, dpi=150, format=path.suffix.removeprefix("."))
