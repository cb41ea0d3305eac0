"""Results of `evaluate` as a file: the same classes write it and read it back.

A correlation that is not defined is NaN in Python and null in the file. Files of earlier versions
lack some of the keys and can be read too.
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
from lammps_botan.structure.notebook_table import html_table


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
        Mean of rho over the configurations, and its standard error.
    rho_pooled, rho_pooled_error : float
        Rho over the entries of all configurations together, and its standard error.
    n_configurations : int or None
        Number of configurations that these four numbers come from.
    per_configuration : list of float
        Rho of each of `Evaluation.configurations`, those that are left out included.

    Examples
    --------
    >>> rho = Correlation(
    ...     rho_mean=0.75, rho_mean_error=None, rho_pooled=0.74, rho_pooled_error=0.02,
    ...     per_configuration=[0.75],
    ... )
    >>> rho.rho_mean, rho.rho_mean_error
    (0.75, nan)
    """

    rho_mean: Rho
    rho_mean_error: Rho
    rho_pooled: Rho
    rho_pooled_error: Rho
    n_configurations: Count | None = None
    per_configuration: list[Rho]


class Level(_Section):
    """Size and spread of predictions, see `lammps_botan.evaluation.level`.

    Attributes
    ----------
    bias, bias_error : float
        Mean of prediction - truth, and its standard error; length unit.
    bias_per_configuration : list of float
        Bias of each of `Evaluation.configurations`, those that are left out included; length unit.
    rmse, rmse_error : float
        Root mean square of prediction - truth, and its standard error; length unit.
    variance : float
        Variance of the prediction within configurations, length unit squared.
    variance_ratio, variance_ratio_error : float
        `variance` over that of the truth without noise, and its standard error.
    amplitude : float
        Four-point amplitude of the prediction, length unit squared.
    amplitude_ratio, amplitude_ratio_error : float
        `amplitude` over that of the truth without noise, and its standard error.
    chi_4_ratio, chi_4_ratio_error : float
        Variance of the means of configurations over that of the truth without noise, and its
        standard error.

    Examples
    --------
    >>> numbers = dict.fromkeys(Level.model_fields, 0.5) | {"bias_per_configuration": [0.5]}
    >>> Level(**numbers).variance_ratio
    0.5
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
    """Levels of the propensity S by species, and of bonds E by pairs of species.

    Attributes
    ----------
    S, E : dict of str to Level, or None

    Examples
    --------
    >>> Levels(S={}, E=None).S
    {}
    """

    S: dict[str, Level] | None
    E: dict[str, Level] | None


class Difference(_Section):
    """Difference between two values of rho_mean, with the paired standard error.

    Attributes
    ----------
    difference : float
        The second rho_mean minus the first.
    error : float
    n_configurations : int or None

    Examples
    --------
    >>> Difference(difference=0.03, error=0.01, n_configurations=10).difference
    0.03
    """

    difference: Rho
    error: Rho
    n_configurations: Count | None = None


class Correlations(_Section):
    """Correlations of the propensity S by species, and of bonds E by pairs of species.

    Attributes
    ----------
    S, E : dict of str to Correlation, or None
    levels : Levels or None
        Levels of the same quantities; None in files of earlier versions.

    Examples
    --------
    >>> Correlations(S={}, E=None).levels is None
    True
    """

    S: dict[str, Correlation] | None
    E: dict[str, Correlation] | None
    levels: Levels | None = None


class Differences(_Section):
    """Differences between two models: the second minus the first.

    Attributes
    ----------
    models : list of str
        Names of the two models.
    S, E : dict of str to Difference, or None

    Examples
    --------
    >>> Differences(models=["ka-t044", "m.pt"], S={}, E=None).models
    ['ka-t044', 'm.pt']
    """

    models: list[str]
    S: dict[str, Difference] | None
    E: dict[str, Difference] | None


class ModelCorrelations(_Section):
    """A model: its training and its correlations.

    Attributes
    ----------
    model : str
        Name or file, as it was given.
    architecture : str
    rounds : int or None
    width : int
        Columns of the node state, of each network.
    members : int
        Number of networks; more than one in a committee.
    p : float or None
        Weight of the propensity in the loss of the training.
    inputs : Inputs
        Inputs of the model besides positions and species.
    training_configurations : int or None
        Number of configurations that the model has learned from.
    temperature, lag_time : float or None
        Temperature and lag time of the training.
    known : dict of str to str
        For files that the model knows: training, validation or distillation.
    notes : list of str
        Differences between the training and the files.
    S, E : dict of str to Correlation, or None
        None for a quantity that the model does not predict.
    levels : Levels or None
        Levels of the same quantities; None in files of earlier versions.

    Examples
    --------
    >>> model = ModelCorrelations(
    ...     model="m.pt", architecture="botan", rounds=7, width=64, members=1, p=0.4,
    ...     temperature=0.44, lag_time=4120.0, S=None, E=None,
    ... )
    >>> model.members
    1
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
        Lag time of the files, time unit, where one says it.
    temperature : float or None
        Temperature of the files, temperature unit, where one says it; None in files of earlier
        versions.
    mixture : str or None
        Name of the mixture.
    units : str
        LAMMPS's name of the unit system.
    quoted : dict
        Species ("S") and pair of species ("E") that are quoted where one number is given; the
        first ones where the file does not say it.
    models : list of ModelCorrelations
    ceiling : Correlations or None
        The highest correlations that predictions can reach; None where no file has runs.
    differences : list of Differences
        One for each two models.
    configurations : list of str
        The files.
    sha256 : list of str
        SHA-256 of their configurations (`structure.configuration.Configuration.sha256`); empty in
        files of earlier versions.
    left_out : list of str
        Files that are in no mean, since a model knows them.

    Examples
    --------
    >>> found = Evaluation(
    ...     time=4120.0, models=[], ceiling=None, differences=[], configurations=["c1.npz"]
    ... )
    >>> found.time, found.units
    (4120.0, 'lj')
    """

    time: Positive | None
    temperature: Positive | None = None
    mixture: str | None = None
    units: Annotated[str, Field(pattern=f"^({'|'.join(UNITS)})$")] = "lj"
    quoted: dict[str, str] = {}
    models: list[ModelCorrelations]
    ceiling: Correlations | None
    differences: list[Differences]
    configurations: list[Text] = Field(min_length=1)
    sha256: list[str] = []
    left_out: list[str] = []

    def _repr_html_(self) -> str:
        """Table for notebooks: the quoted correlations of each model, and the ceiling."""
        rows = [(model.model, self._quoted(model)) for model in self.models]
        if self.ceiling is not None:
            rows.append(("ceiling", self._quoted(self.ceiling)))
        time = "" if self.time is None else f", lag time {self.time:g}"
        title = f"{self.mixture or 'evaluation'}, {len(self.configurations)} configurations{time}"
        return html_table(title, rows)

    def _quoted(self, part: Correlations | ModelCorrelations) -> str:
        found = []
        for quantity, table in (("S", part.S), ("E", part.E)):
            if table:
                group = self.quoted.get(quantity, next(iter(table)))
                rho, error = table[group].rho_mean, table[group].rho_mean_error
                spread = "" if math.isnan(error) else f" ± {error:.3f}"
                found.append(f"rho_{quantity} ({group}) = {rho:.4f}{spread}")
        return ", ".join(found)

    @model_validator(mode="after")
    def _each_has_its_sha256(self) -> Self:
        if self.sha256 and len(self.sha256) != len(self.configurations):
            raise ValueError(
                f"must have one 'sha256' for each of its {len(self.configurations)} configurations"
            )
        return self


def read_evaluation(path: Path) -> Evaluation:
    """Read a file of `lammps-botan evaluate --json`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Evaluation

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such file; each problem is one line.

    Examples
    --------
    >>> found = Evaluation(
    ...     time=13.0, models=[], ceiling=None, differences=[], configurations=["c1.npz"]
    ... )
    >>> _ = Path("evaluation.json").write_text(found.model_dump_json())
    >>> read_evaluation(Path("evaluation.json")).time
    13.0
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
