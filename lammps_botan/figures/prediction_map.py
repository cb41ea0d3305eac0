"""Prediction, truth and error of one configuration in a slice, figs. 4 and 7."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import Collection
from matplotlib.figure import Figure

from lammps_botan.analysis.sample import Sample, make_sample
from lammps_botan.evaluation.model import Forecast, JudgedModel
from lammps_botan.evaluation.pearson import edge_mask, node_mask, pearson
from lammps_botan.evaluation.reference import known_mixture
from lammps_botan.figures.picture import plain, rho_label, save_picture
from lammps_botan.figures.slice_drawing import draw_bonds, draw_slice, in_slice
from lammps_botan.figures.units import over_length
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture

# where the colors end
PERCENTILES = (5, 95)


def plot_prediction(
    path: Path,
    file: Path,
    model: str | Path,
    *,
    bonds: bool = False,
    time_index: int | None = None,
    mixture: Mixture | None = None,
    thickness: float | None = None,
) -> None:
    """Draw predicted and true propensities or pair-distance changes side by side, and the error.

    The first two panels share their colors; the error, prediction - truth, is grey where it is
    zero. Bonds are those of the mixture with both ends in the slice, and the prediction of a bond
    is the mean of those from its two ends. rho is that of `lammps_botan.evaluation.pearson`, over
    the whole configuration. Two-dimensional configurations are drawn whole.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    file : Path
        An npz or pickle file, see `lammps_botan.files.ensemble`.
    model : str or Path
        A model file, or the name of a model that ships.
    bonds : bool
        Draw E_ij of bonds (eq. 11, fig. 4) in place of S_i of particles (eq. 10, fig. 7).
    time_index : int, optional
        Number of the lag time, from 0, of a file with several.
    mixture : Mixture, optional
        What the particles are, where the file does not say it.
    thickness : float, optional
        Thickness of the slice, at half the height of the box, length unit; see
        `lammps_botan.figures.slice_drawing.in_slice`.

    Raises
    ------
    FileNotFoundError, ValueError
        If the model or the file cannot be used, the cell is not in LAMMPS's form, bonds are asked
        for that the model or the file does not have, or nothing is in the slice.
    """
    judged = JudgedModel(model)
    if bonds and not judged.metadata.edge_outputs:
        raise ValueError(f"{model}: predicts no bonds; leave out --bonds, or take another model")
    ensemble = read_ensemble(file, time_index=time_index, mixture=mixture)
    configuration = ensemble.configuration
    liquid = known_mixture(configuration)
    in_view = in_slice(configuration, thickness)
    sample = make_sample(ensemble, judged.metadata.cutoff)
    if bonds and np.isnan(sample.pair_distance_change).any():
        raise ValueError(
            f"{file}: has propensities but no runs, so that nothing is known of bonds; leave out "
            "--bonds"
        )
    forecast = judged.forecast(configuration, ensemble.lag_time)
    make = _bonds if bonds else _particles
    shown = make(sample, forecast, liquid, in_view)
    about = _about(configuration, sample.lag_time, judged)
    _draw(path, shown, liquid, plain(f"{file.name}, {about}"))


@dataclass(frozen=True)
class _Shown:
    """Content of the slice.

    Attributes
    ----------
    quantity : str
        With its symbol; the unit follows in the same mathematics.
    prediction, truth : [n_shown]
    counted : bool [n_shown]
        Entries that set the scale of the colors.
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


def _particles(sample: Sample, forecast: Forecast, mixture: Mixture, shown: Ints) -> _Shown:
    configuration, predicted = sample.configuration, forecast.propensity
    species, name = configuration.species[shown], mixture.reference_species
    # other species may move so much farther that a scale for all would hide the differences
    counted = species == mixture.reference
    if not counted.any():
        raise ValueError(f"{sample.path}: no {name} particle is in the slice; make it thicker")
    chosen = node_mask(sample.graph, mixture)
    rho = pearson(predicted[chosen], sample.propensity[chosen], mixture.diameter)
    others = [mixture.species[k] for k in np.unique(species) if k != mixture.reference]

    def draw(axes: Any, values: Floats, limits: tuple[float, float], colormap: str) -> Collection:
        return draw_slice(axes, configuration, shown, values, limits, colormap)

    return _Shown(
        "propensity $S_i",
        predicted[shown],
        sample.propensity[shown],
        counted,
        rf"$\rho_S$ = {rho_label(rho, 3)} ({name})",
        f" (black rim: {', '.join(others)})" if others else "",
        draw,
    )


def _bonds(sample: Sample, forecast: Forecast, mixture: Mixture, in_view: Ints) -> _Shown:
    configuration, graph = sample.configuration, sample.graph
    predicted = np.asarray(forecast.changes)
    inside = np.zeros(graph.n_particles, dtype=bool)
    inside[in_view] = True
    chosen = edge_mask(graph, mixture)
    rho = pearson(predicted[chosen], sample.pair_distance_change[chosen], mixture.diameter)
    # edges ascend by center, then by neighbor; each pair has one from each end
    forth = graph.center * graph.n_particles + graph.neighbor
    back = np.searchsorted(forth, graph.neighbor * graph.n_particles + graph.center)
    mean = (predicted + predicted[back]) / 2
    both = inside[graph.center] & inside[graph.neighbor] & (graph.center < graph.neighbor)
    species = graph.species[graph.center], graph.species[graph.neighbor]
    shown = np.flatnonzero(both & (graph.distances < mixture.pair_lengths(*species)))
    if not len(shown):
        raise ValueError(f"{sample.path}: no bond has both ends in the slice; make it thicker")
    starts, vectors = configuration.positions[graph.neighbor[shown]], graph.vectors[shown]

    def draw(axes: Any, values: Floats, limits: tuple[float, float], colormap: str) -> Collection:
        return draw_bonds(axes, configuration, starts, vectors, values, limits, colormap)

    name = mixture.reference_species
    return _Shown(
        "pair-distance change $E_{ij}",
        mean[shown],
        sample.pair_distance_change[shown],
        np.ones(len(shown), dtype=bool),
        rf"$\rho_E$ = {rho_label(rho, 3)} ({name}-{name})",
        "",
        draw,
    )


def _draw(path: Path, shown: _Shown, mixture: Mixture, title: str) -> None:
    unit = over_length(mixture)
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
    figure.colorbar(drawn, ax=axes[:2], shrink=0.8, extend="both", label=f"{shown.quantity}{unit}$")
    drawn = shown.draw(axes[2], error, (-end, end), "coolwarm")
    axes[2].set_title("error: prediction $-$ truth")
    figure.colorbar(drawn, ax=axes[2], shrink=0.8, extend="both", label=f"error ${unit}$")
    for ax in axes:
        ax.label_outer()
    figure.suptitle(title, fontsize="medium")
    save_picture(figure, path)


def _about(configuration: Configuration, time: float | None, judged: JudgedModel) -> str:
    """Lag time and model, with the training of the model."""
    metadata = judged.metadata
    trained = "" if metadata.temperature is None else f"T = {metadata.temperature:g}, "
    trained += ", ".join(f"t = {lag_time:g}" for lag_time in metadata.lag_times or [])
    trained = trained.removesuffix(", ")
    about = f"model {Path(judged.name).name}" + (f" (trained for {trained})" if trained else "")
    if role := judged.role(configuration):
        about += f", which knows the configuration from its {role}"
    return about if time is None else f"t = {time:g}, {about}"
