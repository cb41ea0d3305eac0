"""The former address of lammps_botan.structure.graph, with its former arguments."""

import warnings
from dataclasses import dataclass

import numpy.typing as npt

from lammps_botan.structure import graph as today
from lammps_botan.structure.box import Box, Floats, Periodic
from lammps_botan.structure.configuration import Configuration

__all__ = [
    "Graph",
    "build_graph",
    "cell_matrix",
    "minimum_image",
]

_PERIODIC: Periodic = (True, True, True)


@dataclass(frozen=True, eq=False)
class Graph(today.Graph):
    """A graph that need not say its cutoff, which is NaN then."""

    cutoff: float = float("nan")


def build_graph(
    positions: npt.ArrayLike,
    box: npt.ArrayLike,
    species: npt.ArrayLike,
    *,
    cutoff: float = 2.0,
    periodic: Periodic = _PERIODIC,
) -> today.Graph:
    """The graph of positions in a box; see `lammps_botan.structure.graph.build_graph`."""
    configuration = Configuration(
        positions=positions,  # type: ignore[arg-type]
        species=species,  # type: ignore[arg-type]
        box=Box(box, periodic),  # type: ignore[arg-type]
    )
    return today.build_graph(configuration, cutoff)


def cell_matrix(box: npt.ArrayLike) -> Floats:
    """float64 [3, 3] with the cell vectors as rows; see `lammps_botan.structure.box.Box`."""
    return Box(box, _PERIODIC).cell  # type: ignore[arg-type]


def minimum_image(vectors: Floats, box: npt.ArrayLike) -> Floats:
    """The shortest periodic image of each vector; see `Box.minimum_image`."""
    return Box(box, _PERIODIC).minimum_image(vectors)  # type: ignore[arg-type]


warnings.warn(
    "lammps_botan.graph is now lammps_botan.structure.graph",
    DeprecationWarning,
    stacklevel=2,
)
