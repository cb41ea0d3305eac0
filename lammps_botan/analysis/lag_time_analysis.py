"""Base of all analyses: quantities of all runs at one lag time after the other."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from MDAnalysis.analysis.base import AnalysisBase
from MDAnalysis.analysis.results import ResultsGroup

from lammps_botan.analysis.runs import Runs


class LagTimeAnalysis(AnalysisBase, ABC):  # type: ignore[misc]
    """Quantities of runs at each lag time; base of the analyses.

    Parameters
    ----------
    runs : Runs

    Attributes
    ----------
    runs : Runs
    results.times : float64 [n_frames]
        Lag times, time unit.

    Examples
    --------
    >>> from lammps_botan.analysis import Propensity
    >>> issubclass(Propensity, LagTimeAnalysis), Propensity.quantities
    (True, ('propensity',))
    """

    _analysis_algorithm_is_parallelizable = True
    quantities: ClassVar[tuple[str, ...]]

    def __init__(self, runs: Runs) -> None:
        super().__init__(runs.trajectory)
        self.runs = runs

    @classmethod
    def get_supported_backends(cls) -> tuple[str, ...]:
        """Backends of `run`."""
        return ("serial", "multiprocessing", "dask")

    @abstractmethod
    def _measure(self, frame: int) -> tuple[Any, ...]:
        """Lag time, and the quantities in order."""

    def _prepare(self) -> None:
        for name in ("times", *self.quantities):
            self.results[name] = []

    def _single_frame(self) -> None:
        for name, value in zip(
            ("times", *self.quantities), self._measure(self._ts.frame), strict=True
        ):
            self.results[name].append(value)

    def _get_aggregator(self) -> ResultsGroup:
        join = ResultsGroup.flatten_sequence
        return ResultsGroup(dict.fromkeys(("times", *self.quantities), join))

    def _conclude(self) -> None:
        for name in ("times", *self.quantities):
            self.results[name] = np.array(self.results[name])
