"""Checkpoints from weights that others published."""

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lammps_botan.files.npz_archive import check_archive
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.plain_data import load_plain


def import_public_weights(path: Path, physics: Physics) -> Checkpoint:
    """Read weights (.pth) of the public implementation, https://github.com/h3-Open-BDEC/pyg_botan.

    Its layers have other names; its order inside the concatenations is ours.

    Parameters
    ----------
    path : Path
        A file of `torch.save` with a dict of tensors.
    physics : Physics
        Physics of the training, which the file does not say.

    Returns
    -------
    Checkpoint

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> theirs = {"edge_model": "network.edge_model.mlp", "node_model": "network.node_model.mlp"}
    >>> theirs["output"] = "decoder.fc3"
    >>> named = {key.partition("."): value for key, value in Botan(width=4).state_dict().items()}
    >>> weights = {f"{theirs.get(a, a)}.{b}": value for (a, _, b), value in named.items()}
    >>> torch.save(weights, "model1.pth")
    >>> import_public_weights(Path("model1.pth"), physics).architecture
    'botan'
    """
    content = load_plain(path)
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
        n_species = physics.mixture.n_species
        model = Botan(width=weights["output.weight"].shape[1], n_species=n_species)
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
        Physics of the training, which the file does not say.

    Returns
    -------
    Checkpoint

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> np.savez("weights.npz", **{"encoder/w": np.zeros((2, 2))})
    >>> import_nt_gnn_weights(Path("weights.npz"), physics)
    Traceback (most recent call last):
    ValueError: weights.npz: unexpected entry 'encoder/w'; expected layers named ...
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
        with path.open("rb") as file:
            check_archive(file)
            with np.load(file, allow_pickle=False) as archive:
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
        n_species = physics.mixture.n_species
        model = NtGnn(width=weights["output.weight"].shape[1], n_species=n_species)
        model.load_state_dict(weights)
    except (KeyError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not the weights of an NT-GNN: {reason}") from error
    source = "Bapst et al., doi:10.1038/s41567-020-0842-8, deepmind-research/glassy_dynamics"
    return Checkpoint(model.eval(), physics, {"weights": source, "file": path.name})
