"""How well a prediction correlates with the truth, and how well any prediction could.

rho is Pearson's correlation coefficient. For the propensity it is taken over particles of one
species, for the pair-distance change over bonds of one pair of species, each from both ends. The
mixture says how long a bond is. Where one number is given, it is that of the reference species and
of bonds between two particles of it, A and A-A in Shiba et al., J. Chem. Phys. 158, 084503 (2023),
doi:10.1063/5.0129791, sec. IV.

What is needed of each configuration are its moments, a few sums; rho of several configurations, put
together in any way, follows from theirs.
"""

import numpy as np
import numpy.typing as npt

from lammps_botan.structure.box import Floats
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import Mixture

N_SPLITS = 200  # random halves of the runs; give a ceiling to .001 for some hundred particles
ROUNDING = 1e-12  # a spread below, relative or in the unit of the moments, is no spread

Mask = npt.NDArray[np.bool_]


def node_mask(graph: Graph, mixture: Mixture, species: int | None = None) -> Mask:
    """Particles that count for the propensity.

    Parameters
    ----------
    graph : Graph
    mixture : Mixture
        Its species numbers are those of the graph.
    species : int, optional
        The reference species of the mixture if it is not given.

    Returns
    -------
    bool [n_particles]
    """
    return np.asarray(graph.species == (mixture.reference if species is None else species))


def edge_mask(graph: Graph, mixture: Mixture, pair: tuple[int, int] | None = None) -> Mask:
    """Edges that count for the pair-distance change: bonds, in both directions.

    Parameters
    ----------
    graph : Graph
        Its cutoff must reach as far as the bonds.
    mixture : Mixture
        Its species numbers are those of the graph.
    pair : two ints, optional
        Species of the two ends; twice the reference species if it is not given.

    Returns
    -------
    bool [n_edges]
    """
    first, second = pair or (mixture.reference, mixture.reference)
    center, neighbor = graph.species[graph.center], graph.species[graph.neighbor]
    forth = (center == first) & (neighbor == second)
    back = (center == second) & (neighbor == first)
    return np.asarray((forth | back) & (graph.distances < mixture.bond_lengths[first][second]))


def moments(x: Floats, y: Floats, unit: float = 1.0) -> Floats:
    """Sums that give rho of x and y [..., n], each on its own along the last axis.

    Parameters
    ----------
    x, y : [..., n]
    unit : float
        What x and y are measured in, such as the diameter of a particle: spreads of less than
        `ROUNDING` units are rounding errors.

    Returns
    -------
    float64 [..., 6]
        n, mean of x, mean of y, sum (x - <x>)^2, sum (y - <y>)^2 and sum (x - <x>)(y - <y>).
    """
    x, y = (np.asarray(values, dtype=np.float64) / unit for values in (x, y))
    n = np.full(x.shape[:-1], x.shape[-1], dtype=np.float64)
    mean_x, mean_y = (a.sum(axis=-1) / np.maximum(n, 1) for a in (x, y))
    x, y = x - mean_x[..., None], y - mean_y[..., None]
    products = ((a * b).sum(axis=-1) for a, b in ((x, x), (y, y), (x, y)))
    return np.stack([n, mean_x, mean_y, *products], axis=-1)


def pool(moments: Floats) -> Floats:
    """Moments [..., 6] of several configurations together, from theirs [..., n, 6]."""
    n = moments[..., 0]
    total = n.sum(axis=-1)
    weights = n / np.maximum(total, 1)[..., None]
    mean = (weights[..., None] * moments[..., 1:3]).sum(axis=-2)
    x, y = np.moveaxis(moments[..., 1:3] - mean[..., None, :], -1, 0)
    between = np.stack([n * x * x, n * y * y, n * x * y], axis=-1)
    products = (moments[..., 3:] + between).sum(axis=-2)
    return np.concatenate([total[..., None], mean, products], axis=-1)


def correlation(moments: Floats) -> Floats:
    """Rho [...] from moments [..., 6]; NaN where x or y is constant or n < 2.

    Constant is also what differs by less than `ROUNDING` units, as in runs that never moved.
    """
    n, mean_x, mean_y, xx, yy, xy = np.moveaxis(moments, -1, 0)
    least_x, least_y = (ROUNDING * np.maximum(np.abs(mean), 1) for mean in (mean_x, mean_y))
    constant = (xx <= n * least_x**2) | (yy <= n * least_y**2)
    norm = np.where(constant, np.nan, np.sqrt(xx) * np.sqrt(yy))
    return np.asarray(xy / norm)


def pearson(prediction: Floats, truth: Floats, unit: float = 1.0) -> float:
    """Pearson's rho of two arrays [n], NaN where one of them is constant or n < 2.

    Parameters
    ----------
    prediction, truth : [n]
    unit : float
        See `moments`.

    Examples
    --------
    >>> round(pearson(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 9)
    1.0
    """
    return float(correlation(moments(prediction, truth, unit)))


def rho_pooled(moments: Floats) -> Floats:
    """Rho over all entries of all configurations: [...] from moments [..., n_configurations, 6]."""
    return correlation(pool(moments))


def halves_moments(runs: Floats, unit: float = 1.0) -> Floats:
    """Moments of the averages over one half of the runs and over the other half.

    The averages are never made: with the runs X [n_runs, n] and weights w and w' of the two halves,
    the sums are w (X - <X>)(X - <X>)^T w' and the like.

    Parameters
    ----------
    runs : [n_runs, n]
        A quantity in each run of an isoconfigurational ensemble.
    unit : float
        See `moments`.

    Returns
    -------
    float64 [N_SPLITS, 6]
        As of `moments`, for each split of `random_halves`; rho is NaN for a single run.
    """
    runs = np.asarray(runs, dtype=np.float64) / unit
    n_runs, n = runs.shape
    mean = runs.sum(axis=1) / max(n, 1)
    products = (runs - mean[:, None]) @ (runs - mean[:, None]).T
    first, second = random_halves(n_runs)
    sums = [(a @ products * b).sum(axis=1) for a, b in ((first, first), (second, second))]
    sums.append((first @ products * second).sum(axis=1))
    counts = np.full(N_SPLITS, float(n))
    return np.stack([counts, first @ mean, second @ mean, *sums], axis=-1)


def random_halves(n_runs: int) -> Floats:
    """Weights that average over one half of the runs and over the other half, in random splits.

    Of an odd number of runs a random one is left out of each split. The splits are the same at
    each call.

    Returns
    -------
    float64 [2, N_SPLITS, n_runs]
        NaN for a single run.
    """
    if n_runs < 2:
        return np.full((2, N_SPLITS, n_runs), np.nan)
    rng = np.random.default_rng(0)
    half = n_runs // 2
    weights = np.zeros((2, N_SPLITS, n_runs))
    for split in range(N_SPLITS):
        order = rng.permutation(n_runs)
        weights[0, split, order[:half]] = 1 / half
        weights[1, split, order[half : 2 * half]] = 1 / half
    return weights


def lengthening(n_runs: npt.ArrayLike) -> Floats:
    """K [...]: how many times as many runs are in all as in a half, see `random_halves`.

    It is 2 if their number is even, and more if it is odd.
    """
    runs = np.asarray(n_runs)
    return np.asarray(runs / np.maximum(runs // 2, 1))


def ceiling(rho_halves: Floats, k: npt.ArrayLike) -> Floats:
    """The highest rho that a prediction from the configuration can reach, split-half.

    The average over all runs has the reliability k rho / (1 + (k - 1) rho) if averages over halves
    of them correlate with rho (Spearman, doi:10.1111/j.2044-8295.1910.tb00206.x, and Brown,
    doi:10.1111/j.2044-8295.1910.tb00207.x, 1910). A perfect prediction knows the average over
    infinitely many runs, and correlates with the one over these by the square root of this. Zero
    where the halves do not correlate.

    Parameters
    ----------
    rho_halves : [...]
    k : [...]
        See `lengthening`.
    """
    k = np.asarray(k)
    rho = np.maximum(rho_halves, 0)
    return np.asarray(np.sqrt(k * rho / (1 + (k - 1) * rho)))
