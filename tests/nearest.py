"""How close mean (or inherent) positions come to each other, particle by particle."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BONDS = np.array([[1.35, 1.08], [1.08, 1.188]])  # of the Kob-Andersen mixture


def nearest_neighbors(
    positions: Floats, kinds: NDArray[np.int64], length: Floats, ways: Floats, cutoff: float
) -> Floats:
    """Distance to the nearest neighbor [n] between `positions` + `ways`, in bond lengths.

    Neighbors are those closer than the cutoff before; in a rectangular periodic box of more than
    two cutoffs. Infinite where a particle has none.
    """
    found = np.full(len(positions), np.inf)
    for i in range(len(positions)):
        apart = positions[i] - positions
        apart -= length * np.rint(apart / length)
        near = np.linalg.norm(apart, axis=1) < cutoff
        near[i] = False
        if near.any():
            after = np.linalg.norm((apart + ways[i] - ways)[near], axis=1)
            found[i] = (after / BONDS[kinds[i], kinds[near]]).min()
    return found
