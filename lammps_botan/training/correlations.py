"""The correlations on validation data, which choose the epoch."""

import numpy as np

from lammps_botan.evaluation.pearson import edge_mask, node_mask, pearson
from lammps_botan.structure.box import Floats
from lammps_botan.structure.mixture import Mixture
from lammps_botan.training.data import TrainingGraph


def correlations(
    sample: TrainingGraph, node: Floats, edge: Floats, *, mixture: Mixture, p: float
) -> dict[str, float]:
    """Correlations of what is learned, and `rho`, their mean.

    Parameters
    ----------
    sample : TrainingGraph
    node : [n_particles]
        Prediction for particles; not used where p = 0.
    edge : [n_edges]
        Prediction for pairs; not used where p = 1.
    mixture : Mixture
        Its reference species and their bonds count.
    p : float
        See `training.config.Recipe`.

    Returns
    -------
    dict
        `rho_S` where p > 0, `rho_E` where p < 1, and `rho`; NaN where they are not defined.
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

    Raises
    ------
    ValueError
        If there are fewer than two particles of the reference species, or bonds between them, or
        all have the same target.
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
