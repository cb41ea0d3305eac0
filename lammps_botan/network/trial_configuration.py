"""A small configuration to compare two ways to compute a network."""

import numpy as np

from lammps_botan.network.arrays import Arrays, forward_arrays
from lammps_botan.network.inputs import Inputs, node_inputs
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import Mixture

N_PARTICLES = 32
CAGE = 0.1  # of a particle, in diameters
ENERGY = -6.0  # of a particle; of order 1 in reduced units


def trial_configuration(mixture: Mixture, cutoff: float, inputs: Inputs) -> Configuration:
    """Make random particles of all species in a box of two cutoffs; always the same ones.

    Parameters
    ----------
    mixture : Mixture
        Gives number of species and dimension.
    cutoff : float
        Cutoff of the graph, length unit.
    inputs : Inputs
        Inputs that the particles get, of the size that they have in a glass.

    Returns
    -------
    Configuration

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> trial_configuration(KOB_ANDERSEN, 2.0, Inputs()).n_particles
    32
    """
    rng = np.random.default_rng(0)
    n, dimension = N_PARTICLES, mixture.dimension
    edges = [2 * cutoff] * dimension
    cage = CAGE * mixture.diameter
    positions = rng.random((n, dimension)) * edges
    history = None
    if inputs.history is not None:
        history = History(
            window=inputs.history.window,
            displacement=_in_space(rng.normal(0, cage, (n, dimension))),
            variance=cage**2 * rng.lognormal(0, 0.5, n),
            energy=rng.normal(ENERGY, 1, n),
        )
    return Configuration(
        positions=positions,
        species=np.arange(n) % mixture.n_species,
        box=Box(np.array(edges), (True, True, dimension == 3)),
        inherent_positions=positions + rng.normal(0, cage, (n, dimension)),
        inherent_energies=rng.normal(ENERGY, 1, n),
        history=history,
        mixture=mixture,
    )


def trial_arrays(mixture: Mixture, cutoff: float, inputs: Inputs) -> Arrays:
    """Give the arguments of `forward` for the trial configuration.

    Parameters
    ----------
    mixture, cutoff, inputs
        As for `trial_configuration`.

    Returns
    -------
    list of arrays
        See `network.arrays.forward_arrays`.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> len(trial_arrays(KOB_ANDERSEN, 2.0, Inputs()))
    4
    """
    trial = trial_configuration(mixture, cutoff, inputs)
    given = node_inputs(trial, inputs) if inputs.names else ()
    return forward_arrays(build_graph(trial, cutoff), *given)


def _in_space(vectors: np.ndarray) -> np.ndarray:
    return np.pad(vectors, ((0, 0), (0, 3 - vectors.shape[1])))
