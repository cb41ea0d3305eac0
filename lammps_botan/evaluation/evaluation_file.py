"""What `evaluate` finds, as a file: the same model writes it and reads it back.

Correlations are NaN in Python and null in the file where they are not defined. Files of earlier
versions lack some of the keys and can be read all the same.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from lammps_botan.network.metadata import Inputs
from lammps_botan.structure.mixture import UNITS


def _number_or_nan(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        raise ValueError("must be a number, or null")
    return math.nan if value is None else value


Rho = Annotated[float, Field(strict=True), BeforeValidator(_number_or_nan)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Text = Annotated[str, Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Correlation(_Section):
    """Rho over several configurations.

    Attributes
    ----------
    rho_mean, rho_mean_error : float
        Rho of each configuration, then averaged, and the standard error.
    rho_pooled, rho_pooled_error : float
        Rho over the entries of all configurations together, and the standard error.
    n_configurations : int or None
        How many configurations these four numbers are from.
    per_configuration : list of float
        Rho of each of `Evaluation.configurations`, also of those that are left out.
    """

    rho_mean: Rho
    rho_mean_error: Rho
    rho_pooled: Rho
    rho_pooled_error: Rho
    n_configurations: Count | None = None
    per_configuration: list[Rho]


class Level(_Section):
    """How large predictions are and how much they vary, see `lammps_botan.evaluation.level`.

    Attributes
    ----------
    bias, bias_error : float
        Mean of prediction - truth, length unit, and the standard error.
    bias_per_configuration : list of float
        Of each of `Evaluation.configurations`, also of those that are left out.
    rmse, rmse_error : float
        Root mean square of prediction - truth, length unit, and the standard error.
    variance : float
        Of the prediction within configurations, length unit squared.
    variance_ratio, variance_ratio_error : float
        `variance` over that of the truth without noise, and the standard error.
    amplitude : float
        Four-point amplitude of the prediction, length unit squared.
    amplitude_ratio, amplitude_ratio_error : float
        `amplitude` over that of the truth without noise, and the standard error.
    chi_4_ratio, chi_4_ratio_error : float
        Variance of the means of configurations over that of the truth without noise, and the
        standard error.
    """

    bias: Rho
    bias_error: Rho
    bias_per_configuration: list[Rho]
    rmse: Rho
    rmse_error: Rho
    variance: Rho
    variance_ratio: Rho
    variance_ratio_error: Rho
    amplitude: Rho
    amplitude_ratio: Rho
    amplitude_ratio_error: Rho
    chi_4_ratio: Rho
    chi_4_ratio_error: Rho


class Levels(_Section):
    """Levels of the propensity S by species, and of bonds E by pairs of species."""

    S: dict[str, Level] | None
    E: dict[str, Level] | None


class Difference(_Section):
    """How much larger one rho_mean is than another, and the paired standard error."""

    difference: Rho
    error: Rho
    n_configurations: Count | None = None


class Correlations(_Section):
    """Correlations of the propensity S by species, and of bonds E by pairs of species.

    Attributes
    ----------
    S, E : dict or None
    levels : Levels or None
        Of the same; None in files of earlier versions.
    """

    S: dict[str, Correlation] | None
    E: dict[str, Correlation] | None
    levels: Levels | None = None


class Differences(_Section):
    """What two models, by name, differ in: the second minus the first."""

    models: list[str]
    S: dict[str, Difference] | None
    E: dict[str, Difference] | None


class ModelCorrelations(_Section):
    """What is known of a model, and its correlations.

    Attributes
    ----------
    model : str
        As it was given.
    architecture : str
    rounds : int or None
    width : int
        Columns of the node state, of each network.
    members : int
        How many networks it is made of; more than one in a committee.
    p : float or None
        Weight of the propensity in the loss of its training.
    inputs : Inputs
        What it sees besides positions and species.
    training_configurations : int or None
        How many configurations it has learned from.
    temperature, lag_time : float or None
        Of its training.
    known : dict of str to str
        By file, what a configuration was to the model: training, validation or distillation.
    notes : list of str
        What differs between its training and the files.
    S, E : dict or None
        As in `Correlations`; None for what the model does not predict.
    levels : Levels or None
        Of the same; None in files of earlier versions.
    """

    model: Text
    architecture: Text
    rounds: Count | None
    width: Count
    members: Count
    p: Annotated[float, Field(ge=0, le=1, strict=True)] | None
    inputs: Inputs = Inputs()
    training_configurations: Count | None = None
    temperature: Positive | None
    lag_time: Positive | None
    known: dict[str, str] = {}
    notes: list[str] = []
    S: dict[str, Correlation] | None
    E: dict[str, Correlation] | None
    levels: Levels | None = None


class Evaluation(_Section):
    """Correlations of models on the same configurations, at one lag time.

    Attributes
    ----------
    time : float or None
        Lag time of the files, where one says it.
    mixture : str or None
        Name of what the particles are.
    units : str
        LAMMPS's name of the unit system.
    quoted : dict
        Species ("S") and pair of species ("E") that are quoted where one number is given; the
        first ones where the file does not say it.
    models : list of ModelCorrelations
    ceiling : Correlations or None
        The highest that predictions can reach; None where no file has runs.
    differences : list of Differences
        For each two models.
    configurations : list of str
        The files.
    sha256 : list of str
        What is in them (`structure.configuration.Configuration.sha256`); empty in files of earlier
        versions.
    left_out : list of str
        Those that are in no mean, as a model knows them.
    """

    time: Positive | None
    mixture: str | None = None
    units: Annotated[str, Field(pattern=f"^({'|'.join(UNITS)})$")] = "lj"
    quoted: dict[str, str] = {}
    models: list[ModelCorrelations]
    ceiling: Correlations | None
    differences: list[Differences]
    configurations: list[Text] = Field(min_length=1)
    sha256: list[str] = []
    left_out: list[str] = []

    @model_validator(mode="after")
    def _each_has_its_sha256(self) -> Self:
        if self.sha256 and len(self.sha256) != len(self.configurations):
            raise ValueError(
                f"must have one 'sha256' for each of its {len(self.configurations)} configurations"
            )
        return self


def read_evaluation(path: Path) -> Evaluation:
    """Read a file of `lammps-botan evaluate --json`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such file; each problem is one line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        return Evaluation.model_validate(json.loads(path.read_text()))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not a JSON file: {error}; {REMEDY}") from error
    except ValidationError as error:
        problems = "\n".join(f"{path}: {_explain(problem)}" for problem in error.errors())
        raise ValueError(f"{problems}; {REMEDY}") from error


REMEDY = "make such a file with `lammps-botan evaluate FILES... -m MODEL --json > evaluation.json`"


# as JSON has them
KINDS = {"model_type": "must be an object", "dict_type": "must be an object"}


def _explain(problem: Mapping[str, Any]) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
    name = f"'{key.removeprefix('.')}'" if key else "the whole"
    if problem["type"] == "missing":
        return f"has no key {name}"
    message = KINDS.get(problem["type"], str(problem["msg"]).removeprefix("Value error, "))
    found = repr(problem["input"])
    found = found if len(found) <= 60 else f"{found[:57]}..."
    return f"{name} {message.replace('Input should', 'must')}, found {found}"
