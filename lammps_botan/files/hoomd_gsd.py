"""GSD files of HOOMD-blue, read by its own library, with the types and the box of each frame.

MDAnalysis gives all frames the types of the first one, and takes the tilt factors of the box for
cosines of angles.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.files.flat_box import flat_box
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration


class GsdFrames:
    """The frames of a GSD file, in the reduced units of the simulation.

    Parameters
    ----------
    path : Path
    every : int
        Take the first frame and each that is a multiple of this many frames after it.

    Raises
    ------
    ValueError
        If the file cannot be read, or the package gsd is not installed.

    Examples
    --------
    >>> import gsd.hoomd
    >>> frame = gsd.hoomd.Frame()
    >>> frame.particles.N, frame.particles.types = 1, ["A"]
    >>> frame.configuration.box = [5, 5, 5, 0, 0, 0]
    >>> with gsd.hoomd.open("run.gsd", "w") as file:
    ...     file.append(frame)
    >>> [frame.n_particles for frame in GsdFrames(Path("run.gsd"))]
    [1]
    """

    def __init__(self, path: Path, *, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, found {every}")
        try:
            import gsd.hoomd
        except ImportError as error:
            raise ValueError(f"{path}: needs the package gsd: pip install gsd") from error
        try:
            self._file = gsd.hoomd.open(str(path), "r")
        except Exception as error:  # damaged files fail in many ways
            raise ValueError(f"{path}: expected a GSD file: {error}") from error
        if len(self._file) == 0:
            raise ValueError(f"{path}: has no frames")
        self._path, self._every, self._read = path, every, 0

    @property
    def progress(self) -> float:
        """Share of the frames that have been read."""
        return min(1.0, self._read / len(self._file))

    def __iter__(self) -> Iterator[Configuration]:
        for index in range(0, len(self._file), self._every):
            where = f"{self._path}: frame {index}"
            try:
                frame = self._file[index]
            except Exception as error:  # damaged files fail in many ways
                raise ValueError(f"{where}: cannot be read: {error}") from error
            self._read = index + self._every
            yield _configuration(frame, where)


def _configuration(frame: Any, where: str) -> Configuration:
    particles, positions = frame.particles, np.asarray(frame.particles.position, np.float64)
    names = tuple(str(name) for name in particles.types)
    species = np.asarray(particles.typeid, dtype=np.int64)
    if np.any((species < 0) | (species >= len(names))):
        raise ValueError(
            f"{where}: typeid must count the {len(names)} types, found {species.max()}"
        )
    if all(name.isdecimal() and int(name) > 0 for name in names):  # LAMMPS types
        species, names = np.array([int(name) - 1 for name in names])[species], ()
    if len(positions) and frame.configuration.dimensions == 2:
        positions[:, 2] = 0.0
    box = _box(frame.configuration.box, two=frame.configuration.dimensions == 2, where=where)
    return Configuration(
        positions=positions,
        species=species,
        species_names=names,
        box=flat_box(box, positions),
        step=int(frame.configuration.step),
        where=where,
    )


def _box(numbers: Sequence[float] | None, *, two: bool, where: str) -> Box:
    """Box of Lx, Ly, Lz and the tilt factors xy, xz, yz, with the origin in its middle."""
    if numbers is None or not np.asarray(numbers)[:2].all():
        raise ValueError(f"{where}: no periodic box")
    lx, ly, lz, xy, xz, yz = (float(x) for x in numbers)
    lz = 1.0 if two and lz == 0 else lz
    cell = np.array([[lx, 0.0, 0.0], [xy * ly, ly, 0.0], [xz * lz, yz * lz, lz]])
    try:
        if not min(lx, ly, lz) > 0:
            raise ValueError(f"the edges of the box must be positive, found {lx}, {ly}, {lz}")
        return Box(cell, (True, True, not two), -0.5 * cell.sum(axis=0))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
