"""Averages over the runs of an isoconfigurational ensemble, as `analysis.targets` has them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.analysis import targets
from lammps_botan.analysis.lag_time_analysis import LagTimeAnalysis
from lammps_botan.analysis.runs import Atoms, EnsembleFrame, IsoconfigurationalEnsemble
from lammps_botan.structure.graph import build_graph


class _Isoconfigurational(LagTimeAnalysis):
    ensemble: IsoconfigurationalEnsemble

    def __init__(self, runs: Atoms | Sequence[Atoms], species: Sequence[str] | None) -> None:
        super().__init__(IsoconfigurationalEnsemble(runs, species=species))

    def _measure(self, frame: int) -> tuple[Any, ...]:
        ensemble = self.ensemble.at(frame)
        return ensemble.time, *self._values(ensemble)

    @abstractmethod
    def _values(self, ensemble: EnsembleFrame) -> tuple[Any, ...]:
        """The quantities, in order."""


class _WithGraph(_Isoconfigurational):
    """With the graph of the initial positions."""

    def __init__(
        self, runs: Atoms | Sequence[Atoms], species: Sequence[str] | None, cutoff: float
    ) -> None:
        super().__init__(runs, species)
        start = self.ensemble
        self.graph = build_graph(start.initial, start.cell, start.species, cutoff=cutoff)


class Propensity(_Isoconfigurational):
    """S_i(t), see `lammps_botan.analysis.targets.propensity`.

    Parameters
    ----------
    runs : sequence of Universe or AtomGroup
        An isoconfigurational ensemble, see `lammps_botan.analysis.runs`.
    species : sequence of str, optional
        Atom types in the order of the species, see `lammps_botan.analysis.runs.Ensemble`.

    Attributes
    ----------
    results.times : float64 [n_frames]
        Lag times.
    results.propensity : float64 [n_frames, n_particles]
        LJ units, as all lengths in this file.
    """

    quantities = ("propensity",)

    def __init__(
        self, runs: Atoms | Sequence[Atoms], *, species: Sequence[str] | None = None
    ) -> None:
        super().__init__(runs, species)

    def _values(self, ensemble: EnsembleFrame) -> tuple[Any, ...]:
        return (targets.propensity(ensemble.initial, ensemble.final),)


class PairDistanceChange(_WithGraph):
    """E_ij(t), see `lammps_botan.analysis.targets.pair_distance_change`.

    Parameters
    ----------
    runs, species
        See `Propensity`.
    cutoff : float
        Pairs closer than this at t = 0.

    Attributes
    ----------
    graph : Graph
        The edges: center, neighbor and vector of each at t = 0.
    results.times : float64 [n_frames]
        Lag times.
    results.pair_distance_change : float64 [n_frames, n_edges]
    """

    quantities = ("pair_distance_change",)

    def __init__(
        self,
        runs: Atoms | Sequence[Atoms],
        *,
        species: Sequence[str] | None = None,
        cutoff: float = 2.0,
    ) -> None:
        super().__init__(runs, species, cutoff)

    def _values(self, ensemble: EnsembleFrame) -> tuple[Any, ...]:
        initial, final = ensemble.initial, ensemble.final
        return (targets.pair_distance_change(initial, final, self.graph, ensemble.cell),)


class RelativeDisplacement(_WithGraph):
    """R_i, D_i and C_i, see `lammps_botan.analysis.targets.relative_displacement`.

    Parameters
    ----------
    runs, species
        See `Propensity`.
    cutoff : float
        Neighbors are closer than this at t = 0.

    Attributes
    ----------
    graph : Graph
        Of the neighbors.
    results.times : float64 [n_frames]
        Lag times.
    results.r, results.d, results.c : float64 [n_frames, n_particles]
        NaN for particles without neighbors.
    """

    quantities = ("r", "d", "c")

    def __init__(
        self,
        runs: Atoms | Sequence[Atoms],
        *,
        species: Sequence[str] | None = None,
        cutoff: float = targets.RELATIVE_CUTOFF,
    ) -> None:
        super().__init__(runs, species, cutoff)

    def _values(self, ensemble: EnsembleFrame) -> tuple[Any, ...]:
        relative = targets.relative_displacement(ensemble.initial, ensemble.final, self.graph)
        return relative.r, relative.d, relative.c


class NeighborAveragedDisplacement(_WithGraph):
    """See `lammps_botan.analysis.targets.neighbor_averaged_displacement`.

    Parameters
    ----------
    runs, species
        See `Propensity`.
    cutoff : float
        Neighbors are closer than this at t = 0.

    Attributes
    ----------
    graph : Graph
        Of the neighbors.
    results.times : float64 [n_frames]
        Lag times.
    results.displacement : float64 [n_frames, n_particles, 3]
    """

    quantities = ("displacement",)

    def __init__(
        self,
        runs: Atoms | Sequence[Atoms],
        *,
        species: Sequence[str] | None = None,
        cutoff: float = targets.AVERAGE_CUTOFF,
    ) -> None:
        super().__init__(runs, species, cutoff)

    def _values(self, ensemble: EnsembleFrame) -> tuple[Any, ...]:
        initial, final = ensemble.initial, ensemble.final
        return (targets.neighbor_averaged_displacement(initial, final, self.graph),)


class BondBreakage(_WithGraph):
    """Fraction of broken bonds, see `lammps_botan.analysis.targets.bond_breakage`.

    Parameters
    ----------
    runs, species
        See `Propensity`.
    sigma : [n_species, n_species]
        sigma_ab; that of the Kob-Andersen mixture unless given.
    bonded, broken : float
        A1 and A2: pairs closer than A1 sigma_ab at t = 0 are bonded, and the bond is broken when
        they are farther apart than A2 sigma_ab.

    Attributes
    ----------
    graph : Graph
        Of the bonds.
    results.times : float64 [n_frames]
        Lag times.
    results.broken : float64 [n_frames, n_particles]
        NaN for particles without bonds.
    """

    quantities = ("broken",)

    def __init__(
        self,
        runs: Atoms | Sequence[Atoms],
        *,
        species: Sequence[str] | None = None,
        sigma: npt.ArrayLike = targets.SIGMA,
        bonded: float = targets.BONDED,
        broken: float = targets.BROKEN,
    ) -> None:
        lengths = np.asarray(sigma, dtype=np.float64)
        super().__init__(runs, species, bonded * lengths.max())
        n = self.ensemble.n_species
        if lengths.shape != (n, n) or not np.array_equal(lengths, lengths.T):
            raise ValueError(
                f"sigma must be symmetric and have shape [{n}, {n}], one row for each species, "
                f"found {lengths.tolist()}"
            )
        if not 0 < bonded <= broken:
            raise ValueError(f"expected 0 < bonded <= broken, found {bonded} and {broken}")
        kinds = self.graph.species
        limits = bonded * lengths[kinds[self.graph.center], kinds[self.graph.neighbor]]
        self.graph = targets.bonds(self.graph, limits)
        self._broken = broken * lengths[kinds[self.graph.center], kinds[self.graph.neighbor]]

    def _values(self, ensemble: EnsembleFrame) -> tuple[Any, ...]:
        initial, final = ensemble.initial, ensemble.final
        broken = targets.bond_breakage(initial, final, self.graph, ensemble.cell, self._broken)
        return (broken,)
