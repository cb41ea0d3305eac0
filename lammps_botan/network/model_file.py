"""What a model file holds, as checkpoints again: to write it anew after the format changed."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import (
    Checkpoint,
    Physics,
    find_network,
    physics_of_version_1,
)
from lammps_botan.network.committee import Committee
from lammps_botan.network.metadata import check_metadata, read_content
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import load_module
from lammps_botan.network.trial_graph import trial_graph
from lammps_botan.structure.graph import Graph

Network = Botan | NtGnn | Committee
TOLERANCE = 1e-5  # between two ways to compute a network, outputs of order 1


def is_model_file(path: Path) -> bool:
    """Whether the file is a model file rather than a checkpoint."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/extra/metadata.json") for name in archive.namelist())


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """The network of a model file of format 1 or 2, or each member of a committee.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a model file of BOTAN or the NT-GNN, computes something else with the weights
        of one, or is of format 1 and not of the Kob-Andersen mixture.
    """
    content = read_content(path)
    kind = find_network(path, str(content.get("architecture")))
    try:
        physics, rounds = _physics(path, content)
        module = load_module(path, torch.device("cpu"))
        models: list[Botan | NtGnn] = []
        for weights in _weights(module.state_dict()):
            width = weights["output.weight"].shape[1]
            models.append(kind(rounds, width, physics.mixture.n_species).eval())
            models[-1].load_state_dict(weights)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not the weights of a '{kind.__name__}': {reason}") from error
    if not same_outputs(together(models), module, trial_graph(physics.mixture, physics.cutoff)):
        raise ValueError(
            f"{path}: does not compute what the network '{content['architecture']}' computes with "
            "these weights; export it with the program that made it"
        )
    provenance = dict(content.get("provenance", {}))
    members = provenance.get("committee") or provenance.get("ensemble") or []
    if len(members) != len(models):
        members = [provenance] * len(models)
    return [
        Checkpoint(model, physics, dict(own)) for model, own in zip(models, members, strict=True)
    ]


def together(models: list[Botan | NtGnn]) -> Network:
    """One network, or several as a committee."""
    return models[0] if len(models) == 1 else Committee(models)


def same_outputs(model: torch.nn.Module, other: torch.nn.Module, graph: Graph) -> bool:
    """Whether two networks give the same for a graph, up to rounding."""
    inputs = (
        torch.from_numpy(graph.species),
        torch.from_numpy(graph.vectors.astype(np.float32)),
        torch.from_numpy(graph.center),
        torch.from_numpy(graph.neighbor),
    )
    with torch.inference_mode():
        pairs = list(zip(model(*inputs), other(*inputs), strict=True))
    return all(
        a.shape == b.shape
        and torch.allclose(a, b, rtol=0, atol=TOLERANCE * float(a.abs().max() if a.numel() else 0))
        for a, b in pairs
    )


def _physics(path: Path, content: dict[str, Any]) -> tuple[Physics, int]:
    """The physics, and the number of rounds."""
    (output, *_) = content["node_outputs"]
    node = "S" if output == "propensity" else output
    if content.get("format_version") == 1:
        keys = ("species", "cutoff", "lag_times", "temperature", "density")
        given = {key: content[key] for key in keys} | {"node": node}
        return physics_of_version_1(path, given), int(content["rounds"])
    metadata = check_metadata(path, content)
    physics = Physics(
        mixture=metadata.mixture,
        cutoff=metadata.cutoff,
        lag_times=tuple(metadata.lag_times or ()),
        temperature=metadata.temperature,
        density=metadata.density,
        node=node,
    )
    return physics, metadata.rounds


def _weights(state: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Of each member of a committee, or of the one network."""
    members: list[dict[str, Tensor]] = []
    while own := {
        key.removeprefix(prefix): value
        for prefix in [f"members.{len(members)}."]
        for key, value in state.items()
        if key.startswith(prefix)
    }:
        members.append(own)
    return members or [state]
