"""Distribution of initial distances and pair-distance changes of neighbors, fig. 6."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from lammps_botan.analysis.sample import make_sample
from lammps_botan.analysis.state import check_same_state
from lammps_botan.evaluation.model import JudgedModel
from lammps_botan.evaluation.pearson import edge_mask, pearson
from lammps_botan.evaluation.reference import known_mixture
from lammps_botan.figures.picture import COLORS, rho_label, save_picture
from lammps_botan.figures.units import over_length
from lammps_botan.files.ensemble import read_ensemble, same_time
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture

BINS = 60
SHOWN = (0.01, 99.99)  # percentiles of the pairs where the axes end
COLUMNS = 3
DECADES = 1e3  # of density that the colors span
FEW = 20  # pairs, too few for a mean
MEAN = r"mean of $E_{ij}$"

Pairs = tuple[Floats, Floats]  # r_ij(0) and E_ij


def plot_anticorrelation(
    path: Path,
    files: Iterable[Path],
    *,
    model: str | Path | None = None,
    time_index: int | None = None,
    mixture: Mixture | None = None,
) -> None:
    """Draw the probability density of r_ij(0) and E_ij(t) of bonds.

    The bonds are those between two particles of the reference species, A-A in the Kob-Andersen
    mixture. There is one panel for each lag time, within 1 %, from all configurations of that time.
    The line is the mean of E_ij at each r_ij(0); the title has Pearson's correlation of the two.

    Parameters
    ----------
    path : Path
        A PNG, PDF or SVG file.
    files : list of Path
        npz or pickle files of one mixture, see `lammps_botan.files.ensemble`; npz files without a
        lag time count as files of one lag time.
    model : str or Path, optional
        A model file, or the name of a model that ships: its predictions of the same pairs are drawn
        in a second panel.
    time_index : int, optional
        Number of the lag time, from 0, of files with several.
    mixture : Mixture, optional
        What the particles are, where the files do not say it.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file or the model cannot be used, a file has no runs or no such pair, the files hold
        different mixtures, temperatures or densities at one lag time, or one configuration twice,
        or there is a model and files of several lag times.
    """
    judged = None if model is None else JudgedModel(model)
    if judged is not None and not judged.metadata.edge_outputs:
        raise ValueError(f"{model}: predicts no pairs; leave it out, or take another model")
    truths: dict[float | None, list[Pairs]] = defaultdict(list)
    drawn: dict[float | None, list[Configuration]] = defaultdict(list)
    predictions: list[Pairs] = []
    liquid: Mixture | None = None
    for file in files:
        ensemble = read_ensemble(file, time_index=time_index, mixture=mixture)
        own = known_mixture(ensemble.configuration)
        liquid = liquid or own
        if unlike := own.difference(liquid):
            raise ValueError(
                f"{file}: holds {own.name}, unlike the files before; they differ in {unlike}: draw "
                "the files of each mixture on their own"
            )
        if not ensemble.n_runs:
            raise ValueError(
                f"{file}: has targets but no runs, which E_ij is drawn from; give files of "
                "`lammps-botan simulate isoconfig`, or of `lammps-botan targets`"
            )
        sample = make_sample(ensemble, judged.metadata.cutoff if judged else own.longest_bond)
        pairs = edge_mask(sample.graph, own)
        r, change = sample.graph.distances[pairs], sample.pair_distance_change[pairs]
        if not len(r) or np.isnan(change).any():
            lacks = f"{_pair(own)} bonds" if not len(r) else "runs"
            raise ValueError(f"{file}: has no {lacks}, so that there is nothing to draw")
        time = next((known for known in truths if _one(known, sample.lag_time)), sample.lag_time)
        start = sample.configuration
        check_same_state(start, drawn[time])
        if same := [one.where for one in drawn[time] if one.sha256 == start.sha256]:
            raise ValueError(
                f"{file}: holds the same configuration as {same[0]}, at the same lag time; a "
                "configuration counts once"
            )
        drawn[time].append(start)
        truths[time].append((r, change))
        if judged is not None:
            predicted = judged.forecast(sample.configuration, sample.lag_time).changes
            if predicted is not None:
                predictions.append((r, predicted[pairs]))
    if liquid is None:
        raise ValueError("expected at least one npz or pickle file, found none")
    if predictions and len(truths) > 1:
        times = ", ".join("unknown" if time is None else f"{time:g}" for time in truths)
        raise ValueError(
            f"the files have the lag times {times}, and the prediction of {model} is drawn for "
            "one; give files of one lag time"
        )
    order = sorted(truths, key=lambda time: -1.0 if time is None else time)
    panels = [(_title(time), _joined(truths[time])) for time in order]
    if predictions:
        panels.append((f"prediction of {Path(str(model)).name}", _joined(predictions)))
    _draw(path, panels, liquid)


def _draw(path: Path, panels: list[tuple[str, Pairs]], mixture: Mixture) -> None:
    unit = over_length(mixture)
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(1.4 + 3.4 * columns, 0.2 + 3.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    edges = [_edges(values) for values in _joined([pairs for _, pairs in panels])]
    densities = [np.histogram2d(*pairs, bins=edges, density=True)[0] for _, pairs in panels]
    highest = max(float(density.max()) for density in densities)
    colors = LogNorm(highest / DECADES, highest)
    for k, (axes, (title, pairs), density) in enumerate(
        zip(grid.flat, panels, densities, strict=False)
    ):
        shown = np.ma.masked_equal(density.T, 0)
        mesh = axes.pcolormesh(*edges, shown, norm=colors, rasterized=True)
        axes.axhline(0, color="0.4", linewidth=0.8)
        axes.plot(*_mean(*pairs, edges[0]), color=COLORS[1], linewidth=1.5, label=MEAN)
        rho = rho_label(pearson(*pairs, mixture.diameter), 2)
        axes.set_title(rf"{title}: $\rho = {rho}$", fontsize="medium")
        if k % columns == 0:
            axes.set_ylabel(f"$E_{{ij}}{unit}$")
        if k + columns >= len(panels):  # the lowest of its column
            axes.set_xlabel(f"$r_{{ij}}(0){unit}$")
            axes.tick_params(labelbottom=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    grid[0, 0].legend(loc="upper right")
    label = rf"probability density $\times{unit.removeprefix('/')}^2$"
    figure.colorbar(mesh, ax=grid, extend="min", aspect=30, pad=0.02, label=label)
    save_picture(figure, path)


def _edges(values: Floats) -> Floats:
    low, high = np.percentile(values, SHOWN)
    return np.linspace(low, high, BINS + 1)


def _mean(r: Floats, change: Floats, edges: Floats) -> Pairs:
    """Centers of the bins, and the mean in each; NaN in bins with few pairs."""
    place = np.digitize(r, edges) - 1
    inside = (place >= 0) & (place < BINS)
    count = np.bincount(place[inside], minlength=BINS)
    total = np.bincount(place[inside], change[inside], minlength=BINS)
    mean = np.where(count < FEW, np.nan, total / np.maximum(count, 1))
    return (edges[1:] + edges[:-1]) / 2, mean


def _joined(several: list[Pairs]) -> Pairs:
    r, change = (np.concatenate(values) for values in zip(*several, strict=True))
    return r, change


def _pair(mixture: Mixture) -> str:
    return f"{mixture.reference_species}-{mixture.reference_species}"


def _one(a: float | None, b: float | None) -> bool:
    """Whether two lag times have one panel; unknown ones have one of their own."""
    return (a is None) == (b is None) and same_time(a, b)


def _title(time: float | None) -> str:
    return "simulation" if time is None else f"t = {time:g}"
