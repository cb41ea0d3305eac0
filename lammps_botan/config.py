"""The configuration of a training run, a TOML file such as configs/botan.toml."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Section):
    """Files; patterns are taken from the folder of the configuration file."""

    train: list[str] = Field(min_length=1)
    validation: list[str] = Field(min_length=1)


class Target(_Section):
    """What the data stand for."""

    species: tuple[str, ...] = ("A", "B")
    cutoff: float = Field(2.0, gt=0)
    lag_time: float = Field(4120.0, gt=0)
    temperature: float = Field(0.44, gt=0)
    density: float = Field(1.2, gt=0)


class Network(_Section):
    """Size of the network."""

    rounds: int = Field(7, ge=1)
    width: int = Field(64, ge=1)


class Recipe(_Section):
    """The optimization; p = 0.4 is BOTAN, 0 edges only, 1 nodes only (NT-GNN)."""

    p: Fraction = 0.4
    epochs: int = Field(1000, ge=1)
    optimizer: Literal["adam", "muon"] = "adam"
    learning_rate: float = Field(1e-4, gt=0)
    warmup_steps: int = Field(0, ge=0)
    clip: float = Field(1.0, gt=0)
    averaging: float = Field(0.99, ge=0, lt=1)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    validate_every: int = Field(10, ge=1)
    seed: int = Field(1, ge=0)

    @model_validator(mode="after")
    def _end_with_a_validation(self) -> "Recipe":
        if self.epochs % self.validate_every:
            raise ValueError(
                "epochs must be a multiple of validate_every, so that the last weights are judged, "
                f"found {self.epochs} and {self.validate_every}"
            )
        return self


class Config(_Section):
    """A training run, as in configs/botan.toml."""

    output: str
    data: Data
    target: Target = Target()
    network: Network = Network()
    recipe: Recipe = Recipe()


def read_config(path: Path) -> Config:
    """Read a TOML file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not TOML, has an unknown key, or a value of a wrong type; names the key.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        return Config.model_validate(tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from error
    except ValidationError as error:
        raise ValueError("\n".join(_explain(path, e) for e in error.errors())) from error


def _explain(path: Path, error: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "value_error":
        return f"{path}: {key}: {error['ctx']['error']}"
    if error["type"] != "extra_forbidden":
        return f"{path}: {key}: {error['msg']}, found {error['input']!r}"
    section: type[BaseModel] = Config
    for part in error["loc"][:-1]:
        section = section.model_fields[str(part)].annotation  # type: ignore[assignment]
    return f"{path}: unknown key '{key}'; expected one of {', '.join(section.model_fields)}"
