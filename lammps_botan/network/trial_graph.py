"""A small graph on which two ways to compute a network are compared."""

import numpy as np

from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph, build_graph
from lammps_botan.structure.mixture import Mixture

N_PARTICLES = 32


def trial_graph(mixture: Mixture, cutoff: float) -> Graph:
    """Random particles of all species in a box of two cutoffs; always the same ones.

    Parameters
    ----------
    mixture : Mixture
        Says how many species there are, and in how many dimensions.
    cutoff : float
        Of the graph, length unit.
    """
    rng = np.random.default_rng(0)
    edges = [2 * cutoff] * mixture.dimension
    particles = Configuration(
        positions=rng.random((N_PARTICLES, mixture.dimension)) * edges,
        species=np.arange(N_PARTICLES) % mixture.n_species,
        box=Box(np.array(edges), (True, True, mixture.dimension == 3)),
    )
    return build_graph(particles, cutoff)
