"""The files of an evaluation, which must fit together."""

from dataclasses import dataclass, field
from pathlib import Path

from lammps_botan.analysis.state import check_same_state
from lammps_botan.evaluation.reference import known_mixture
from lammps_botan.files.ensemble import same_time
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture


@dataclass
class EvaluatedFiles:
    """The files that were read so far, and their common properties.

    Attributes
    ----------
    paths : list of Path
    sha256 : list of str
        SHA-256 of each configuration.
    n_runs : list of int
        Number of runs of each configuration.
    time : float or None
        Lag time, time unit, where a file says it.
    temperature : float or None
        Temperature unit, where a file says it.
    mixture : Mixture or None
        None before the first file.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box, Configuration
    >>> box = Box(9.0, (True, True, True))
    >>> start = Configuration([[0, 0, 0]], [0], box, mixture=KOB_ANDERSEN)
    >>> files = EvaluatedFiles()
    >>> files.add(Ensemble(start, final=[[[0, 0, 1]]], lag_time=13.0))
    >>> files.time, files.n_runs
    (13.0, [1])
    """

    paths: list[Path] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    n_runs: list[int] = field(default_factory=list)
    time: float | None = None
    temperature: float | None = None
    mixture: Mixture | None = None
    _time_of: Path | None = None
    _states: list[Configuration] = field(default_factory=list)  # first, and first with a T
    _seen: dict[str, Path] = field(default_factory=dict)  # by SHA-256

    def add(self, ensemble: Ensemble) -> None:
        """Note a file.

        Raises
        ------
        ValueError
            If its mixture, lag time, temperature or density differs from the files before, or one
            of them has its configuration.
        """
        path, start = ensemble.path, ensemble.configuration
        mixture = known_mixture(start)
        same = self._seen.setdefault(start.sha256, path)
        if self.paths and (unlike := mixture.difference(self.mixture or mixture)):
            raise ValueError(
                f"{path}: holds {mixture.name}, unlike {self.paths[0]}; they differ in {unlike}: "
                "evaluate the files of each mixture on their own"
            )
        if not same_time(self.time, ensemble.lag_time):
            raise ValueError(
                f"{path}: the lag time is {ensemble.lag_time:g}, that of {self._time_of} "
                f"{self.time:g}; evaluate the files of each lag time on their own"
            )
        if same in self.paths:
            also = "" if same == path else f", also as {same}"
            twice = f"given twice{also}"
            if same.resolve() != path.resolve():
                twice = f"holds the same configuration as {same}"
            raise ValueError(f"{path}: {twice}; a configuration counts once")
        check_same_state(start, self._states)
        if not self._states or (self.temperature is None and start.temperature is not None):
            self._states.append(start)
        self.paths.append(path)
        self.sha256.append(start.sha256)
        self.n_runs.append(ensemble.n_runs)
        self.mixture = mixture
        if self.temperature is None:
            self.temperature = start.temperature
        if self.time is None and ensemble.lag_time is not None:
            self.time, self._time_of = ensemble.lag_time, path
