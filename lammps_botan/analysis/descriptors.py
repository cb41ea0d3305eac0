"""Descriptors of the surroundings of a particle, which no rotation changes.

Boattini, Smallenburg, Filion, Phys. Rev. Lett. 127, 088007 (2021),
doi:10.1103/PhysRevLett.127.088007:

- radial densities of each species s, G_i(r, d, s) = sum over j of s of exp(-(r_ij - r)^2 / 2 d^2);
- bond order in shells, q_i(l, r) = sqrt(4 pi / (2 l + 1) sum over m of ``|q_lm|^2``), where q_lm is
  the average of Y_lm over the neighbors with the weights exp(-(r_ij - r)^2 / 2 d^2);
- averages over the neighborhood, generation after generation: X_i^(n) is the mean of X_j^(n-1) over
  i itself and the neighbors within r_c, with the weights exp(-r_ij / r_c).

The shells are ours. All lengths below are in units of the diameter of the mixture.
"""

from dataclasses import replace

import numpy as np
import scipy.sparse
from scipy.special import sph_legendre_p_all

from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph, build_graph

RADII = np.concatenate([np.arange(0.75, 1.999, 0.05), np.arange(2.0, 5.01, 0.1)])
WIDTHS = np.where(RADII < 1.99, 0.035, 0.07)
SHELLS = np.arange(1.0, 2.55, 0.1)
SHELL_WIDTH = 0.1
DEGREES = np.arange(1, 13)
AVERAGING = 2.0  # r_c
REACH = 5.21  # of the radial densities
SHELL_REACH = 2.8  # of the shells
_BIN = 0.01
_PARTICLES_AT_ONCE = 64


def shell_descriptors(configuration: Configuration) -> Floats:
    """Compute radial densities of each species, and bond order in shells.

    Descriptors of the inherent structure are those of the configuration with its inherent
    positions, `dataclasses.replace(configuration, positions=configuration.inherent_positions)`. The
    source is doi:10.1103/PhysRevLett.127.088007.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    float32 [n_particles, n_species * len(RADII) + len(SHELLS) * len(DEGREES)]
        n_species is that of the mixture, where it is known. Numbers without a unit.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> box = Box(12.0, (True, True, True))
    >>> pair = Configuration(positions=[[0.0, 0, 0], [1, 0, 0]], species=[0, 1], box=box)
    >>> shell_descriptors(pair).shape
    (2, 304)
    """
    mixture, diameter = configuration.mixture, configuration.diameter
    graph = _measured_in(diameter, build_graph(configuration, REACH * diameter))
    n_species = configuration.n_species if mixture is None else mixture.n_species
    shells = _bond_order(graph.within(SHELL_REACH))
    return np.concatenate([_radial_densities(graph, n_species), shells], axis=1)


def neighborhood_averages(
    values: Floats, configuration: Configuration, *, generations: int = 2
) -> Floats:
    """Append to the values of particles their averages over neighbors, generation by generation.

    Parameters
    ----------
    values : float [n_particles, n]
    configuration : Configuration
    generations : int

    Returns
    -------
    float [n_particles, (generations + 1) n]

    Examples
    --------
    >>> from lammps_botan import Box
    >>> box = Box(12.0, (True, True, True))
    >>> pair = Configuration(positions=[[0.0, 0, 0], [1, 0, 0]], species=[0, 0], box=box)
    >>> averages = neighborhood_averages(np.array([[0.0], [1.0]]), pair, generations=1)
    >>> averages.round(3)
    array([[0.   , 0.378],
           [1.   , 0.622]])
    """
    diameter = configuration.diameter
    graph = _measured_in(diameter, build_graph(configuration, AVERAGING * diameter))
    n = graph.n_particles
    weights = scipy.sparse.csr_array(
        (np.exp(-graph.distances / AVERAGING), (graph.center, graph.neighbor)), shape=(n, n)
    ) + scipy.sparse.eye_array(n)
    total = weights.sum(axis=1)[:, None]
    found = [values]
    for _ in range(generations):
        found.append((weights @ found[-1] / total).astype(values.dtype))
    return np.concatenate(found, axis=1)


def _measured_in(diameter: float, graph: Graph) -> Graph:
    """Give the graph in units of the diameter."""
    return replace(graph, vectors=graph.vectors / diameter, cutoff=graph.cutoff / diameter)


def _radial_densities(graph: Graph, n_species: int) -> Floats:
    # counts in narrow bins first, then one product with the Gaussians
    n = graph.n_particles
    n_bins = round(REACH / _BIN)
    # a distance just below the reach may be rounded up to it
    bins = np.minimum((graph.distances / _BIN).astype(int), n_bins - 1)
    column = graph.species[graph.neighbor] * n_bins + bins
    size = n_species * n_bins
    counts = np.bincount(graph.center * size + column, minlength=n * size).astype(np.float32)
    middles = (np.arange(n_bins) + 0.5) * _BIN
    gaussians = np.exp(-((middles[:, None] - RADII) ** 2) / (2 * WIDTHS**2)).astype(np.float32)
    return np.asarray((counts.reshape(n, n_species, n_bins) @ gaussians).reshape(n, -1))


def _bond_order(graph: Graph) -> Floats:
    n = graph.n_particles
    order = np.empty((n, len(SHELLS), len(DEGREES)), dtype=np.float32)
    starts = np.searchsorted(graph.center, np.arange(n + 1))
    for first in range(0, n, _PARTICLES_AT_ONCE):
        at = starts[first : first + _PARTICLES_AT_ONCE + 1]
        some = slice(at[0], at[-1])
        weights = np.exp(-((graph.distances[some, None] - SHELLS) ** 2) / (2 * SHELL_WIDTH**2))
        harmonics = _harmonics(graph.vectors[some], graph.distances[some])
        ends = at - at[0]
        for k in range(len(ends) - 1):
            own = slice(ends[k], ends[k + 1])
            total = np.maximum(weights[own].sum(axis=0), 0.1)  # an empty shell has no order
            average = weights[own].T @ harmonics[own] / total[:, None]
            squares = np.abs(average.reshape(len(SHELLS), len(DEGREES), -1)) ** 2
            # those of negative m follow from the others: |Y_l-m| = |Y_lm|
            both = squares[:, :, 0] + 2 * squares[:, :, 1:].sum(axis=2)
            order[first + k] = np.sqrt(4 * np.pi / (2 * DEGREES + 1) * both)
    return order.reshape(n, -1)


def _harmonics(vectors: Floats, distances: Floats) -> np.ndarray:
    # complex [n, degrees * orders]: Y_lm for m from 0 on; scipy's own Y_lm takes twice as long
    top = int(DEGREES[-1])
    legendre = sph_legendre_p_all(top, top, np.arccos(vectors[:, 2] / distances))[0]
    azimuth = np.arctan2(vectors[:, 1], vectors[:, 0])
    turns = np.exp(1j * np.arange(top + 1)[:, None] * azimuth)
    harmonics = legendre[DEGREES, : top + 1] * turns
    return np.asarray(np.moveaxis(harmonics, 2, 0).reshape(len(vectors), -1))
