"""How well a prediction correlates with the truth.

rho is Pearson's correlation coefficient. For the propensity it is taken over particles of the first
species (A), for the pair-distance change over A-A pairs with r_ij(0) < 1.35, in both directions
(Shiba et al., J. Chem. Phys. 158, 084503 (2023), sec. IV).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lammps_botan.graph import Floats, Graph

BOND_LENGTH = 1.35  # pairs closer than this are bonds: first minimum of g_AA(r)

Mask = npt.NDArray[np.bool_]


def node_mask(graph: Graph) -> Mask:
    """Bool [n_particles]: particles that count for the propensity."""
    return np.asarray(graph.species == 0)


def edge_mask(graph: Graph) -> Mask:
    """Bool [n_edges]: edges that count for the pair-distance change."""
    both = (graph.species[graph.center] == 0) & (graph.species[graph.neighbor] == 0)
    return np.asarray(both & (graph.distances < BOND_LENGTH))


def pearson(prediction: Floats, truth: Floats) -> float:
    """Pearson's rho of two arrays [n], NaN where one of them is constant or n < 2."""
    if len(prediction) == 0 or np.ptp(prediction) == 0 or np.ptp(truth) == 0:
        return float("nan")
    x = np.asarray(prediction, dtype=np.float64) - np.mean(prediction)
    y = np.asarray(truth, dtype=np.float64) - np.mean(truth)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def rho_mean(predictions: Sequence[Floats], truths: Sequence[Floats]) -> float:
    """Rho of each configuration, then averaged."""
    return float(np.mean([pearson(p, t) for p, t in zip(predictions, truths, strict=True)]))


def rho_pooled(predictions: Sequence[Floats], truths: Sequence[Floats]) -> float:
    """Rho over all entries of all configurations together."""
    return pearson(np.concatenate(predictions), np.concatenate(truths))
