"""The network of a training run, and the weights it starts from."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import NETWORKS, load_checkpoint
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.training.config import Config, Network


@dataclass(frozen=True)
class InitialWeights:
    """Weights of another training to start from.

    Attributes
    ----------
    weights : dict of Tensor
        Of a network like that of the configuration.
    file, sha256 : str
        Name and SHA-256 of the checkpoint they came from.
    """

    weights: dict[str, Tensor]
    file: str
    sha256: str


def read_initial_weights(path: Path, config: Config) -> InitialWeights:
    """Weights of a checkpoint.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no checkpoint, or of a network that differs from that of the configuration.
    """
    path = Path(path)
    checkpoint = load_checkpoint(path)
    facts = (
        ("network.architecture", config.network.architecture, checkpoint.architecture),
        ("network.rounds", config.network.rounds, checkpoint.model.rounds),
        ("network.width", config.network.width, checkpoint.model.width),
        ("target.species", config.target.species, tuple(checkpoint.physics.species)),
        ("target.cutoff", config.target.cutoff, checkpoint.physics.cutoff),
    )
    for key, expected, found in facts:
        if found != expected:
            raise ValueError(
                f"{path}: cannot start from it: expected {key} = {_toml(expected)}, as in the "
                f"configuration, found {_toml(found)}"
            )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return InitialWeights(checkpoint.model.state_dict(), path.name, digest)


def make_network(network: Network, *, aggregation: str = "index_add") -> Botan | NtGnn:
    """A network with random weights.

    Parameters
    ----------
    network : Network
    aggregation : str
        What adds up the messages: "index_add" of torch, or "scatter" for torch-scatter
        (https://github.com/rusty1s/pytorch_scatter). The weights are the same ones: nothing but a
        training run ever needs torch-scatter.

    Raises
    ------
    ValueError
        If torch-scatter is asked for and not installed.
    """
    made = _make(network, aggregation)
    with torch.no_grad():
        for parameter in made.edge_encoder.fc1.parameters():
            parameter.mul_(network.edge_scale)
    return made


def _make(network: Network, aggregation: str) -> Botan | NtGnn:
    if aggregation == "index_add":
        return NETWORKS[network.architecture](network.rounds, network.width)
    try:
        import torch_scatter  # noqa: F401
    except ModuleNotFoundError as error:
        raise ValueError(
            "recipe.aggregation = 'scatter' needs torch-scatter, which is compiled against the "
            "torch that is installed: type pip install --no-build-isolation torch-scatter"
        ) from error
    kind: type[Botan | NtGnn] = _ScatterBotan if network.architecture == "botan" else _ScatterNtGnn
    return kind(network.rounds, network.width)


class _Scatter:
    def aggregate(self, message: Tensor, center: Tensor, n_local: int) -> Tensor:
        from torch_scatter import scatter_sum

        total: Tensor = scatter_sum(message, center, dim=0, dim_size=n_local)
        return total


class _ScatterBotan(_Scatter, Botan):
    pass


class _ScatterNtGnn(_Scatter, NtGnn):
    pass


def _toml(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else repr(value)
