"""Two dimensions in files of LAMMPS, which do not say the dimension."""

import numpy as np

from lammps_botan.structure.box import Box, Floats


def flat_box(box: Box, positions: Floats) -> Box:
    """Give the box of a frame, without images along z where all particles lie in one plane.

    Under `dimension 2` LAMMPS writes a thin box that is periodic along z, and all z are the same.
    In three dimensions two particles have the same z only by chance: a frame of two particles or
    more that all have the same z is two-dimensional.

    Parameters
    ----------
    box : Box
        As the file has it.
    positions : float [n_particles, 3]
        Length unit.

    Returns
    -------
    Box

    Examples
    --------
    >>> box = Box([5.0, 5.0, 1.0], (True, True, True))
    >>> flat_box(box, np.zeros((2, 3))).periodic
    (True, True, False)
    """
    z = positions[:, 2]
    return box.flat if len(z) > 1 and np.all(z == z[0]) else box
