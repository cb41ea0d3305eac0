"""The former address of lammps_botan.files.ensemble and lammps_botan.analysis.sample."""

import warnings
from pathlib import Path

import numpy as np

from lammps_botan.analysis import sample as today
from lammps_botan.files.bapst_pickle import SUFFIX
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.structure.box import Floats
from lammps_botan.structure.ensemble import Ensemble

__all__ = [
    "Configuration",
    "Sample",
    "read_configuration",
    "read_sample",
]


class Configuration(Ensemble):
    """An ensemble with its former attributes."""

    @property
    def cell(self) -> Floats:
        """float64 [3, 3]: cell vectors as rows."""
        return self.box.cell

    @property
    def time(self) -> float | None:
        """Lag time, where the file says it."""
        return self.lag_time


class Sample(today.Sample):
    """A sample with its former attribute."""

    @property
    def time(self) -> float | None:
        """Lag time, where the file says it."""
        return self.lag_time


def read_configuration(path: str | Path, *, time_index: int | None = None) -> Configuration:
    """Read a configuration and its runs; see `lammps_botan.files.ensemble.read_ensemble`.

    A pickle file without a time index is read without its runs.
    """
    path = Path(path)
    if path.suffix == SUFFIX and time_index is None:
        start = read_start(path)
        nowhere = np.zeros((0, start.n_particles, 3))
        return Configuration(configuration=start, final=nowhere, path=path)
    return Configuration(**vars(read_ensemble(path, time_index=time_index)))


def read_sample(path: str | Path, *, cutoff: float = 2.0, time_index: int | None = None) -> Sample:
    """Read a graph with its targets; see `lammps_botan.analysis.sample.read_sample`."""
    return Sample(**vars(today.read_sample(Path(path), cutoff=cutoff, time_index=time_index)))


warnings.warn(
    "lammps_botan.dataset is now lammps_botan.files.ensemble and lammps_botan.analysis.sample",
    DeprecationWarning,
    stacklevel=2,
)
