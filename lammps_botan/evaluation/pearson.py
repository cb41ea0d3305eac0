"""Pearson's correlation of a prediction with the truth, and the ceiling of any prediction.

rho is Pearson's correlation coefficient. For the propensity it is taken over particles of one
species, for the pair-distance change over bonds of one pair of species, each from both ends. The
mixture says how long a bond is. Where one number is given, it is that of the reference species and
of bonds between two particles of it, A and A-A in Shiba et al., J. Chem. Phys. 158, 084503 (2023),
doi:10.1063/5.0129791, sec. IV.

A configuration is reduced to its moments, a few sums. The moments of several configurations give
rho over any set of these configurations.
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
    """Choose the particles of one species.

    Parameters
    ----------
    graph : Graph
    mixture : Mixture
        Its species numbers are those of the graph.
    species : int, optional
        Default: the reference species of the mixture.

    Returns
    -------
    bool [n_particles]

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> nothing = np.zeros(0, int)
    >>> graph = Graph(np.array([0, 1, 0]), nothing, nothing, np.zeros((0, 3)), cutoff=2.0)
    >>> node_mask(graph, KOB_ANDERSEN)
    array([ True, False,  True])
    """
    return np.asarray(graph.species == (mixture.reference if species is None else species))


def edge_mask(graph: Graph, mixture: Mixture, pair: tuple[int, int] | None = None) -> Mask:
    """Choose the bonds of one pair of species, in both directions.

    Parameters
    ----------
    graph : Graph
        Its cutoff must reach as far as the bonds.
    mixture : Mixture
        Its species numbers are those of the graph.
    pair : two ints, optional
        Species of the two ends. Default: twice the reference species.

    Returns
    -------
    bool [n_edges]

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> ends, vectors = (np.array([0, 1]), np.array([1, 0])), np.array([[1.0, 0, 0], [-1, 0, 0]])
    >>> graph = Graph(np.array([0, 1]), *ends, vectors, cutoff=2.0)
    >>> edge_mask(graph, KOB_ANDERSEN), edge_mask(graph, KOB_ANDERSEN, (0, 1))
    (array([False, False]), array([ True,  True]))
    """
    first, second = pair or (mixture.reference, mixture.reference)
    center, neighbor = graph.species[graph.center], graph.species[graph.neighbor]
    forth = (center == first) & (neighbor == second)
    back = (center == second) & (neighbor == first)
    return np.asarray((forth | back) & (graph.distances < mixture.bond_lengths[first][second]))


def moments(x: Floats, y: Floats, unit: float = 1.0) -> Floats:
    """Compute the sums that give rho of x and y, along the last axis.

    Parameters
    ----------
    x, y : float [..., n]
    unit : float
        Unit of x and y, such as the diameter of a particle: spreads of less than `ROUNDING` units
        are rounding errors.

    Returns
    -------
    float64 [..., 6]
        n, mean of x, mean of y, sum (x - <x>)^2, sum (y - <y>)^2 and sum (x - <x>)(y - <y>).

    Examples
    --------
    >>> moments(np.array([1.0, 3.0]), np.array([0.0, 4.0]))
    array([2., 2., 2., 2., 8., 4.])
    """
    x, y = (np.asarray(values, dtype=np.float64) / unit for values in (x, y))
    n = np.full(x.shape[:-1], x.shape[-1], dtype=np.float64)
    mean_x, mean_y = (a.sum(axis=-1) / np.maximum(n, 1) for a in (x, y))
    x, y = x - mean_x[..., None], y - mean_y[..., None]
    products = ((a * b).sum(axis=-1) for a, b in ((x, x), (y, y), (x, y)))
    return np.stack([n, mean_x, mean_y, *products], axis=-1)


def pool(moments: Floats) -> Floats:
    """Combine the moments of several configurations into those of all entries together.

    Parameters
    ----------
    moments : float64 [..., n_configurations, 6]

    Returns
    -------
    float64 [..., 6]

    Examples
    --------
    >>> one = moments(np.array([1.0, 3.0]), np.array([0.0, 4.0]))
    >>> pool(np.stack([one, one]))
    array([ 4.,  2.,  2.,  4., 16.,  8.])
    """
    n = moments[..., 0]
    total = n.sum(axis=-1)
    weights = n / np.maximum(total, 1)[..., None]
    mean = (weights[..., None] * moments[..., 1:3]).sum(axis=-2)
    x, y = np.moveaxis(moments[..., 1:3] - mean[..., None, :], -1, 0)
    between = np.stack([n * x * x, n * y * y, n * x * y], axis=-1)
    products = (moments[..., 3:] + between).sum(axis=-2)
    return np.concatenate([total[..., None], mean, products], axis=-1)


def correlation(moments: Floats) -> Floats:
    """Compute rho from moments.

    Parameters
    ----------
    moments : float64 [..., 6]

    Returns
    -------
    float64 [...]
        NaN where x or y is constant or n < 2. Values that differ by less than `ROUNDING` units, as
        in runs that never moved, are constant.

    Examples
    --------
    >>> correlation(moments(np.array([1.0, 3.0]), np.array([0.0, 4.0]))).round(6)
    np.float64(1.0)
    """
    n, mean_x, mean_y, xx, yy, xy = np.moveaxis(moments, -1, 0)
    least_x, least_y = (ROUNDING * np.maximum(np.abs(mean), 1) for mean in (mean_x, mean_y))
    constant = (xx <= n * least_x**2) | (yy <= n * least_y**2)
    norm = np.where(constant, np.nan, np.sqrt(xx) * np.sqrt(yy))
    return np.asarray(xy / norm)


def pearson(prediction: Floats, truth: Floats, unit: float = 1.0) -> float:
    """Compute Pearson's rho of two arrays.

    Parameters
    ----------
    prediction, truth : float [n]
    unit : float
        See `moments`.

    Returns
    -------
    float
        NaN where one of the arrays is constant or n < 2.

    Examples
    --------
    >>> round(pearson(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 9)
    1.0
    """
    return float(correlation(moments(prediction, truth, unit)))


def rho_pooled(moments: Floats) -> Floats:
    """Compute rho over all entries of all configurations.

    Parameters
    ----------
    moments : float64 [..., n_configurations, 6]

    Returns
    -------
    float64 [...]

    Examples
    --------
    >>> one = moments(np.array([1.0, 3.0]), np.array([0.0, 4.0]))
    >>> rho_pooled(np.stack([one, one])).round(6)
    np.float64(1.0)
    """
    return correlation(pool(moments))


def halves_moments(runs: Floats, unit: float = 1.0) -> Floats:
    """Compute the moments of the averages over one half of the runs and over the other half.

    The averages are never made: with the runs X [n_runs, n] and weights w and w' of the two halves,
    the sums are w (X - <X>)(X - <X>)^T w' and the like.

    Parameters
    ----------
    runs : float [n_runs, n]
        A quantity in each run of an isoconfigurational ensemble.
    unit : float
        See `moments`.

    Returns
    -------
    float64 [N_SPLITS, 6]
        As of `moments`, for each split of `random_halves`; rho is NaN for a single run or none.

    Examples
    --------
    >>> runs = np.random.default_rng(1).normal(size=(32, 100))
    >>> halves_moments(runs).shape
    (200, 6)
    """
    runs = np.asarray(runs, dtype=np.float64) / unit
    n_runs, n = runs.shape
    if n_runs < 2:
        return np.full((N_SPLITS, 6), [float(n), *[np.nan] * 5])
    mean = runs.sum(axis=1) / max(n, 1)
    products = (runs - mean[:, None]) @ (runs - mean[:, None]).T
    first, second = random_halves(n_runs)
    sums = [(a @ products * b).sum(axis=1) for a, b in ((first, first), (second, second))]
    sums.append((first @ products * second).sum(axis=1))
    counts = np.full(N_SPLITS, float(n))
    return np.stack([counts, first @ mean, second @ mean, *sums], axis=-1)


def random_halves(n_runs: int) -> Floats:
    """Give the weights that average over each half of the runs, in random splits.

    For an odd number of runs a random one is left out of each split. The splits are the same at
    each call.

    Parameters
    ----------
    n_runs : int

    Returns
    -------
    float64 [2, N_SPLITS, n_runs]
        NaN for a single run.

    Examples
    --------
    >>> first, second = random_halves(4)
    >>> (first + second)[0]
    array([0.5, 0.5, 0.5, 0.5])
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
    """Compute k, the number of all runs over the number in a half, see `random_halves`.

    Parameters
    ----------
    n_runs : int [...]

    Returns
    -------
    float64 [...]
        2 for an even number of runs, more for an odd one.

    Examples
    --------
    >>> lengthening([32, 5])
    array([2. , 2.5])
    """
    runs = np.asarray(n_runs)
    return np.asarray(runs / np.maximum(runs // 2, 1))


def ceiling(rho_halves: Floats, k: npt.ArrayLike) -> Floats:
    """Compute the highest rho that a prediction from the configuration can reach, split-half.

    If averages over halves of the runs correlate with rho, the average over all runs has the
    reliability k rho / (1 + (k - 1) rho) (Spearman, doi:10.1111/j.2044-8295.1910.tb00206.x, and
    Brown, doi:10.1111/j.2044-8295.1910.tb00207.x, 1910). A perfect prediction knows the average
    over infinitely many runs. It correlates with the average over these runs by the square root of
    the reliability.

    Parameters
    ----------
    rho_halves : float [...]
    k : float [...]
        See `lengthening`.

    Returns
    -------
    float64 [...]
        Zero where the halves do not correlate.

    Examples
    --------
    >>> ceiling(0.8, 2.0).round(3)
    np.float64(0.943)
    """
    k = np.asarray(k)
    rho = np.maximum(rho_halves, 0)
    return np.asarray(np.sqrt(k * rho / (1 + (k - 1) * rho)))
