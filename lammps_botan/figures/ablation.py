"""Correlation against the number of rounds and against the weight of the loss, figs. 9 and 10."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lammps_botan.figures.conditions import Model, read_conditions
from lammps_botan.figures.picture import OF_PAIRS, OF_PARTICLES, color, save_picture
from lammps_botan.figures.rho_line import draw_rho, spread

QUANTITIES = {"S": (r"$\rho_S$", OF_PARTICLES), "E": (r"$\rho_E$", OF_PAIRS)}
AXES = {"rounds": "number of rounds $n$", "p": "weight $p$ of the propensity in the loss"}

Facts = tuple[str, ...]  # about the models of one line


def plot_ablation(path: Path, files: Sequence[Path]) -> None:
    """Draw rho_S and rho_E of models against the number of rounds n, and against p.

    A panel has a line wherever models differ in its n or p and in nothing else; without a line
    there is no panel. What a network was not trained on (S at p = 0, E at p = 1) is not drawn.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    files : list of Path
        Of `lammps-botan evaluate --json`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `lammps_botan.figures.conditions.read_conditions`, or if no two models differ in n
        alone, or in p alone.
    """
    conditions = read_conditions(files)
    models = [model for condition in conditions for model in condition.models]
    groups = conditions[0].groups
    panels = {key: series for key in AXES if (series := _series(models, key))}
    if not panels:
        found = ", ".join(f"{m.model} with n = {m.rounds}, {_weight(m.p)}" for m in models)
        raise ValueError(
            "an ablation needs models of one architecture, width, size of committee, temperature "
            "and lag time that differ in the number of rounds n or in the weight p, and not in "
            f"both; found {found}"
        )
    figure = Figure(figsize=(0.4 + 4.8 * len(panels), 4.2), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (key, series) in zip(axes, panels.items(), strict=True):
        _draw(ax, key, series, groups)
    axes[0].set_ylabel("Pearson correlation with the truth")
    axes[0].set_ylim(min(0.0, axes[0].get_ylim()[0]), 1.02)
    save_picture(figure, path)


def _series(models: Sequence[Model], key: str) -> dict[Facts, list[Model]]:
    """Models with two or more values of the key, by the facts that they share."""
    found = defaultdict(list)
    for model in models:
        if getattr(model, key) is not None:
            facts = (
                model.architecture,
                f"width = {model.width}",
                f"T = {model.temperature:g}",
                f"t = {model.lag_time:g}",
                "" if model.trained_for is None else f"trained for t = {model.trained_for:g}",
                _weight(model.p) if key == "rounds" else f"n = {model.rounds}",
                f"committee of {model.members}" if model.members > 1 else "",
            )
            found[facts].append(model)
    return {
        facts: same for facts, same in found.items() if len({getattr(m, key) for m in same}) > 1
    }


def _weight(p: float | None) -> str:
    return "p unknown" if p is None else f"p = {p}"


def _draw(axes: Axes, key: str, series: dict[Facts, list[Model]], groups: dict[str, str]) -> None:
    common = set.intersection(*map(set, series))
    first = next(iter(series))
    for k, (facts, models) in enumerate(series.items()):
        for quantity, (name, style) in QUANTITIES.items():
            several = defaultdict(list)
            for model in models:
                if quantity in model.rho:
                    several[getattr(model, key)].append(model.rho[quantity])
            if several:
                name += f" ({groups[quantity]})"
                own = [fact for fact in facts if fact and fact not in common]
                label = ", ".join([name, *own])
                label += spread(max(map(len, several.values())))
                draw_rho(axes, several, label=label, color=color(k), **style)
    axes.set(
        xlabel=AXES[key],
        # without the architecture and the width
        title=", ".join(fact for fact in first[2:] if fact in common and fact),
    )
    if key == "rounds":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
