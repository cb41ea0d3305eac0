"""A slice through a configuration, once for each of several quantities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lammps_botan.figures.picture import save_picture
from lammps_botan.figures.slice_drawing import draw_slice, in_slice
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration


def plot_slice(
    path: Path,
    configuration: Configuration,
    panels: Sequence[tuple[str, Floats]],
    *,
    thickness: float | None = None,
) -> None:
    """Draw a slice through a configuration, or the whole plane, once for each quantity.

    Particles whose center lies in the slice are drawn with their diameter, and colored by the
    quantity from its 5th to its 95th percentile over the particles shown; all but those of the
    reference species have a rim.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    configuration : Configuration
    panels : list of (title, [n_particles])
        Quantities to draw side by side.
    thickness : float, optional
        Thickness of the slice, at half the height of the box, length unit; see
        `lammps_botan.figures.slice_drawing.in_slice`.

    Raises
    ------
    ValueError
        As `lammps_botan.figures.slice_drawing.in_slice`.
    """
    shown = in_slice(configuration, thickness)
    figure = Figure(figsize=(5.2 * len(panels), 5.0), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
    for ax, (title, values) in zip(axes, panels, strict=True):
        low, high = np.percentile(values[shown], [5, 95])
        disks = draw_slice(ax, configuration, shown, values[shown], (float(low), float(high)))
        ax.set_title(title)
        ax.label_outer()
        figure.colorbar(disks, ax=ax, shrink=0.82, extend="both")
    save_picture(figure, path)
