"""Averages over the runs of an isoconfigurational ensemble, as MDAnalysis classes.

`lammps_botan.analysis.targets` has their equations. Lengths are in the unit of the trajectories.
Default cutoffs are those of the paper times the diameter of the mixture.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from lammps_botan.analysis import targets
from lammps_botan.analysis.lag_time_analysis import LagTimeAnalysis
from lammps_botan.analysis.runs import Atoms, IsoconfigurationalRuns, Runs
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import Mixture

Source = IsoconfigurationalRuns | Atoms | Sequence[Atoms]


class _Isoconfigurational(LagTimeAnalysis):
    runs: IsoconfigurationalRuns

    def __init__(
        self,
        runs: Source,
        *,
        species: Sequence[str] | None = None,
        mixture: Mixture | None = None,
    ) -> None:
        if isinstance(runs, Runs):
            if species is not None or mixture is not None:
                raise ValueError("give species and mixture to IsoconfigurationalRuns, not here")
            if not isinstance(runs, IsoconfigurationalRuns):
                raise ValueError(
                    f"{type(self).__name__} is an average over runs from one configuration: "
                    "expected IsoconfigurationalRuns, found Runs"
                )
        else:
            runs = IsoconfigurationalRuns(runs, species=species, mixture=mixture)
        super().__init__(runs)

    def _measure(self, frame: int) -> tuple[Any, ...]:
        ensemble = self.runs.at(frame)
        return ensemble.lag_time, *self._values(ensemble)

    @abstractmethod
    def _values(self, ensemble: Ensemble) -> tuple[Any, ...]:
        """Quantities of an ensemble, in order."""


class Propensity(_Isoconfigurational):
    """S_i(t), see `lammps_botan.analysis.targets.propensity`.

    Parameters
    ----------
    runs : IsoconfigurationalRuns, or sequence of Universe or AtomGroup
        An isoconfigurational ensemble, see `lammps_botan.analysis.runs`.
    species : sequence of str, optional
        Atom types in the order of the species, see `lammps_botan.analysis.runs.Runs`.
    mixture : Mixture, optional
        What the particles are, see `lammps_botan.analysis.runs.Runs`.

    Attributes
    ----------
    results.times : float64 [n_frames]
        Lag times, time unit.
    results.propensity : float64 [n_frames, n_particles]
        Length unit.

    Examples
    --------
    >>> import MDAnalysis
    >>> import numpy as np
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> runs = IsoconfigurationalRuns(universe, dt=13.0)
    >>> Propensity(runs).run().results.propensity
    array([[0., 0.],
           [1., 0.]])
    """

    quantities = ("propensity",)

    def _values(self, ensemble: Ensemble) -> tuple[Any, ...]:
        return (targets.propensity(ensemble.initial, ensemble.final),)


class _WithGraph(_Isoconfigurational):
    """Analysis with the graph of the initial positions."""

    default_cutoff: float  # in diameters

    def __init__(
        self,
        runs: Source,
        *,
        species: Sequence[str] | None = None,
        mixture: Mixture | None = None,
        cutoff: float | None = None,
    ) -> None:
        super().__init__(runs, species=species, mixture=mixture)
        if cutoff is None:
            cutoff = self.default_cutoff * self.runs.diameter
        self.graph = build_graph(self.runs.configuration, cutoff)


class PairDistanceChange(_WithGraph):
    """E_ij(t), see `lammps_botan.analysis.targets.pair_distance_change`.

    Parameters
    ----------
    runs, species, mixture
        See `Propensity`.
    cutoff : float, optional
        Pairs closer than this at t = 0, length unit. Default: 2 diameters.

    Attributes
    ----------
    graph : Graph
        The edges: center, neighbor and vector of each at t = 0.
    results.times : float64 [n_frames]
        Lag times, time unit.
    results.pair_distance_change : float64 [n_frames, n_edges]
        Length unit.

    Examples
    --------
    >>> import MDAnalysis
    >>> import numpy as np
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> runs = IsoconfigurationalRuns(universe, dt=13.0)
    >>> PairDistanceChange(runs).run().results.pair_distance_change.round(3)
    array([[0.   , 0.   ],
           [0.382, 0.382]])
    """

    quantities = ("pair_distance_change",)
    default_cutoff = targets.EDGE_CUTOFF

    def _values(self, ensemble: Ensemble) -> tuple[Any, ...]:
        initial, final = ensemble.initial, ensemble.final
        return (targets.pair_distance_change(initial, final, self.graph, ensemble.box),)


class RelativeDisplacement(_WithGraph):
    """R_i, D_i and C_i, see `lammps_botan.analysis.targets.relative_displacement`.

    Parameters
    ----------
    runs, species, mixture
        See `Propensity`.
    cutoff : float, optional
        Neighbors are closer than this at t = 0, length unit. Default: 1.6 diameters.

    Attributes
    ----------
    graph : Graph
        Graph of the neighbors.
    results.times : float64 [n_frames]
        Lag times, time unit.
    results.r, results.d, results.c : float64 [n_frames, n_particles]
        Length unit; NaN for particles without neighbors.

    Examples
    --------
    >>> import MDAnalysis
    >>> import numpy as np
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> runs = IsoconfigurationalRuns(universe, dt=13.0)
    >>> RelativeDisplacement(runs).run().results.c
    array([[0., 0.],
           [1., 1.]])
    """

    quantities = ("r", "d", "c")
    default_cutoff = targets.RELATIVE_CUTOFF

    def _values(self, ensemble: Ensemble) -> tuple[Any, ...]:
        relative = targets.relative_displacement(ensemble.initial, ensemble.final, self.graph)
        return relative.r, relative.d, relative.c


class NeighborAveragedDisplacement(_WithGraph):
    """Displacement averaged over neighbors, as `targets.neighbor_averaged_displacement`.

    Parameters
    ----------
    runs, species, mixture
        See `Propensity`.
    cutoff : float, optional
        Neighbors are closer than this at t = 0, length unit. Default: 1.35 diameters.

    Attributes
    ----------
    graph : Graph
        Graph of the neighbors.
    results.times : float64 [n_frames]
        Lag times, time unit.
    results.displacement : float64 [n_frames, n_particles, 3]
        Length unit.

    Examples
    --------
    >>> import MDAnalysis
    >>> import numpy as np
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> runs = IsoconfigurationalRuns(universe, dt=13.0)
    >>> NeighborAveragedDisplacement(runs).run().results.displacement[1]
    array([[0. , 0.5, 0. ],
           [0. , 0.5, 0. ]])
    """

    quantities = ("displacement",)
    default_cutoff = targets.AVERAGE_CUTOFF

    def _values(self, ensemble: Ensemble) -> tuple[Any, ...]:
        initial, final = ensemble.initial, ensemble.final
        return (targets.neighbor_averaged_displacement(initial, final, self.graph),)


class BondBreakage(_Isoconfigurational):
    """Fraction of broken bonds, see `lammps_botan.analysis.targets.bond_breakage`.

    Parameters
    ----------
    runs, species, mixture
        See `Propensity`; bond lengths are those of the mixture.

    Attributes
    ----------
    graph : Graph
        Graph of the bonds.
    results.times : float64 [n_frames]
        Lag times, time unit.
    results.broken : float64 [n_frames, n_particles]
        NaN for particles without bonds.

    Raises
    ------
    ValueError
        If the mixture is neither given nor known by its composition.

    Examples
    --------
    >>> import MDAnalysis
    >>> import numpy as np
    >>> from lammps_botan import KOB_ANDERSEN
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 2, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> runs = IsoconfigurationalRuns(universe, mixture=KOB_ANDERSEN, dt=13.0)
    >>> BondBreakage(runs).run().results.broken
    array([[0., 0.],
           [1., 1.]])
    """

    quantities = ("broken",)

    def __init__(
        self,
        runs: Source,
        *,
        species: Sequence[str] | None = None,
        mixture: Mixture | None = None,
    ) -> None:
        super().__init__(runs, species=species, mixture=mixture)
        if self.runs.mixture is None:
            raise ValueError(
                f"{self.runs.name}: no known mixture has these species, so that no bond lengths "
                "are known: BondBreakage(runs, mixture=find_mixture(NAME or FILE.toml))"
            )
        self._mixture = self.runs.mixture
        near = build_graph(self.runs.configuration, self._mixture.longest_bond)
        self.graph = targets.bonded(near, self._mixture)

    def _values(self, ensemble: Ensemble) -> tuple[Any, ...]:
        initial, final, box = ensemble.initial, ensemble.final, ensemble.box
        return (targets.bond_breakage(initial, final, self.graph, box, self._mixture),)
