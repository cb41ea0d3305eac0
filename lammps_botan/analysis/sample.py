"""A configuration whose future is known, as a graph with its targets."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.analysis.targets import (
    RELATIVE_CUTOFF,
    pair_distance_change,
    propensity,
    relative_displacement,
)
from lammps_botan.files.ensemble_npz import Configuration, read_future
from lammps_botan.structure.graph import Floats, Graph, build_graph


@dataclass(frozen=True)
class Sample:
    """A graph with its targets.

    Attributes
    ----------
    path : Path
        The file it came from.
    graph : Graph
    propensity : float64 [n_particles]
        S_i, see `lammps_botan.analysis.targets.propensity`.
    pair_distance_change : float64 [n_edges]
        E_ij, see `analysis.targets.pair_distance_change`; NaN where the file has neither runs
        nor E_ij.
    time : float or None
        Lag time, where the file says it.
    """

    path: Path
    graph: Graph
    propensity: Floats
    pair_distance_change: Floats
    time: float | None = None


def read_sample(path: Path, *, cutoff: float = 2.0, time_index: int | None = None) -> Sample:
    """Read one npz or pickle file and make its graph and targets.

    Parameters
    ----------
    path : Path
    cutoff : float
        Of the graph, LJ units.
    time_index : int or None
        Which lag time of a pickle file.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_future`, or if the box is smaller than two cutoffs.
    """
    return make_sample(read_future(path, time_index=time_index), cutoff=cutoff)


def check_box(configuration: Configuration, cutoff: float) -> None:
    """Refuse a box with more than one image of a pair within the cutoff, before all are listed.

    Raises
    ------
    ValueError
        If the box is smaller than two cutoffs.
    """
    heights = 1 / np.linalg.norm(np.linalg.inv(configuration.cell), axis=0)
    if heights.min() < 2 * cutoff:
        raise ValueError(
            f"{configuration.path}: the box is smaller than two cutoffs of the graph: expected "
            f"{2 * cutoff:g} or more in each direction, found "
            f"{', '.join(f'{height:g}' for height in heights)}; take a larger box"
        )


def make_sample(configuration: Configuration, *, cutoff: float = 2.0) -> Sample:
    """The graph and the targets of a configuration whose future is known.

    Raises
    ------
    ValueError
        If the box is smaller than two cutoffs, or the file has another number of E_ij.
    """
    path = configuration.path
    check_box(configuration, cutoff)
    graph = build_graph(
        configuration.initial, configuration.cell, configuration.species, cutoff=cutoff
    )
    if configuration.propensity is not None:
        changes = configuration.pair_distance_change
        if changes is None:
            changes = np.full(graph.n_edges, np.nan)
        if len(changes) != graph.n_edges:
            raise ValueError(
                f"{path}: pair_distance_change has {len(changes)} values, but there are "
                f"{graph.n_edges} pairs within {cutoff:g}: was it made for another cutoff?"
            )
        return Sample(path, graph, configuration.propensity, changes, configuration.time)
    changes = pair_distance_change(
        configuration.initial, configuration.final, graph, configuration.cell
    )
    own = propensity(configuration.initial, configuration.final)
    return Sample(path, graph, own, changes, configuration.time)


def make_relative_displacement(configuration: Configuration, quantity: str) -> Floats:
    """R_i, D_i or C_i of a configuration, see `analysis.targets.relative_displacement`.

    Parameters
    ----------
    configuration : Configuration
    quantity : str
        "R", "D" or "C".

    Returns
    -------
    float64 [n_particles]

    Raises
    ------
    ValueError
        If the configuration has no runs, or a particle no neighbors.
    """
    path, initial, final = configuration.path, configuration.initial, configuration.final
    if len(final) == 0:
        raise ValueError(f"{path}: has no runs, which {quantity} is computed from")
    graph = build_graph(initial, configuration.cell, configuration.species, cutoff=RELATIVE_CUTOFF)
    relative = relative_displacement(initial, final, graph)
    values = {"R": relative.r, "D": relative.d, "C": relative.c}[quantity]
    if not np.isfinite(values).all():
        alone = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"{path}: particle {alone} has no neighbor within {RELATIVE_CUTOFF:g}: "
            f"its {quantity} is not defined"
        )
    return values
