"""Correlations on validation data, which choose the epoch."""

import numpy as np

from lammps_botan.evaluation.pearson import edge_mask, node_mask, pearson
from lammps_botan.structure.box import Floats
from lammps_botan.structure.mixture import Mixture
from lammps_botan.training.data import TrainingGraph


def correlations(
    sample: TrainingGraph, node: Floats, edge: Floats, *, mixture: Mixture, p: float
) -> dict[str, float]:
    """Compute the correlations of the learned quantities, and `rho`, their mean.

    Parameters
    ----------
    sample : TrainingGraph
    node : float [n_particles]
        Prediction for particles, length unit; not used where p = 0.
    edge : float [n_edges]
        Prediction for pairs, length unit; not used where p = 1.
    mixture : Mixture
        Its reference species and their bonds count.
    p : float
        See `training.config.Recipe`.

    Returns
    -------
    dict of str to float
        `rho_S` where p > 0, `rho_E` where p < 1, and `rho`; NaN where they are not defined.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lammps_botan import KOB_ANDERSEN, Graph
    >>> nothing, none = np.zeros(0, int), np.zeros((0, 3))
    >>> graph = Graph(np.zeros(3, int), nothing, nothing, none, cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, np.array([1.0, 2.0, 3.0]), np.zeros(0))
    >>> found = correlations(sample, 2 * sample.node, sample.edge, mixture=KOB_ANDERSEN, p=1)
    >>> round(found["rho_S"], 6)
    1.0
    """
    found = {}
    unit = mixture.diameter
    if p > 0:
        some = node_mask(sample.graph, mixture)
        found["rho_S"] = pearson(node[some], sample.node[some], unit)
    if p < 1:
        some = edge_mask(sample.graph, mixture)
        found["rho_E"] = pearson(edge[some], sample.edge[some], unit)
    found["rho"] = float(np.mean(list(found.values())))
    return found


def check_validation(sample: TrainingGraph, *, mixture: Mixture, p: float) -> None:
    """Refuse validation data on which no prediction has a correlation.

    Parameters
    ----------
    sample : TrainingGraph
    mixture : Mixture
    p : float
        See `training.config.Recipe`.

    Raises
    ------
    ValueError
        If there are fewer than two particles of the reference species, or bonds between them, or
        all have the same target.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lammps_botan import KOB_ANDERSEN, Graph
    >>> nothing, none = np.zeros(0, int), np.zeros((0, 3))
    >>> graph = Graph(np.zeros(3, int), nothing, nothing, none, cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, np.array([1.0, 2.0, 3.0]), np.zeros(0))
    >>> check_validation(sample, mixture=KOB_ANDERSEN, p=1)
    """
    best = correlations(sample, sample.node, sample.edge, mixture=mixture, p=p)
    name = mixture.reference_species
    length = mixture.bond_lengths[mixture.reference][mixture.reference]
    for key, quantity, what, mask in (
        ("rho_S", "particles", f"{name} particles", node_mask),
        ("rho_E", "pairs", f"{name}-{name} bonds (closer than {length:g})", edge_mask),
    ):
        if np.isnan(best.get(key, 0.0)):
            count = np.count_nonzero(mask(sample.graph, mixture))
            raise ValueError(
                f"{sample.path}: is among data.validation, but has no {key}: expected {what} with "
                f"different targets, found {count} {quantity}; validate with other configurations, "
                "or learn the other quantity alone (recipe.p = 0 or 1)"
            )
