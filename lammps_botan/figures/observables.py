"""F_s(k, t) and mean squared displacements, fig. 2 of the paper."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lammps_botan.analysis.observables import Observables
from lammps_botan.figures.picture import color, save_picture
from lammps_botan.figures.units import over_length, over_time

MARKERS = "osD^v"  # by species, for who sees no colors


def plot_observables(path: Path, observables: Observables, title: str) -> None:
    """Draw F_s(k, t) with its fit, and the mean squared displacement, against time.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    observables : Observables
    title : str
    """
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    times, reference = observables.times, observables.reference
    for kind, name in enumerate(observables.species):
        style = {
            "color": color(kind),
            "marker": MARKERS[kind % len(MARKERS)],
            "markersize": 4,
            "linestyle": "none",
        }
        for ax, values, errors in (
            (left, observables.scattering, observables.scattering_error),
            (right, observables.msd, observables.msd_error),
        ):
            bars = np.nan_to_num(errors[:, kind])
            ax.errorbar(times, values[:, kind], bars, label=name, **style)
    if (fit := observables.relaxation) is not None:
        name = f"fit ({observables.species[reference]})"
        fine = np.geomspace(times[0], times[-1], 400)
        tau, error = fit.tau_alpha, observables.tau_alpha_error
        left.plot(fine, fit.curve(fine), color=color(reference), linewidth=1, label=name)
        label = rf"$\tau_\alpha$ = {tau:.4g}" + (f" ± {error:.2g}" if error > 0 else "")
        left.axvline(tau, color="0.4", linewidth=1, linestyle=":", label=label)
    units = "lj" if observables.mixture is None else observables.mixture.units
    time, length = f"$t{over_time(units)}$", over_length(observables.mixture)
    left.set(
        xscale="log",
        ylim=(-0.02, 1.02),
        xlabel=time,
        ylabel=f"$F_s(k, t)$, $k = {observables.k:.4g}{length}$",
    )
    right.set(
        xscale="log",
        yscale="log",
        xlabel=time,
        ylabel=f"mean squared displacement ${length}^2$" if length else "mean squared displacement",
    )
    left.legend(frameon=False)
    right.legend(frameon=False)
    figure.suptitle(title)
    save_picture(figure, path)
