"""The former address of lammps_botan.analysis.targets.

`bond_breakage` takes a mixture there in place of lengths, and `pair_sigma` is
`Mixture.pair_lengths`: these two are not here.
"""

import warnings

import numpy.typing as npt

from lammps_botan.analysis import targets
from lammps_botan.analysis.targets import (
    neighbor_averaged_displacement,
    propensity,
    relative_displacement,
)
from lammps_botan.structure.box import Box, Floats
from lammps_botan.structure.graph import Graph

__all__ = [
    "bonds",
    "neighbor_averaged_displacement",
    "pair_distance_change",
    "propensity",
    "relative_displacement",
]

warnings.warn(
    "lammps_botan.targets is now lammps_botan.analysis.targets",
    DeprecationWarning,
    stacklevel=2,
)


def pair_distance_change(
    initial: Floats, final: Floats, graph: Graph, box: npt.ArrayLike
) -> Floats:
    """The target of that name in a box that is periodic in all directions, as it was before."""
    cell = Box(box, (True, True, True))  # type: ignore[arg-type]
    return targets.pair_distance_change(initial, final, graph, cell)


def bonds(graph: Graph, lengths: float | Floats) -> Graph:
    """The graph with only the edges shorter than `lengths`; now `Graph.only`."""
    return graph.only(graph.distances < lengths)
