"""Time correlations of the runs that start from one configuration.

All functions take arrays in LJ units: `initial` [n_particles, 3] and `final`
[n_runs, n_particles, 3], unwrapped positions a lag time t later; dr_i = r_i(t) - r_i(0). They
average over the particles they are given: pass those of one species for its own correlation. A
drift of the center of mass is not removed.
"""

import numpy as np
import numpy.typing as npt

from lammps_botan.analysis.targets import displacements
from lammps_botan.structure.graph import Floats, cell_matrix

OVERLAP_LENGTH = 0.3  # a: farther than a particle vibrates in its cage
SHELL_WIDTH = 0.005  # largest relative distance of |k_n| from k
ENOUGH_VECTORS = 100  # in a large box the shell is made narrower instead of costlier
BLOCK = 1024  # particles at a time


def wavevectors(box: npt.ArrayLike, k: float) -> Floats:
    """Wavevectors of length k that the box allows, one of each pair k_n and -k_n.

    They are k_n = 2 pi (n_1 b_1 + n_2 b_2 + n_3 b_3), with integers n and the rows b of the inverse
    transposed cell, in a shell around k: those closest to k in length until there are 100, with
    all others that are as close, none farther than 0.5 % of k. Where a small box has none so close,
    they are those of the closest length.

    Parameters
    ----------
    box : float, [3] or [3, 3]
        See `lammps_botan.structure.graph.cell_matrix`.
    k : float
        Length, in units of 1 / sigma_AA.

    Returns
    -------
    float64 [n_k, 3]

    Raises
    ------
    ValueError
        If k is not positive or less than half the shortest wavevector of the box.
    """
    if not 0 < k < np.inf:
        raise ValueError(f"the wavenumber k must be positive, found {k}")
    cell = cell_matrix(box)
    edge = np.linalg.norm(2 * np.pi * np.linalg.inv(cell), axis=0).min()
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
    """F_s(k, t) = 1/N sum_i cos(k . dr_i), averaged over the wavevectors, for each run.

    Parameters
    ----------
    initial : [n_particles, 3]
    final : [n_runs, n_particles, 3]
        Unwrapped.
    vectors : [n_k, 3]
        See `wavevectors`.

    Returns
    -------
    float64 [n_runs]
    """
    return np.array([_mean_cosine(moved, vectors) for moved in displacements(initial, final)])


def mean_squared_displacement(initial: Floats, final: Floats) -> Floats:
    """1/N sum_i |dr_i|^2 for each run.

    Parameters
    ----------
    initial : [n_particles, 3]
    final : [n_runs, n_particles, 3]
        Unwrapped.

    Returns
    -------
    float64 [n_runs]
    """
    return np.array([(m * m).sum() / len(m) for m in displacements(initial, final)])


def overlap(initial: Floats, final: Floats, length: float = OVERLAP_LENGTH) -> Floats:
    """Q(t) = 1/N sum_i theta(a - |dr_i|), the fraction that moved less than a, for each run.

    Parameters
    ----------
    initial : [n_particles, 3]
    final : [n_runs, n_particles, 3]
        Unwrapped.
    length : float
        a, LJ units.

    Returns
    -------
    float64 [n_runs]

    Raises
    ------
    ValueError
        If the shapes do not fit or `length` is not positive.
    """
    if not length > 0:
        raise ValueError(f"the overlap length must be positive, found {length}")
    return np.array(
        [np.mean(np.linalg.norm(m, axis=1) < length) for m in displacements(initial, final)]
    )


def overlap_susceptibility(initial: Floats, final: Floats, length: float = OVERLAP_LENGTH) -> float:
    """chi_4(t) = N (<Q^2> - <Q>^2), < > over the runs: how far mobility is correlated in space.

    Lacevic et al., J. Chem. Phys. 119, 7372 (2003), doi:10.1063/1.1605094, for the self part of the
    overlap. All runs start from one configuration, so it has no part from the spread between
    configurations; and as a variance of n_runs values it is too small by (n_runs - 1) / n_runs.

    Parameters
    ----------
    initial : [n_particles, 3]
    final : [n_runs, n_particles, 3]
        Unwrapped.
    length : float
        a, LJ units.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two runs, the shapes do not fit, or `length` is not positive.
    """
    values = overlap(initial, final, length)
    if len(values) < 2:
        raise ValueError(f"chi_4 is a variance over runs: it needs at least 2, found {len(values)}")
    return float(len(initial) * values.var())


def _mean_cosine(moved: Floats, vectors: Floats) -> float:
    total = 0.0
    for start in range(0, len(moved), BLOCK):
        phases = moved[start : start + BLOCK] @ vectors.T
        total += float(np.cos(phases, out=phases).sum())
    return total / (len(moved) * len(vectors))


def _shell(cell: Floats, low: float, high: float) -> Floats:
    """Float64 [n_k, 3]: wavevectors with low <= |k_n| <= high, one of each pair, without zero."""
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    # k . a = 2 pi n for the cell vector a: no n is larger than
    n_1, n_2, n_3 = np.floor(high * np.linalg.norm(cell, axis=1) / (2 * np.pi) + 1e-9).astype(int)
    plane = np.mgrid[-n_2 : n_2 + 1, -n_3 : n_3 + 1].reshape(2, -1).T
    second, third = plane.T
    half = plane[(second > 0) | ((second == 0) & (third > 0))]
    found = []
    for first in range(n_1 + 1):  # plane by plane, as the whole ball may not fit into memory
        vectors = first * reciprocal[0] + (plane if first else half) @ reciprocal[1:]
        lengths = np.linalg.norm(vectors, axis=1)
        found.append(vectors[(lengths >= low) & (lengths <= high)])
    return np.concatenate(found)
