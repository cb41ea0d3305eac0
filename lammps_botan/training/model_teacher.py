"""A model as the teacher of another one: pseudo-labels are what it predicts.

A model that sees histories or inherent structures predicts better than one that sees thermal
positions only. That one can learn from the predictions as from further configurations.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from lammps_botan.evaluation.model import JudgedModel
from lammps_botan.files.ensemble_npz import read_copies
from lammps_botan.network.inputs import Inputs
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.training.inputs import ends, starts


class ModelTeacher:
    """Labels structures by a model file.

    Parameters
    ----------
    model : str or Path
        A model file, or the name of a model that ships.
    ensembles : sequence of Ensemble
        At one lag time, with what the model sees.

    Attributes
    ----------
    known : list of KnownConfiguration
        What the model learned from; of a committee, what all its members learned from.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If it is no model file, predicts R, D or C, or was trained for another lag time,
        temperature, density or mixture than that of an ensemble.
    """

    def __init__(self, model: str | Path, ensembles: Sequence[Ensemble]) -> None:
        self._model = JudgedModel(model)
        metadata = self._model.metadata
        self._inputs = metadata.inputs
        self.known = [one.model_copy(update={"role": "distillation"}) for one in metadata.known]
        for one in ensembles:
            if differences := self._model.differences(one):
                named = "; ".join(f"{name}: {words}" for name, words in differences.items())
                raise ValueError(
                    f"{one.path}: cannot be labeled by {self._model.path}, which was trained for "
                    f"something else: {named}"
                )
        self._lag_time = ensembles[0].lag_time
        if self._lag_time is None and metadata.lag_times:
            self._lag_time = metadata.lag_times[0]

    def structures(self, ensemble: Ensemble) -> Iterator[list[Configuration]]:
        """The start of an ensemble and then the ends of its runs, with each of their histories.

        Each is followed by its copies, with the one history that belongs to them.
        """
        n, copies = count_labeled(ensemble, self._inputs)
        all_copies = read_copies(ensemble.path) if copies else None
        both = chain([starts(ensemble, self._inputs)], ends(ensemble, self._inputs, n - 1))
        for k, seen in enumerate(both):
            yield seen
            if all_copies is not None:
                yield from _copies(seen, all_copies[k])

    def label(self, seen: Sequence[Configuration]) -> Ensemble:
        """The labels of one structure: means over what is predicted from each of its histories."""
        forecasts = [self._model.forecast(one, self._lag_time) for one in seen]
        changes = [one.changes for one in forecasts if one.changes is not None]
        return Ensemble(
            configuration=seen[0],
            final=np.zeros((0, seen[0].n_particles, 3)),
            lag_time=self._lag_time,
            propensity=_mean([one.propensity for one in forecasts]),
            pair_distance_change=_mean(changes) if changes else None,
        )


def count_labeled(ensemble: Ensemble, inputs: Inputs) -> tuple[int, int]:
    """How many structures of an ensemble a model with these inputs labels, and copies of each.

    Without histories all ends of runs are labeled, and no copies, which are for students whose
    teacher sees more than they do. Nobody knows the inherent structures of copies.

    Raises
    ------
    ValueError
        If the model sees histories and the file has none.
    """
    if inputs.history is None:
        return 1 + ensemble.n_runs, 0
    n_structures, n_velocities, n_copies = read_copies(ensemble.path).shape[:3]
    return n_structures, 0 if inputs.inherent is not None else n_velocities * n_copies


def _copies(seen: Sequence[Configuration], copies: Floats) -> Iterator[list[Configuration]]:
    """Copies [n_velocities, n_copies, n_particles, 3] of a structure as structures of their own."""
    for one, of_run in zip(seen, copies, strict=True):
        assert one.history is not None  # see count_labeled
        for positions in of_run:
            displacement = one.history.displacement + one.positions - positions
            yield [
                replace(
                    one,
                    positions=positions,
                    inherent_positions=None,
                    inherent_energies=None,
                    history=replace(one.history, displacement=displacement),
                )
            ]


def _mean(several: Sequence[Floats]) -> Floats:
    return np.asarray(np.mean(several, axis=0, dtype=np.float64))
