"""The files of an evaluation, which must belong together."""

from dataclasses import dataclass, field
from pathlib import Path

from lammps_botan.evaluation.reference import known_mixture
from lammps_botan.files.ensemble import same_time
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture


@dataclass
class EvaluatedFiles:
    """The files that were read so far, and what they have in common.

    Attributes
    ----------
    paths : list of Path
    sha256 : list of str
        Of each configuration.
    n_runs : list of int
        Of each.
    time : float or None
        Lag time, where a file says it.
    mixture : Mixture or None
        None before the first file.
    """

    paths: list[Path] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    n_runs: list[int] = field(default_factory=list)
    time: float | None = None
    mixture: Mixture | None = None
    _time_of: Path | None = None
    _seen: dict[str, Path] = field(default_factory=dict)  # by SHA-256

    def add(self, ensemble: Ensemble) -> None:
        """Note a file.

        Raises
        ------
        ValueError
            If it is of another mixture or lag time than those before, or its configuration is one
            of theirs.
        """
        path, mixture = ensemble.path, known_mixture(ensemble.configuration)
        same = self._seen.setdefault(ensemble.configuration.sha256, path)
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
        self.paths.append(path)
        self.sha256.append(ensemble.configuration.sha256)
        self.n_runs.append(ensemble.n_runs)
        self.mixture = mixture
        if self.time is None and ensemble.lag_time is not None:
            self.time, self._time_of = ensemble.lag_time, path
