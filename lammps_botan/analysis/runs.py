"""Runs of one liquid, from the trajectories of MDAnalysis Universes.

The first frame of a run is its origin, t = 0; the time of a frame since then is its lag time. The
runs of an isoconfigurational ensemble share their first frame. Frames are read when they are asked
for, one lag time of all runs at once. Lengths and times are in the units of the trajectories.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import MDAnalysis
import numpy as np

from lammps_botan.analysis.universe_run import Run
from lammps_botan.files.trajectory import open_dump
from lammps_botan.structure.box import Floats, Periodic
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture, shipped_mixture

SAME_START = 1e-6  # positions that differ by less, relative to the longest edge, are equal

Atoms: TypeAlias = MDAnalysis.Universe | MDAnalysis.AtomGroup


class Runs:
    """Runs of the same atoms in the same box, each from a configuration of its own.

    Parameters
    ----------
    runs : sequence of Universe or AtomGroup, or a single one
        Unwrapped trajectories with the same atoms, box and frame times.
    species : sequence of str, optional
        The atom types in the order of the species numbers: ("1", "2") makes type 1 species 0.
        By default LAMMPS type k is species k - 1, and names are those of the mixture, or else in
        alphabetical order.
    mixture : Mixture, optional
        What the particles are; without it the shipped mixture of their composition, if there is
        one.
    periodic : three bools, optional
        Directions with periodic images. Without it they are those of the dump, and all three for
        other readers; never z where all particles lie in one plane.
    unwrapped : bool
        True where positions are known to be unwrapped. Else a trajectory of another reader than
        `open_dump` is refused if a particle moves by more than a quarter of the box from one frame
        to the next, as a wrapped one does.
    dt : float, optional
        Time between two frames, for readers that do not know it, such as those of DCD and GSD.

    Attributes
    ----------
    species : int64 [n_particles]
    n_species, n_frames : int
    box : Box
    mixture : Mixture or None
    configuration : Configuration
        The first frame of the first run.

    Raises
    ------
    ValueError
        If the runs do not fit together, or positions may be wrapped or in another unit.

    Examples
    --------
    >>> from lammps_botan.files.trajectory import open_dump
    >>> runs = Runs([open_dump("run_1.dump"), open_dump("run_2.dump")])  # doctest: +SKIP
    >>> time, displacements = runs.displacements(1)  # doctest: +SKIP
    """

    def __init__(
        self,
        runs: Atoms | Sequence[Atoms],
        *,
        species: Sequence[str] | None = None,
        mixture: Mixture | None = None,
        periodic: Periodic | None = None,
        unwrapped: bool = False,
        dt: float | None = None,
    ) -> None:
        several = [runs] if isinstance(runs, Atoms) else list(runs)
        if not several:
            raise ValueError("an ensemble needs at least one run, found none")
        self._runs = [
            Run(atoms.atoms, k, mixture=mixture, periodic=periodic, unwrapped=unwrapped, dt=dt)
            for k, atoms in enumerate(several)
        ]
        first = self._runs[0]
        for run in self._runs[1:]:
            run.compare(first)
        for run in self._runs:
            run.check_times()
        order = _order(first, species, mixture)
        number = {name: k for k, name in enumerate(order)}
        self.species = np.array([number[name] for name in first.types], dtype=np.int64)
        self.n_frames, self.box = first.n_frames, first.box
        self.mixture = mixture = mixture or _likely_mixture(first, number)
        self.configuration = Configuration(
            positions=first.initial,
            species=self.species,
            box=self.box,
            mixture=mixture,
            units=first.units,
            where=f"{first.name}: frame 0",
        )
        self.n_species = len(order) if mixture is None else mixture.n_species

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

    @property
    def diameter(self) -> float:
        """As that of `Configuration`."""
        return self.configuration.diameter

    def times(self) -> Floats:
        """float64 [n_frames]: the lag times."""
        return self._runs[0].times()

    def displacements(self, frame: int) -> tuple[float, Floats]:
        """Lag time, and r(t) - r(0) of each run, float64 [n_runs, n_particles, 3]."""
        time, moved = self._positions(frame)
        for run, start in zip(moved, self._runs, strict=True):
            run -= start.initial
        return time, moved

    @property
    def share_their_start(self) -> bool:
        """Whether all runs start from the same configuration, with the same image flags."""
        return self._other_start() is None

    def _other_start(self) -> tuple[Run, int, float] | None:
        """A run that starts elsewhere than the first, its farthest particle, and how far it is."""
        first = self._runs[0].initial
        for run in self._runs[1:]:
            apart = np.abs(run.initial - first).max(axis=1)
            if apart.max() > SAME_START * float(np.abs(self.box.cell).max()):
                atom = int(apart.argmax())
                return run, atom, float(apart[atom])
        return None

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


class IsoconfigurationalRuns(Runs):
    """Runs of the same atoms in the same box that start from the same configuration.

    Parameters and attributes are those of `Runs`.

    Raises
    ------
    ValueError
        Also if the first frames differ.
    """

    def __init__(self, runs: Atoms | Sequence[Atoms], **options: Any) -> None:
        super().__init__(runs, **options)
        first = self._runs[0]
        if (other := self._other_start()) is not None:
            run, atom, distance = other
            raise ValueError(
                f"{run.where(0)}: {run.atom(atom)} is {distance:.3g} away from where "
                f"{first.name} starts; all runs must start from the same configuration, with "
                "the same image flags"
            )
        for run in self._runs[1:]:
            run.initial = first.initial  # held once

    @property
    def initial(self) -> Floats:
        """float64 [n_particles, 3]: the first frame of all runs."""
        return self._runs[0].initial

    def at(self, frame: int) -> Ensemble:
        """The ensemble at one frame; frame 0 is the configuration itself."""
        time, final = self._positions(frame)
        return Ensemble(self.configuration, final, lag_time=time, path=Path(self.name))


def open_ensemble(
    paths: Sequence[str | Path], *, dt: float = 0.001, mixture: Mixture | None = None
) -> IsoconfigurationalRuns:
    """The dumps of an isoconfigurational ensemble, one for each run.

    Parameters
    ----------
    paths : sequence of Path
        LAMMPS text dumps.
    dt : float
        Time step of the simulation, for dumps without `ITEM: TIME`.
    mixture : Mixture, optional
        As for `Runs`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `open_dump` and `IsoconfigurationalRuns`, or if one dump is there twice; the dumps are
        checked as far as their headers and first frames go.
    """
    return IsoconfigurationalRuns(open_dumps(paths, dt=dt), mixture=mixture)


def open_dumps(paths: Sequence[str | Path], *, dt: float = 0.001) -> list[MDAnalysis.Universe]:
    """A Universe for each of several dumps, see `lammps_botan.files.trajectory.open_dump`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `open_dump`, or if one dump is there twice.
    """
    real = [Path(path).resolve() for path in paths]
    for k, path in enumerate(paths):
        if real[k] in real[:k]:
            raise ValueError(f"{path}: given twice; each run counts once")
    return [open_dump(path, dt=dt) for path in paths]


def _likely_mixture(run: Run, number: dict[str, int]) -> Mixture | None:
    """The shipped mixture that the whole system of a run can be."""
    species = np.array([number[name] for name in run.atoms.universe.atoms.types])
    dimension = 2 if run.planar else 3
    size = run.box.area if run.planar else run.box.volume
    density = len(species) / size
    return shipped_mixture(species, dimension=dimension, density=density, units=run.units)


def _order(run: Run, species: Sequence[str] | None, mixture: Mixture | None) -> list[str]:
    """The atom types in the order of the species; those of the whole system."""
    found = set(run.atoms.universe.atoms.types)
    if species is None:
        if all(name.isdecimal() and int(name) > 0 for name in found):
            return [str(k + 1) for k in range(max(map(int, found)))]  # as LAMMPS numbers them
        if mixture is not None and found <= set(mixture.species):
            return list(mixture.species)
        return sorted(found)
    order = [str(name) for name in species]
    if sorted(order) != sorted(found):
        raise ValueError(
            f"{run.name}: the atoms have {len(found)} types: {', '.join(sorted(found))}; expected "
            f"the {len(order)} of species={tuple(order)}, one for each species"
        )
    return order
