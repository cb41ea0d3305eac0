"""Evaluations of `lammps-botan evaluate --json`, sorted by temperature and lag time."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lammps_botan.analysis.state import same_temperature
from lammps_botan.evaluation.evaluation_file import (
    REMEDY,
    Correlations,
    Evaluation,
    ModelCorrelations,
    read_evaluation,
)
from lammps_botan.figures.evaluated_configurations import EvaluatedConfigurations
from lammps_botan.files.ensemble import same_time

NOT_TRAINED = {0.0: "S", 1.0: "E"}  # p, and what a network trained with it has not learned


@dataclass(frozen=True)
class Rho:
    """A correlation.

    Attributes
    ----------
    value : float
        rho_mean, over the particles of the quoted species or the bonds of the quoted pair; NaN
        where it is not defined.
    error : float
        Standard error by bootstrap over the configurations; NaN where there is none.
    """

    value: float
    error: float


@dataclass(frozen=True)
class Model:
    """A model at one condition.

    Attributes
    ----------
    model : str
    architecture : str
        Such as "botan".
    rounds : int or None
    width : int
        Features of each network.
    members : int
        Number of networks; more than one in a committee.
    p : float or None
        Weight of the propensity in the loss, eq. 12; None if unknown.
    window : float or None
        Length of the history that it sees, time unit; None without a history.
    inherent : bool
        Whether it sees inherent structures.
    training_configurations : int or None
        Number of configurations that it has learned from; None if unknown.
    temperature : float
        Temperature of the data, or of the training where the data do not say it; temperature unit.
    trained_at : float or None
        Temperature of the training, where it is not that of the data.
    lag_time : float
        Lag time of the data, time unit.
    trained_for : float or None
        Lag time of the training, where it is not that of the data.
    rho : dict
        Rho of "S", and of "E" where the model has it; without the quantity that it was not trained
        on (S at p = 0, E at p = 1).
    """

    model: str
    architecture: str
    rounds: int | None
    width: int
    members: int
    p: float | None
    window: float | None
    inherent: bool
    training_configurations: int | None
    temperature: float
    trained_at: float | None
    lag_time: float
    trained_for: float | None
    rho: dict[str, Rho]


def foreign_training(temperature: float | None, lag_time: float | None) -> str:
    """Say in a label that a model was trained at another temperature, or for another lag time."""
    facts = [] if temperature is None else [f"at T = {temperature:g}"]
    facts += [] if lag_time is None else [f"for t = {lag_time:g}"]
    return f"trained {' and '.join(facts)}" if facts else ""


@dataclass(frozen=True)
class Condition:
    """Models evaluated on the same configurations, of one temperature, at one lag time.

    Attributes
    ----------
    temperature, lag_time : float
        Temperature unit and time unit.
    mixture : str or None
        Name of the mixture, where the file says it.
    units : str
        LAMMPS's name of the unit system.
    groups : dict
        Species ("S") and pair of species ("E") of the correlations.
    models : list of Model
    ceilings : dict
        Rho of "S" and "E" of a perfect model, as far as it is known.
    """

    temperature: float
    lag_time: float
    mixture: str | None
    units: str
    groups: dict[str, str]
    models: list[Model]
    ceilings: dict[str, Rho]


def read_conditions(paths: Sequence[Path]) -> list[Condition]:
    """Read files of `lammps-botan evaluate --json`, in the order of temperature and lag time.

    A model that is in several files with the same correlations is taken once.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If one is not such a file, has models for several lag times or temperatures or does not say
        them, two of the same lag time and temperature were made with different configurations, or
        two are about different mixtures.
    """
    found: dict[tuple[float, float], Condition] = {}
    sources: dict[tuple[float, float], tuple[Path, EvaluatedConfigurations]] = {}
    groups: dict[str, str] = {}  # of all
    units = ""
    for path in map(Path, paths):
        evaluation = read_evaluation(path)
        if not evaluation.models:
            raise ValueError(f"{path}: has ceilings and no models; {REMEDY}")
        for quantity, group in (g for m in evaluation.models for g in _groups(evaluation, m)):
            if groups.setdefault(quantity, group) != group:
                raise ValueError(
                    f"{path}: has correlations of {group}, and what comes before has those of "
                    f"{groups[quantity]}; draw each mixture in a picture of its own"
                )
        units = units or evaluation.units
        if units != evaluation.units:
            raise ValueError(
                f"{path}: is in {evaluation.units} units, and what comes before in {units}; draw "
                "each in a picture of its own"
            )
        models = [_model(path, k, evaluation) for k in range(len(evaluation.models))]
        condition = _known(_condition(path, models), found)
        models = [replace(m, temperature=condition[0], lag_time=condition[1]) for m in models]
        means = EvaluatedConfigurations.of(evaluation)
        first, expected = sources.setdefault(condition, (path, means))
        if not means.same_as(expected):
            raise ValueError(
                f"{path}: has correlations of models for {_named(condition)} on {means}, but "
                f"{first} on {expected}; evaluate all of them on the same configurations"
            )
        here = found.setdefault(
            condition, Condition(*condition, evaluation.mixture, units, groups, [], {})
        )
        here.models.extend(model for model in models if model not in here.models)
        if evaluation.ceiling is not None:
            here.ceilings.update(_rho(evaluation, evaluation.ceiling))
    return [found[condition] for condition in sorted(found)]


def _groups(
    evaluation: Evaluation, part: Correlations | ModelCorrelations
) -> list[tuple[str, str]]:
    """The quoted species and pair, or else the first ones, as far as there are correlations."""
    tables = (("S", part.S), ("E", part.E))
    return [
        (quantity, evaluation.quoted.get(quantity, next(iter(table))))
        for quantity, table in tables
        if table
    ]


def _rho(evaluation: Evaluation, part: Correlations | ModelCorrelations) -> dict[str, Rho]:
    found = {}
    for quantity, group in _groups(evaluation, part):
        table = part.S if quantity == "S" else part.E
        if table and group in table:
            own = table[group]
            found[quantity] = Rho(_defined(own.rho_mean), _defined(own.rho_mean_error))
    return found


def _model(path: Path, k: int, evaluation: Evaluation) -> Model:
    """The model at temperature and lag time of the data, or at its own where these are unknown."""
    own, time = evaluation.models[k], evaluation.time
    lag_time = time or own.lag_time
    temperature = evaluation.temperature or own.temperature
    for key, value, keeper in (
        ("temperature", temperature, "neither its model file nor the evaluated files have one"),
        ("lag_time", lag_time, "neither its model file nor the evaluated files have one"),
    ):
        if value is None:
            raise ValueError(
                f"{path}: 'models[{k}].{key}' of {own.model} is unknown, as {keeper}; write the "
                "number there in place of null"
            )
    rho = _rho(evaluation, own)
    if own.p is not None:
        rho.pop(NOT_TRAINED.get(own.p, ""), None)
    return Model(
        own.model,
        own.architecture,
        own.rounds,
        own.width,
        own.members,
        own.p,
        own.inputs.history.window if own.inputs.history else None,
        own.inputs.inherent is not None,
        own.training_configurations,
        float(temperature or 0),
        None if same_temperature(own.temperature, temperature) else own.temperature,
        float(lag_time or 0),
        None if same_time(time, own.lag_time) else own.lag_time,
        rho,
    )


def _condition(path: Path, models: list[Model]) -> tuple[float, float]:
    conditions = sorted({(model.temperature, model.lag_time) for model in models})
    if len(conditions) > 1:
        raise ValueError(
            f"{path}: has models for {' and '.join(map(_named, conditions))}; evaluate those of "
            "each temperature and lag time on their own configurations, into a file of their own"
        )
    return conditions[0]


def _known(
    condition: tuple[float, float], known: Collection[tuple[float, float]]
) -> tuple[float, float]:
    """Temperature and lag time, each as a known condition has it, within 1 %."""
    temperature, time = condition
    temperature = next((t for t, _ in known if same_temperature(t, temperature)), temperature)
    times = (own for t, own in known if t == temperature and same_time(own, time))
    return temperature, next(times, time)


def _named(condition: tuple[float, float]) -> str:
    return f"T = {condition[0]:g}, t = {condition[1]:g}"


def _defined(value: float) -> float:
    """Replace NaN by one and the same object, so that equal correlations are equal."""
    return math.nan if math.isnan(value) else value
