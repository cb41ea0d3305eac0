"""The configuration of a training run, a TOML file such as configs/botan.toml.

The defaults are the numbers of Shiba et al., J. Chem. Phys. 158, 084503 (2023),
doi:10.1063/5.0129791, sec. IV. docs/reference/train.md lists the keys.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ValidationError,
    model_validator,
)

from lammps_botan.structure.mixture import KOB_ANDERSEN
from lammps_botan.training.config_sections import (
    Data,
    Inputs,
    Network,
    Recipe,
    Section,
    Target,
)

__all__ = [
    "Config",
    "Data",
    "Inputs",
    "Network",
    "Recipe",
    "Target",
    "read_config",
    "recorded_config",
]


class Config(Section):
    """A training run, as in configs/botan.toml.

    Attributes
    ----------
    output : str
        Folder for the results.
    data : Data
    target : Target
    inputs : Inputs
    network : Network
    recipe : Recipe

    Examples
    --------
    >>> data = Data(train=["a.npz"], validation=["b.npz"])
    >>> config = Config(output="run", data=data, recipe=Recipe(seed=(1, 2)))
    >>> [member.output for member in config.members()]
    ['run/seed-1', 'run/seed-2']
    """

    output: str
    data: Data
    target: Target = Target()
    inputs: Inputs = Inputs()
    network: Network = Network()
    recipe: Recipe = Recipe()

    @model_validator(mode="after")
    def _learn_what_the_network_predicts(self) -> "Config":
        if self.network.architecture == "nt-gnn" and self.recipe.p != 1:
            raise ValueError(
                "network.architecture 'nt-gnn' has no output on edges: expected recipe.p = 1, "
                f"found {self.recipe.p:g}"
            )
        return self

    @model_validator(mode="after")
    def _are_judged(self) -> "Config":
        linear = self.network.architecture == "linear"
        if linear and self.data.validation:
            raise ValueError(
                "data.validation: network.architecture 'linear' is judged by cross-validation "
                f"inside data.train: leave the key out, found {self.data.validation}"
            )
        if not linear and not self.data.validation:
            raise ValueError(
                "data.validation: a key that must be there, with at least 1 item, for "
                f"network.architecture '{self.network.architecture}'"
            )
        return self

    @model_validator(mode="after")
    def _see_what_it_can(self) -> "Config":
        architecture = self.network.architecture
        seen = [name for name, yes in self.inputs if yes]
        if seen and architecture == "nt-gnn":
            raise ValueError(
                "network.architecture 'nt-gnn' sees positions only: expected 'botan', 'linear' or "
                f"'equivariant' for inputs.{seen[0]} = true"
            )
        if seen and self.data.copies:
            raise ValueError(
                "data.copies are positions only, from which a network that sees more cannot learn: "
                f"leave them out, or inputs.{seen[0]}"
            )
        if architecture == "equivariant":
            for key, expected in (("precision", "32-true"), ("aggregation", "index_add")):
                if (found := getattr(self.recipe, key)) != expected:
                    raise ValueError(
                        f"network.architecture 'equivariant' needs recipe.{key} = '{expected}', "
                        f"found '{found}'"
                    )
        return self

    def members(self) -> "list[Config]":
        """Give one configuration for each seed; several have folders of their own in the output."""
        seed = self.recipe.seed
        if isinstance(seed, int):
            return [self]
        return [
            self.model_copy(
                update={
                    "output": f"{self.output}/seed-{number}",
                    "recipe": self.recipe.model_copy(update={"seed": number}),
                }
            )
            for number in seed
        ]


def read_config(path: Path) -> Config:
    r"""Read a TOML file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Config

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not TOML, has an unknown key, or a value of a wrong type; names the key.

    Examples
    --------
    >>> text = 'output = "run"\n[data]\ntrain = ["a.npz"]\nvalidation = ["b.npz"]\n'
    >>> _ = Path("my.toml").write_text(text)
    >>> read_config(Path("my.toml")).recipe.p
    0.4
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        content = tomllib.loads(path.read_text())
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise ValueError(f"{path}: not a TOML file: {error}") from error
    if _section(content, "network").get("architecture") == "linear":
        _refuse_unused(path, content)
    try:
        # by way of JSON, where a list may stand for a tuple; a date, which it lacks, becomes text
        return Config.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        # a default that needs a key which failed is no error of its own
        errors = [e for e in error.errors() if e["type"] != "default_factory_not_called"]
        raise ValueError("\n".join(_explain(path, e) for e in errors)) from error


def _section(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _refuse_unused(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse keys that the linear network does not use, before their values are checked.

    It has no epochs and no rounds.
    """
    sections: tuple[tuple[str, type[Section], set[str]], ...] = (
        ("data", Data, {"train", "time_index"}),
        ("network", Network, {"architecture"}),
        ("recipe", Recipe, {"p", "reversed"}),
    )
    for name, section, used in sections:
        unused = sorted(_section(content, name).keys() & section.model_fields.keys() - used)
        if unused and unused != ["validation"]:  # which has a message of its own
            raise ValueError(
                f"{path}: network.architecture 'linear' has no {name}.{unused[0]}: leave the "
                f"key out; of {name} it takes {', '.join(sorted(used))}"
            )
    p = _section(content, "recipe").get("p", 1)
    if p != 1:
        raise ValueError(
            f"{path}: network.architecture 'linear' learns particles and pairs without a weight "
            f"between them: expected recipe.p = 1 for particles alone, or no recipe.p, found {p}"
        )


def recorded_config(content: Mapping[str, Any]) -> Config:
    """Make the configuration that a checkpoint or a model file records in its provenance.

    Records without these keys are of older versions: there the learning rate fell along a cosine, a
    step had one graph, and the species A and B were the Kob-Andersen mixture.

    Parameters
    ----------
    content : dict

    Returns
    -------
    Config

    Raises
    ------
    ValueError
        If the content is no configuration.

    Examples
    --------
    >>> data = {"train": ["a.npz"], "validation": ["b.npz"]}
    >>> recorded_config({"output": "run", "data": data}).recipe.schedule
    'cosine'
    """
    recipe = {"schedule": "cosine", "graphs_per_step": 1} | dict(content.get("recipe", {}))
    target = dict(content.get("target", {}))
    if tuple(target.get("species", ())) == KOB_ANDERSEN.species:
        del target["species"]
        target["mixture"] = KOB_ANDERSEN.name
    changed = {"recipe": recipe, "target": target}
    return Config.model_validate_json(json.dumps(dict(content) | changed))


def _explain(path: Path, error: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "value_error":
        return ": ".join([str(path), *([key] if key else []), str(error["ctx"]["error"])])
    if error["type"] == "missing":
        return f"{path}: {key}: a key that must be there"
    if error["type"] != "extra_forbidden":
        return f"{path}: {key}: {error['msg']}, found {error['input']!r}"
    section: type[BaseModel] = Config
    for part in error["loc"][:-1]:
        section = section.model_fields[str(part)].annotation  # type: ignore[assignment]
    return f"{path}: unknown key '{key}'; expected one of {', '.join(section.model_fields)}"
