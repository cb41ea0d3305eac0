"""The history of a running LAMMPS, for a model that sees a history; MPI rank 0 records it."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lammps_botan.network.metadata import HistoryInput
from lammps_botan.prediction.callbacks.particles import gather_particles, lammps_box
from lammps_botan.prediction.callbacks.ranks import Ranks
from lammps_botan.prediction.sampler import MOST_OFF, Sampler, with_history
from lammps_botan.structure.box import Floats, Ints, Periodic
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture

MINIMIZATION = 2  # what lammps_is_running returns during one
MOVED = "something other than a run has moved the atoms or the box"
SAME = 1e-10  # relative change of a position that wrapping and restart files make


@dataclass(frozen=True)
class _Atoms:
    """The atoms of this rank at a step, and corners and tilts of the box."""

    step: int
    ids: Ints
    positions: Floats
    box: tuple[Any, ...]


class Sampling:
    """Samples of a running LAMMPS.

    Parameters
    ----------
    asked : HistoryInput
        The history that the model sees.
    mixture : Mixture
        Mixture of the model.
    words : sequence of str
        One word for each atom type: types that are NULL have no history.
    """

    def __init__(self, asked: HistoryInput, mixture: Mixture, words: Sequence[str]) -> None:
        self.asked, self._mixture, self._words = asked, mixture, words
        self.sampler = Sampler(asked)
        self._before: _Atoms | None = None
        self._since = math.nan  # time since the last sample; NaN where it is not known
        self._even = math.inf  # samples since two were not an interval apart
        self._told = False  # that the history began anew because of them

    def follow(
        self, lmp: Any, ranks: Ranks, step: int, ids: Ints, positions: Floats, energies: str
    ) -> None:
        """Take a sample if one is due; call this at each step of a run, and in its setup.

        The history begins anew where something other than a run has moved the atoms.

        Parameters
        ----------
        lmp : lammps.lammps
        ranks : Ranks
        step : int
        ids : int [n_own]
            Atom IDs of the atoms of this rank.
        positions : float [n_own, 3]
            Their positions, length unit.
        energies : str
            ID of a `compute pe/atom`.
        """
        if lmp.lib.lammps_is_running(lmp.lmp) == MINIMIZATION:
            self._begin_anew(ranks, step, "a minimization moves the atoms")
            self._before = None
            return
        before, timestep = self._before, lmp.extract_global("dt")
        now = _Atoms(step, ids.copy(), positions.copy(), _edges(lmp))
        self._before = now
        if before is not None and step == before.step + 1:
            self._since += timestep
        elif before is not None:
            moved = ranks.gather(_moved(lmp, before, now))
            if not ranks.on_first(lambda: any(moved or [])):
                self.sampler.begin_run(before.step, step)
            elif step <= before.step:
                self._begin_anew(ranks, step, MOVED)
            else:  # a rerun, whose snapshots are apart
                self._since = math.nan
        if is_due := self.sampler.is_due(step, timestep):
            self._watch_gaps(ranks, step)
        self.take(lmp, ranks, energies)
        if is_due:
            self._since = 0.0

    def take(self, lmp: Any, ranks: Ranks, energies: str) -> None:
        """Take a sample if one is due."""
        step, timestep = int(lmp.extract_global("ntimestep")), lmp.extract_global("dt")
        if self.sampler.is_due(step, timestep):
            all_atoms = ranks.together(lambda: gather_particles(lmp, ranks, energies))
            ranks.together(lambda: self.sampler.add(self._seen(all_atoms), step, timestep))

    def remember(self, configuration: Configuration) -> tuple[Configuration | None, float]:
        """Add the history to the configuration, on rank 0.

        Returns
        -------
        Configuration or None
            None if a window is not full.
        float
            Recorded share of the window, 0 to 1.
        """
        seen, inside = configuration.as_mixture(self._mixture, self._words)
        history = self.sampler.history(seen)
        if history is None:
            return None, self.sampler.share(seen)
        return with_history(configuration, inside, history), 1.0

    def _seen(self, configuration: Configuration | None) -> Configuration | None:
        if configuration is None:
            return None
        return configuration.as_mixture(self._mixture, self._words)[0]

    def _watch_gaps(self, ranks: Ranks, step: int) -> None:
        # as the fix: one gap of another length in a window, after a reset of the steps, is no harm
        interval, longest = self.asked.interval, self.asked.samples + self.asked.samples_per_part
        # a gap that is just allowed is a sum of time steps, with its rounding
        uneven = abs(self._since - interval) > 1.01 * MOST_OFF * interval
        if not (self.sampler.n_in_a_row and uneven):
            self._even += 1
            self._told &= self._even <= longest or self.sampler.n_in_a_row <= longest
        elif self._even > longest:
            self._even = 0
        elif self._told:
            self._forget()
        else:
            why = f"samples were {self._since:.4g} apart in place of {interval:.4g}"
            why += ", more than once in a window; was the timestep changed, or the step reset?"
            self._begin_anew(ranks, step, why)
            self._told = True

    def _begin_anew(self, ranks: Ranks, step: int, why: str) -> None:
        if self.sampler.n_in_a_row:
            text = f"step {step}: {why}: the history that the model sees begins anew"
            ranks.on_first(lambda: warnings.warn(text, stacklevel=2))
        self._forget()

    def _forget(self) -> None:
        self.sampler.clear()
        self._even = math.inf


def _moved(lmp: Any, before: _Atoms, now: _Atoms) -> bool:
    """Whether the box has changed, or atoms of this rank are elsewhere than before."""
    _, old, new = np.intersect1d(before.ids, now.ids, assume_unique=True, return_indices=True)
    box = lammps_box(lmp)
    apart = box.minimum_image(now.positions[new] - before.positions[old])
    changes = np.append(apart, _change(before.box, now.box, box.periodic))
    return bool(np.abs(changes).max() > SAME * np.abs(box.cell).max())


def _edges(lmp: Any) -> tuple[Any, ...]:
    """Corners and tilts of the box; making a Box at each step would take longer."""
    return tuple(lmp.extract_global(name) for name in ("boxlo", "boxhi", "xy", "xz", "yz"))


def _change(old: tuple[Any, ...], new: tuple[Any, ...], periodic: Periodic) -> Floats:
    """Changes of lengths along periodic directions, since others follow the atoms, and of tilts."""
    (low, high, *tilts), (new_low, new_high, *new_tilts) = old, new
    lengths = np.subtract(new_high, new_low) - np.subtract(high, low)
    return np.array([*lengths * periodic, *np.subtract(new_tilts, tilts)])
