"""An isoconfigurational ensemble: a configuration, and the final positions of runs from it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.structure.box import Box, Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.notebook_table import configuration_rows, html_table

SEVERAL = 10  # particles, of which some lie near each face of the box
HALF = 0.5  # of a box
LEAVE = 0.15  # of a small box: a skin, by half of which LAMMPS lets atoms leave on each side


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Runs that start from one configuration with different velocities, at one lag time.

    Parameters
    ----------
    configuration : Configuration
        Start of all runs.
    final : float [n_runs, n_particles, 3]
        Unwrapped positions of each run one lag time later, length unit; n_runs = 0 where they are
        not known.
    lag_time : float, optional
        Time unit; None where the file does not say it.
    propensity : float [n_particles], optional
        S_i, length unit, where a file has it in place of the runs.
    pair_distance_change : float [n_edges], optional
        E_ij, length unit, where a file has it in place of the runs.
    path : Path
        File that the ensemble comes from.

    Raises
    ------
    ValueError
        If the arrays do not fit together or hold numbers that are not finite, or the lag time is
        negative.

    Examples
    --------
    >>> box = Box(10.0, (True, True, True))
    >>> start = Configuration(positions=np.zeros((1, 3)), species=[0], box=box)
    >>> ensemble = Ensemble(configuration=start, final=np.ones((32, 1, 3)), lag_time=13.0)
    >>> ensemble.n_runs, ensemble.final.shape
    (32, (32, 1, 3))
    """

    configuration: Configuration
    final: Floats
    lag_time: float | None = None
    propensity: Floats | None = None
    pair_distance_change: Floats | None = None
    path: Path = Path("an ensemble")

    def __post_init__(self) -> None:
        n = self.configuration.n_particles
        final = np.asarray(self.final)
        if final.ndim == 3 and final.shape[1:] == (n, 2) and self.configuration.dimension == 2:
            final = np.concatenate([final, self._heights(len(final))], axis=2)
        if final.ndim != 3 or final.shape[1:] != (n, 3):
            raise ValueError(
                f"{self.path}: final positions must have shape [n_runs, {n}, 3], found "
                f"{list(final.shape)}"
            )
        object.__setattr__(self, "final", np.asarray(final, dtype=np.float64))
        for name, shape in (("propensity", (n,)), ("pair_distance_change", None)):
            values = getattr(self, name)
            if values is None:
                continue
            values = np.asarray(values, dtype=np.float64)
            if values.ndim != 1 or shape not in {None, values.shape}:
                raise ValueError(
                    f"{self.path}: {name} must have shape [{n if shape else 'n_edges'}], found "
                    f"{list(values.shape)}"
                )
            object.__setattr__(self, name, values)
        for name in ("final", "propensity", "pair_distance_change"):
            values = getattr(self, name)
            if values is not None and not np.isfinite(values).all():
                raise ValueError(f"{self.path}: {name} holds values that are not finite")
        if self.lag_time is not None and not 0 <= self.lag_time < np.inf:
            raise ValueError(
                f"{self.path}: the lag time must not be negative, found {self.lag_time:g}"
            )

    def _heights(self, n_runs: int) -> Floats:
        z = self.configuration.positions[:, 2]
        return np.broadcast_to(z[None, :, None], (n_runs, len(z), 1))

    def _repr_html_(self) -> str:
        """Table for notebooks."""
        time = "unknown" if self.lag_time is None else f"{self.lag_time:g}"
        runs = [("runs", str(self.n_runs)), ("lag time", time)]
        return html_table(str(self.path), [*runs, *configuration_rows(self.configuration)])

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.final)

    @property
    def initial(self) -> Floats:
        """Positions of the configuration, float64 [n_particles, 3], length unit."""
        return self.configuration.positions

    @property
    def species(self) -> Ints:
        """Species of each particle, int64 [n_particles]."""
        return self.configuration.species

    @property
    def box(self) -> Box:
        """Box of the configuration; all runs have this box."""
        return self.configuration.box

    def refuse_wrapped(self) -> None:
        """Refuse runs that go farther than half the box, while no particle ends far outside.

        Raises
        ------
        ValueError
            If the final positions are wrapped.
        """
        if not self.n_runs or self.configuration.n_particles < SEVERAL:
            return
        inverse, periodic = np.linalg.inv(self.box.cell), np.array(self.box.periodic)
        final = (self.final @ inverse)[..., periodic]
        way = final - (self.initial @ inverse)[:, periodic]
        extent = np.ptp(final, axis=(0, 1)).max(initial=0.0)
        if np.abs(way).max(initial=0.0) > HALF and extent < 1 + LEAVE:
            raise ValueError(
                f"{self.path}: the final positions are wrapped into the box, so that displacements "
                "across its faces are lost; write unwrapped ones: dump custom with xu yu zu, and "
                "`lammps-botan targets`"
            )
