"""Pictures of configurations."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from lammps_botan.graph import Floats, Ints

DIAMETERS = (1.0, 0.88)  # sigma_AA and sigma_BB of the Kob-Andersen mixture


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
        A PNG or PDF file.
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
    wrapped = positions % lengths
    shown = np.flatnonzero(np.abs(wrapped[:, 2] - lengths[2] / 2) < thickness / 2)
    shown = shown[np.argsort(wrapped[shown, 2])]  # the upper ones in front
    x, kinds = wrapped[shown], species[shown]
    diameters = np.take(DIAMETERS, np.minimum(kinds, 1))
    figure = Figure(figsize=(5.2 * len(panels), 5.0), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
    for ax, (title, values) in zip(axes, panels, strict=True):
        low, high = np.percentile(values[shown], [5, 95])
        particles = EllipseCollection(
            diameters,
            diameters,
            np.zeros(len(x)),
            units="xy",
            offsets=x[:, :2],
            offset_transform=ax.transData,
            cmap=mpl.colormaps["viridis"],
            edgecolors=np.where(kinds > 0, "black", "none").tolist(),
            linewidths=0.8,
        )
        particles.set_array(values[shown])
        particles.set_clim(low, high)
        ax.add_collection(particles)
        ax.set(
            xlim=(0, lengths[0]),
            ylim=(0, lengths[1]),
            aspect="equal",
            title=title,
            xlabel=r"$x/\sigma_{AA}$",
        )
        figure.colorbar(particles, ax=ax, shrink=0.82, extend="both")
    axes[0].set_ylabel(r"$y/\sigma_{AA}$")
    figure.savefig(path, dpi=150)
