"""Runs of one liquid, from the trajectories of MDAnalysis Universes.

The first frame of a run is its origin, t = 0; the time of a frame since then is its lag time. The
runs of an isoconfigurational ensemble share their first frame. A frame is read when it is needed,
one lag time of all runs at once. Lengths and times are in the units of the trajectories.
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
        Default: LAMMPS type k is species k - 1, and names are those of the mixture, or else in
        alphabetical order.
    mixture : Mixture, optional
        What the particles are. Default: the shipped mixture of their composition, if there is one.
    periodic : three bools, optional
        Directions with periodic images. Default: those of the dump, and all three for other
        readers; never z where all particles lie in one plane.
    unwrapped : bool
        True where positions are known to be unwrapped. Otherwise a trajectory of another reader
        than `open_dump` is refused if a particle moves by more than a quarter of the box from one
        frame to the next, as a wrapped particle does.
    dt : float, optional
        Time between two frames, time unit, for readers that know neither steps with a time step nor
        times, such as those of DCD and GSD. For dumps say the time step to `open_dump`.

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
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> runs = Runs(universe, dt=13.0)
    >>> time, displacements = runs.displacements(1)
    >>> time, displacements[0, 0]
    (13.0, array([0., 1., 0.]))
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
        """Diameter of the mixture, length unit, as of `Configuration`."""
        return self.configuration.diameter

    def times(self) -> Floats:
        """Lag times, float64 [n_frames], time unit."""
        return self._runs[0].times()

    def displacements(self, frame: int) -> tuple[float, Floats]:
        """Read r(t) - r(0) of each run.

        Parameters
        ----------
        frame : int
            From 0.

        Returns
        -------
        float
            Lag time, time unit.
        float64 [n_runs, n_particles, 3]
            Length unit.
        """
        time, moved = self._positions(frame)
        for run, start in zip(moved, self._runs, strict=True):
            run -= start.initial
        return time, moved

    @property
    def share_their_start(self) -> bool:
        """Whether all runs start from the same configuration, with the same image flags."""
        return self._other_start() is None

    def _other_start(self) -> tuple[Run, int, float] | None:
        """A run that starts elsewhere than the first, its farthest particle, and the distance."""
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
            if not np.isclose(own, time, rtol=1e-6, atol=0):
                raise ValueError(
                    f"{run.where(frame)}: lag time {own:.9g}, expected {time:.9g} as in "
                    f"{self._runs[0].name}"
                )
        return time, final


class IsoconfigurationalRuns(Runs):
    """Runs of the same atoms in the same box that start from the same configuration.

    Parameters
    ----------
    runs : sequence of Universe or AtomGroup, or a single one
        Unwrapped trajectories with the same first frame.
    **options
        Further parameters of `Runs`.

    Raises
    ------
    ValueError
        As `Runs`, or if the first frames differ.

    Examples
    --------
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> ensemble = IsoconfigurationalRuns([universe, universe], dt=13.0).at(1)
    >>> ensemble.n_runs, ensemble.lag_time
    (2, 13.0)
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
        """First frame of all runs, float64 [n_particles, 3], length unit."""
        return self._runs[0].initial

    def at(self, frame: int) -> Ensemble:
        """Read the ensemble at one frame; frame 0 is the configuration itself.

        Parameters
        ----------
        frame : int
            From 0.

        Returns
        -------
        Ensemble
        """
        time, final = self._positions(frame)
        return Ensemble(self.configuration, final, lag_time=time, path=Path(self.name))


def open_ensemble(
    paths: Sequence[str | Path], *, dt: float = 0.001, mixture: Mixture | None = None
) -> IsoconfigurationalRuns:
    """Open the dumps of an isoconfigurational ensemble, one for each run.

    Parameters
    ----------
    paths : sequence of Path
        LAMMPS text dumps.
    dt : float
        Time step of the simulation, time unit, for dumps without `ITEM: TIME`.
    mixture : Mixture, optional
        What the particles are. Default: the shipped mixture of their composition, if there is one.

    Returns
    -------
    IsoconfigurationalRuns

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `open_dump` and `IsoconfigurationalRuns`, or if one dump is given twice. Only headers and
        first frames of the dumps are checked.

    Examples
    --------
    >>> frame = '''ITEM: TIMESTEP
    ... {step}
    ... ITEM: NUMBER OF ATOMS
    ... 1
    ... ITEM: BOX BOUNDS pp pp pp
    ... 0 9
    ... 0 9
    ... 0 9
    ... ITEM: ATOMS id type xu yu zu
    ... 1 1 0.5 0.5 {z}
    ... '''
    >>> for run in (1, 2):
    ...     text = frame.format(step=0, z=1) + frame.format(step=1000, z=1 + run)
    ...     _ = Path(f"run_{run}.dump").write_text(text)
    >>> runs = open_ensemble(["run_1.dump", "run_2.dump"], dt=0.01)
    >>> runs.times(), runs.at(1).final[:, 0, 2]
    (array([ 0., 10.]), array([2., 3.]))
    """
    return IsoconfigurationalRuns(open_dumps(paths, dt=dt), mixture=mixture)


def open_dumps(paths: Sequence[str | Path], *, dt: float = 0.001) -> list[MDAnalysis.Universe]:
    """Open each of several dumps as a Universe, see `lammps_botan.files.trajectory.open_dump`.

    Parameters
    ----------
    paths : sequence of Path
        LAMMPS text dumps.
    dt : float
        Time step of the simulation, time unit, for dumps without `ITEM: TIME`.

    Returns
    -------
    list of MDAnalysis.Universe

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `open_dump`, or if one dump is given twice.

    Examples
    --------
    >>> open_dumps(["run_1.dump", "run_1.dump"])
    Traceback (most recent call last):
    ValueError: run_1.dump: given twice; each run counts once
    """
    real = [Path(path).resolve() for path in paths]
    for k, path in enumerate(paths):
        if real[k] in real[:k]:
            raise ValueError(f"{path}: given twice; each run counts once")
    return [open_dump(path, dt=dt) for path in paths]


def _likely_mixture(run: Run, number: dict[str, int]) -> Mixture | None:
    """Shipped mixture that fits the whole system of a run."""
    species = np.array([number[name] for name in run.atoms.universe.atoms.types])
    dimension = 2 if run.planar else 3
    size = run.box.area if run.planar else run.box.volume
    density = len(species) / size
    return shipped_mixture(species, dimension=dimension, density=density, units=run.units)


def _order(run: Run, species: Sequence[str] | None, mixture: Mixture | None) -> list[str]:
    """Atom types of the whole system in the order of the species."""
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
