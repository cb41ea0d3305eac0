"""Time correlations of the runs that start from one configuration.

All functions take arrays in the length unit of the liquid: `initial` [n_particles, 3] and `final`
[n_runs, n_particles, 3], unwrapped positions one lag time t later; dr_i = r_i(t) - r_i(0). They
average over all particles of the arrays: for the correlation of one species give its particles
only. A drift of the center of mass is not removed.
"""

import numpy as np

from lammps_botan.analysis.targets import displacements
from lammps_botan.structure.box import Box, Floats

OVERLAP_LENGTH = 0.3  # a, in diameters: farther than a particle vibrates in its cage
SHELL_WIDTH = 0.005  # largest relative distance of |k_n| from k
ENOUGH_VECTORS = 100  # in a large box the shell is made narrower instead of costlier
BLOCK = 1024  # particles at a time


def wavevectors(box: Box, k: float) -> Floats:
    """Give the wavevectors of length k that the box allows, one of each pair k_n and -k_n.

    They are k_n = 2 pi sum_d n_d b_d over the periodic directions d, with integers n_d and vectors
    b in the space of the periodic cell vectors a, where a_c . b_d is 1 for c = d and else 0. They
    lie in a shell around k: those closest to k in length until there are 100, with all others that
    are as close, none farther than 0.5 % of k. If a small box has none so close, they are those of
    the closest length.

    Parameters
    ----------
    box : Box
        In two dimensions, and in a slab, the wavevectors lie in the plane.
    k : float
        Length, inverse length unit; the paper has 2 pi / sigma_AA.

    Returns
    -------
    float64 [n_k, 3]
        Inverse length unit.

    Raises
    ------
    ValueError
        If k is not positive or less than half the shortest wavevector of the box, or the box is not
        periodic.

    Examples
    --------
    >>> abs(wavevectors(Box(1.0, (True, False, False)), k=6.0)).round(3)
    array([[6.283, 0.   , 0.   ]])
    """
    if not 0 < k < np.inf:
        raise ValueError(f"the wavenumber k must be positive, found {k}")
    cell = box.cell[np.array(box.periodic)]
    if len(cell) == 0:
        raise ValueError("a box that is not periodic allows any wavevector: choose them yourself")
    edge = np.linalg.norm(2 * np.pi * np.linalg.pinv(cell), axis=0).min()
    shortest = np.linalg.norm(_shell(cell, 0, 1.01 * edge), axis=1).min()
    if k < shortest / 2:
        raise ValueError(
            f"the wavenumber k must be at least {shortest / 2:.6g}, half the shortest of this box, "
            f"found {k}: take a larger k or a larger box"
        )
    # multiples of the shortest one come this close to any length
    margin = max(SHELL_WIDTH * k, 0.51 * shortest)
    vectors = _shell(cell, k - margin, k + margin)
    distance = np.abs(np.linalg.norm(vectors, axis=1) - k)
    enough = np.sort(distance)[:ENOUGH_VECTORS][-1]
    reach = max(distance.min(), min(enough, SHELL_WIDTH * k))
    return np.asarray(vectors[distance <= reach + 1e-9 * k])


def self_intermediate_scattering(initial: Floats, final: Floats, vectors: Floats) -> Floats:
    """Compute F_s(k, t) = 1/N sum_i cos(k . dr_i) for each run, averaged over the wavevectors.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Unwrapped, length unit.
    vectors : float [n_k, 3]
        Inverse length unit, see `wavevectors`.

    Returns
    -------
    float64 [n_runs]

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> final = np.array([[[0.5, 0, 0]]])  # half a wavelength
    >>> self_intermediate_scattering(np.zeros((1, 3)), final, np.array([[2 * np.pi, 0, 0]]))
    array([-1.])
    """
    return np.array([_mean_cosine(moved, vectors) for moved in displacements(initial, final)])


def mean_squared_displacement(initial: Floats, final: Floats) -> Floats:
    """Compute 1/N sum_i ``|dr_i|^2`` for each run.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Unwrapped, length unit.

    Returns
    -------
    float64 [n_runs]
        Length unit squared.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> mean_squared_displacement(np.zeros((1, 3)), np.ones((2, 1, 3)))
    array([3., 3.])
    """
    return np.array([(m * m).sum() / len(m) for m in displacements(initial, final)])


def overlap(initial: Floats, final: Floats, length: float) -> Floats:
    """Compute the fraction Q(t) of particles that moved less than a, for each run.

    Q(t) = 1/N sum_i theta(a - ``|dr_i|``).

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Unwrapped, length unit.
    length : float
        a, length unit; 0.3 sigma_AA is usual (`OVERLAP_LENGTH`).

    Returns
    -------
    float64 [n_runs]

    Raises
    ------
    ValueError
        If the shapes do not fit or `length` is not positive.

    Examples
    --------
    >>> overlap(np.zeros((2, 3)), np.array([[[0.1, 0, 0], [1.0, 0, 0]]]), length=0.3)
    array([0.5])
    """
    if not length > 0:
        raise ValueError(f"the overlap length must be positive, found {length}")
    return np.array(
        [np.mean(np.linalg.norm(m, axis=1) < length) for m in displacements(initial, final)]
    )


def overlap_susceptibility(initial: Floats, final: Floats, length: float) -> float:
    """Compute chi_4(t) = N var(Q) over the runs, which grows with the size of mobile regions.

    Lacevic et al., J. Chem. Phys. 119, 7372 (2003), doi:10.1063/1.1605094, for the self part of the
    overlap. The variance is the unbiased one, sum (Q - <Q>)^2 / (n_runs - 1). All runs start from
    one configuration: the spread between configurations is no part of it.

    Parameters
    ----------
    initial : float [n_particles, 3]
        Length unit.
    final : float [n_runs, n_particles, 3]
        Unwrapped, length unit.
    length : float
        a, length unit; 0.3 sigma_AA is usual (`OVERLAP_LENGTH`).

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two runs, the shapes do not fit, or `length` is not positive.

    Examples
    --------
    >>> final = np.array([[[0.1, 0, 0]], [[1.0, 0, 0]]])
    >>> overlap_susceptibility(np.zeros((1, 3)), final, length=0.3)
    0.5
    """
    values = overlap(initial, final, length)
    if len(values) < 2:
        raise ValueError(f"chi_4 is a variance over runs: it needs at least 2, found {len(values)}")
    return float(len(initial) * values.var(ddof=1))


def _mean_cosine(moved: Floats, vectors: Floats) -> float:
    total = 0.0
    for start in range(0, len(moved), BLOCK):
        phases = moved[start : start + BLOCK] @ vectors.T
        total += float(np.cos(phases, out=phases).sum())
    return total / (len(moved) * len(vectors))


def _shell(cell: Floats, low: float, high: float) -> Floats:
    """Wavevectors with low <= ``|k_n|`` <= high, float64 [n_k, 3], one of each pair, without zero.

    `cell` are the periodic cell vectors, [n_periodic, 3].
    """
    reciprocal = 2 * np.pi * np.linalg.pinv(cell).T
    # k . a = 2 pi n for the cell vector a: no n is larger than
    limits = np.floor(high * np.linalg.norm(cell, axis=1) / (2 * np.pi) + 1e-9).astype(int)
    sizes = 2 * limits[1:] + 1
    others = np.moveaxis(np.indices(sizes), 0, -1).reshape(int(sizes.prod()), len(sizes))
    others = others - limits[1:]
    # the sign of the first integer that is not zero: one of n and -n has it positive
    half = others[others @ np.append(np.cumprod(sizes[:0:-1])[::-1], 1)[: len(sizes)] > 0]
    found = []
    for first in range(limits[0] + 1):  # plane by plane, as the whole ball may not fit into memory
        vectors = first * reciprocal[0] + (others if first else half) @ reciprocal[1:]
        lengths = np.linalg.norm(vectors, axis=1)
        found.append(vectors[(lengths >= low) & (lengths <= high)])
    return np.concatenate(found)
