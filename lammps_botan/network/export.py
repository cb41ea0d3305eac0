"""From checkpoints to a model file (docs/model_file.md)."""

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from lammps_botan.files.whole_file import whole_file
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.metadata import Metadata, read_metadata
from lammps_botan.network.model_file import same_outputs, together
from lammps_botan.network.network import Network, states_without_nodes
from lammps_botan.network.predictor import load_module


def export(checkpoints: Checkpoint | Sequence[Checkpoint], path: Path) -> Metadata:
    """Write a model file, load it again and compare before the name appears.

    Parameters
    ----------
    checkpoints : Checkpoint, or several
        Several make a committee: its outputs are the mean of theirs and their standard deviation.
    path : Path
        The file to write.

    Returns
    -------
    Metadata
        What the file says of itself.

    Raises
    ------
    RuntimeError
        If the file does not give what the network gives.
    ValueError
        If several checkpoints do not fit together, or a network has not one output for each lag
        time.
    """
    several = [checkpoints] if isinstance(checkpoints, Checkpoint) else list(checkpoints)
    physics, provenance = _agree(several)
    model = together([checkpoint.model for checkpoint in several]).eval()
    metadata = _describe(model, several[0].architecture, physics, provenance)
    with whole_file(path) as part:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as such
            scripted = torch.jit.script(model)
            scripted.save(str(part), _extra_files={"metadata.json": metadata.to_json()})
        written = load_module(part, torch.device("cpu"))
        if read_metadata(part) != metadata or not same_outputs(model, written, physics):
            raise RuntimeError(f"{path}: the exported model does not reproduce the network")
    return metadata


def _agree(several: Sequence[Checkpoint]) -> tuple[Physics, dict[str, Any]]:
    """What all checkpoints stand for, and where they come from."""
    first = several[0]
    if len(several) == 1:
        return first.physics, first.provenance
    for k, other in enumerate(several[1:], 2):
        if why := first.physics.difference(other.physics):
            raise ValueError(
                "the checkpoints of a committee must stand for the same physics; numbers 1 and "
                f"{k} differ in {why}"
            )
    return first.physics, {"committee": [checkpoint.provenance for checkpoint in several]}


def _describe(
    model: Network, architecture: str, physics: Physics, provenance: dict[str, Any]
) -> Metadata:
    # the network itself says how wide it is, and what its outputs are
    node, _, edge, _ = states_without_nodes(model)
    with torch.inference_mode():
        node_outputs, edge_outputs = model.decode(node, edge)
    quantity = "propensity" if physics.node == "S" else physics.node
    n_times, several = len(physics.lag_times), "committee" in provenance
    return Metadata(
        architecture=architecture,
        mixture=physics.mixture,
        inputs=physics.inputs,
        node_input=model.node_input,
        cutoff=physics.cutoff,
        rounds=model.rounds,
        width=node.shape[1],
        node_outputs=_names(quantity, n_times, node_outputs.shape[1], several=several),
        edge_outputs=_names(
            "pair_distance_change", n_times, edge_outputs.shape[1], several=several
        ),
        lag_times=list(physics.lag_times),
        temperature=physics.temperature,
        density=physics.density,
        provenance=provenance,
        versions={name: version(name) for name in ("lammps-botan", "torch", "numpy")},
    )


def _names(quantity: str, n_times: int, n_outputs: int, *, several: bool) -> list[str]:
    """Of the outputs: one for each lag time; of a committee, then as many standard deviations."""
    if n_outputs == 0:
        return []
    kinds = [quantity, f"{quantity}_std"] if several else [quantity]
    names = [f"{kind}_{k}" if k > 1 else kind for kind in kinds for k in range(1, n_times + 1)]
    if n_outputs != len(names):
        raise ValueError(
            f"the physics of the checkpoint have {n_times} lag times: expected the outputs "
            f"{', '.join(names)}, found {n_outputs} outputs of the network"
        )
    return names
