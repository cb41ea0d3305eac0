"""A model as the teacher of another one: its predictions are the pseudo-labels.

A model that sees histories or inherent structures predicts better than a model that sees thermal
positions only. The second model can learn from the predictions of the first as from further
configurations.
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
    """Label structures with a model file.

    Parameters
    ----------
    model : str or Path
        A model file, or the name of a model that ships.
    ensembles : sequence of Ensemble
        At one lag time, with the inputs of the model.

    Attributes
    ----------
    known : list of KnownConfiguration
        Configurations that the model learned from; for a committee those of all members.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If it is no model file, predicts R, D or C, or was trained for another lag time,
        temperature, density or mixture than that of an ensemble.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> sites, box = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T, Box(4.705, (True, True, True))
    >>> start = Configuration(sites, np.repeat([0, 1], [100, 25]), box, mixture=KOB_ANDERSEN)
    >>> ensemble = Ensemble(start, np.zeros((0, 125, 3)), lag_time=4120.0, propensity=np.ones(125))
    >>> teacher = ModelTeacher("ka-t044", [ensemble])
    >>> [teacher.label(seen).propensity.shape for seen in teacher.structures(ensemble)]
    [(125,)]
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
        """Give the start of an ensemble and the ends of its runs, with each of their histories.

        Each structure is followed by its copies, each with the one history that belongs to it.
        """
        n, copies = count_labeled(ensemble, self._inputs)
        all_copies = read_copies(ensemble.path) if copies else None
        both = chain([starts(ensemble, self._inputs)], ends(ensemble, self._inputs, n - 1))
        for k, seen in enumerate(both):
            yield seen
            if all_copies is not None:
                yield from _copies(seen, all_copies[k])

    def label(self, seen: Sequence[Configuration]) -> Ensemble:
        """Label one structure with the mean of the predictions from each of its histories."""
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
    """Count the structures of an ensemble that a model with these inputs labels.

    Without histories all ends of runs are labeled, and no copies: these are for students whose
    teacher sees more than they do. The inherent structures of copies are not known.

    Parameters
    ----------
    ensemble : Ensemble
    inputs : Inputs
        Inputs of the model.

    Returns
    -------
    int
        Number of structures.
    int
        Number of copies of each.

    Raises
    ------
    ValueError
        If the model sees histories and the file has none.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration([[0, 0, 0]], [0], Box(9.0, (True, True, True)))
    >>> count_labeled(Ensemble(start, final=[[[0, 0, 1]]] * 4), Inputs())
    (5, 0)
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
