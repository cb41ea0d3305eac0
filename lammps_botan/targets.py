"""What the network learns: averages over an isoconfigurational ensemble.

All functions take arrays in LJ units: `initial` [n_particles, 3], the configuration all runs start
from, and `final` [n_runs, n_particles, 3], unwrapped positions a lag time t later.
Equations are those of Shiba et al., J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791.
"""

import numpy as np
import numpy.typing as npt

from lammps_botan.graph import Floats, Graph, minimum_image


def propensity(initial: Floats, final: Floats) -> Floats:
    """S_i(t) = < |r_i(t) - r_i(0)| >, eq. 10.

    Parameters
    ----------
    initial : [n_particles, 3]
    final : [n_runs, n_particles, 3]
        Unwrapped.

    Returns
    -------
    float64 [n_particles]
    """
    runs = _runs(initial, final)
    total = np.zeros(len(initial))
    for positions in runs:
        total += np.linalg.norm(positions - initial, axis=1)
    return total / len(runs)


def pair_distance_change(
    initial: Floats, final: Floats, graph: Graph, box: npt.ArrayLike
) -> Floats:
    """E_ij(t) = < r_ij(t) - r_ij(0) > for the edges of the graph, eq. 11.

    Distances are those of the minimum image. Edges of a pair's other images, which exist only in
    boxes smaller than two cutoffs, get the value of the minimum image at t.

    Parameters
    ----------
    initial : [n_particles, 3]
    final : [n_runs, n_particles, 3]
        Wrapped or not.
    graph : Graph
        Of the initial positions.
    box : float, [3] or [3, 3]
        See `lammps_botan.graph.cell_matrix`.

    Returns
    -------
    float64 [n_edges]
    """
    runs = _runs(initial, final)
    # a distance is the same from both ends: measure it once
    once = graph.center <= graph.neighbor
    center, neighbor = graph.center[once], graph.neighbor[once]
    total = np.zeros(len(center))
    for positions in runs:
        vectors = minimum_image(positions[center] - positions[neighbor], box)
        total += np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    low, high = np.minimum(graph.center, graph.neighbor), np.maximum(graph.center, graph.neighbor)
    n = graph.n_particles
    pairs, first = np.unique(center * n + neighbor, return_index=True)
    mean = total[first] / len(runs)
    return np.asarray(mean[np.searchsorted(pairs, low * n + high)] - graph.distances)


def _runs(initial: Floats, final: Floats) -> Floats:
    if final.ndim != 3 or final.shape[1:] != initial.shape or len(final) == 0:
        raise ValueError(
            "the final positions must have shape [n_runs, n_particles, 3] with at least one run "
            f"and the initial positions [n_particles, 3], found {list(final.shape)} and "
            f"{list(initial.shape)}"
        )
    return final
