"""The sections of the configuration of a training run.

The defaults are the numbers of Shiba et al., J. Chem. Phys. 158, 084503 (2023),
doi:10.1063/5.0129791, sec. IV. docs/reference/train.md lists the keys.
"""

import warnings
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lammps_botan.structure.mixture import KOB_ANDERSEN

Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A section, which refuses unknown keys and numbers in quotation marks.

    Examples
    --------
    >>> Section().model_fields_set
    set()
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Data(Section):
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


class Target(Section):
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
            "names the species (docs/how_to/own_mixture.md)"
        )


class Inputs(Section):
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


class Network(Section):
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


class Recipe(Section):
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
