"""Correlation of prediction and truth against the lag time, figs. 5 and 8."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lammps_botan.analysis.state import same_temperature
from lammps_botan.figures.conditions import Condition, Model, foreign_training, read_conditions
from lammps_botan.figures.picture import N_COLORS, color, save_picture
from lammps_botan.figures.published import PublishedCurve, draw_published, published_curves
from lammps_botan.figures.rho_line import draw_rho, spread
from lammps_botan.figures.units import over_time

# in the order of their colors
UNKNOWN = "botan, p unknown"
NAMES = ("BOTAN", "NT-GNN (p = 1)", "edges only (p = 0)", "NT-GNN (Bapst et al.)")
CEILING = "ceiling of the data"
TOLD_APART = {
    "p": "p",
    "rounds": "n",
    "width": "width",
    "window": "$t_w$",
    "training_configurations": "training configurations",
}
PANELS = {"S": r"$\rho_S$ of propensities", "E": r"$\rho_E$ of pair-distance changes"}


class _Kind(NamedTuple):
    """Facts that the models of one line share."""

    architecture: str
    p: float | None
    rounds: int | None
    width: int
    members: int
    trained_at: float | None
    trained_for: float | None
    window: float | None
    inherent: bool
    training_configurations: int | None


@dataclass(frozen=True)
class _Label:
    text: str
    color: str


def plot_correlation(path: Path, files: Sequence[Path], *, published: bool = False) -> None:
    """Draw rho_S and rho_E of models against the lag time, with the ceiling of the data.

    There is one line for each architecture, its inputs, p, number of rounds, width, size of a
    committee and number of training configurations, and one row for each temperature. Models that
    were trained at another temperature than that of the data, or for another lag time, have a line
    of their own. Bars are bootstrap errors. For several models of a kind, points are their median
    and bars go from the worst to the best, as in the paper. A quantity that a network was not
    trained on (S at p = 0, E at p = 1) is not drawn.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    files : list of Path
        Files of `lammps-botan evaluate --json`.
    published : bool
        Draw rho_S of published models too, with the number of configurations that trained each
        (`lammps_botan.figures.published`).

    Raises
    ------
    FileNotFoundError, ValueError
        As `lammps_botan.figures.conditions.read_conditions`, or if nothing is published of the
        mixture at these temperatures.
    """
    conditions = read_conditions(files)
    beside = _published(conditions) if published else []
    labels = _labels(conditions)
    temperatures = sorted({condition.temperature for condition in conditions})
    measured = {q for condition in conditions for m in condition.models for q in m.rho}
    quantities = [quantity for quantity in PANELS if quantity in measured]
    size = (0.4 + 4.8 * len(quantities), 0.8 + 3.4 * len(temperatures))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(
        len(temperatures), len(quantities), sharex=True, sharey=True, squeeze=False
    )
    for row, temperature in zip(panels, temperatures, strict=True):
        at = [condition for condition in conditions if condition.temperature == temperature]
        for axes, quantity in zip(row, quantities, strict=True):
            _draw(axes, quantity, at, labels)
            if quantity == "S":
                draw_published(
                    axes, [c for c in beside if same_temperature(c.temperature, temperature)]
                )
            label = f"{PANELS[quantity]}, {at[0].groups[quantity]}"
            axes.set(title=f"T = {temperature:g}", ylabel=label, xscale="log")
            axes.tick_params(labelleft=True)
            axes.grid(alpha=0.3)
    for axes in panels[-1]:
        axes.set_xlabel(f"$t{over_time(conditions[0].units)}$")
    lowest = panels[0, 0].get_ylim()[0]
    panels[0, 0].set_ylim(min(0.0, lowest), 1.02)  # of all panels
    lines: dict[str, Any] = {}
    for axes in panels.ravel():
        found, names = axes.get_legend_handles_labels()
        lines.update(zip(names, found, strict=True))
    ours = [*(label.text for label in labels.values()), CEILING]
    names = [name for name in ours if name in lines]
    names += [name for name in lines if name not in ours]
    handles = [lines[name] for name in names]
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False)
    save_picture(figure, path)


def _published(conditions: Sequence[Condition]) -> list[PublishedCurve]:
    """Published curves of the mixture, at the temperatures that are drawn."""
    mixture = conditions[0].mixture
    temperatures = sorted({condition.temperature for condition in conditions})
    found = [
        curve
        for curve in published_curves(mixture or "")
        if any(same_temperature(curve.temperature, t) for t in temperatures)
    ]
    if not found:
        known = {f"{c.mixture} at T = {c.temperature:g}" for c in published_curves()}
        drawn = ", ".join(f"{t:g}" for t in temperatures)
        raise ValueError(
            f"no published correlations of {mixture or 'an unknown mixture'} at T = {drawn}; there "
            f"are those of {', '.join(sorted(known))}; leave out --published"
        )
    return found


def _draw(
    axes: Axes, quantity: str, conditions: Sequence[Condition], labels: dict[_Kind, _Label]
) -> None:
    for kind, label in labels.items():
        several = defaultdict(list)
        for condition in conditions:
            for model in condition.models:
                if _kind(model) == kind and quantity in model.rho:
                    several[condition.lag_time].append(model.rho[quantity])
        if several:
            draw_rho(axes, several, marker="o", color=label.color, label=label.text)
    ceilings = {
        c.lag_time: c.ceilings[quantity].value for c in conditions if quantity in c.ceilings
    }
    if ceilings:
        times = list(ceilings)
        style: dict[str, Any] = {"color": "0.35", "linestyle": "--", "linewidth": 1.2}
        # a dash for a single lag time too
        axes.plot(times, list(ceilings.values()), marker="_", markersize=9, label=CEILING, **style)


def _kind(model: Model) -> _Kind:
    return _Kind(*(getattr(model, fact) for fact in _Kind._fields))


def _labels(conditions: Sequence[Condition]) -> dict[_Kind, _Label]:
    """Labels of the lines, with p, n and width where the name alone does not tell them apart."""
    most: Counter[_Kind] = Counter()
    for condition in conditions:
        most |= Counter(map(_kind, condition.models))
    kinds: dict[str, list[_Kind]] = {name: [] for name in NAMES}
    # first the usual meaning of a name: no committee, and trained for what the data are
    for kind in sorted(
        most, key=lambda k: (k.members, k.trained_at or 0, k.trained_for or 0, repr(k))
    ):
        kinds.setdefault(_name(kind), []).append(kind)
    labels = {}
    taken = {color(k) for k, name in enumerate(NAMES) if kinds[name]}
    free = itertools.cycle(c for c in map(color, range(N_COLORS)) if c not in taken)
    for name, same in kinds.items():
        for k, kind in enumerate(same):
            text = name
            for fact, symbol in TOLD_APART.items():
                if len({getattr(other, fact) for other in same}) > 1:
                    text += f", {symbol} = {getattr(kind, fact)}"
            text += f", committee of {kind.members}" if kind.members > 1 else ""
            training = foreign_training(kind.trained_at, kind.trained_for)
            text += f", {training}" if training else ""
            own = k == 0 and name in NAMES
            labels[kind] = _Label(
                text + spread(most[kind]), color(NAMES.index(name)) if own else next(free)
            )
    return labels


def _name(kind: _Kind) -> str:
    """Name of the network with its inputs besides positions."""
    inputs = ["history"] * (kind.window is not None) + ["inherent structure"] * kind.inherent
    return ", ".join([_network(kind), *([" and ".join(inputs)] if inputs else [])])


def _network(kind: _Kind) -> str:
    if kind.architecture == "botan":
        if kind.p is None:
            return UNKNOWN
        return {1.0: NAMES[1], 0.0: NAMES[2]}.get(kind.p, NAMES[0])
    return NAMES[3] if kind.architecture == "nt-gnn" else kind.architecture
