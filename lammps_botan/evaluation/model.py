"""A model under evaluation: its predictions, and the configurations that it knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.analysis.state import SAME_DENSITY, SAME_TEMPERATURE
from lammps_botan.files.ensemble import same_time
from lammps_botan.network.known_configurations import count_learned
from lammps_botan.network.metadata import Metadata
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import Mixture


@dataclass(frozen=True)
class Forecast:
    """Predictions for one lag time.

    Attributes
    ----------
    graph : Graph
        With the cutoff of the model, and the species numbers of the configuration.
    propensity : float32 [n_particles]
        Length unit.
    changes : float32 [n_edges] or None
        Pair-distance changes, length unit, where the model has them.

    Examples
    --------
    >>> nothing = np.zeros(0, int)
    >>> graph = Graph(np.array([0]), nothing, nothing, np.zeros((0, 3)), cutoff=2.0)
    >>> Forecast(graph, propensity=np.array([0.5]), changes=None).propensity
    array([0.5])
    """

    graph: Graph
    propensity: Floats
    changes: Floats | None


class JudgedModel:
    """A model that predicts propensities.

    Parameters
    ----------
    model : str or Path
        A model file, or the name of a model that ships.

    Attributes
    ----------
    name : str
        Name or file, as it was given.
    path : Path
        The model file.
    metadata : Metadata

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        As `lammps_botan.network.predictor.Predictor`, or if the model predicts R, D or C.

    Examples
    --------
    >>> model = JudgedModel("ka-t044")
    >>> model.facts(lag_time=None)["temperature"]
    0.44
    """

    def __init__(self, model: str | Path) -> None:
        self.name = str(model)
        self._predictor = Predictor(model)
        self.path = self._predictor.path
        self.metadata: Metadata = self._predictor.metadata
        quantity = self.metadata.node_outputs[0]
        if quantity in {"R", "D", "C"}:
            raise ValueError(
                f"{self.path}: predicts {quantity}, motion relative to the neighbors, and not the "
                "propensity, which is compared here. Its validation_rho is in lammps-botan info"
            )

    def forecast(self, configuration: Configuration, lag_time: float | None) -> Forecast:
        """Predict for a configuration.

        Parameters
        ----------
        configuration : Configuration
            With its mixture. The names of the species tell the species of the model.
        lag_time : float or None
            Time unit, where the file says it. It chooses the output of a model with several lag
            times.

        Returns
        -------
        Forecast

        Raises
        ------
        ValueError
            If the model is for other units, another dimension or other species, does not know the
            lag time, needs an input that the file does not hold, fails, or predicts numbers that
            are not finite.
        """
        self._refuse_foreign(configuration)
        column = self._column(configuration.where, lag_time)
        mapped, _ = configuration.as_mixture(self.metadata.mixture)
        try:
            found = self._predictor.predict(mapped)
        except ValueError as error:
            where = configuration.where
            raise ValueError(f"{where}: {str(error).removeprefix(f'{where}: ')}") from error
        changes = found.edge[:, column] if self.metadata.edge_outputs else None
        graph = replace(found.graph, species=configuration.species)
        return Forecast(graph, found.node[:, column], changes)

    def role(self, configuration: Configuration) -> str | None:
        """Role of the configuration for the model: training, validation, distillation, or None."""
        return self.metadata.known_configurations.get(configuration.sha256)

    def differences(self, ensemble: Ensemble) -> dict[str, str]:
        """Differences between the training of the model and an ensemble, in words, by name."""
        own, metadata = ensemble.configuration, self.metadata
        times = metadata.lag_times or []
        found = {}
        if len(times) == 1 and not same_time(times[0], ensemble.lag_time):
            found["lag time"] = f"{ensemble.lag_time:g} of the files, {times[0]:g} of the model"
        for name, value, trained, rtol in (
            ("temperature", own.temperature, metadata.temperature, SAME_TEMPERATURE),
            ("density", own.density, metadata.density, SAME_DENSITY),
        ):
            if value and trained and not np.isclose(value, trained, rtol=rtol, atol=0):
                found[name] = f"{value:.4g} of the files, {trained:.4g} of the model"
        if own.mixture is not None:
            found |= _unlike(own, own.mixture, metadata.mixture)
        return found

    def facts(self, lag_time: float | None) -> dict[str, Any]:
        """Entries of an evaluation for the model, see `lammps_botan.evaluation.evaluation_file`."""
        times = self.metadata.lag_times or []
        members = _members(self.metadata.provenance)
        return {
            "model": self.name,
            "architecture": self.metadata.architecture,
            "rounds": self.metadata.rounds,
            "width": self.metadata.width // len(members),
            "members": len(members),
            "p": _loss_weight(members),
            "inputs": self.metadata.inputs.model_dump(),
            "training_configurations": count_learned(self.metadata.known),
            "temperature": self.metadata.temperature,
            "lag_time": times[0] if len(times) == 1 else lag_time if times else None,
        }

    def _refuse_foreign(self, configuration: Configuration) -> None:
        own, trained = configuration.mixture, self.metadata.mixture
        if own is None:
            return
        for key in ("units", "dimension"):
            ours, theirs = getattr(own, key), getattr(trained, key)
            if ours != theirs:
                raise ValueError(
                    f"{configuration.where}: holds {own.name} with {key} {ours}, but {self.path} "
                    f"was trained on {trained.name} with {key} {theirs}: take another model"
                )
        if not set(own.species) <= set(trained.species):
            raise ValueError(
                f"{configuration.where}: holds {own.name} with the species "
                f"{' '.join(own.species)}, but {self.path} knows {' '.join(trained.species)}: take "
                "another model, or say with --mixture what the particles are"
            )

    def _column(self, where: str, lag_time: float | None) -> int:
        """Number of the output for the lag time of the file."""
        times = self.metadata.lag_times or []
        if len(times) < 2:
            return 0
        for outputs in (self.metadata.node_outputs, self.metadata.edge_outputs or times):
            if len(outputs) < len(times):
                raise ValueError(
                    f"{self.path}: expected an output for each of {len(times)} lag times, found "
                    f"{', '.join(map(str, outputs))}"
                )
        for column, known in enumerate(times):
            if lag_time is not None and same_time(known, lag_time):
                return column
        found = (
            "the file does not say its own (key time)"
            if lag_time is None
            else f"the lag time of the file is {lag_time:g}"
        )
        raise ValueError(
            f"{where}: {self.path} predicts for the lag times "
            f"{', '.join(f'{known:g}' for known in times)}; {found}"
        )


def _unlike(configuration: Configuration, own: Mixture, trained: Mixture) -> dict[str, str]:
    """Difference between two mixtures, or else in composition, in words."""
    if unlike := own.difference(trained):
        return {"mixture": f"{own.name} of the files, {trained.name} of the model; {unlike}"}
    if unlike := trained.wrong_composition(configuration.species):
        return {"composition": unlike}
    return {}


def _members(provenance: Mapping[str, Any]) -> list[Any]:
    """Provenance of each network in a model file; a committee has several."""
    committee = provenance.get("committee")
    return committee if isinstance(committee, list) and committee else [provenance]


def _loss_weight(members: Sequence[Any]) -> float | None:
    """The p of training, if all members have the same; None where it is not said."""
    try:  # a model file may say anything here
        values = {float(member["config"]["recipe"]["p"]) for member in members}
    except (KeyError, TypeError, ValueError):
        return None
    return values.pop() if len(values) == 1 else None
