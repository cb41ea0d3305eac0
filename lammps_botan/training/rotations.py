"""Rotations and reflections, by which training turns a graph before each step."""

import itertools

import numpy as np
from scipy.stats import ortho_group

from lammps_botan.structure.graph import Floats


def cube_operations() -> Floats:
    """float64 [48, 3, 3]: what maps a cube onto itself, permuted axes with any signs.

    The public implementation of BOTAN turns its graphs by these
    (https://github.com/h3-Open-BDEC/pyg_botan).
    """
    axes = np.eye(3)[list(itertools.permutations(range(3)))]
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=3)))
    return np.asarray((signs[:, None, :, None] * axes).reshape(48, 3, 3))


def draw_rotation(kind: str, rng: np.random.Generator) -> Floats:
    """float64 [3, 3]: one rotation, with or without a reflection.

    Parameters
    ----------
    kind : str
        "o3" for all of them, uniformly by the Haar measure; "cube" for `cube_operations`.
    rng : numpy.random.Generator
    """
    if kind == "cube":
        return np.asarray(rng.choice(cube_operations()))
    return np.asarray(ortho_group.rvs(3, random_state=rng))
