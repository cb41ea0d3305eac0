"""Samples of a history: when they are taken, and from which quantities."""

from dataclasses import replace

import numpy as np

from lammps_botan.network.metadata import HistoryInput
from lammps_botan.structure.box import Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.history import History
from lammps_botan.structure.recorder import Recorder

ENERGY = "c_pe"  # the column of the energies of particles: `compute pe all pe/atom`
MOST_OFF = 0.1  # of the interval, as in fix botan


class Sampler:
    """Keep the history that a model sees, from samples at the multiples of a number of steps.

    If a sample is missing, the history begins anew.

    Parameters
    ----------
    asked : HistoryInput
        The history that the model sees.

    Attributes
    ----------
    n_in_a_row : int
        Samples since the history began.
    most_in_a_row : int
        The largest of these numbers so far.
    n_gaps : int
        Number of times that a sample was missing.

    Examples
    --------
    >>> sampler = Sampler(HistoryInput(window=2.0, interval=1.0, parts=2))
    >>> sampler.is_due(step=300, timestep=0.01), sampler.is_due(step=310, timestep=0.01)
    (True, False)
    """

    def __init__(self, asked: HistoryInput) -> None:
        self._asked = asked
        self._recorder = Recorder(asked.window, asked.parts, asked.samples_per_part)
        self._last: int | None = None  # step of the last sample
        self.n_in_a_row = self.most_in_a_row = self.n_gaps = 0

    def is_due(self, step: int, timestep: float) -> bool:
        """Whether a sample is taken at this step, which has none yet.

        Parameters
        ----------
        step : int
        timestep : float
            Time unit.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            If no number of steps comes near the interval of the model.
        """
        stride, interval = self._asked.steps_per_sample(timestep), self._asked.interval
        if abs(stride * timestep - interval) > MOST_OFF * interval:
            raise ValueError(
                f"the model needs a sample of the particles every {interval:g}, and with time step "
                f"{timestep:g} samples are {stride * timestep:g} apart; use a time step of which "
                f"{interval:g} is a multiple"
            )
        return step % stride == 0 and step != self._last

    def add(self, configuration: Configuration | None, step: int, timestep: float) -> None:
        """Take a sample.

        Parameters
        ----------
        configuration : Configuration or None
            With the energies in the column `ENERGY`. None: another MPI rank keeps the history.
        step : int
        timestep : float
            Time unit.
        """
        last = self._last
        if last is not None and not 0 < step - last <= self._asked.steps_per_sample(timestep):
            self.clear()
            self.n_gaps += 1
        if configuration is not None:
            self._recorder.add(
                configuration.positions,
                configuration.box,
                configuration.columns[ENERGY],
                configuration.ids,
            )
        self._last = step
        self.n_in_a_row += 1
        self.most_in_a_row = max(self.n_in_a_row, self.most_in_a_row)

    def clear(self) -> None:
        """Forget all samples."""
        self._recorder.clear()
        self._last, self.n_in_a_row = None, 0

    def begin_run(self, old: int, new: int) -> None:
        """Note that the step `old`, the end of the last run, begins the next run as step `new`.

        The next sample is not late, even if the time step has changed.
        """
        if self._last is not None:
            self._last = new if self._last == old else new - 1

    def share(self, configuration: Configuration) -> float:
        """Recorded share of the window, 0 to 1, of the particle with the least."""
        return self._recorder.share(configuration.ids)

    def history(self, configuration: Configuration) -> History | None:
        """Give the history that ends with this configuration, or None if a window is not full."""
        return self._recorder.history(configuration.positions, configuration.box, configuration.ids)


def with_history(configuration: Configuration, inside: Ints, history: History) -> Configuration:
    """Add the history of some particles to a configuration, and 0 for the others.

    Parameters
    ----------
    configuration : Configuration
    inside : int64 [n_inside]
        Indices of the particles with a history.
    history : History
        History of these particles.

    Returns
    -------
    Configuration

    Examples
    --------
    >>> from lammps_botan import Box
    >>> pair = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)))
    >>> history = History(30.0, np.zeros((1, 3)), np.ones(1), np.ones(1))
    >>> with_history(pair, np.array([1]), history).history.variance
    array([0., 1.])
    """
    n = configuration.n_particles
    displacement, variance, energy = np.zeros((n, 3)), np.zeros(n), np.zeros(n)
    displacement[inside] = history.displacement
    variance[inside], energy[inside] = history.variance, history.energy
    return replace(configuration, history=History(history.window, displacement, variance, energy))
