"""Checkpoints: weights, configuration and provenance of a trained network.

A checkpoint is a file of `torch.save` that holds tensors, numbers, strings, lists and dicts only,
so that it is read with `weights_only=True` and never runs code.
"""

import json
import pickle
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lammps_botan.model import Botan

FORMAT = "lammps-botan checkpoint"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Physics:
    """What a network was trained for.

    Attributes
    ----------
    species : tuple of str
        Names in the order of their numbers.
    cutoff : float
        Of the graph, LJ units.
    lag_times : tuple of float
        Of the outputs, LJ units.
    temperature, density : float
        Of the training data, LJ units.
    """

    species: tuple[str, ...] = ("A", "B")
    cutoff: float = 2.0
    lag_times: tuple[float, ...] = (4120.0,)
    temperature: float = 0.44
    density: float = 1.2


@dataclass(frozen=True)
class Checkpoint:
    """A network, the physics it stands for, and where it came from.

    Attributes
    ----------
    model : Botan
    physics : Physics
    provenance : dict
        Data, recipe, seeds, scores: whatever its reader should know; plain JSON values.
    """

    model: Botan
    physics: Physics
    provenance: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint; the name appears only when the file is whole."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    torch.save(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "architecture": {"rounds": checkpoint.model.rounds, "width": checkpoint.model.width},
            "physics": asdict(checkpoint.physics),
            # plain values only, or it could not be read again
            "provenance": json.loads(json.dumps(checkpoint.provenance)),
            "weights": checkpoint.model.state_dict(),
        },
        part,
    )
    part.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a checkpoint of this package, or of another version.
    """
    content = _load(path)
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path}: not a checkpoint of lammps-botan. For public weights type "
            f"`lammps-botan import-weights {path} -o model.ckpt` first"
        )
    if content.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{path}: checkpoint format {content.get('format_version')}, "
            f"this version of lammps-botan reads format {FORMAT_VERSION}"
        )
    try:
        model = Botan(**content["architecture"])
        model.load_state_dict(content["weights"])
        physics = Physics(**content["physics"])
        provenance = dict(content["provenance"])
    except (KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: a damaged checkpoint: {reason}") from error
    return Checkpoint(model.eval(), physics, provenance)


def import_public_weights(path: Path, physics: Physics) -> Checkpoint:
    """Read weights (.pth) of the public implementation, https://github.com/h3-Open-BDEC/pyg_botan.

    Its layers carry other names; its order inside the concatenations is ours.

    Parameters
    ----------
    path : Path
        A file of `torch.save` with a dict of tensors.
    physics : Physics
        What the weights were trained for; the file does not say.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else.
    """
    content = _load(path)
    names = {
        "network.edge_model.mlp": "edge_model",
        "network.node_model.mlp": "node_model",
        "node_encoder": "node_encoder",
        "edge_encoder": "edge_encoder",
        "decoder.fc3": "output",
        "decoder": "decoder",
    }
    weights: dict[str, Tensor] = {}
    for key, tensor in content.items():
        prefix = next((p for p in names if key.startswith(p + ".")), None)
        if prefix is None or not isinstance(tensor, Tensor):
            raise ValueError(
                f"{path}: unexpected entry '{key}'; expected layers named {', '.join(names)}"
            )
        weights[names[prefix] + key.removeprefix(prefix)] = tensor
    try:
        model = Botan(width=weights["output.weight"].shape[1])
        model.load_state_dict(weights)
    except (KeyError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not the weights of a BOTAN network: {reason}") from error
    provenance = {"weights": "public implementation of BOTAN, pyg_botan", "file": Path(path).name}
    return Checkpoint(model.eval(), physics, provenance)


def _load(path: Path) -> dict[str, Any]:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: not a file of plain weights: {reason}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a dict of weights, found {type(content).__name__}")
    return content
