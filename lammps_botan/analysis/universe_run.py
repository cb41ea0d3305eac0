"""One trajectory of an MDAnalysis Universe, with its first frame as the origin."""

from dataclasses import replace
from typing import Any

import MDAnalysis
import numpy as np
from MDAnalysis.coordinates.LAMMPS import DumpReader as WrappingReader

from lammps_botan.analysis.reader_checks import (
    check_cell,
    check_images,
    check_lengths,
    check_memory,
    check_step,
    check_times,
)
from lammps_botan.files.lammps_dump_universe import DumpReader
from lammps_botan.structure.box import Box, Floats, Periodic
from lammps_botan.structure.mixture import Mixture

SAME = 1e-6  # cell vectors that differ by less, relative to the longest, are equal


class Run:
    """One trajectory: its atoms, its box, its times and its frames.

    Parameters
    ----------
    atoms : AtomGroup
    number : int
        Number of the run, for messages about trajectories without a file.
    mixture : Mixture, optional
        Its units are those of the trajectory.
    periodic : three bools, optional
        Directions with images, where the file does not say it.
    unwrapped : bool
        Whether positions are known to be unwrapped, whatever the reader.
    dt : float, optional
        Time between two frames, time unit, where the reader knows neither steps nor times.

    Attributes
    ----------
    name : str
        The file.
    box : Box
    initial : float64 [n_particles, 3]
        The first frame, length unit.
    types, ids : [n_particles]
    units : str or None
        Units of the file, where it says them.
    planar : bool
        Whether all particles of the system lie in one plane.

    Raises
    ------
    ValueError
        If the atoms have no types, the frames no box, or the reader may wrap, convert lengths or
        make up times (`lammps_botan.analysis.reader_checks`).

    Examples
    --------
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> run = Run(universe.atoms, 0, dt=13.0)
    >>> run.times(), run.read(1)[1][0]
    (array([ 0., 13.]), array([0., 1., 0.]))
    """

    def __init__(
        self,
        atoms: MDAnalysis.AtomGroup,
        number: int,
        *,
        mixture: Mixture | None = None,
        periodic: Periodic | None = None,
        unwrapped: bool = False,
        dt: float | None = None,
    ) -> None:
        self.atoms, self._dt = atoms, dt
        name = getattr(self.trajectory, "filename", None)
        self.name = f"run {number}" if name is None else str(name)
        if len(atoms) == 0:
            raise ValueError(f"{self.name}: no atoms")
        if not hasattr(atoms, "types"):
            raise ValueError(
                f'{self.name}: no atom types; use universe.add_TopologyAttr("types", [...])'
            )
        self.types = atoms.types
        self.ids = atoms.ids if hasattr(atoms, "ids") else atoms.ix + 1
        self._go_to(0)
        readers = getattr(self.trajectory, "readers", [self.trajectory])
        own = all(isinstance(reader, DumpReader) for reader in readers)
        # a group may be one atom: the whole system says whether it is two-dimensional
        z = self.atoms.universe.atoms.positions[:, 2]
        self.planar = len(z) > 1 and not np.ptp(z)
        self._periodic = periodic
        self.units: str | None = self.trajectory.ts.data.get("units")
        self.box = self._box(0)
        units = self.units if mixture is None else mixture.units
        images = [own or check_images(reader, self.name) for reader in readers]
        for reader in readers:
            if not own:
                check_memory(reader, self.name)
                check_cell(reader, self.name)
                check_lengths(reader, units, self.name)
            check_times(reader, units, self.name, dt)
        if dt is not None:
            self._check_even(dt)
        if not (unwrapped or all(images)):
            self._check_moves()
        self._go_to(0)
        self._stepped = all(isinstance(reader, WrappingReader) for reader in readers)
        self._origin = self._step() if self._stepped else self._time(0)
        _, self.initial = self.read(0)

    @property
    def trajectory(self) -> Any:
        """The MDAnalysis trajectory."""
        return self.atoms.universe.trajectory

    @property
    def n_frames(self) -> int:
        """Number of frames, the first one included."""
        return int(self.trajectory.n_frames)

    def where(self, frame: int) -> str:
        """The file and a frame, for messages."""
        return f"{self.name}: frame {frame} (time {self._time(frame):.9g})"

    def atom(self, index: int) -> str:
        """An atom, for messages."""
        return f"atom ID {self.ids[index]}"

    def times(self) -> Floats:
        """Times since the first frame, float64 [n_frames], time unit."""
        if isinstance(self.trajectory, DumpReader):
            return np.asarray(self.trajectory.lag_times)
        if self._dt is not None:
            return self._dt * np.arange(self.n_frames)
        return np.array([self._lag_time(frame.frame) for frame in self.trajectory])

    def read(self, frame: int) -> tuple[float, Floats]:
        """Read one frame: time since the first frame, and positions [n_particles, 3]."""
        self._go_to(frame)
        self.check_box(self._box(frame), self.box, frame, "in the first frame")
        positions = np.asarray(self.atoms.positions, dtype=np.float64)
        if not np.isfinite(positions).all():
            k = int(np.flatnonzero(~np.isfinite(positions).all(axis=1))[0])
            raise ValueError(f"{self.where(frame)}: {self.atom(k)} is at {positions[k]}")
        if self.planar and np.ptp(positions[:, 2]):
            raise ValueError(
                f"{self.where(frame)}: z from {positions[:, 2].min():g} to "
                f"{positions[:, 2].max():g}, but in the first frame all particles lie in one plane"
            )
        return self._lag_time(frame), positions

    def compare(self, first: "Run") -> None:
        """Refuse a run whose atoms, box or number of frames differ from those of the first run."""
        for what, own, expected in (
            ("number of atoms", len(self.atoms), len(first.atoms)),
            ("number of frames", self.n_frames, first.n_frames),
        ):
            if own != expected:
                raise ValueError(
                    f"{self.name}: the {what} is {own}, expected {expected} as in {first.name}"
                )
        for what, mine, theirs in (("ID", self.ids, first.ids), ("type", self.types, first.types)):
            if not np.array_equal(mine, theirs):
                k = np.flatnonzero(mine != theirs)[0]
                raise ValueError(
                    f"{self.where(0)}: atom {k} in the order of IDs has {what} {mine[k]}, "
                    f"expected {theirs[k]} as in {first.name}; all runs need the same atoms"
                )
        self.check_box(self.box, first.box, 0, f"in {first.name}")

    def check_times(self) -> None:
        """Refuse a dump that goes back in time or repeats a frame, as after a restart."""
        times = getattr(self.trajectory, "times", None)  # of other readers, not before reading all
        if times is None or np.all(np.diff(times) > 0):
            return
        k = int(np.flatnonzero(np.diff(times) <= 0)[0]) + 1
        raise ValueError(
            f"{self.name}: frame {k} is at time {times[k]:.9g}, after one at {times[k - 1]:.9g}; "
            "expected ascending times: remove the frames that were written twice"
        )

    def check_box(self, box: Box, expected: Box, frame: int, place: str) -> None:
        """Refuse a box that is not the expected one along its periodic directions."""
        some = np.array(expected.periodic)
        scale = SAME * float(np.abs(expected.cell).max())
        same = np.allclose(box.cell[some], expected.cell[some], rtol=0, atol=scale)
        if not same or box.periodic != expected.periodic:
            raise ValueError(
                f"{self.where(frame)}: the box has cell vectors {box.cell.tolist()}, periodic: "
                f"{_axes(box)}, {place} {expected.cell.tolist()}, periodic: {_axes(expected)}; the "
                "box must stay the same"
            )

    def _check_even(self, dt: float) -> None:
        """Refuse one time between all frames where the file says that their steps are uneven."""
        steps = [frame.data.get("step") for frame in self.trajectory]
        if None in steps:
            return
        gaps = np.diff(steps)
        if not np.all(gaps == gaps[:1]):
            k = int(np.flatnonzero(gaps != gaps[0])[0])
            raise ValueError(
                f"{self.name}: frame {k + 1} is {gaps[k]} steps after the one before, frame 1 "
                f"{gaps[0]} steps, found dt={dt:g} as the time between any two; expected frames at "
                "even steps: write a LAMMPS dump, or leave out the other frames"
            )

    def _check_moves(self) -> None:
        self._go_to(0)
        before = np.array(self.atoms.positions, dtype=np.float64)
        for frame in range(1, self.n_frames):
            self._go_to(frame)
            after = np.array(self.atoms.positions, dtype=np.float64)
            check_step(before, after, self.box, f"{self.name}: frame {frame}")
            before = after

    def _time(self, frame: int) -> float:
        return float(self.trajectory.ts.time) if self._dt is None else frame * self._dt

    def _lag_time(self, frame: int) -> float:
        """Time since the first frame, of the frame that is read; from steps where there are any."""
        if isinstance(self.trajectory, DumpReader):
            return float(self.trajectory.lag_times[frame])
        if self._stepped:
            return float((self._step() - self._origin) * self.trajectory.ts.dt)
        return self._time(frame) - self._origin

    def _step(self) -> int:
        return int(self.trajectory.ts.data["step"])

    def _go_to(self, frame: int) -> None:
        if self.trajectory.ts.frame != frame:
            self.trajectory[frame]

    def _box(self, frame: int) -> Box:
        ts = self.trajectory.ts
        box = ts.data.get("box")
        if not isinstance(box, Box):
            cell = ts.triclinic_dimensions
            if cell is None:
                raise ValueError(f"{self.where(frame)}: no periodic box")
            try:
                # MDAnalysis's dimensions are those of a periodic box
                box = Box(cell, (True, True, True))
            except ValueError as error:
                raise ValueError(f"{self.where(frame)}: {error}") from error
        if self._periodic is not None:
            box = replace(box, periodic=self._periodic)
        return box.flat if self.planar else box


def _axes(box: Box) -> str:
    return " ".join(axis for axis, flag in zip("xyz", box.periodic, strict=True) if flag) or "none"
