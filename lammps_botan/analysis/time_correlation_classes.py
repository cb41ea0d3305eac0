"""Time correlations as MDAnalysis classes, averaged over runs from any configurations.

The standard errors take the runs as independent. Runs from one configuration are not independent:
for an error that holds for a temperature take runs from many configurations.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from lammps_botan.analysis import time_correlations as correlations
from lammps_botan.analysis.lag_time_analysis import LagTimeAnalysis
from lammps_botan.analysis.runs import Atoms, Runs
from lammps_botan.structure.box import Floats
from lammps_botan.structure.mixture import Mixture

Source = Runs | Atoms | Sequence[Atoms]


class _Correlation(LagTimeAnalysis):
    def __init__(
        self,
        runs: Source,
        *,
        species: Sequence[str] | None = None,
        mixture: Mixture | None = None,
    ) -> None:
        if not isinstance(runs, Runs):
            runs = Runs(runs, species=species, mixture=mixture)
        elif species is not None or mixture is not None:
            raise ValueError("give species and mixture to Runs, not here")
        super().__init__(runs)

    def _measure(self, frame: int) -> tuple[Any, ...]:
        time, moved = self.runs.displacements(frame)
        return time, *self._values(np.zeros(moved.shape[1:]), moved)

    @abstractmethod
    def _values(self, initial: Floats, final: Floats) -> tuple[Any, ...]:
        """The quantities, from displacements of all runs."""


class _PerSpecies(_Correlation):
    """Mean and standard error over the runs, for each species."""

    def _values(self, initial: Floats, final: Floats) -> tuple[Any, ...]:
        values = np.full((len(final), self.runs.n_species), np.nan)
        for k in np.unique(self.runs.species):
            members = self.runs.species == k
            values[:, k] = self._of_runs(initial[members], final[:, members])
        return values.mean(axis=0), _standard_error(values)

    @abstractmethod
    def _of_runs(self, initial: Floats, final: Floats) -> Floats:
        """One number for each run, of the particles of a species."""


class IntermediateScattering(_PerSpecies):
    """F_s(k, t) of each species, see `analysis.time_correlations.self_intermediate_scattering`.

    Parameters
    ----------
    runs : Runs, or sequence of Universe or AtomGroup
        See `lammps_botan.analysis.runs`; the first frame of each is its origin.
    k : float, optional
        Length of the wavevectors, inverse length unit. Default: 2 pi over the diameter of the
        mixture, as in the paper.
    species : sequence of str, optional
        Atom types in the order of the species, see `lammps_botan.analysis.runs.Runs`.
    mixture : Mixture, optional
        What the particles are, see `lammps_botan.analysis.runs.Runs`.

    Attributes
    ----------
    vectors : float64 [n_k, 3]
        The wavevectors of this length that the box allows, inverse length unit.
    results.times : float64 [n_frames]
        Lag times, time unit.
    results.scattering : float64 [n_frames, n_species]
        NaN for species without particles.
    results.error : float64 [n_frames, n_species]
        Standard error of the mean over the runs, NaN for a single run.

    Examples
    --------
    >>> import MDAnalysis
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> found = IntermediateScattering(Runs(universe, dt=13.0), k=1.0).run()
    >>> found.results.scattering.shape, found.results.scattering[0]
    ((2, 1), array([1.]))
    """

    quantities = ("scattering", "error")

    def __init__(
        self,
        runs: Source,
        *,
        k: float | None = None,
        species: Sequence[str] | None = None,
        mixture: Mixture | None = None,
    ) -> None:
        super().__init__(runs, species=species, mixture=mixture)
        if k is None:
            k = 2 * np.pi / self.runs.diameter
        self.vectors = correlations.wavevectors(self.runs.box, k)

    def _of_runs(self, initial: Floats, final: Floats) -> Floats:
        return correlations.self_intermediate_scattering(initial, final, self.vectors)


class MeanSquaredDisplacement(_PerSpecies):
    """Mean squared displacement of each species, as `time_correlations.mean_squared_displacement`.

    Parameters
    ----------
    runs, species, mixture
        See `IntermediateScattering`.

    Attributes
    ----------
    results.times : float64 [n_frames]
        Lag times, time unit.
    results.mean_squared_displacement : float64 [n_frames, n_species]
        Length unit squared; NaN for species without particles.
    results.error : float64 [n_frames, n_species]
        Standard error of the mean over the runs, NaN for a single run.

    Examples
    --------
    >>> import MDAnalysis
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> found = MeanSquaredDisplacement(Runs(universe, dt=13.0)).run()
    >>> found.results.mean_squared_displacement
    array([[0. ],
           [0.5]])
    """

    quantities = ("mean_squared_displacement", "error")

    def _of_runs(self, initial: Floats, final: Floats) -> Floats:
        return correlations.mean_squared_displacement(initial, final)


class OverlapSusceptibility(_Correlation):
    """Q(t) and chi_4(t) of all particles, see `analysis.time_correlations.overlap_susceptibility`.

    The variance is over all runs that are given. Runs from one configuration give its
    isoconfigurational part; runs from many add the spread between configurations. For one species
    take AtomGroups.

    Parameters
    ----------
    runs : Runs, or sequence of Universe or AtomGroup
        At least two, see `lammps_botan.analysis.runs`; the first frame of each is its origin.
    length : float, optional
        A particle overlaps with its first position if it moved less than this, length unit.
        Default: 0.3 diameters of the mixture.
    mixture : Mixture, optional
        See `IntermediateScattering`.

    Attributes
    ----------
    results.times : float64 [n_frames]
        Lag times, time unit.
    results.overlap, results.overlap_error : float64 [n_frames]
        Mean over the runs and its standard error.
    results.susceptibility, results.susceptibility_error : float64 [n_frames]
        chi_4 and its standard error (jackknife over the runs), which is NaN for two runs.

    Examples
    --------
    >>> import MDAnalysis
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> found = OverlapSusceptibility(Runs([universe, universe], dt=13.0)).run()
    >>> found.results.overlap, found.results.susceptibility
    (array([1. , 0.5]), array([0., 0.]))
    """

    quantities = ("overlap", "overlap_error", "susceptibility", "susceptibility_error")

    def __init__(
        self, runs: Source, *, length: float | None = None, mixture: Mixture | None = None
    ) -> None:
        super().__init__(runs, mixture=mixture)
        if length is None:
            length = correlations.OVERLAP_LENGTH * self.runs.diameter
        self.length = length

    def _values(self, initial: Floats, final: Floats) -> tuple[Any, ...]:
        values = correlations.overlap(initial, final, self.length)
        return (
            values.mean(),
            _standard_error(values),
            correlations.overlap_susceptibility(initial, final, self.length),
            len(initial) * _variance_error(values),
        )


def _standard_error(values: Floats) -> Floats:
    """Standard error of the mean over the first axis [n_runs, ...]."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))


def _variance_error(values: Floats) -> float:
    """Standard error of the unbiased variance of values [n_runs], by leaving out one at a time."""
    n = len(values)
    if n < 3:
        return np.nan
    without = [np.delete(values, k).var(ddof=1) for k in range(n)]
    return float(np.sqrt(n - 1) * np.std(without))
