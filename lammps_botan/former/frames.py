"""The former address of lammps_botan.files.lammps_dump and lammps_botan.structure.configuration."""

import warnings
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lammps_botan.files.lammps_dump import DumpFrames, Frames, SingleFrame, is_dump
from lammps_botan.structure.box import Box, Floats, Periodic
from lammps_botan.structure.configuration import Configuration

__all__ = [
    "DumpFrames",
    "Frame",
    "Frames",
    "SingleFrame",
    "is_dump",
]

_PERIODIC: Periodic = (True, True, True)


def Frame(  # noqa: N802  (it was a class with these arguments)
    positions: npt.ArrayLike,
    box: npt.ArrayLike,
    types: npt.ArrayLike,
    ids: npt.ArrayLike | None = None,
    step: int = 0,
    origin: npt.ArrayLike = (0.0, 0.0, 0.0),
    periodic: Periodic = _PERIODIC,
    type_names: tuple[str, ...] = (),
    where: str = "the frame",
    columns: Mapping[str, Floats] | None = None,
) -> Configuration:
    """A configuration from LAMMPS types, which count from 1."""
    return Configuration(
        positions=positions,  # type: ignore[arg-type]
        species=np.asarray(types) - 1,
        box=Box(box, periodic, origin),  # type: ignore[arg-type]
        ids=ids,  # type: ignore[arg-type]
        step=step,
        species_names=type_names,
        where=where,
        columns=columns or {},
    )


warnings.warn(
    "lammps_botan.frames is now lammps_botan.files.lammps_dump, and a frame is a "
    "lammps_botan.Configuration",
    DeprecationWarning,
    stacklevel=2,
)
