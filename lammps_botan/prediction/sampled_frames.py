"""Frames of a trajectory with histories, which are sampled from the frames themselves."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

import numpy as np

from lammps_botan.network.metadata import HistoryInput
from lammps_botan.prediction.sampler import ENERGY, Sampler, with_history
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture

SAME = 1e-6  # relative difference between two time steps that are one


class SampledFrames:
    """The frames to score, each with its history; frames whose window is not full are left out.

    Parameters
    ----------
    frames : iterable of Configuration
        All frames, with steps, and with the energies of the particles in the column `c_pe`.
    asked : HistoryInput
        The history that the model sees.
    mixture : Mixture
        Mixture of the model.
    species : sequence of str or None
        As for `lammps_botan.prediction.trajectory.score`: only particles that the model sees have
        histories.
    timestep : float or None
        Time unit; needed where frames do not say their time.
    every : int
        Take the first frame and each that is a multiple of this many frames after it.

    Attributes
    ----------
    n_left_out : int
        Frames left out so far, of those that `every` takes.

    Raises
    ------
    ValueError
        If the time step is not positive. While the frames are read: if frames have neither time nor
        time step, a sample has no energies, the frames are too far apart or too few, or a frame
        does not fit the model.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> asked = HistoryInput(window=2.0, interval=1.0, parts=2)
    >>> box, energies = Box(5.0, (True, True, True)), {"c_pe": np.full(2, -5.0)}
    >>> frames = [
    ...     Configuration(np.eye(2, 3), [0, 0], box, step=step, columns=energies)
    ...     for step in range(4)
    ... ]
    >>> sampled = SampledFrames(frames, asked, KOB_ANDERSEN, None, timestep=1.0, every=1)
    >>> [frame.step for frame in sampled], sampled.n_left_out
    ([1, 2, 3], 1)
    """

    def __init__(
        self,
        frames: Iterable[Configuration],
        asked: HistoryInput,
        mixture: Mixture,
        species: Sequence[str] | None,
        timestep: float | None,
        every: int,
    ) -> None:
        if timestep is not None and not 0 < timestep < np.inf:
            raise ValueError(f"the time step must be positive, found {timestep}")
        self._frames, self._asked, self._every = frames, asked, every
        self._mixture, self._species = mixture, species
        self._timestep = timestep
        self.n_left_out = 0

    def __iter__(self) -> Iterator[Configuration]:
        """Give the frames in order."""
        sampler, n_taken = Sampler(self._asked), 0
        frame, timestep, first = None, self._timestep, None
        for index, (frame, timestep) in enumerate(self._timed()):
            first = first or frame
            seen, inside = frame.as_mixture(self._mixture, self._species)
            if sampler.is_due(frame.step, timestep):
                self._check_energies(frame, timestep)
                sampler.add(seen, frame.step, timestep)
            self._check_distance(first, frame, timestep, sampler)
            if index % self._every:
                continue
            history = sampler.history(seen)
            if history is None:
                self.n_left_out += 1
            else:
                n_taken += 1
                yield with_history(frame, inside, history)
        if not n_taken:
            where = "a trajectory of one frame" if frame is None else frame.where
            most = sampler.most_in_a_row if frame else 1
            self._refuse(where, timestep, f"at most {most}")

    def _timed(self) -> Iterator[tuple[Configuration, float]]:
        """Each frame with the time step of its run; no frames where there are fewer than two."""
        # LAMMPS writes the last frame of a dump again where it goes on with it after a restart
        different = (next(same) for _, same in itertools.groupby(self._frames, _step_of))
        for k, (before, frame) in enumerate(itertools.pairwise(different)):
            timestep = self._between(before, frame)
            if k == 0:
                yield before, timestep
            yield frame, timestep

    def _between(self, before: Configuration, frame: Configuration) -> float:
        """Time step from one frame to the next."""
        steps = frame.step - before.step
        if steps < 0:
            raise ValueError(
                f"{frame.where}: expected a later step than {before.step}, that of the frame "
                f"before, found {frame.step}; take the frames of one run, in order"
            )
        if before.time is not None and frame.time is not None:
            found = (frame.time - before.time) / steps
            if self._timestep is not None and not math.isclose(found, self._timestep, rel_tol=SAME):
                raise ValueError(
                    f"{frame.where}: expected a time step of {self._timestep:g}, as given, but "
                    f"the times of the frames say {found:g}; leave it out"
                )
            if not found > 0:
                raise ValueError(
                    f"{frame.where}: expected a later time than {before.time:g}, that of the "
                    f"frame before, found {frame.time:g}"
                )
            return found
        if self._timestep is None:
            raise ValueError(
                f"{frame.where}: does not say its time; give the time step of the run with "
                "--timestep (timestep= in Python), or write dumps with `dump_modify 1 time yes`"
            )
        return self._timestep

    def _check_energies(self, frame: Configuration, timestep: float) -> None:
        if ENERGY not in frame.columns:
            raise ValueError(
                f"{frame.where}: the model sees {self._asked.words}: expected a LAMMPS dump with "
                f"the energies of the particles in the column {ENERGY}; write\n"
                f"{_lines(str(self._asked.steps_per_sample(timestep)))}"
            )

    def _check_distance(
        self, first: Configuration, frame: Configuration, timestep: float, sampler: Sampler
    ) -> None:
        """Refuse frames that are too far apart before all of them have been read."""
        late = frame.step - first.step > 2 * self._asked.steps_per_sample(timestep)
        if late and sampler.most_in_a_row < 2:
            self._refuse(frame.where, timestep, "no two of them")

    def _refuse(self, where: str, timestep: float | None, found: str) -> NoReturn:
        asked = self._asked
        each, note = "N", f" (N = {asked.interval:g} / time step)"
        if timestep is not None:
            each, note = str(asked.steps_per_sample(timestep)), ""
        raise ValueError(
            f"{where}: the model sees {asked.words}: expected {asked.samples} frames or more at "
            f"successive multiples of {each} steps{note}, found {found}; write\n{_lines(each)}"
        )


def _step_of(frame: Configuration) -> int:
    return frame.step


def _lines(each: str) -> str:
    """Lines to write in the input script."""
    return (
        "  compute pe all pe/atom\n"
        f"  dump 1 all custom {each} run.dump id type xu yu zu {ENERGY}\n"
        "  dump_modify 1 time yes format float %.15g"
    )
