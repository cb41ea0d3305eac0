"""What `lammps-botan evaluate --json` wrote, read back."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lammps_botan.files.ensemble_npz import same_time

NOT_TRAINED = {0.0: "S", 1.0: "E"}  # p, and what a network trained with it has not learned


@dataclass(frozen=True)
class Score:
    """A correlation.

    Attributes
    ----------
    rho : float
        rho_mean, over the particles of the first species (A) or pairs of these; NaN where it is
        not defined.
    error : float
        Standard error by bootstrap over the configurations; NaN for a single one.
    """

    rho: float
    error: float


@dataclass(frozen=True)
class ModelScores:
    """Scores of one model.

    Attributes
    ----------
    model : str
    architecture : str
        Such as "botan".
    rounds : int or None
    width : int
        Of each network.
    members : int
        Networks that it is made of; 1 if it is no ensemble.
    p : float or None
        Weight of the propensity in the loss, eq. 12; None if unknown.
    temperature : float
        LJ units.
    lag_time : float
        Of the data, LJ units.
    trained_for : float or None
        The lag time that the model was trained for, where it is not that of the data.
    scores : dict
        Score of "S", and of "E" where the model has it; what it was not trained on (S at p = 0, E
        at p = 1) is left out.
    """

    model: str
    architecture: str
    rounds: int | None
    width: int
    members: int
    p: float | None
    temperature: float
    lag_time: float
    trained_for: float | None
    scores: dict[str, Score]


@dataclass(frozen=True)
class Evaluation:
    """Models of one temperature, judged on the same configurations at one lag time.

    Attributes
    ----------
    temperature, lag_time : float
        LJ units.
    groups : dict
        What the scores are of: the first species ("S") and pair of species ("E") of the files.
    models : list of ModelScores
    ceilings : dict
        Score that a perfect model would have of "S" and "E", as far as it is known.
    """

    temperature: float
    lag_time: float
    groups: dict[str, str]
    models: list[ModelScores]
    ceilings: dict[str, Score]


def read_evaluations(paths: Sequence[Path]) -> list[Evaluation]:
    """Read files of `lammps-botan evaluate --json`, in the order of temperature and lag time.

    A model that is in several files with the same scores is taken once.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If one is not such a file, has models for several lag times or temperatures or does not say
        them, two of the same lag time and temperature were made with different configurations, or
        two are about different mixtures.
    """
    found: dict[tuple[float, float], Evaluation] = {}
    sources: dict[tuple[float, float], tuple[Path, list[str]]] = {}
    groups: dict[str, str] = {}  # of all
    for path in map(Path, paths):
        file = _read(path)
        time = file.get("time", "a positive number, or null", _is_positive_or_null)
        parts, ceilings = file.parts("models"), file.part("ceiling")
        models = [_model(part, time) for part in parts]
        for quantity, group in (item for part in parts for item in _groups(part).items()):
            if groups.setdefault(quantity, group) != group:
                raise ValueError(
                    f"{path}: has scores of {group}, and what comes before has those of "
                    f"{groups[quantity]}; draw each mixture in a picture of its own"
                )
        condition = _condition(path, models)
        names = file.get("configurations", "a list of file names", _are_names)
        first, expected = sources.setdefault(condition, (path, names))
        if not _same_files(names, expected):
            raise ValueError(
                f"{path}: has scores of models for {_named(condition)} on {_listed(names)}, but "
                f"{first} on {_listed(expected)}; evaluate all of them on the same files"
            )
        evaluation = found.setdefault(condition, Evaluation(*condition, groups, [], {}))
        evaluation.models.extend(model for model in models if model not in evaluation.models)
        if ceilings is not None:
            evaluation.ceilings.update(_scores(ceilings))
    return [found[condition] for condition in sorted(found)]


def _read(path: Path) -> "_Part":
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        return _Part(path, "", json.loads(path.read_text()))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(path, f"not a JSON file: {error}") from error


def _condition(path: Path, models: list[ModelScores]) -> tuple[float, float]:
    conditions = sorted({(model.temperature, model.lag_time) for model in models})
    if len(conditions) > 1:
        raise ValueError(
            f"{path}: has models for {' and '.join(map(_named, conditions))}; evaluate those of "
            "each temperature and lag time on their own configurations, into a file of their own"
        )
    return conditions[0]


def _same_files(names: list[str], others: list[str]) -> bool:
    """Whether paths, maybe given from different folders, agree in the parts that both have."""
    both = [
        sorted(tuple(part for part in reversed(Path(name).parts) if part != "..") for name in some)
        for some in (names, others)
    ]
    return len(names) == len(others) and all(
        all(x == y for x, y in zip(a, b, strict=False)) for a, b in zip(*both, strict=True)
    )


def _named(condition: tuple[float, float]) -> str:
    return f"T = {condition[0]:g}, t = {condition[1]:g}"


def _model(part: "_Part", time: float | None) -> ModelScores:
    """The model, which is at the lag time of the data, or its own where that is unknown."""
    model = part.get("model", "a name", _is_name)
    temperature = part.get("temperature", "a positive number, or null", _is_positive_or_null)
    own = part.get("lag_time", "a positive number, or null", _is_positive_or_null)
    for key, value, keeper in (
        ("temperature", temperature, "its model file has none"),
        ("lag_time", time or own, "neither its model file nor the evaluated files have one"),
    ):
        if value is None:
            raise part.refusal(
                key, f"of {model} is unknown, as {keeper}; write the number there in place of null"
            )
    p = part.get("p", "a number from 0 to 1, or null", _is_weight_or_null)
    scores = _scores(part)
    scores.pop(NOT_TRAINED.get(p, ""), None)
    return ModelScores(
        model,
        part.get("architecture", "a name", _is_name),
        part.get("rounds", "a positive integer, or null", _is_count_or_null),
        part.get("width", "a positive integer", _is_count),
        part.get("members", "a positive integer", _is_count),
        p,
        temperature,
        time or own,
        None if same_time(time, own) else own,
        scores,
    )


def _scores(part: "_Part") -> dict[str, Score]:
    found = {}
    for quantity, group in _groups(part).items():
        kinds = part.part(quantity)
        if kinds is not None and (score := kinds.part(group)) is not None:
            rho, error = (
                score.get(key, "a number, or null", _is_number_or_null)
                for key in ("rho_mean", "rho_mean_error")
            )
            found[quantity] = Score(_defined(rho), _defined(error))
    return found


def _groups(part: "_Part") -> dict[str, str]:
    """The first species, and the first pair of species, as far as there are scores of them."""
    kinds = {quantity: part.part(quantity) for quantity in ("S", "E")}
    return {q: names[0] for q, of in kinds.items() if of is not None and (names := of.names())}


class _Part:
    """An object of the file, which knows where in it it is."""

    def __init__(self, path: Path, where: str, content: Any) -> None:
        self._path, self._where, self._content = path, where, content
        if not isinstance(content, dict):
            name = f"'{where}'" if where else "the whole"
            raise _refusal(path, f"{name} must be an object, found {_short(content)}")

    def get(self, key: str, expected: str, fits: Callable[[Any], bool]) -> Any:
        name = self._name(key)
        if key not in self._content:
            raise _refusal(self._path, f"has no key '{name}'")
        if not fits(value := self._content[key]):
            raise _refusal(self._path, f"'{name}' must be {expected}, found {_short(value)}")
        return value

    def part(self, key: str) -> "_Part | None":
        content = self.get(key, "an object, or null", lambda v: v is None or isinstance(v, dict))
        return None if content is None else _Part(self._path, self._name(key), content)

    def parts(self, key: str) -> "list[_Part]":
        several = self.get(key, "a list of objects", lambda v: isinstance(v, list) and bool(v))
        return [_Part(self._path, f"{self._name(key)}[{k}]", v) for k, v in enumerate(several)]

    def names(self) -> list[str]:
        return list(self._content)

    def refusal(self, key: str, reason: str) -> ValueError:
        return ValueError(f"{self._path}: '{self._name(key)}' {reason}")

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key


def _refusal(path: Path, reason: str) -> ValueError:
    return ValueError(
        f"{path}: {reason}; make such a file with `lammps-botan evaluate FILES... -m MODEL --json "
        "> evaluation.json`"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" ... ({len(names)} files)" if len(names) > 3 else "")


def _defined(value: float | None) -> float:
    """One and the same NaN for all that is not defined, so that equal scores compare equal."""
    return math.nan if value is None or math.isnan(value) else float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_positive_or_null(value: Any) -> bool:
    return value is None or _is_positive(value)


def _is_number_or_null(value: Any) -> bool:
    # Python writes an undefined correlation as NaN, and the command as null
    return value is None or _is_number(value) or (isinstance(value, float) and math.isnan(value))


def _is_weight_or_null(value: Any) -> bool:
    return value is None or (_is_number(value) and 0 <= value <= 1)


def _is_count(value: Any) -> bool:
    return _is_positive(value) and isinstance(value, int)


def _is_count_or_null(value: Any) -> bool:
    return value is None or _is_count(value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_name, value))
