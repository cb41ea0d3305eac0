"""Pairs of particles that are closer than a cutoff, from two libraries.

Both functions give each ordered pair once for each image, in any order.
"""

import numpy as np

from lammps_botan.structure.box import Box, Floats, Ints
from lammps_botan.structure.configuration import Configuration

Pairs = tuple[Ints, Ints, Floats]


def cell_pairs(configuration: Configuration, cutoff: float) -> Pairs:
    """Find the pairs of a liquid with cells as large as the cutoff.

    Empty cells cost as much as full ones: there must not be many empty cells.

    Parameters
    ----------
    configuration : Configuration
    cutoff : float
        Pairs are closer than this, length unit.

    Returns
    -------
    center, neighbor : int64 [n_pairs]
    vectors : float64 [n_pairs, 3]
        r_center - r_neighbor of the image that is within the cutoff, length unit.

    Examples
    --------
    >>> box = Box(5.0, (True, True, True))
    >>> pair = Configuration(positions=[[0, 0, 0], [4.5, 0, 0]], species=[0, 0], box=box)
    >>> center, neighbor, vectors = cell_pairs(pair, 1.0)
    >>> sorted(zip(center.tolist(), neighbor.tolist(), vectors[:, 0].tolist()))
    [(0, 1, 0.5), (1, 0, -0.5)]
    """
    from vesin import NeighborList  # imports torch, for which readers of dumps need not wait

    # vesin takes a cutoff in meters for zero; a power of two changes no digit
    scale = float(np.exp2(np.floor(np.log2(cutoff))))
    # neighbor lists close at <= cutoff: ask for the ones below
    below = float(np.nextafter(cutoff, 0.0)) / scale
    neighbors = NeighborList(cutoff=below, full_list=True, sorted=False)
    center, neighbor, vectors = neighbors.compute(
        points=configuration.positions / scale,
        box=configuration.box.cell / scale,
        periodic=list(configuration.box.periodic),
        quantities="ijD",
    )
    # theirs points from center to neighbor
    return center.astype(np.int64), neighbor.astype(np.int64), -scale * vectors


def tree_pairs(configuration: Configuration, cutoff: float) -> Pairs:
    """Find the pairs of particles in much empty space with a tree of particles and images.

    Parameters
    ----------
    configuration : Configuration
    cutoff : float
        Pairs are closer than this, length unit.

    Returns
    -------
    center, neighbor : int64 [n_pairs]
    vectors : float64 [n_pairs, 3]
        r_center - r_neighbor of the image that is within the cutoff, length unit.

    Examples
    --------
    >>> box = Box(5000.0, (True, True, True))
    >>> pair = Configuration(positions=[[0, 0, 0], [4999.5, 0, 0]], species=[0, 0], box=box)
    >>> center, neighbor, vectors = tree_pairs(pair, 1.0)
    >>> sorted(zip(center.tolist(), neighbor.tolist(), vectors[:, 0].tolist()))
    [(0, 1, 0.5), (1, 0, -0.5)]
    """
    from scipy.spatial import cKDTree

    n = configuration.n_particles
    source, images = _with_images(configuration.box, configuration.positions, cutoff)
    # the tree closes at <=, and may round otherwise than the distances below
    found = cKDTree(images).query_pairs(cutoff * (1 + 1e-9), output_type="ndarray")
    ends = np.concatenate([found, found[:, ::-1]])
    center, image = ends[ends[:, 0] < n].T.astype(np.int64)
    vectors = images[center] - images[image]
    near = np.linalg.norm(vectors, axis=1) < cutoff
    return center[near], source[image[near]], vectors[near]


def _with_images(box: Box, positions: Floats, cutoff: float) -> tuple[Ints, Floats]:
    """Give particles [n_images] and positions [n_images, 3]: of the box, then of images near it."""
    inside = box.wrap(positions)
    source, images = np.arange(len(inside)), inside
    normals = np.linalg.inv(box.cell)
    for axis in np.flatnonzero(box.periodic):
        reach = cutoff / box.heights[axis]
        parts = [(source, images)]
        for shift in range(1, 1 + int(np.ceil(reach))):
            for sign in (1, -1):
                moved = images + sign * shift * box.cell[axis]
                place = (moved - box.origin) @ normals[:, axis]
                near = (place > -reach) & (place < 1 + reach)
                parts.append((source[near], moved[near]))
        source, images = (np.concatenate(column) for column in zip(*parts, strict=True))
    return source, images
