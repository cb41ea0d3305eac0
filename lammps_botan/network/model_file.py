"""Checkpoints from model files, to write a model file again after the format changed."""

import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lammps_botan.network.archive import Archive
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import (
    Checkpoint,
    Physics,
    find_network,
    make_network,
    physics_of_version_1,
)
from lammps_botan.network.committee import make_committee
from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.network.inputs import VECTORS
from lammps_botan.network.metadata import Metadata, check_metadata, read_content
from lammps_botan.network.module import load_module
from lammps_botan.network.network import Network
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.trial_configuration import trial_arrays
from lammps_botan.network.weights import read_weights

# a model file without plain weights says the sizes of these only
REBUILT: dict[str, type[Botan] | type[NtGnn]] = {"botan": Botan, "nt-gnn": NtGnn}
TOLERANCE = 1e-5  # between two ways to compute a network, outputs of order 1


def is_model_file(path: Path) -> bool:
    """Whether the file is a model file rather than a checkpoint.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> is_model_file(find_model("ka-t044"))
    True
    """
    return zipfile.is_zipfile(path) and bool(Archive(path).extra_file("metadata.json"))


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """Read the network of a model file, or each member of a committee.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of Checkpoint

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a model file, or one without plain weights that is not of BOTAN or the NT-GNN;
        computes something else than such a network; or is of format 1 and not of the Kob-Andersen
        mixture.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> [one.architecture for one in read_checkpoints(find_model("ka-t044"))]
    ['botan']
    """
    content = read_content(path)
    name = str(content.get("architecture"))
    try:
        physics, rounds, seen = _physics(path, content)
        module = load_module(path, torch.device("cpu"))
        if content.get("networks") and content.get("format_version") != 1:
            models = _from_plain_weights(path, content, physics)
        else:
            models = _from_torchscript(path, name, rounds, physics, module)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not the weights of a network '{name}': {reason}") from error
    if not same_outputs(together(models), module, physics):
        raise ValueError(
            f"{path}: does not compute what the network '{name}' computes with "
            "these weights; export it with the program that made it"
        )
    provenance = dict(content.get("provenance", {}))
    members = provenance.get("committee") or provenance.get("ensemble") or []
    if len(members) != len(models):
        members = [provenance] * len(models)
    return [
        Checkpoint(model, physics, dict(own), seen)
        for model, own in zip(models, members, strict=True)
    ]


def _from_plain_weights(path: Path, content: dict[str, Any], physics: Physics) -> list[Network]:
    models: list[Network] = []
    for network in read_weights(Archive(path), check_metadata(path, content)):
        kind = find_network(path, network.kind)
        settings: dict[str, Any] = {
            k: v for k, v in network.settings.items() if k not in (*VECTORS, "n_species")
        }
        if physics.inputs.names:
            settings["inputs"] = physics.inputs.names
        weights = {name: torch.tensor(tensor) for name, tensor in network.tensors.items()}
        models.append(make_network(kind, settings, physics, weights).eval())
    return models


def _from_torchscript(
    path: Path, name: str, rounds: int, physics: Physics, module: torch.jit.ScriptModule
) -> list[Network]:
    if name not in REBUILT:
        raise ValueError(
            f"{path}: expected a network {' or '.join(REBUILT)}, which can be written anew from "
            f"its model file, found '{name}': give its checkpoint"
        )
    models: list[Network] = []
    for weights in _weights(module.state_dict()):
        width = weights["output.weight"].shape[1]
        models.append(_make(REBUILT[name], rounds, width, physics))
        models[-1].load_state_dict(weights)
    return models


def _make(kind: type[Botan] | type[NtGnn], rounds: int, width: int, physics: Physics) -> Network:
    n_species, inputs = physics.mixture.n_species, physics.inputs.names
    if not inputs:
        return kind(rounds, width, n_species).eval()
    diameter = physics.mixture.diameter
    return Botan(rounds, width, n_species, inputs=inputs, diameter=diameter).eval()


def together(models: list[Network]) -> Network:
    """Give one network as it is, or several as a committee.

    Parameters
    ----------
    models : list of Network

    Returns
    -------
    Network

    Examples
    --------
    >>> type(together([Botan(), Botan()])).__name__
    'Committee'
    """
    return models[0] if len(models) == 1 else make_committee(models)


def same_outputs(
    model: torch.nn.Module, other: torch.nn.Module, physics: Physics | Metadata
) -> bool:
    """Whether two networks have the same outputs for a small configuration, up to rounding.

    Parameters
    ----------
    model, other : torch.nn.Module
    physics : Physics or Metadata

    Returns
    -------
    bool

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> model = Botan(rounds=1, width=4)
    >>> same_outputs(model, model, physics), same_outputs(model, Botan(rounds=1, width=4), physics)
    (True, False)
    """
    arrays = trial_arrays(physics.mixture, physics.cutoff, physics.inputs)
    given = [torch.from_numpy(array) for array in arrays]
    with torch.inference_mode():
        pairs = list(zip(model(*given), other(*given), strict=True))
    return all(
        a.shape == b.shape
        and torch.allclose(a, b, rtol=0, atol=TOLERANCE * float(a.abs().max() if a.numel() else 0))
        for a, b in pairs
    )


def _physics(path: Path, content: dict[str, Any]) -> tuple[Physics, int, InputStatistics | None]:
    """Physics, number of rounds, and statistics of the inputs in training."""
    (output, *_) = content["node_outputs"]
    node = "S" if output == "propensity" else output
    if content.get("format_version") == 1:
        keys = ("species", "cutoff", "lag_times", "temperature", "density")
        given = {key: content[key] for key in keys} | {"node": node}
        return physics_of_version_1(path, given), int(content["rounds"]), None
    metadata = check_metadata(path, content)
    physics = Physics(
        mixture=metadata.mixture,
        cutoff=metadata.cutoff,
        lag_times=tuple(metadata.lag_times or ()),
        temperature=metadata.temperature,
        density=metadata.density,
        node=node,
        inputs=metadata.inputs,
    )
    return physics, metadata.rounds, metadata.seen


def _weights(state: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Weights of each member of a committee, or of the one network."""
    members: list[dict[str, Tensor]] = []
    while own := {
        key.removeprefix(prefix): value
        for prefix in [f"members.{len(members)}."]
        for key, value in state.items()
        if key.startswith(prefix)
    }:
        members.append(own)
    return members or [state]
