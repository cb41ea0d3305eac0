"""Two dimensions in files of LAMMPS, which never say them."""

import numpy as np

from lammps_botan.structure.box import Box, Floats


def flat_box(box: Box, positions: Floats) -> Box:
    """The box of a frame, without images along z where all particles lie in one plane.

    Under `dimension 2` LAMMPS writes a thin box that is periodic along z, and all z are the same.
    In three dimensions no two particles have the same z, but for chance: a frame of two particles
    or more that all have the same z is two-dimensional.

    Parameters
    ----------
    box : Box
        As the file has it.
    positions : [n_particles, 3]
    """
    z = positions[:, 2]
    return box.flat if len(z) > 1 and np.all(z == z[0]) else box
