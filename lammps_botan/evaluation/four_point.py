"""The four-point amplitude: the size of mobility fluctuations over long distances.

The structure factor of a field of values v_i at the places r_i of n particles (or bonds) ::

    S_4(q) = < | sum_i (v_i - <v>) exp(i q . r_i) |^2 > / n

is the four-point one where v_i is a mobility (Lacevic et al., J. Chem. Phys. 119, 7372 (2003),
doi:10.1063/1.1605094), and its limit at small q is the amplitude of dynamic heterogeneity. The
literature compares the amplitude of predictions with that of runs (Jung et al., Phys. Rev. Lett.
130, 238202 (2023), doi:10.1103/PhysRevLett.130.238202; Nat. Rev. Phys. 7, 91 (2025),
doi:10.1038/s42254-024-00791-4) by chi_4, n times the variance of <v> between configurations. A
variance from ten configurations is wrong by half of its value. Waves in a box tell the same from
fewer configurations: the amplitude here is the mean of S_4(q) over the longest waves that fit into
the box. Each configuration counts relative to its own mean, which no wave sees.
"""

import itertools

import numpy as np

from lammps_botan.structure.box import Box, Floats

SHELLS = 3**0.5  # the longest of the waves: in a cube the shells |n|^2 = 1, 2 and 3
ROUNDING = 1e-6


def longest_waves(box: Box) -> Floats:
    """Give the wave vectors of the longest waves that fit into a box.

    They are those of the reciprocal lattice that are up to sqrt(3) times as long as the shortest,
    one of each q and -q. There are 13 for a cube, 4 for a square, and none for a box without
    images.

    Parameters
    ----------
    box : Box

    Returns
    -------
    float64 [n_waves, 3]
        Inverse length unit.

    Examples
    --------
    >>> len(longest_waves(Box(15.0, (True, True, True))))
    13
    """
    lattice = box.cell[np.array(box.periodic)]
    if not len(lattice):
        return np.empty((0, 3))
    reciprocal = 2 * np.pi * np.linalg.pinv(lattice).T
    longest = SHELLS * np.linalg.norm(reciprocal, axis=1).min()
    # q . a_k = 2 pi n_k, so that |n_k| <= |q| |a_k| / (2 pi)
    reach = longest * np.linalg.norm(lattice, axis=1) / (2 * np.pi)
    counts = [range(-int(n + ROUNDING), int(n + ROUNDING) + 1) for n in reach]
    numbers = np.array([n for n in itertools.product(*counts) if n > (0,) * len(n)])
    waves = numbers @ reciprocal
    lengths = np.linalg.norm(waves, axis=1)
    return np.asarray(waves[lengths <= SHELLS * lengths.min() * (1 + ROUNDING)])


def fourier_components(values: Floats, places: Floats, waves: Floats) -> Floats:
    """Sum values relative to their mean, times exp(i q . r).

    Parameters
    ----------
    values : float [..., n]
    places : float [n, 3]
        Wrapped or unwrapped, length unit.
    waves : float [n_waves, 3]
        Inverse length unit.

    Returns
    -------
    complex128 [..., n_waves]

    Examples
    --------
    >>> places, waves = np.array([[0.0, 0, 0], [1, 0, 0]]), np.array([[np.pi, 0, 0]])
    >>> abs(fourier_components(np.array([1.0, 0.0]), places, waves))
    array([1.])
    """
    angles = places @ waves.T
    relative = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(relative @ np.cos(angles) + 1j * (relative @ np.sin(angles)))
