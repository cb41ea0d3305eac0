"""A model as the teacher of another one: pseudo-labels are what it predicts.

A model that sees histories or inherent structures predicts better than one that sees thermal
positions only. That one can learn from the predictions as from further configurations.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lammps_botan.evaluation.model import JudgedModel
from lammps_botan.files.ensemble_npz import read_histories
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
        """The start of an ensemble and then the ends of its runs, with each of their histories."""
        n = ensemble.n_runs
        if self._inputs.history is not None:
            n = len(read_histories(ensemble.path)) - 1
        yield starts(ensemble, self._inputs)
        yield from ends(ensemble, self._inputs, n)

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


def _mean(several: Sequence[Floats]) -> Floats:
    return np.asarray(np.mean(several, axis=0, dtype=np.float64))
