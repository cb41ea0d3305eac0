"""How many particles share a cell as large as a cutoff: the cost of a graph before it is built.

A damaged file, a wrong unit or a wrong cutoff may ask for more edges than any machine holds.
"""

import math
import os
from dataclasses import dataclass

import numpy as np

from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration

MAX_NEIGHBORS = 10_000  # of a particle on average; 40 in a liquid of BOTAN
MAX_EDGES = 2**31 - 1
BYTES = 128  # of an edge while the graph is built
SPARSE = 8  # cells for each particle, and
MANY = 100_000  # in all, above which most of them are empty
FARTHEST = 2.0**31  # boxes; image flags are 32-bit integers


@dataclass(frozen=True)
class Crowding:
    """How crowded the cells are.

    Attributes
    ----------
    n_cells : float
        Number of cells, empty ones included.
    most : int
        Particles in the fullest cell.
    n_edges : float
        Estimate of the number of edges, right within a factor of about four.
    cutoff : float
        Length unit.
    n_particles : int

    Examples
    --------
    >>> crowding = Crowding(n_cells=1e9, most=2, n_edges=20.0, cutoff=1.0, n_particles=10)
    >>> crowding.is_sparse
    True
    """

    n_cells: float
    most: int
    n_edges: float
    cutoff: float
    n_particles: int

    @property
    def is_sparse(self) -> bool:
        """Whether most of the cells are empty."""
        return self.n_cells > max(MANY, SPARSE * self.n_particles)

    def check(self, configuration: Configuration) -> None:
        """Refuse a graph with more edges than any use needs, or than the memory holds.

        Raises
        ------
        ValueError
            With density, number of edges and limit.
        """
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limit = min(MAX_NEIGHBORS * self.n_particles, MAX_EDGES, memory // BYTES)
        if self.n_edges <= limit:
            return
        raise ValueError(
            f"{configuration.where}: the graph would have about {self.n_edges:.2g} edges, "
            f"{self.n_edges / self.n_particles:.2g} for each particle, expected at most "
            f"{limit:.2g}: the density is {configuration.density:.4g}, the cutoff {self.cutoff:g}, "
            f"and up to {self.most} particles share a cell of that size; check the units, the box, "
            "the positions and the cutoff"
        )


def count_cells(configuration: Configuration, cutoff: float) -> Crowding:
    """Sort the particles into cells that are as wide as the cutoff, or up to twice as wide.

    Parameters
    ----------
    configuration : Configuration
        At least one particle.
    cutoff : float
        Length unit.

    Returns
    -------
    Crowding

    Raises
    ------
    ValueError
        If a particle is further away than 2^31 boxes.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> box = Box(5.0, (True, True, True))
    >>> four = Configuration(positions=np.eye(4, 3), species=[0] * 4, box=box)
    >>> crowding = count_cells(four, cutoff=2.0)
    >>> crowding.n_cells, crowding.most
    (8.0, 4)
    """
    box, n = configuration.box, configuration.n_particles
    periodic, heights = np.array(box.periodic), box.heights
    place = (configuration.positions - box.origin) @ np.linalg.inv(box.cell)
    if (farthest := np.abs(place[:, periodic]).max(initial=0.0)) > FARTHEST:
        raise ValueError(
            f"{configuration.where}: a particle is {farthest:.2g} boxes away from the box; check "
            "the units, the box and the positions"
        )
    place -= np.where(periodic, np.floor(place), place.min(axis=0))
    extents = np.where(periodic, 1.0, np.ptp(place, axis=0)) * heights
    numbers = np.floor(extents / cutoff) + np.where(periodic, 0.0, 1.0)
    numbers = np.maximum(numbers, 1.0)
    widths = np.where(periodic, extents / numbers, cutoff)
    counts = _occupied(np.minimum(np.floor(place * heights / widths), numbers - 1), numbers)
    # a sphere of the radius of the cutoff, in cells, where each particle finds as many others as
    # in its own; at most all particles and their images
    sphere = 4 / 3 * math.pi * np.prod(cutoff / widths) * _skew(configuration)
    several = periodic & (2 * cutoff > heights)
    images = np.prod(np.where(several, 2 * np.ceil(cutoff / heights) + 1, 1.0))
    pairs = float(np.sum(counts.astype(np.float64) ** 2))
    return Crowding(
        n_cells=float(np.prod(numbers)),
        most=int(counts.max()),
        n_edges=min(float(sphere) * pairs, float(images) * n * n),
        cutoff=cutoff,
        n_particles=n,
    )


def _occupied(cells: Floats, numbers: Floats) -> np.ndarray:
    """Count the particles in each cell that is not empty, int64; cells are [n_particles, 3]."""
    if np.prod(numbers) < 2.0**52:  # one number tells each cell
        keys = (cells[:, 0] * numbers[1] + cells[:, 1]) * numbers[2] + cells[:, 2]
        return np.unique(keys, return_counts=True)[1]
    return np.unique(cells, axis=0, return_counts=True)[1]


def _skew(configuration: Configuration) -> float:
    """Product of the heights of the box over its volume; 1 where the box is orthogonal."""
    return float(np.prod(configuration.box.heights)) / configuration.box.volume
