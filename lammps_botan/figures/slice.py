"""A slice through a configuration, once for each of several quantities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lammps_botan.figures.picture import save_picture
from lammps_botan.figures.slices import draw_slice, in_slice
from lammps_botan.structure.graph import Floats, Ints


def plot_slice(
    path: Path,
    positions: Floats,
    lengths: Floats,
    species: Ints,
    panels: Sequence[tuple[str, Floats]],
    *,
    thickness: float = 1.0,
) -> None:
    """Draw a slice through an orthogonal box, once for each quantity.

    Particles whose center lies in the slice are drawn with their diameter, and colored by the
    quantity from its 5th to its 95th percentile over the particles shown; B particles have a rim.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    positions : [n_particles, 3]
        Wrapped or not, LJ units.
    lengths : [3]
        Edges of the box.
    species : int [n_particles]
        From 0.
    panels : list of (title, [n_particles])
        Quantities to draw side by side.
    thickness : float
        Of the slice, which is halfway up the box.
    """
    cell, origin = np.diag(lengths), np.zeros(3)
    shown = in_slice(positions, cell, origin, thickness)
    figure = Figure(figsize=(5.2 * len(panels), 5.0), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
    for ax, (title, values) in zip(axes, panels, strict=True):
        low, high = np.percentile(values[shown], [5, 95])
        colors = (float(low), float(high))
        disks = draw_slice(
            ax, positions[shown], cell, origin, species[shown], values[shown], colors
        )
        ax.set_title(title)
        ax.label_outer()
        figure.colorbar(disks, ax=ax, shrink=0.82, extend="both")
    save_picture(figure, path)
