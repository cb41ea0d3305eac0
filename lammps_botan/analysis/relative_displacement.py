"""Displacements of particles relative to their neighbors."""

from dataclasses import dataclass

from lammps_botan.structure.box import Floats


@dataclass(frozen=True)
class RelativeDisplacement:
    """Motion of each particle relative to its neighbors.

    Attributes
    ----------
    r, d, c : float64 [n_particles]
        R_i, D_i and C_i, length unit; NaN for a particle without neighbors.

    Examples
    --------
    >>> import numpy as np
    >>> RelativeDisplacement(r=np.zeros(1), d=np.zeros(1), c=np.ones(1)).c
    array([1.])
    """

    r: Floats
    d: Floats
    c: Floats
