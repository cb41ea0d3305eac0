"""The former address of lammps_botan.structure.graph."""

import warnings

from lammps_botan.structure.graph import Graph, build_graph, cell_matrix, minimum_image

__all__ = [
    "Graph",
    "build_graph",
    "cell_matrix",
    "minimum_image",
]

warnings.warn(
    "lammps_botan.graph is now lammps_botan.structure.graph",
    DeprecationWarning,
    stacklevel=2,
)
