"""Correlation against the quantities in which models differ.

These are the number of rounds and the weight of the loss, as in figs. 9 and 10, the length of the
history that models see, and the number of configurations that they have learned from.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from lammps_botan.figures.conditions import Condition, Model, foreign_training, read_conditions
from lammps_botan.figures.picture import OF_PAIRS, OF_PARTICLES, color, save_picture
from lammps_botan.figures.rho_line import draw_rho, spread
from lammps_botan.figures.units import over_time

QUANTITIES = {"S": (r"$\rho_S$", OF_PARTICLES), "E": (r"$\rho_E$", OF_PAIRS)}
AXES = {
    "rounds": "number of rounds $n$",
    "p": "weight $p$ of the propensity in the loss",
    "window": "length of the history $t_w",  # with the unit of time
    "training_configurations": "training configurations",
}
LOGARITHMIC = {"window", "training_configurations"}
TITLE_WIDTH = 40  # characters in a line

Facts = tuple[str, ...]  # about the models of one line


def plot_ablation(path: Path, files: Sequence[Path]) -> None:
    """Draw rho_S and rho_E of models against each of `AXES`.

    A panel has a line wherever models differ in its quantity and in nothing else; without a line
    there is no panel. A quantity that a network was not trained on (S at p = 0, E at p = 1) is not
    drawn.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    files : list of Path
        Files of `lammps-botan evaluate --json`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `lammps_botan.figures.conditions.read_conditions`, or if no two models differ in one of
        these quantities alone.
    """
    conditions = read_conditions(files)
    models = [model for condition in conditions for model in condition.models]
    panels = {key: series for key in AXES if (series := _series(models, key))}
    if not panels:
        found = "; ".join(f"{m.model}: {', '.join(filter(None, _facts(m, '')))}" for m in models)
        raise ValueError(
            "an ablation needs models that differ in the number of rounds n, in the weight p, in "
            "the length of the history or in the number of training configurations, and in nothing "
            f"else; found {found}"
        )
    figure = Figure(figsize=(0.4 + 4.8 * len(panels), 4.2), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (key, series) in zip(axes, panels.items(), strict=True):
        _draw(ax, key, series, conditions[0])
    axes[0].set_ylabel("Pearson correlation with the truth")
    axes[0].set_ylim(min(0.0, axes[0].get_ylim()[0]), 1.02)
    save_picture(figure, path)


def _series(models: Sequence[Model], key: str) -> dict[Facts, list[Model]]:
    """Models with two or more values of the key, by the facts that they share."""
    found = defaultdict(list)
    for model in models:
        if getattr(model, key) is not None:
            found[_facts(model, key)].append(model)
    return {
        facts: same for facts, same in found.items() if len({getattr(m, key) for m in same}) > 1
    }


def _facts(model: Model, key: str) -> Facts:
    """About a model, but for the key; empty where there is nothing to say.

    The first four say what network it is.
    """
    history = "" if model.window is None else f"history of t = {model.window:g}"
    count = model.training_configurations
    linear = model.architecture == "linear"  # its rounds and p are not chosen
    facts = {
        "rounds": "" if linear else f"n = {model.rounds}",
        "p": "" if linear else "p unknown" if model.p is None else f"p = {model.p}",
        "window": history,
        "training_configurations": "" if count is None else f"{count} training configurations",
    }
    return (
        model.architecture,
        f"width = {model.width}",
        *("" if name == key else facts[name] for name in ("rounds", "p")),
        f"T = {model.temperature:g}",
        f"t = {model.lag_time:g}",
        foreign_training(model.trained_at, model.trained_for),
        *("" if name == key else facts[name] for name in ("window", "training_configurations")),
        "inherent structure" if model.inherent else "",
        f"committee of {model.members}" if model.members > 1 else "",
    )


def _draw(axes: Axes, key: str, series: dict[Facts, list[Model]], condition: Condition) -> None:
    common = set.intersection(*map(set, series))
    first = next(iter(series))
    about = first[4:] + first[2:4]
    places = set()
    for k, (facts, models) in enumerate(series.items()):
        # the architecture alone tells networks of another one apart
        of_peers = set.intersection(*(set(other[:4]) for other in series if other[0] == facts[0]))
        own = [fact for fact in facts[:1] if fact not in common]
        own += [fact for fact in facts[1:4] if fact and fact not in of_peers]
        own += [fact for fact in facts[4:] if fact and fact not in common]
        places |= {getattr(model, key) for model in models}
        for quantity, (name, style) in QUANTITIES.items():
            several = defaultdict(list)
            for model in models:
                if quantity in model.rho:
                    several[getattr(model, key)].append(model.rho[quantity])
            if several:
                name += f" ({condition.groups[quantity]})"
                label = ", ".join([name, *own])
                label += spread(max(map(len, several.values())))
                draw_rho(axes, several, label=label, color=color(k), **style)
    unit = f"{over_time(condition.units)}$" if key == "window" else ""
    axes.set(
        xlabel=AXES[key] + unit,
        # without the architecture and the width
        title=fill(", ".join(fact for fact in about if fact in common and fact), TITLE_WIDTH),
    )
    if key == "rounds":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if key in LOGARITHMIC:
        axes.set_xscale("log")
        axes.set_xticks(sorted(places), [f"{place:g}" for place in sorted(places)])
        axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
