"""Samples: configurations with their graphs and targets."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.analysis.targets import (
    EDGE_CUTOFF,
    RELATIVE_CUTOFF,
    pair_distance_change,
    propensity,
    relative_displacement,
)
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import Graph, build_graph
from lammps_botan.structure.mixture import Mixture


@dataclass(frozen=True, eq=False)
class Sample:
    """A configuration, its graph and its targets.

    Attributes
    ----------
    path : Path
        File that the sample comes from.
    configuration : Configuration
    graph : Graph
    propensity : float64 [n_particles]
        S_i, length unit, see `lammps_botan.analysis.targets.propensity`.
    pair_distance_change : float64 [n_edges]
        E_ij, length unit, see `lammps_botan.analysis.targets.pair_distance_change`; NaN where the
        file has neither runs nor E_ij.
    lag_time : float or None
        Time unit, where the file says it.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(9.0, (True, True, True)))
    >>> sample = make_sample(Ensemble(start, final=np.eye(2, 3)[None], lag_time=13.0))
    >>> sample.propensity, sample.lag_time
    (array([0., 0.]), 13.0)
    """

    path: Path
    configuration: Configuration
    graph: Graph
    propensity: Floats
    pair_distance_change: Floats
    lag_time: float | None = None


def read_sample(
    path: str | Path,
    *,
    cutoff: float | None = None,
    time_index: int | None = None,
    mixture: Mixture | None = None,
) -> Sample:
    """Read one npz or pickle file and make its graph and targets.

    Parameters
    ----------
    path : str or Path
    cutoff : float, optional
        Cutoff of the graph, length unit. Default: that of BOTAN, 2 diameters of the mixture.
    time_index : int, optional
        Number of the lag time, from 0, for a file with several.
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Returns
    -------
    Sample

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `lammps_botan.files.ensemble.read_ensemble` and `make_sample`.

    Examples
    --------
    >>> start = {"box": 9.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> np.savez("runs.npz", **start, positions=[np.eye(2, 3) + 0.1] * 4)
    >>> sample = read_sample("runs.npz")
    >>> sample.graph.n_edges, len(sample.pair_distance_change)
    (2, 2)
    """
    return make_sample(read_ensemble(path, time_index=time_index, mixture=mixture), cutoff)


def make_sample(ensemble: Ensemble, cutoff: float | None = None) -> Sample:
    """Make the graph and the targets of an ensemble.

    Parameters
    ----------
    ensemble : Ensemble
    cutoff : float, optional
        Cutoff of the graph, length unit. Default: that of BOTAN, 2 diameters of the mixture.

    Returns
    -------
    Sample

    Raises
    ------
    ValueError
        If the box is smaller than two cutoffs, the ensemble has another number of E_ij, or its
        final positions are wrapped.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(9.0, (True, True, True)))
    >>> make_sample(Ensemble(start, final=np.eye(2, 3)[None]), cutoff=1.0).graph.n_edges
    0
    """
    ensemble.refuse_wrapped()
    return make_sample_of_any_start(ensemble, cutoff)


def make_sample_of_any_start(ensemble: Ensemble, cutoff: float | None = None) -> Sample:
    """Make the graph and the targets of an ensemble, also of one that is read backwards.

    Read backwards, an ensemble ends at a configuration, which may well lie in the box: this says
    nothing of whether positions are wrapped. Refuse wrapped ones before, where they are read.

    Parameters
    ----------
    ensemble : Ensemble
    cutoff : float, optional
        As for `make_sample`.

    Returns
    -------
    Sample

    Raises
    ------
    ValueError
        If the box is smaller than two cutoffs, or the ensemble has another number of E_ij.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(9.0, (True, True, True)))
    >>> make_sample_of_any_start(Ensemble(start, final=np.eye(2, 3)[None])).propensity
    array([0., 0.])
    """
    configuration, path = ensemble.configuration, ensemble.path
    if cutoff is None:
        cutoff = EDGE_CUTOFF * configuration.diameter
    check_box(configuration, cutoff)
    graph = build_graph(configuration, cutoff)
    if ensemble.propensity is None:
        initial, final, box = ensemble.initial, ensemble.final, ensemble.box
        own = propensity(initial, final)
        changes = pair_distance_change(initial, final, graph, box)
        return Sample(path, configuration, graph, own, changes, ensemble.lag_time)
    given = ensemble.pair_distance_change
    changes = np.full(graph.n_edges, np.nan) if given is None else given
    if len(changes) != graph.n_edges:
        raise ValueError(
            f"{path}: pair_distance_change has {len(changes)} values, but there are "
            f"{graph.n_edges} pairs within {cutoff:g}: was it made for another cutoff?"
        )
    return Sample(path, configuration, graph, ensemble.propensity, changes, ensemble.lag_time)


def check_box(configuration: Configuration, cutoff: float) -> None:
    """Refuse a box with more than one image of a pair within the cutoff, before pairs are listed.

    Parameters
    ----------
    configuration : Configuration
    cutoff : float
        Length unit.

    Raises
    ------
    ValueError
        If the box is smaller than two cutoffs along a periodic direction.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> check_box(Configuration(np.eye(2, 3), [0, 0], Box(9.0, (True, True, True))), cutoff=2.0)
    """
    heights = configuration.box.heights[np.array(configuration.box.periodic)]
    if heights.min(initial=np.inf) < 2 * cutoff:
        raise ValueError(
            f"{configuration.where}: the box is smaller than two cutoffs of the graph: expected "
            f"{2 * cutoff:g} or more in each periodic direction, found "
            f"{', '.join(f'{height:g}' for height in heights)}; take a larger box"
        )


def make_relative_displacement(ensemble: Ensemble, quantity: str) -> Floats:
    """Compute R_i, D_i or C_i, see `lammps_botan.analysis.targets.relative_displacement`.

    Parameters
    ----------
    ensemble : Ensemble
    quantity : str
        "R", "D" or "C".

    Returns
    -------
    float64 [n_particles]
        Length unit.

    Raises
    ------
    ValueError
        If the ensemble has no runs, its final positions are wrapped, or a particle has no
        neighbors.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(9.0, (True, True, True)))
    >>> make_relative_displacement(Ensemble(start, final=np.eye(2, 3)[None] + 1.0), "C")
    array([0., 0.])
    """
    ensemble.refuse_wrapped()
    return make_relative_displacement_of_any_start(ensemble, quantity)


def make_relative_displacement_of_any_start(ensemble: Ensemble, quantity: str) -> Floats:
    """Compute R_i, D_i or C_i of runs that may start anywhere and end in the box.

    A run read backwards does so, and seems to be wrapped; its file was checked before.

    Parameters
    ----------
    ensemble : Ensemble
    quantity : str
        "R", "D" or "C".

    Returns
    -------
    float64 [n_particles]
        Length unit.

    Raises
    ------
    ValueError
        If the ensemble has no runs, or a particle has no neighbors.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(9.0, (True, True, True)))
    >>> ended = Ensemble(start, final=np.eye(2, 3)[None] + 1.0)
    >>> make_relative_displacement_of_any_start(ended, "C")
    array([0., 0.])
    """
    path, initial, final = ensemble.path, ensemble.initial, ensemble.final
    if len(final) == 0:
        raise ValueError(f"{path}: has no runs, which {quantity} is computed from")
    cutoff = RELATIVE_CUTOFF * ensemble.configuration.diameter
    relative = relative_displacement(initial, final, build_graph(ensemble.configuration, cutoff))
    values = {"R": relative.r, "D": relative.d, "C": relative.c}[quantity]
    if not np.isfinite(values).all():
        alone = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"{path}: particle {alone} has no neighbor within {cutoff:g}: its {quantity} is not "
            "defined"
        )
    return values
