"""F_s(k, t) and mean squared displacements, fig. 2 of the paper."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lammps_botan.analysis.observables import Observables
from lammps_botan.figures.picture import color, save_picture


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
    times, names = observables.times, ("A", "B")
    for kind in range(observables.scattering.shape[1]):
        name = names[kind] if kind < len(names) else str(kind)
        style = {"color": color(kind), "marker": "o", "markersize": 4, "linestyle": "none"}
        for ax, values, errors in (
            (left, observables.scattering, observables.scattering_error),
            (right, observables.msd, observables.msd_error),
        ):
            bars = np.nan_to_num(errors[:, kind])
            ax.errorbar(times, values[:, kind], bars, label=name, **style)
    if (fit := observables.relaxation) is not None:
        fine = np.geomspace(times[0], times[-1], 400)
        tau, error = fit.tau_alpha, observables.tau_alpha_error
        left.plot(fine, fit.curve(fine), color=color(0), linewidth=1, label="fit (A)")
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
    save_picture(figure, path)
