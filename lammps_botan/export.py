"""From a checkpoint to a model file (docs/model_file.md)."""

import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

import lammps_botan.checkpoint as checkpoints
from lammps_botan.graph import build_graph
from lammps_botan.metadata import Metadata
from lammps_botan.scorer import Scorer

TOLERANCE = 1e-5  # between the network and its file, outputs of order 1


def export(checkpoint: checkpoints.Checkpoint, path: Path) -> Metadata:
    """Write a model file, load it again and compare before the name appears.

    Parameters
    ----------
    checkpoint : Checkpoint
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
    """
    path = Path(path)
    model, physics = checkpoint.model.eval(), checkpoint.physics
    with torch.inference_mode():  # the network itself says how wide it is, and if edges get outputs
        node, _, edge, _ = model.encode(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 3))
        _, edge_outputs = model.decode(node, edge)
    metadata = Metadata(
        architecture=checkpoint.architecture,
        species=list(physics.species),
        cutoff=physics.cutoff,
        rounds=model.rounds,
        width=node.shape[1],
        node_outputs=["propensity"],
        edge_outputs=["pair_distance_change"][: edge_outputs.shape[1]],
        lag_times=list(physics.lag_times),
        temperature=physics.temperature,
        density=physics.density,
        provenance=checkpoint.provenance,
        versions={name: version(name) for name in ("lammps-botan", "torch", "numpy")},
    )
    part = path.with_name(path.name + ".part")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as such
            scripted = torch.jit.script(model)
            scripted.save(str(part), _extra_files={"metadata.json": metadata.to_json()})
        _compare(checkpoint, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return metadata


def _compare(checkpoint: checkpoints.Checkpoint, path: Path) -> None:
    rng = np.random.default_rng(0)
    cutoff = checkpoint.physics.cutoff
    species = rng.integers(len(checkpoint.physics.species), size=64)
    graph = build_graph(rng.random((64, 3)) * 2 * cutoff, 2 * cutoff, species, cutoff=cutoff)
    written = Scorer(path).score(graph)
    with torch.inference_mode():
        node, edge = checkpoint.model(
            torch.from_numpy(graph.species),
            torch.from_numpy(graph.vectors.astype(np.float32)),
            torch.from_numpy(graph.center),
            torch.from_numpy(graph.neighbor),
        )
    for ours, theirs in ((node.numpy(), written.node), (edge.numpy(), written.edge)):
        if not np.allclose(ours, theirs, atol=TOLERANCE * np.abs(ours).max(initial=1.0)):
            raise RuntimeError(f"{path}: the exported model does not reproduce the network")
