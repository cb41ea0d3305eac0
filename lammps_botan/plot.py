"""Pictures of configurations and of what the runs say."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lammps_botan.graph import Floats, Ints
from lammps_botan.observables import Observables
from lammps_botan.slices import draw_slice, in_slice


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
    figure.savefig(path, dpi=150)


def plot_observables(path: Path, observables: Observables, title: str) -> None:
    """Draw F_s(k, t) with its fit, and the mean squared displacement, against time.

    Parameters
    ----------
    path : Path
        A PNG or PDF file.
    observables : Observables
    title : str
    """
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    times, names = observables.times, ("A", "B")
    for kind in range(observables.scattering.shape[1]):
        name = names[kind] if kind < len(names) else str(kind)
        style = {"color": f"C{kind}", "marker": "o", "markersize": 4, "linestyle": "none"}
        for ax, values, errors in (
            (left, observables.scattering, observables.scattering_error),
            (right, observables.msd, observables.msd_error),
        ):
            bars = np.nan_to_num(errors[:, kind])
            ax.errorbar(times, values[:, kind], bars, label=name, **style)
    if (fit := observables.relaxation) is not None:
        fine = np.geomspace(times[0], times[-1], 400)
        tau, error = fit.tau_alpha, observables.tau_alpha_error
        left.plot(fine, fit.curve(fine), color="C0", linewidth=1, label="fit (A)")
        label = rf"$\tau_\alpha$ = {tau:.4g}" + (f" ± {error:.2g}" if error > 0 else "")
        left.axvline(tau, color="0.4", linewidth=1, linestyle=":", label=label)
    left.set(
        xscale="log",
        ylim=(-0.02, 1.02),
        xlabel=r"$t/\tau$",
        ylabel=rf"$F_s(k, t)$, $k$ = {observables.k:.4g}$/\sigma_{{AA}}$",
    )
    right.set(
        xscale="log",
        yscale="log",
        xlabel=r"$t/\tau$",
        ylabel=r"mean squared displacement / $\sigma_{AA}^2$",
    )
    left.legend(frameon=False)
    right.legend(frameon=False)
    figure.suptitle(title)
    figure.savefig(path, dpi=150)
