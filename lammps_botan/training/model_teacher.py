"""A model as the teacher of another one: pseudo-labels are what it predicts.

A model that sees histories or inherent structures predicts better than one that sees thermal
positions only, which can learn from its predictions as from further configurations.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lammps_botan.files.ensemble import same_time
from lammps_botan.files.ensemble_npz import read_histories
from lammps_botan.network.inputs import Singles
from lammps_botan.network.known_configurations import known_in
from lammps_botan.network.predictor import Predictor
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
        With what the model sees.

    Attributes
    ----------
    known : list of KnownConfiguration
        What the model learned from.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If it is no model file, does not predict the propensity at one lag time, or at another one
        than that of an ensemble.
    """

    def __init__(self, model: str | Path, ensembles: Sequence[Ensemble]) -> None:
        self._predictor = Predictor(model)
        metadata = self._predictor.metadata
        self._inputs = metadata.inputs
        self.known = [
            one.model_copy(update={"role": "distillation"}) for one in known_in(metadata.provenance)
        ]
        lag_times = metadata.lag_times or []
        if metadata.node_outputs[0] != "propensity" or len(lag_times) != 1:
            raise ValueError(
                f"{self._predictor.path}: cannot teach: expected the propensity at one lag time, "
                f"found {metadata.node_outputs[0]} at {lag_times}"
            )
        self._lag_time = lag_times[0]
        for one in ensembles:
            if not same_time(one.lag_time, self._lag_time):
                raise ValueError(
                    f"{one.path}: holds the lag time {one.lag_time}, but "
                    f"{self._predictor.path} predicts for {self._lag_time:g}"
                )

    def structures(self, ensemble: Ensemble) -> Iterator[list[Configuration]]:
        """The start of an ensemble and then the ends of its runs, with each of their histories."""
        n = ensemble.n_runs
        if self._inputs.history is not None:
            n = len(read_histories(ensemble.path)) - 1
        yield starts(ensemble, self._inputs)
        yield from ends(ensemble, self._inputs, n)

    def label(self, seen: Sequence[Configuration], _: Ensemble) -> Ensemble:
        """The labels of one structure: means over what is predicted from each of its histories."""
        predictions = [self._predictor.predict(one) for one in seen]
        change = None
        if self._predictor.metadata.edge_outputs:
            change = _mean([one.edge for one in predictions])
        return Ensemble(
            configuration=seen[0],
            final=np.zeros((0, seen[0].n_particles, 3)),
            lag_time=self._lag_time,
            propensity=_mean([one.node for one in predictions]),
            pair_distance_change=change,
        )


def _mean(outputs: Sequence[Singles]) -> Floats:
    """Of the first columns."""
    return np.asarray(np.mean([one[:, 0] for one in outputs], axis=0, dtype=np.float64))
