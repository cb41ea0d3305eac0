"""Ensembles of runs, from the trajectories of MDAnalysis Universes.

The first frame of a run is its origin, t = 0; the time of a frame since then is its lag time. The
runs of an isoconfigurational ensemble share their first frame. Frames are read when they are asked
for, one lag time of all runs at once. LJ units, as far as the trajectories are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import MDAnalysis
import numpy as np
from MDAnalysis.coordinates.LAMMPS import DumpReader as WrappingReader

from lammps_botan.files.lammps_dump_universe import DumpReader
from lammps_botan.files.trajectory import open_dump
from lammps_botan.structure.graph import Floats, Ints, cell_matrix

SAME = 1e-6  # lengths that differ by less are equal, LJ units

Atoms: TypeAlias = MDAnalysis.Universe | MDAnalysis.AtomGroup


@dataclass(frozen=True)
class EnsembleFrame:
    """An isoconfigurational ensemble at one lag time.

    Attributes
    ----------
    time : float
        The lag time.
    species : int64 [n_particles]
    initial : float64 [n_particles, 3]
    final : float64 [n_runs, n_particles, 3]
        Unwrapped.
    cell : float64 [3, 3]
        Cell vectors as rows.
    """

    time: float
    species: Ints
    initial: Floats
    final: Floats
    cell: Floats


class Ensemble:
    """Runs of the same atoms in the same box, each from a configuration of its own.

    Parameters
    ----------
    runs : sequence of Universe or AtomGroup, or a single one
        Unwrapped trajectories with the same atoms, box and frame times.
    species : sequence of str, optional
        The atom types in the order of the species numbers: ("1", "2") makes type 1 species 0.
        By default LAMMPS type k is species k - 1, and names are taken in alphabetical order.

    Attributes
    ----------
    species : int64 [n_particles]
    n_species, n_frames : int
    cell : float64 [3, 3]
        Cell vectors as rows.

    Raises
    ------
    ValueError
        If the runs do not fit together, or a trajectory is known to be wrapped.
    """

    def __init__(self, runs: Atoms | Sequence[Atoms], *, species: Sequence[str] | None = None):
        several = [runs] if isinstance(runs, Atoms) else list(runs)
        if not several:
            raise ValueError("an ensemble needs at least one run, found none")
        self._runs = [_Run(atoms.atoms, k) for k, atoms in enumerate(several)]
        first = self._runs[0]
        for run in self._runs[1:]:
            run.compare(first)
        for run in self._runs:
            run.check_times()
        order = _order(first, species)
        self.n_species = len(order)
        number = {name: k for k, name in enumerate(order)}
        self.species = np.array([number[name] for name in first.types], dtype=np.int64)
        self.n_frames, self.cell = first.trajectory.n_frames, first.cell

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def trajectory(self) -> Any:
        """The MDAnalysis trajectory of the first run."""
        return self._runs[0].trajectory

    @property
    def name(self) -> str:
        """The file of the first run, for messages."""
        return self._runs[0].name

    def times(self) -> Floats:
        """float64 [n_frames]: the lag times."""
        trajectory = self.trajectory
        if isinstance(trajectory, DumpReader):
            return np.asarray(trajectory.times - trajectory.times[0])
        return np.array([frame.time for frame in trajectory]) - self._runs[0].origin

    def displacements(self, frame: int) -> tuple[float, Floats]:
        """Lag time, and r(t) - r(0) of each run, float64 [n_runs, n_particles, 3]."""
        time, moved = self._positions(frame)
        for run, start in zip(moved, self._runs, strict=True):
            run -= start.initial
        return time, moved

    def _positions(self, frame: int) -> tuple[float, Floats]:
        time, positions = self._runs[0].read(frame)
        final = np.empty((len(self), *positions.shape))
        final[0] = positions
        for k, run in enumerate(self._runs[1:], 1):
            own, final[k] = run.read(frame)
            if not np.isclose(own, time, rtol=1e-6, atol=1e-9):
                raise ValueError(
                    f"{run.where(frame)}: lag time {own:.9g}, expected {time:.9g} as in "
                    f"{self._runs[0].name}"
                )
        return time, final


class IsoconfigurationalEnsemble(Ensemble):
    """Runs of the same atoms in the same box that start from the same configuration.

    Parameters and attributes are those of `Ensemble`.

    Attributes
    ----------
    initial : float64 [n_particles, 3]

    Raises
    ------
    ValueError
        Also if the first frames differ.
    """

    def __init__(self, runs: Atoms | Sequence[Atoms], *, species: Sequence[str] | None = None):
        super().__init__(runs, species=species)
        first = self._runs[0]
        for run in self._runs[1:]:
            apart = np.abs(run.initial - first.initial).max(axis=1)
            if apart.max() > SAME:
                atom = int(apart.argmax())
                raise ValueError(
                    f"{run.where(0)}: {run.atom(atom)} is {apart[atom]:.3g} away from where "
                    f"{first.name} starts; all runs must start from the same configuration, with "
                    "the same image flags"
                )
            run.initial = first.initial  # held once

    @property
    def initial(self) -> Floats:
        """float64 [n_particles, 3]: the first frame of all runs."""
        return self._runs[0].initial

    def at(self, frame: int) -> EnsembleFrame:
        """The runs at one frame; frame 0 is the configuration itself."""
        time, final = self._positions(frame)
        return EnsembleFrame(time, self.species, self.initial, final, self.cell)


def open_ensemble(paths: Sequence[str | Path], *, dt: float = 0.001) -> IsoconfigurationalEnsemble:
    """The dumps of an isoconfigurational ensemble, one for each run.

    Parameters
    ----------
    paths : sequence of Path
        LAMMPS text dumps.
    dt : float
        Time step of the simulation, for dumps without `ITEM: TIME`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `open_dump` and `IsoconfigurationalEnsemble`, or if one dump is there twice; the dumps
        are checked as far as their headers and first frames go.
    """
    real = [Path(path).resolve() for path in paths]
    for k, path in enumerate(paths):
        if real[k] in real[:k]:
            raise ValueError(f"{path}: given twice; each run counts once")
    return IsoconfigurationalEnsemble([open_dump(path, dt=dt) for path in paths])


class _Run:
    """One trajectory, with its first frame."""

    def __init__(self, atoms: MDAnalysis.AtomGroup, number: int) -> None:
        self.atoms = atoms
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
        for reader in getattr(self.trajectory, "readers", [self.trajectory]):
            _check_unwrapped(reader, self.name)
        self.origin = float(self.trajectory.ts.time)
        self.cell = self._cell(0)
        _, self.initial = self.read(0)

    @property
    def trajectory(self) -> Any:
        return self.atoms.universe.trajectory

    def where(self, frame: int) -> str:
        return f"{self.name}: frame {frame} (time {self.trajectory.ts.time:.9g})"

    def atom(self, index: int) -> str:
        return f"atom ID {self.ids[index]}"

    def compare(self, first: "_Run") -> None:
        for what, own, expected in (
            ("number of atoms", len(self.atoms), len(first.atoms)),
            ("number of frames", self.trajectory.n_frames, first.trajectory.n_frames),
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
        self._check_cell(self.cell, first.cell, 0, f"in {first.name}")

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

    def read(self, frame: int) -> tuple[float, Floats]:
        """Lag time and positions [n_particles, 3] of one frame."""
        self._go_to(frame)
        self._check_cell(self._cell(frame), self.cell, frame, "in the first frame")
        positions = np.asarray(self.atoms.positions, dtype=np.float64)
        if not np.isfinite(positions).all():
            k = int(np.flatnonzero(~np.isfinite(positions).all(axis=1))[0])
            raise ValueError(f"{self.where(frame)}: {self.atom(k)} is at {positions[k]}")
        return float(self.trajectory.ts.time) - self.origin, positions

    def _go_to(self, frame: int) -> None:
        if self.trajectory.ts.frame != frame:
            self.trajectory[frame]

    def _cell(self, frame: int) -> Floats:
        ts = self.trajectory.ts
        box = ts.data.get("cell", ts.triclinic_dimensions)
        if box is None:
            raise ValueError(f"{self.where(frame)}: no periodic box")
        try:
            return cell_matrix(box)
        except ValueError as error:
            raise ValueError(f"{self.where(frame)}: {error}") from error

    def _check_cell(self, cell: Floats, expected: Floats, frame: int, place: str) -> None:
        if not np.allclose(cell, expected, rtol=SAME, atol=SAME):
            raise ValueError(
                f"{self.where(frame)}: the box has cell vectors {cell.tolist()}, {place} "
                f"{expected.tolist()}; the box must stay the same"
            )


def _order(run: _Run, species: Sequence[str] | None) -> list[str]:
    """The atom types in the order of the species; those of the whole system."""
    found = set(run.atoms.universe.atoms.types)
    if species is None:
        if all(name.isdigit() and int(name) > 0 for name in found):
            return [str(k + 1) for k in range(max(map(int, found)))]  # as LAMMPS numbers them
        return sorted(found)
    order = [str(name) for name in species]
    if sorted(order) != sorted(found):
        raise ValueError(
            f"{run.name}: the atoms have {len(found)} types: {', '.join(sorted(found))}; expected "
            f"the {len(order)} of species={tuple(order)}, one for each species"
        )
    return order


def _check_unwrapped(trajectory: Any, name: str) -> None:
    """Refuse MDAnalysis's own reader of dumps where it is known to wrap, or to unwrap wrongly."""
    if not isinstance(trajectory, WrappingReader):
        return
    convention = trajectory.lammps_coordinate_convention
    # it adds image flags times the edges, which is right for unscaled positions in upright boxes
    upright = np.allclose(trajectory.ts.dimensions[3:], 90)
    unwraps = trajectory._unwrap and convention == "unscaled" and upright
    if not (
        unwraps or (convention in {"unwrapped", "scaled_unwrapped"} and not trajectory._unwrap)
    ):
        raise ValueError(
            f"{name}: MDAnalysis gives the positions of this dump as {convention!r}, where the "
            'displacements across the box are lost; add lammps_coordinate_convention="unwrapped" '
            "(columns xu yu zu) or, in orthogonal boxes, unwrap_images=True (columns x y z ix iy "
            "iz) to the Universe, or use lammps_botan.files.trajectory.open_dump"
        )
