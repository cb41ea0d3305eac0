"""Checkpoints: weights, physics and provenance of a trained network.

A checkpoint is a file of `torch.save` that holds tensors, numbers, strings, lists and dicts only,
so that it is read with `weights_only=True` and never runs code.

| key | |
| --- | --- |
| `format`, `format_version` | `"lammps-botan checkpoint"`, 2 |
| `architecture` | `name`, a key of `NETWORKS`, and the `settings` of the network |
| `physics` | see `Physics` |
| `provenance` | see `Checkpoint` |
| `seen` | see `Checkpoint`; None, and absent in older files, where nothing is recorded |
| `weights` | tensors by name |
"""

import inspect
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from torch import Tensor

from lammps_botan.files.checksum import add_checksum
from lammps_botan.files.whole_file import whole_file
from lammps_botan.network.botan import Botan
from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.network.inputs import VECTORS, Inputs
from lammps_botan.network.limits import LIMITS
from lammps_botan.network.linear import Linear
from lammps_botan.network.network import Network
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.plain_data import load_plain
from lammps_botan.network.weights import NetworkWeights
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

FORMAT = "lammps-botan checkpoint"
FORMAT_VERSION = 2
NETWORKS: dict[str, type[Network]] = {
    "botan": Botan,
    "nt-gnn": NtGnn,
    "linear": Linear,
    "equivariant": Equivariant,
}

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Physics(BaseModel):
    """Liquid, state and quantity that a network was trained for.

    Attributes
    ----------
    mixture : Mixture
    cutoff : float
        Cutoff of the graph, length unit.
    lag_times : tuple of float
        Lag times of the outputs, time unit.
    temperature, density : float or None
        Temperature and density of the training data.
    node : str
        The quantity of particles that was learned: S, R, D or C, see `analysis.targets`.
    inputs : Inputs
        Inputs of the network besides positions and species.

    Examples
    --------
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(4120.0,), temperature=0.44)
    >>> physics.difference(physics.model_copy(update={"cutoff": 2.5}))
    'cutoff 2.0 and 2.5'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mixture: Mixture
    cutoff: Positive
    lag_times: tuple[Positive, ...] = Field(min_length=1)
    temperature: Positive | None = None
    density: Positive | None = None
    node: Literal["S", "R", "D", "C"] = "S"
    inputs: Inputs = Inputs()

    def difference(self, other: "Physics") -> str:
        """Say how two physics differ; empty where they are the same."""
        if why := self.mixture.difference(other.mixture):
            return why
        for key in ("cutoff", "lag_times", "temperature", "density", "node"):
            mine, theirs = getattr(self, key), getattr(other, key)
            if mine != theirs:
                return f"{key} {mine} and {theirs}"
        if self.inputs != other.inputs:
            return f"what they see: {self.inputs.words}, and {other.inputs.words}"
        return ""


@dataclass(frozen=True)
class Checkpoint:
    """A network with its physics and its provenance.

    Attributes
    ----------
    model : Network
        One of `NETWORKS`.
    physics : Physics
    provenance : dict
        Data, recipe, seeds, correlations: all that a reader should know; plain JSON values.
    seen : InputStatistics or None
        Statistics of the inputs of the network in training.

    Raises
    ------
    ValueError
        If the network has another number of species than the mixture, or other inputs than the
        physics, or `seen` is of other inputs.

    Examples
    --------
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(4120.0,))
    >>> Checkpoint(Botan(), physics).architecture
    'botan'
    """

    model: Network
    physics: Physics
    provenance: dict[str, Any] = field(default_factory=dict)
    seen: InputStatistics | None = None

    def __post_init__(self) -> None:
        mixture = self.physics.mixture
        if self.model.n_species != mixture.n_species:
            raise ValueError(
                f"{mixture.name} has {mixture.n_species} species, but the network is for "
                f"{self.model.n_species}"
            )
        if self.model.inputs != self.physics.inputs.names:
            sees, given = (
                ", ".join(names) or "no inputs"
                for names in (self.model.inputs, self.physics.inputs.names)
            )
            raise ValueError(f"the network sees {sees}, but its physics say {given}")
        if self.seen is not None:
            self.seen.check(self.physics.inputs, mixture.species)

    @property
    def architecture(self) -> str:
        """Name of the kind of network, a key of `NETWORKS`."""
        return next(name for name, kind in NETWORKS.items() if isinstance(self.model, kind))

    @property
    def weights(self) -> NetworkWeights:
        """Kind, settings and plain weights of the network, as the compiled engine takes them."""
        settings = {key: value for key, value in self.model.settings.items() if key != "inputs"}
        settings |= {name: name in self.model.inputs for name in VECTORS}
        tensors = {
            key: np.asarray(value.numpy(force=True), np.float32, order="C")
            for key, value in self.model.state_dict().items()
        }
        return NetworkWeights(
            self.architecture, settings | {"n_species": self.model.n_species}, tensors
        )


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint, which appears under its name when it is whole.

    Parameters
    ----------
    checkpoint : Checkpoint
    path : Path

    Examples
    --------
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(4120.0,))
    >>> save_checkpoint(Checkpoint(Botan(width=4), physics), Path("model.ckpt"))
    """
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "architecture": {
            "name": checkpoint.architecture,
            **checkpoint.model.settings,
        },
        "physics": checkpoint.physics.model_dump(mode="json"),
        # plain values only, or it could not be read again
        "provenance": json.loads(json.dumps(checkpoint.provenance)),
        "seen": None if checkpoint.seen is None else checkpoint.seen.model_dump(mode="json"),
        "weights": checkpoint.model.state_dict(),
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with whole_file(path) as part:
        part.write_bytes(add_checksum(buffer.getvalue()))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint, also one of format version 1.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Checkpoint

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a checkpoint of this package, or of another version.

    Examples
    --------
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(4120.0,))
    >>> save_checkpoint(Checkpoint(Botan(width=4), physics), Path("model.ckpt"))
    >>> load_checkpoint(Path("model.ckpt")).model.width
    4
    """
    content = load_plain(path)
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path}: not a checkpoint of lammps-botan. For public weights type "
            f"`lammps-botan import-weights {path} -o model.ckpt` first"
        )
    version = content.get("format_version")
    if version not in {1, FORMAT_VERSION}:
        raise ValueError(
            f"{path}: checkpoint format {version}, this version of lammps-botan reads format "
            f"{FORMAT_VERSION}"
        )
    try:
        settings = dict(content["architecture"])
        kind = find_network(path, settings.pop("name", "botan"))  # the first ones did not say it
        given = dict(content["physics"])
        physics = Physics(**given) if version > 1 else physics_of_version_1(path, given)
        model = make_network(kind, settings, physics, content["weights"])
        provenance = json.loads(json.dumps(content["provenance"]))
        known = content.get("seen")
        seen = None if known is None else InputStatistics.model_validate(known)
        return Checkpoint(model.eval(), physics, dict(provenance), seen)
    except (AttributeError, KeyError, TypeError, RuntimeError, ValueError) as error:
        if str(error).startswith(f"{path}: "):
            raise  # it is whole, and for another version
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: a damaged checkpoint: {reason}") from error


def make_network(
    kind: type[Network],
    settings: Mapping[str, Any],
    physics: Physics,
    weights: Mapping[str, Tensor],
) -> Network:
    """Make a network, once all that a file says of it has been checked.

    Parameters
    ----------
    kind : type of Network
    settings : dict
        Arguments of `kind`, but `n_species`.
    physics : Physics
    weights : dict of tensors
        `state_dict` of the network.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If settings or weights are not those of such a network.

    Examples
    --------
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(4120.0,))
    >>> make_network(Botan, {"width": 4}, physics, Botan(width=4).state_dict()).width
    4
    """
    parameters = inspect.signature(kind.__init__).parameters
    for key, value in settings.items():
        if key not in parameters:
            raise ValueError(f"no network '{kind.__name__}' has a setting '{key}'")
        TypeAdapter(parameters[key].annotation).validate_python(value, strict=True)
        most = LIMITS.get(key, LIMITS["width"])
        if isinstance(value, int | float) and not 0 <= value <= most:
            raise ValueError(f"expected {key} between 0 and {most}, found {value}")
    settings = {**settings, "n_species": physics.mixture.n_species}
    with torch.device("meta"):  # takes no memory, whatever the settings are
        expected = {key: tensor.shape for key, tensor in kind(**settings).state_dict().items()}
    found = {key: tensor.shape for key, tensor in weights.items()}
    if found != expected:
        wrong = next(k for k in [*expected, *found] if found.get(k) != expected.get(k))
        sizes = [tuple(known[wrong]) if wrong in known else "none" for known in (expected, found)]
        raise ValueError(
            f"not the weights of this network: expected {wrong} of size {sizes[0]}, found "
            f"{sizes[1]}"
        )
    for key, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"the weights {key} have numbers that are not finite")
    model = kind(**settings)
    model.load_state_dict(weights)
    return model


def find_network(path: Path, name: str) -> type[Network]:
    """Give the kind of network of this name, which a file asks for.

    Parameters
    ----------
    path : Path
        The file, for messages.
    name : str

    Returns
    -------
    type of Network

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> find_network(Path("model.ckpt"), "botan").__name__
    'Botan'
    """
    if name not in NETWORKS:
        raise ValueError(
            f"{path}: a network '{name}'; this version of lammps-botan knows {', '.join(NETWORKS)}"
        )
    return NETWORKS[name]


def physics_of_version_1(path: Path, content: Mapping[str, Any]) -> Physics:
    """Make the physics of a file from before mixtures, which has only the names of its species.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : dict

    Returns
    -------
    Physics

    Raises
    ------
    ValueError
        If the species are not those of the Kob-Andersen mixture.

    Examples
    --------
    >>> old = {"species": ["A", "B"], "cutoff": 2.0, "lag_times": (13.0,)}
    >>> physics_of_version_1(Path("old.ckpt"), old).mixture.name
    'kob-andersen'
    """
    given = dict(content)
    species = tuple(given.pop("species"))
    if species != KOB_ANDERSEN.species:
        raise ValueError(
            f"{path}: a file of format 1, which does not say what the species "
            f"{' '.join(species)} are: expected {' '.join(KOB_ANDERSEN.species)}, read as "
            f"{KOB_ANDERSEN.name}. Train it again with target.mixture in its configuration"
        )
    return Physics(mixture=KOB_ANDERSEN, **given)
