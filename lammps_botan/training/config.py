"""The configuration of a training run, a TOML file such as configs/botan.toml.

The defaults are the numbers of Shiba et al., J. Chem. Phys. 158, 084503 (2023),
doi:10.1063/5.0129791, sec. IV. docs/train.md lists the keys.
"""

import json
import tomllib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from lammps_botan.structure.mixture import KOB_ANDERSEN

Fraction = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Data(_Section):
    """Files; patterns start from the folder of the configuration file.

    Attributes
    ----------
    train, validation : list of str
        Patterns of npz or pickle files; the linear network takes no `validation`.
    time_index : int or None
        Number of the lag time, from 0, of files with several.
    copies : list of str
        Patterns of files of short runs, whose ends are further starts.

    Examples
    --------
    >>> Data(train=["train/*.npz"], validation=["validation/*.npz"]).copies
    []
    """

    train: list[str] = Field(min_length=1)
    validation: list[str] = []
    time_index: int | None = Field(None, ge=0)
    copies: list[str] = []


class Target(_Section):
    """Liquid of the data, and the quantity of a particle that is learned.

    A value of None is taken from the data (`training.physics`).

    Attributes
    ----------
    mixture : str or None
        A mixture that ships, or a TOML file.
    cutoff : float or None
        Pairs closer than this are edges, length unit.
    lag_time : float or None
        Time unit.
    temperature : float or None
        Temperature unit.
    density : float or None
        Particles per volume, or per area in two dimensions.
    node : str
        "S", "R", "D" or "C".

    Examples
    --------
    >>> Target(mixture="kob-andersen", temperature=0.44).node
    'S'
    """

    mixture: str | None = Field(None, min_length=1)
    cutoff: float | None = Field(None, gt=0)
    lag_time: float | None = Field(None, gt=0)
    temperature: float | None = Field(None, gt=0)
    density: float | None = Field(None, gt=0)
    node: Literal["S", "R", "D", "C"] = "S"

    @model_validator(mode="before")
    @classmethod
    def _species_are_those_of_the_mixture(cls, content: Any) -> Any:
        if not isinstance(content, dict) or "species" not in content:
            return content
        former = {key: value for key, value in content.items() if key != "species"}
        if content["species"] == list(KOB_ANDERSEN.species) and "mixture" not in content:
            warnings.warn(
                f'target.species is deprecated: write mixture = "{KOB_ANDERSEN.name}" in its place',
                FutureWarning,
                stacklevel=2,
            )
            return former | {"mixture": KOB_ANDERSEN.name}
        raise ValueError(
            f"species = {content['species']}: write in its place mixture = "
            f'"{KOB_ANDERSEN.name}", another mixture that ships, or your TOML file, which '
            "names the species (docs/own_liquid.md)"
        )


class Inputs(_Section):
    """Inputs of the network besides positions and species; the files must hold them.

    Attributes
    ----------
    history, inherent : bool

    Examples
    --------
    >>> Inputs(history=True).inherent
    False
    """

    history: bool = False
    inherent: bool = False


class Network(_Section):
    """Kind and size of the network.

    Attributes
    ----------
    architecture : str
        "botan", "nt-gnn", "linear" or "equivariant".
    rounds : int
        Rounds of message passing.
    width : int
        Features of a node and of an edge; scalars of a node of "equivariant".
    features : int
        Vectors, and matrices, of a node of "equivariant".
    edge_scale : float
        Factor of the random weights of the first layer on edge vectors.

    Examples
    --------
    >>> Network().architecture, Network().rounds
    ('botan', 7)
    """

    architecture: Literal["botan", "nt-gnn", "linear", "equivariant"] = "botan"
    rounds: int = Field(7, ge=1)
    width: int = Field(64, ge=1)
    features: int = Field(8, ge=1)
    edge_scale: float = Field(1.0, gt=0)


def _usual_graphs(validated: dict[str, Any]) -> int:
    return 5 if validated["p"] == 1 else 1


class Recipe(_Section):
    """The optimization; p = 0.4 is BOTAN, 0 edges only, 1 nodes only (NT-GNN).

    Attributes
    ----------
    p : float
        Weight of the propensity: the loss is p L_S + (1 - p) L_E.
    epochs : int
        Each graph comes once an epoch.
    graphs_per_step : int
        Graphs of a step, of all processes together. Default: 1, and 5 for p = 1.
    rotations : str
        "o3": graphs are turned by any rotation or reflection; "cube": by one of 48.
    optimizer : str
        "adam"; or "muon" for the matrices, with Adam for the biases.
    learning_rate : float
    schedule : str
        "constant"; or "cosine", which falls to 0 at the last step.
    warmup_steps : int
        Steps in which the learning rate rises from 1 %.
    clip : float
        Largest norm of the gradient.
    averaging : float
        Decay of exponentially averaged weights, which are validated and kept; 0 for none.
    precision : str
        "32-true" or "bf16-mixed".
    aggregation : str
        "index_add"; or "scatter", for messages that torch-scatter adds up.
    validate_every : int
        Epochs from one validation to the next; must divide `epochs`.
    patience : int or None
        Stop after so many validations without a better one.
    offset_weight : float
        Weight of the mean error of each species, or pair of species, in a configuration.
    reversed : float
        Share of the graphs that are reversed runs.
    reversed_weight : float
        Weight of a reversed run in the loss, where a configuration weighs 1.
    seed : int or tuple of int
        Several seeds train several networks.

    Examples
    --------
    >>> Recipe().graphs_per_step, Recipe(p=1).graphs_per_step
    (1, 5)
    """

    p: Fraction = 0.4
    epochs: int = Field(1000, ge=1)
    graphs_per_step: int = Field(default_factory=_usual_graphs, ge=1)
    rotations: Literal["o3", "cube"] = "o3"
    optimizer: Literal["adam", "muon"] = "adam"
    learning_rate: float = Field(1e-4, gt=0)
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = Field(0, ge=0)
    clip: float = Field(1.0, gt=0)
    averaging: float = Field(0.0, ge=0, lt=1)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    aggregation: Literal["index_add", "scatter"] = "index_add"
    validate_every: int = Field(10, ge=1)
    patience: int | None = Field(None, ge=1)
    offset_weight: float = Field(1.0, ge=0)
    reversed: Fraction = 0.0
    reversed_weight: float = Field(1.0, gt=0)
    seed: int | tuple[int, ...] = 1

    @field_validator("seed", mode="before")
    @classmethod
    def _number_or_numbers(cls, value: Any) -> Any:
        seeds = value if isinstance(value, list | tuple) else [value]
        numbers = all(type(seed) is int and seed >= 0 for seed in seeds)
        if not seeds or not numbers or len(set(seeds)) < len(seeds):
            raise ValueError(
                f"must be an integer from 0, or a list of different ones, found {value!r}"
            )
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _end_with_a_validation(self) -> "Recipe":
        if self.epochs % self.validate_every:
            raise ValueError(
                "epochs must be a multiple of validate_every, so that the last weights are judged, "
                f"found {self.epochs} and {self.validate_every}"
            )
        return self


class Config(_Section):
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
    sections: tuple[tuple[str, type[_Section], set[str]], ...] = (
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
