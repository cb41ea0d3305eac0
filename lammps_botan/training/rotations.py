"""Rotations and reflections that turn graphs in training."""

import itertools

import numpy as np
from scipy.stats import ortho_group

from lammps_botan.structure.box import Floats


def cube_operations(dimension: int = 3) -> Floats:
    """Give the operations that map a cube onto itself: permuted axes with any signs.

    The public implementation of BOTAN turns its graphs by these
    (https://github.com/h3-Open-BDEC/pyg_botan). In two dimensions they are those of the square,
    which leave z as it is.

    Parameters
    ----------
    dimension : int
        3 or 2.

    Returns
    -------
    float64 [48, 3, 3], or [8, 3, 3] in two dimensions

    Examples
    --------
    >>> len(cube_operations()), len(cube_operations(2))
    (48, 8)
    """
    axes = np.eye(dimension)[list(itertools.permutations(range(dimension)))]
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=dimension)))
    turned = (signs[:, None, :, None] * axes).reshape(-1, dimension, dimension)
    return np.stack([_in_space(one) for one in turned])


def draw_rotation(kind: str, rng: np.random.Generator, dimension: int = 3) -> Floats:
    """Draw one rotation, with or without a reflection.

    Parameters
    ----------
    kind : str
        "o3" for all of them, uniformly by the Haar measure; "cube" for `cube_operations`.
    rng : numpy.random.Generator
    dimension : int
        3; or 2 for those of the plane, which leave z as it is.

    Returns
    -------
    float64 [3, 3]

    Examples
    --------
    >>> rotation = draw_rotation("o3", np.random.default_rng(1))
    >>> np.allclose(rotation @ rotation.T, np.eye(3))
    True
    """
    if kind == "cube":
        return np.asarray(rng.choice(cube_operations(dimension)))
    return _in_space(ortho_group.rvs(dimension, random_state=rng))


def _in_space(rotation: Floats) -> Floats:
    whole = np.eye(3)
    n = len(rotation)
    whole[:n, :n] = rotation
    return whole
