"""Losses and correlations in the course of trainings, as fig. 3."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lammps_botan.figures.picture import OF_PAIRS, OF_PARTICLES, color, plain, save_picture
from lammps_botan.figures.training_log import read_training_log

STYLES = {"S": ("particles", OF_PARTICLES), "E": ("pairs", OF_PAIRS)}


def plot_learning_curve(path: Path, folders: Sequence[Path]) -> None:
    """Draw the training losses, and rho on the validation set, against the epoch.

    Losses are means over the steps of an epoch. Large markers and vertical lines are at the epoch
    that is chosen, the one with the highest mean of the correlations that the network learns.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    folders : list of Path
        Outputs of `lammps-botan train`, each with a color.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_training_log`.
    """
    logs = [read_training_log(folder) for folder in folders]
    figure = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    runs, drawn = [], set()
    for k, (log, name) in enumerate(zip(logs, _names(folders), strict=True)):
        runs.append(Line2D([], [], color=color(k), label=f"{name}, best epoch {log.best}"))
        right.axvline(log.best, color=color(k), linestyle=":", linewidth=1)
        for axes, curves in ((left, log.losses), (right, log.correlations)):
            for quantity, curve in curves.items():
                drawn.add(quantity)
                style = STYLES[quantity][1]
                axes.plot(
                    curve.epochs,
                    curve.values,
                    color=color(k),
                    linewidth=1.2,
                    linestyle=style["linestyle"],
                )
                if axes is right and log.best in curve.epochs:
                    best = curve.values[curve.epochs.index(log.best)]
                    axes.plot(log.best, best, color=color(k), markersize=7, **style)
    kinds = [
        Line2D([], [], color="0.3", label=name, **style)
        for quantity, (name, style) in STYLES.items()
        if quantity in drawn
    ]
    left.set(xlabel="epoch", ylabel="training loss, squared unit of length", yscale="log")
    right.set(xlabel="epoch", ylabel=r"$\rho$ on the validation set")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.legend(handles=runs + kinds, loc="outside upper center", ncols=4, frameon=False)
    save_picture(figure, path)


def _names(folders: Sequence[Path]) -> list[str]:
    """Last part of each path, or the whole where that is not enough."""
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    return [plain(name) for name in names]
