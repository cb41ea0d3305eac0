"""Targets of the network: averages over an isoconfigurational ensemble.

All functions take arrays in the length unit of the liquid: `initial` [n_particles, 3], the
configuration that all runs start from, and `final` [n_runs, n_particles, 3], unwrapped positions
one lag time t later; below, dr_i = r_i(t) - r_i(0) and < > is the mean over the runs. A graph of
the initial positions says which particles are neighbors. In two dimensions the third component of
all positions is the same, and the box has no images along z.
Equations are those of Shiba et al., J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from lammps_botan.analysis.relative_displacement import RelativeDisplacement
from lammps_botan.structure.box import Box, Floats, Ints
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import Mixture

# cutoffs of the paper, in units of the diameter of the mixture
EDGE_CUTOFF = 2.0  # pairs of the pair-distance change
RELATIVE_CUTOFF = 1.6  # neighbors of R, D and C
AVERAGE_CUTOFF = 1.35  # neighbors of the averaged displacement

SAME_IMAGE = 1e-6  # distances to two images differ by more, relative to the longest of all
COPLANAR = 1e-12  # smaller ratios of squared extents are rounding errors


def displacements(initial: Floats, final: Floats) -> Iterator[Floats]:
    """Give dr_i of one run after the other.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Unwrapped, length unit.

    Yields
    ------
    float64 [n_particles, 3]
        Length unit.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> list(displacements(np.zeros((1, 3)), np.ones((1, 1, 3))))
    [array([[1., 1., 1.]])]
    """
    return (np.subtract(run, initial, dtype=np.float64) for run in _runs(initial, final))


def propensity(initial: Floats, final: Floats) -> Floats:
    """Compute the propensity S_i(t) = ``< |r_i(t) - r_i(0)| >``, eq. 10 of doi:10.1063/5.0129791.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Unwrapped, length unit.

    Returns
    -------
    float64 [n_particles]
        Length unit.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> propensity(np.zeros((1, 3)), np.array([[[0.3, 0.4, 0.0]], [[0.0, 0.0, 1.0]]]))
    array([0.75])
    """
    total = np.zeros(len(initial))
    for moved in displacements(initial, final):
        total += np.linalg.norm(moved, axis=1)
    return total / len(final)


def pair_distance_change(initial: Floats, final: Floats, graph: Graph, box: Box) -> Floats:
    """Compute E_ij(t) = < r_ij(t) - r_ij(0) > of each edge, eq. 11 of doi:10.1063/5.0129791.

    Distances are those of the minimum image.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Wrapped or unwrapped, length unit.
    graph : Graph
        Graph of the initial positions.
    box : Box

    Returns
    -------
    float64 [n_edges]
        Length unit.

    Raises
    ------
    ValueError
        If the box is so small that a pair has several edges, one for each of its images.

    Examples
    --------
    >>> from lammps_botan import Configuration
    >>> from lammps_botan.structure.graph import build_graph
    >>> box = Box(9.0, (True, True, True))
    >>> initial = np.array([[0.0, 0, 0], [1, 0, 0]])
    >>> graph = build_graph(Configuration(initial, [0, 0], box), cutoff=2.0)
    >>> pair_distance_change(initial, np.array([[[0.0, 0, 0], [1.5, 0, 0]]]), graph, box)
    array([0.5, 0.5])
    """
    runs = _runs(initial, final)
    center, neighbor, edges = _pairs(graph)
    total = np.zeros(len(center))
    nearest = _distances(initial, center, neighbor, box)[edges]
    if np.any(graph.distances > nearest + SAME_IMAGE * graph.distances.max(initial=0)):
        raise ValueError(
            "the box is smaller than two cutoffs of the graph, so that several images of one pair "
            "are edges, and which of them is r_ij(t) is not defined: take a larger box"
        )
    for positions in runs:
        total += _distances(positions, center, neighbor, box)
    return np.asarray((total / len(runs))[edges] - graph.distances)


def relative_displacement(initial: Floats, final: Floats, graph: Graph) -> RelativeDisplacement:
    """Compute R_i, D_i and C_i: motion relative to the neighbors and to their strain.

    The source is sec. V of doi:10.1063/5.0129791. With v_ij = r_i(0) - r_j(0) and the sum over the
    n neighbors j of i, in each run ::

        Y_ij = [r_i(t) - r_j(t)] - (1 + eps_i) v_ij = (dr_i - dr_j) - eps_i v_ij
        R_i = |sum_j Y_ij| / n,   D_i = sqrt(sum_j |Y_ij|^2 / n),   C_i = |sum_j (dr_i - dr_j)| / n

    where eps_i, the local strain (any 3x3 matrix), minimizes the sum over j of ``|Y_ij|^2`` (Falk
    and Langer, Phys. Rev. E 57, 7192 (1998), doi:10.1103/PhysRevE.57.7192) ::

        eps_i = [sum_j (dr_i - dr_j) v_ij^T] [sum_j v_ij v_ij^T]^-1

    Fewer than three neighbors in independent directions leave a part of eps_i open; this part is
    zero (pseudo-inverse), as is the part across the plane of a two-dimensional system.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Unwrapped, length unit.
    graph : Graph
        Graph of the initial positions, with the cutoff 1.6 sigma_AA in the paper
        (`RELATIVE_CUTOFF`).

    Returns
    -------
    RelativeDisplacement
        NaN for particles without neighbors.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> from lammps_botan import Configuration
    >>> from lammps_botan.structure.graph import build_graph
    >>> initial = np.array([[0.0, 0, 0], [1, 0, 0]])
    >>> pair = Configuration(initial, [0, 0], Box(9.0, (True, True, True)))
    >>> final = np.array([[[0.0, 1, 0], [1, 0, 0]]])
    >>> motion = relative_displacement(initial, final, build_graph(pair, cutoff=1.6))
    >>> motion.r, motion.c  # one neighbor: the strain takes all of it
    (array([0., 0.]), array([1., 1.]))
    """
    runs = displacements(initial, final)
    n, n_edges, vectors = graph.n_particles, graph.n_edges, graph.vectors
    sum_j = _sum_over_neighbors(graph)
    squares = sum_j @ (vectors[:, :, None] * vectors[:, None, :]).reshape(n_edges, 9)
    inverse = np.linalg.pinv(squares.reshape(n, 3, 3), rtol=COPLANAR, hermitian=True)
    weights = np.einsum("eab,eb->ea", inverse[graph.center], vectors)
    # rows or columns 3i + b hold component b of center i
    slots = (3 * graph.center[:, None] + np.arange(3)).ravel()
    starts = np.arange(0, 3 * n_edges + 1, 3)
    fit = csr_array((weights.ravel(), slots, starts), shape=(n_edges, 3 * n)).T
    stretch = csr_array((vectors.ravel(), slots, starts), shape=(n_edges, 3 * n))

    total = np.zeros((3, n))
    for moved in runs:
        relative = moved.take(graph.center, axis=0) - moved.take(graph.neighbor, axis=0)
        left = relative - stretch @ (fit @ relative)  # Y_ij = (dr_i - dr_j) - eps_i v_ij
        total[0] += np.linalg.norm(sum_j @ left, axis=1)
        # with the factor sqrt(n) that the division below takes out again
        total[1] += np.sqrt(sum_j @ np.einsum("ea,ea->e", left, left))
        total[2] += np.linalg.norm(sum_j @ relative, axis=1)
    n_neighbors = _neighbor_counts(graph)
    r, d, c = total / len(final)
    return RelativeDisplacement(r=r / n_neighbors, d=d / np.sqrt(n_neighbors), c=c / n_neighbors)


def neighbor_averaged_displacement(initial: Floats, final: Floats, graph: Graph) -> Floats:
    """Average the mean displacement over neighbors, eq. 16 of doi:10.1063/5.0129791.

    It is < sum_j dr_j theta(r_f - r_ij(0)) / sum_j theta(r_f - r_ij(0)) >. The sum includes j = i,
    as theta(r_f - 0) = 1: a particle without neighbors keeps < dr_i >.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Unwrapped, length unit.
    graph : Graph
        Graph of the initial positions, with the cutoff r_f = 1.35 sigma_AA in the paper
        (`AVERAGE_CUTOFF`).

    Returns
    -------
    float64 [n_particles, 3]
        Length unit.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> from lammps_botan import Configuration
    >>> from lammps_botan.structure.graph import build_graph
    >>> initial = np.array([[0.0, 0, 0], [1, 0, 0]])
    >>> pair = Configuration(initial, [0, 0], Box(9.0, (True, True, True)))
    >>> final = np.array([[[0.0, 1, 0], [1, 0, 0]]])
    >>> neighbor_averaged_displacement(initial, final, build_graph(pair, cutoff=1.35))[:, 1]
    array([0.5, 0.5])
    """
    mean = np.zeros((len(initial), 3))
    for moved in displacements(initial, final):
        mean += moved
    mean /= len(final)
    total = mean + _sum_over_neighbors(graph) @ mean.take(graph.neighbor, axis=0)
    counts = 1 + np.bincount(graph.center, minlength=graph.n_particles)
    return np.asarray(total / counts[:, None])


def bonded(graph: Graph, mixture: Mixture) -> Graph:
    """Give the graph of the bonds: pairs closer than the bond length of their two species.

    Parameters
    ----------
    graph : Graph
        With a cutoff no shorter than the longest bond of the mixture.
    mixture : Mixture

    Returns
    -------
    Graph

    Raises
    ------
    ValueError
        If the graph lacks bonds, or has species that the mixture does not have.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box, Configuration
    >>> from lammps_botan.structure.graph import build_graph
    >>> positions = [[0.0, 0, 0], [1.2, 0, 0], [2.4, 0, 0]]
    >>> liquid = Configuration(positions, [0, 0, 1], Box(9.0, (True, True, True)))
    >>> bonded(build_graph(liquid, 2.0), KOB_ANDERSEN).neighbor  # A-B bonds end at 1.08
    array([1, 0])
    """
    if not graph.cutoff >= mixture.longest_bond:
        raise ValueError(
            f"the graph has the cutoff {graph.cutoff:g}, but bonds of {mixture.name} are up to "
            f"{mixture.longest_bond:g} long: build the graph with that cutoff"
        )
    return graph.only(graph.distances < _bond_lengths(graph, mixture))


def bond_breakage(
    initial: Floats, final: Floats, bonds: Graph, box: Box, mixture: Mixture
) -> Floats:
    """Compute the fraction of each particle's bonds that are broken at t, averaged over the runs.

    A pair with r_ij(0) < A1 sigma_ab is bonded; the bond is broken when r_ij(t) > A2 sigma_ab
    (minimum image). A2 > A1, so that vibrations break no bond: Yamamoto and Onuki, Phys. Rev. E 58,
    3515 (1998), doi:10.1103/PhysRevE.58.3515. Here A1 sigma_ab are the bond lengths of the mixture,
    and A2 / A1 is `mixture.breaking`. In the Kob-Andersen mixture A1 = 1.35 and A2 = 1.7, which for
    A-A lies between the first two shells of neighbors.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Wrapped or unwrapped, length unit.
    bonds : Graph
        Graph of the initial positions; each of its edges is a bond, see `bonded`.
    box : Box
    mixture : Mixture

    Returns
    -------
    float64 [n_particles]
        From 0 to 1; NaN for particles without bonds.

    Raises
    ------
    ValueError
        If the shapes do not fit, or the mixture lacks a species.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box, Configuration
    >>> from lammps_botan.structure.graph import build_graph
    >>> initial, box = np.array([[0.0, 0, 0], [1, 0, 0]]), Box(9.0, (True, True, True))
    >>> bonds = bonded(build_graph(Configuration(initial, [0, 0], box), 2.0), KOB_ANDERSEN)
    >>> final = np.array([[[0.0, 0, 0], [1.5, 0, 0]], [[0, 0, 0], [1.8, 0, 0]]])
    >>> bond_breakage(initial, final, bonds, box, KOB_ANDERSEN)
    array([0.5, 0.5])
    """
    runs = _runs(initial, final)
    center, neighbor, edges = _pairs(bonds)
    limits = np.empty(len(center))
    limits[edges] = mixture.breaking * _bond_lengths(bonds, mixture)
    total = np.zeros(len(center))
    for positions in runs:
        total += _distances(positions, center, neighbor, box) > limits
    broken = _sum_over_neighbors(bonds) @ (total / len(runs))[edges]
    return np.asarray(broken / _neighbor_counts(bonds))


def _bond_lengths(graph: Graph, mixture: Mixture) -> Floats:
    """Bond length of the two species of each edge, float64 [n_edges]."""
    found = int(graph.species.max(initial=0))
    if found >= mixture.n_species or graph.species.min(initial=0) < 0:
        raise ValueError(
            f"{mixture.name} has the species numbers 0 to {mixture.n_species - 1}, found "
            f"{np.unique(graph.species)}: bond lengths of other species are not known"
        )
    return mixture.pair_lengths(graph.species[graph.center], graph.species[graph.neighbor])


def _runs(initial: Floats, final: Floats) -> Floats:
    if final.ndim != 3 or final.shape[1:] != initial.shape or len(final) == 0:
        raise ValueError(
            "the final positions must have shape [n_runs, n_particles, 3] with at least one run "
            f"and the initial positions [n_particles, 3], found {list(final.shape)} and "
            f"{list(initial.shape)}"
        )
    return final


def _pairs(graph: Graph) -> tuple[Ints, Ints, Ints]:
    """Two ends of each pair, and for each edge the index of its pair."""
    # a distance is the same from both ends: measure it once
    low, high = np.minimum(graph.center, graph.neighbor), np.maximum(graph.center, graph.neighbor)
    n = max(graph.n_particles, 1)
    pairs, edges = np.unique(low * n + high, return_inverse=True)
    return pairs // n, pairs % n, edges


def _distances(positions: Floats, center: Ints, neighbor: Ints, box: Box) -> Floats:
    vectors = box.minimum_image(positions.take(center, axis=0) - positions.take(neighbor, axis=0))
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


def _sum_over_neighbors(graph: Graph) -> csr_array:
    """The matrix [n_particles, n_edges] that sums a quantity of the edges at their centers."""
    starts = np.searchsorted(graph.center, np.arange(graph.n_particles + 1))
    edges = np.arange(graph.n_edges)
    return csr_array((np.ones(graph.n_edges), edges, starts), (graph.n_particles, graph.n_edges))


def _neighbor_counts(graph: Graph) -> Floats:
    """float64 [n_particles], NaN in place of zero."""
    counts = np.bincount(graph.center, minlength=graph.n_particles)
    return np.where(counts > 0, counts, np.nan)
