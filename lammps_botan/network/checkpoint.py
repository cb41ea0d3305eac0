"""Checkpoints: weights, configuration and provenance of a trained network.

A checkpoint is a file of `torch.save` that holds tensors, numbers, strings, lists and dicts only,
so that it is read with `weights_only=True` and never runs code.
"""

import json
import pickle
import re
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lammps_botan.network.botan import Botan
from lammps_botan.network.nt_gnn import NtGnn

FORMAT = "lammps-botan checkpoint"
FORMAT_VERSION = 1
NETWORKS: dict[str, type[Botan] | type[NtGnn]] = {"botan": Botan, "nt-gnn": NtGnn}


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
    node : str
        The quantity of particles that was learned: S, R, D or C, see `analysis.targets`.
    """

    species: tuple[str, ...] = ("A", "B")
    cutoff: float = 2.0
    lag_times: tuple[float, ...] = (4120.0,)
    temperature: float = 0.44
    density: float = 1.2
    node: str = "S"


@dataclass(frozen=True)
class Checkpoint:
    """A network, the physics it stands for, and where it came from.

    Attributes
    ----------
    model : Botan or NtGnn
    physics : Physics
    provenance : dict
        Data, recipe, seeds, scores: whatever its reader should know; plain JSON values.
    """

    model: Botan | NtGnn
    physics: Physics
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """Name of the kind of network, a key of `NETWORKS`."""
        return next(name for name, kind in NETWORKS.items() if isinstance(self.model, kind))


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint; the name appears only when the file is whole."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    torch.save(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "architecture": {
                "name": checkpoint.architecture,
                "rounds": checkpoint.model.rounds,
                "width": checkpoint.model.width,
            },
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
        sizes = dict(content["architecture"])
        name = sizes.pop("name", "botan")  # which the first checkpoints did not say
        if name not in NETWORKS:
            raise ValueError(
                f"{path}: a network '{name}'; this version of lammps-botan knows "
                f"{', '.join(NETWORKS)}"
            )
        model = NETWORKS[name](**sizes)
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


def import_nt_gnn_weights(path: Path, physics: Physics) -> Checkpoint:
    """Read weights (.npz) of the network of Bapst et al. (lammps_botan.network.nt_gnn).

    Parameters
    ----------
    path : Path
        One array for each layer of https://github.com/google-deepmind/deepmind-research, named as
        there (`graph_network/edge_block/mlp/linear_0/w`); `w` is [inputs, outputs].
    physics : Physics
        What the weights were trained for; the file does not say.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    blocks = {
        "graph_independent/node_model": "node_encoder",
        "graph_independent/edge_model": "edge_encoder",
        "graph_network/edge_block": "edge_model",
        "graph_network/node_block": "node_model",
        "graph_independent_1/node_model": "decoder",
    }
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key].T.astype(np.float32) for key in archive.files}
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"{path}: expected an npz file of weights: {error}") from error
    weights: dict[str, Tensor] = {}
    for key, array in arrays.items():
        parts = re.fullmatch(r"(.+)/mlp/linear_([012])/([wb])", key)
        if parts is None or parts[1] not in blocks:
            raise ValueError(
                f"{path}: unexpected entry '{key}'; expected layers named "
                f"{', '.join(f'{block}/mlp/linear_0/w' for block in blocks)} and so on"
            )
        block, layer = blocks[parts[1]], int(parts[2])
        name = "output" if (block, layer) == ("decoder", 2) else f"{block}.fc{layer + 1}"
        kind = {"w": "weight", "b": "bias"}[parts[3]]
        weights[f"{name}.{kind}"] = torch.from_numpy(np.ascontiguousarray(array))
    try:
        model = NtGnn(width=weights["output.weight"].shape[1])
        model.load_state_dict(weights)
    except (KeyError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not the weights of an NT-GNN: {reason}") from error
    source = "Bapst et al., doi:10.1038/s41567-020-0842-8, deepmind-research/glassy_dynamics"
    return Checkpoint(model.eval(), physics, {"weights": source, "file": path.name})


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
