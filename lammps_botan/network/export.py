"""From checkpoints to a model file (docs/model_file.md)."""

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.committee import Committee
from lammps_botan.network.metadata import Metadata
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Scorer
from lammps_botan.structure.graph import build_graph

TOLERANCE = 1e-5  # between the network and its file, outputs of order 1


def export(checkpoints: Checkpoint | Sequence[Checkpoint], path: Path) -> Metadata:
    """Write a model file, load it again and compare before the name appears.

    Parameters
    ----------
    checkpoints : Checkpoint, or several
        Several make an ensemble: its outputs are the mean of theirs and their standard deviation.
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
        If several checkpoints do not fit together.
    """
    path = Path(path)
    several = [checkpoints] if isinstance(checkpoints, Checkpoint) else list(checkpoints)
    model, provenance = _together(several)
    model.eval()
    physics = several[0].physics
    with torch.inference_mode():  # the network itself says how wide it is, and what its outputs are
        node, _, edge, _ = model.encode(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 3))
        node_outputs, edge_outputs = model.decode(node, edge)
    quantity = "propensity" if physics.node == "S" else physics.node
    metadata = Metadata(
        architecture=several[0].architecture,
        species=list(physics.species),
        cutoff=physics.cutoff,
        rounds=model.rounds,
        width=node.shape[1],
        node_outputs=[quantity, f"{quantity}_std"][: node_outputs.shape[1]],
        edge_outputs=["pair_distance_change", "pair_distance_change_std"][: edge_outputs.shape[1]],
        lag_times=list(physics.lag_times),
        temperature=physics.temperature,
        density=physics.density,
        provenance=provenance,
        versions={name: version(name) for name in ("lammps-botan", "torch", "numpy")},
    )
    part = path.with_name(path.name + ".part")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as such
            scripted = torch.jit.script(model)
            scripted.save(str(part), _extra_files={"metadata.json": metadata.to_json()})
        _compare(model, physics, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return metadata


def _together(several: Sequence[Checkpoint]) -> tuple[Botan | NtGnn | Committee, dict[str, Any]]:
    """One network, and where it comes from."""
    first = several[0]
    if len(several) == 1:
        return first.model, first.provenance
    for k, other in enumerate(several[1:], 2):
        if other.physics != first.physics:
            raise ValueError(
                "the checkpoints of an ensemble must stand for the same physics; number 1 for "
                f"{first.physics}, number {k} for {other.physics}"
            )
    members = [checkpoint.provenance for checkpoint in several]
    return Committee([checkpoint.model for checkpoint in several]), {"ensemble": members}


def _compare(model: Botan | NtGnn | Committee, physics: Physics, path: Path) -> None:
    rng = np.random.default_rng(0)
    cutoff = physics.cutoff
    species = rng.integers(len(physics.species), size=64)
    graph = build_graph(rng.random((64, 3)) * 2 * cutoff, 2 * cutoff, species, cutoff=cutoff)
    written = Scorer(path).score_by_torch(graph)
    with torch.inference_mode():
        node, edge = model(
            torch.from_numpy(graph.species),
            torch.from_numpy(graph.vectors.astype(np.float32)),
            torch.from_numpy(graph.center),
            torch.from_numpy(graph.neighbor),
        )
    for ours, theirs in ((node.numpy(), written.node), (edge.numpy(), written.edge)):
        if not np.allclose(ours, theirs, atol=TOLERANCE * np.abs(ours).max(initial=1.0)):
            raise RuntimeError(f"{path}: the exported model does not reproduce the network")
