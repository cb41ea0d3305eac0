"""Prediction, truth and error of one configuration in a slice, figs. 4 and 7."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import Collection
from matplotlib.figure import Figure

from lammps_botan.analysis.sample import Sample, make_sample
from lammps_botan.evaluation.forecast import Forecaster
from lammps_botan.evaluation.pearson import edge_mask, node_mask, pearson
from lammps_botan.evaluation.reference import LONGEST_BOND
from lammps_botan.figures.picture import save_picture
from lammps_botan.figures.slices import draw_bonds, draw_slice, in_slice
from lammps_botan.files.ensemble_npz import Configuration, read_future
from lammps_botan.structure.graph import Floats

# where the colors end
PERCENTILES = (5, 95)


def plot_prediction(
    path: Path,
    file: Path,
    model: str | Path,
    *,
    bonds: bool = False,
    time_index: int | None = None,
    thickness: float = 1.0,
) -> None:
    """Draw predicted and true propensities or pair-distance changes side by side, and the error.

    The first two panels share their colors; the error, prediction - truth, is grey where it is
    zero. Bonds are the pairs with r_ij(0) < 1.35 whose ends are both in the slice, and the
    prediction of a bond is the mean of those from its two ends. rho is that of
    `lammps_botan.evaluation.pearson`, over the whole configuration.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    file : Path
        An npz or pickle file, see `lammps_botan.files.ensemble_npz`.
    model : str or Path
        A model file, or the name of a model that ships.
    bonds : bool
        Draw E_ij of bonds (eq. 11, fig. 4) in place of S_i of particles (eq. 10, fig. 7).
    time_index : int or None
        Which lag time of a pickle file.
    thickness : float
        Of the slice, which is halfway up the box, LJ units.

    Raises
    ------
    FileNotFoundError, ValueError
        If the model or the file cannot be used, the cell is not in LAMMPS's form, bonds are asked
        for that the model or the file does not have, or nothing is in the slice.
    """
    forecaster = Forecaster(model)
    if bonds and not forecaster.metadata.edge_outputs:
        raise ValueError(f"{model}: predicts no bonds; leave out --bonds, or take another model")
    configuration = read_future(file, time_index=time_index)
    _check_cell(configuration)
    sample = make_sample(configuration, cutoff=forecaster.metadata.cutoff)
    if bonds and np.isnan(sample.pair_distance_change).any():
        raise ValueError(
            f"{file}: has propensities but no runs, so that nothing is known of bonds; leave out "
            "--bonds"
        )
    forecast = forecaster.forecast(sample.graph, configuration.time, file)
    if bonds and forecast.changes is not None:
        shown = _bonds(configuration, sample, forecast.changes, thickness)
    else:
        shown = _particles(configuration, sample, forecast.propensity, thickness)
    _draw(path, shown, f"{file.name}, {_times(configuration.time, model, forecaster)}")


@dataclass(frozen=True)
class _Shown:
    """What is in the slice.

    Attributes
    ----------
    quantity : str
    prediction, truth : [n_shown]
    counted : bool [n_shown]
        Those that the scale of the colors is made for.
    rho : str
        The correlation in the whole configuration.
    remark : str
    draw : function of axes, values, limits and colormap
    """

    quantity: str
    prediction: Floats
    truth: Floats
    counted: Any
    rho: str
    remark: str
    draw: Callable[..., Collection]


def _particles(
    configuration: Configuration, sample: Sample, predicted: Floats, thickness: float
) -> _Shown:
    cell, origin, species = configuration.cell, np.zeros(3), configuration.species
    shown = in_slice(configuration.initial, cell, origin, thickness)
    # B particles move so much farther that a scale for all would hide the differences among A
    counted = species[shown] == 0
    if not counted.any():
        raise ValueError(f"{configuration.path}: no A particle is in the slice; make it thicker")
    of_a = node_mask(sample.graph)

    def draw(axes: Any, values: Floats, limits: tuple[float, float], colormap: str) -> Collection:
        positions = configuration.initial[shown]
        return draw_slice(axes, positions, cell, origin, species[shown], values, limits, colormap)

    return _Shown(
        r"propensity $S_i/\sigma_{AA}$",
        predicted[shown],
        sample.propensity[shown],
        counted,
        rf"$\rho_S$ = {pearson(predicted[of_a], sample.propensity[of_a]):.3f} (A)",
        " (black rim: B)" if len(np.unique(species[shown])) > 1 else "",
        draw,
    )


def _bonds(
    configuration: Configuration, sample: Sample, predicted: Floats, thickness: float
) -> _Shown:
    cell, origin, graph = configuration.cell, np.zeros(3), sample.graph
    inside = np.zeros(graph.n_particles, dtype=bool)
    inside[in_slice(configuration.initial, cell, origin, thickness)] = True
    of_a = edge_mask(graph)
    # edges ascend by center, then by neighbor; each pair has one from each end
    forth = graph.center * graph.n_particles + graph.neighbor
    back = np.searchsorted(forth, graph.neighbor * graph.n_particles + graph.center)
    mean = (predicted + predicted[back]) / 2
    both = inside[graph.center] & inside[graph.neighbor] & (graph.center < graph.neighbor)
    shown = np.flatnonzero(both & (graph.distances < LONGEST_BOND))
    if not len(shown):
        raise ValueError(
            f"{configuration.path}: no bond has both ends in the slice; make it thicker"
        )
    starts, vectors = configuration.initial[graph.neighbor[shown]], graph.vectors[shown]

    def draw(axes: Any, values: Floats, limits: tuple[float, float], colormap: str) -> Collection:
        return draw_bonds(axes, starts, vectors, cell, origin, values, limits, colormap)

    return _Shown(
        r"pair-distance change $E_{ij}/\sigma_{AA}$",
        mean[shown],
        sample.pair_distance_change[shown],
        np.ones(len(shown), dtype=bool),
        rf"$\rho_E$ = {pearson(predicted[of_a], sample.pair_distance_change[of_a]):.3f} (A-A)",
        "",
        draw,
    )


def _draw(path: Path, shown: _Shown, title: str) -> None:
    both = np.concatenate([values[shown.counted] for values in (shown.prediction, shown.truth)])
    low, high = np.percentile(both, PERCENTILES)
    error = shown.prediction - shown.truth
    end = float(np.percentile(np.abs(error[shown.counted]), PERCENTILES[1])) or 1.0
    figure = Figure(figsize=(13.6, 4.5), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True, gridspec_kw={"wspace": 0.06})
    for ax, name, values in (
        (axes[0], f"prediction, {shown.rho}", shown.prediction),
        (axes[1], f"truth{shown.remark}", shown.truth),
    ):
        drawn = shown.draw(ax, values, (float(low), float(high)), "viridis")
        ax.set_title(name)
    figure.colorbar(drawn, ax=axes[:2], shrink=0.8, extend="both", label=shown.quantity)
    drawn = shown.draw(axes[2], error, (-end, end), "coolwarm")
    axes[2].set_title("error: prediction $-$ truth")
    figure.colorbar(drawn, ax=axes[2], shrink=0.8, extend="both", label=r"error $/\sigma_{AA}$")
    for ax in axes:
        ax.label_outer()
    figure.suptitle(title, fontsize="medium")
    save_picture(figure, path)


def _times(time: float | None, model: str | Path, forecaster: Forecaster) -> str:
    about = forecaster.metadata
    trained = "" if about.temperature is None else f"T = {about.temperature:g}, "
    trained += ", ".join(f"t = {lag_time:g}" for lag_time in about.lag_times or [])
    trained = trained.removesuffix(", ")
    of_model = f"model {Path(model).name}" + (f" (trained for {trained})" if trained else "")
    return of_model if time is None else f"t = {time:g}, {of_model}"


def _check_cell(configuration: Configuration) -> None:
    cell = configuration.cell
    if np.triu(cell, 1).any() or not (np.diagonal(cell) > 0).all():
        raise ValueError(
            f"{configuration.path}: to draw it, the first cell vector must point along x and the "
            "second lie in the xy plane, as in LAMMPS; found "
            f"{cell.tolist()}: turn cell and positions"
        )
