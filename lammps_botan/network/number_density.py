"""Whether a configuration is as dense as the training of a model.

A model knows one number density N/V, per area in two dimensions. That of a configuration is unlike
it where ::

    |N/V / density - 1| > 0.005 + 0.3 / sqrt(N).

The first term is for densities that are rounded. The second one is three standard deviations in a
barostat, sqrt(S(0) / N) with the structure factor S(0) = rho k T kappa_T of a dense liquid, 0.01:
that of the Kob-Andersen mixture is 0.008 at T = 0.44. In a box of fixed volume N/V is exact.

N/V says nothing of the liquid where the liquid does not fill the box: it is compared only where the
box is periodic in all directions, and has no layer without particles that is as thick as the cutoff
of the model.
"""

import math

import numpy as np

from lammps_botan.structure.configuration import Configuration

ROUNDED = 0.005  # relative
FLUCTUATION = 0.3  # relative, times the square root of the number of particles


def unlike_density(configuration: Configuration, trained: float | None, gap: float) -> list[str]:
    """That N/V, or N per area in two dimensions, is unlike that of the training, in words.

    Parameters
    ----------
    configuration : Configuration
    trained : float or None
        Density of the training; where it is None, nothing is compared.
    gap : float
        A layer without particles that is as thick as this is vacuum; length unit.

    Returns
    -------
    list of str
        One, or none where both are alike or not compared.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> sites = np.indices((4, 4, 4)).reshape(3, -1).T
    >>> cube = Configuration(sites, 64 * [0], Box(4.0, (True, True, True)))
    >>> unlike_density(cube, trained=1.2, gap=2.0)
    ['number density is 1, 1.2 in training']
    >>> slab = Configuration(sites, 64 * [0], Box([4.0, 4.0, 6.0], (True, True, True)))
    >>> unlike_density(slab, trained=1.2, gap=2.0)
    []
    """
    n, periodic = configuration.n_particles, configuration.box.periodic
    if trained is None or not n or not all(periodic[: configuration.dimension]):
        return []
    found = configuration.density
    most = ROUNDED + FLUCTUATION / math.sqrt(n)
    if abs(found - trained) <= most * abs(trained) or _has_vacuum(configuration, gap):
        return []
    return [f"number density is {found:.4g}, {trained:.4g} in training"]


def _has_vacuum(configuration: Configuration, gap: float) -> bool:
    box, n = configuration.box, configuration.n_particles
    fractions = (configuration.positions - box.origin) @ np.linalg.inv(box.cell)
    for d in range(configuration.dimension):
        # at most half as thick as a gap, which holds one of them wherever it lies; where there are
        # more layers than particles, one of them is empty
        n_layers = math.ceil(min(2 * box.heights[d] / gap, n + 1))
        places = (fractions[:, d] - np.floor(fractions[:, d])) * n_layers
        if len(np.unique(np.minimum(places.astype(np.int64), n_layers - 1))) < n_layers:
            return True
    return False
