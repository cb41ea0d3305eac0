"""Export of checkpoints to a model file (docs/reference/model_file.md)."""

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lammps_botan.files.checksum import add_checksum
from lammps_botan.files.whole_file import whole_file
from lammps_botan.network.archive import Archive
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.engine.scoring import Engine, UnknownNetworkError
from lammps_botan.network.fallback import FALLBACK, fallback_content, read_fallback
from lammps_botan.network.input_statistics import InputStatistics, pool
from lammps_botan.network.metadata import (
    Metadata,
    NetworkSettings,
    check_metadata,
    read_content,
    read_metadata,
)
from lammps_botan.network.model_file import same_outputs, together
from lammps_botan.network.module import load_module
from lammps_botan.network.network import Network, states_without_nodes
from lammps_botan.network.program import check_program
from lammps_botan.network.trial_configuration import trial_arrays
from lammps_botan.network.weights import (
    SAME_LENGTH,
    WEIGHTS,
    NetworkWeights,
    weights_content,
)

ENGINE_TOLERANCE = 1e-4  # of the largest output, between torch and the compiled engine


def export(
    checkpoints: Checkpoint | Sequence[Checkpoint], path: Path, fallback: Path | None = None
) -> Metadata:
    """Write a model file, load it again and compare, before the file gets its name.

    Parameters
    ----------
    checkpoints : Checkpoint, or several
        Several make a committee: its outputs are the mean of theirs and their standard deviation.
    path : Path
        The file to write.
    fallback : Path, optional
        A model file that predicts until the history is full; it becomes part of the file.

    Returns
    -------
    Metadata
        Metadata of the file.

    Raises
    ------
    RuntimeError
        If the outputs of the file are not those of the network.
    ValueError
        If several checkpoints do not fit together, a network has not one output for each lag
        time, or the fallback does not fit the network.

    Warns
    -----
    UserWarning
        If the code of the network names operators that its users have to trust, or the network
        computes something else than the kind that it is a subclass of.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> from lammps_botan.network.botan import Botan
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> export(Checkpoint(Botan(rounds=1, width=4), physics), Path("small.pt")).node_outputs
    ['propensity']
    """
    several = [checkpoints] if isinstance(checkpoints, Checkpoint) else list(checkpoints)
    physics, provenance = _agree(several)
    _check_lengths(several)
    model = together([checkpoint.model for checkpoint in several]).eval()
    if fallback is not None:
        provenance = provenance | {"fallback": fallback.stem}
    kinds = dict.fromkeys(checkpoint.architecture for checkpoint in several)
    seen = pool([checkpoint.seen for checkpoint in several])
    weights = [checkpoint.weights for checkpoint in several]
    networks = _known_to_engine(weights, model, physics)
    metadata = _describe(model, " and ".join(kinds), physics, provenance, seen, networks)
    extra_files = {} if networks is None else {WEIGHTS: weights_content(networks)}
    if fallback is not None:
        extra_files[FALLBACK] = fallback_content(metadata, fallback)
    _write(path, model, metadata.to_json(), metadata, extra_files)
    try:
        check_program(Archive(path))
    except ValueError as error:
        warnings.warn(str(error), stacklevel=2)
    return metadata


def add_fallback(model: Path, fallback: Path, path: Path) -> Metadata:
    """Write a model file again with a fallback; its network stays the same.

    Parameters
    ----------
    model : Path
        The model file. A fallback that it has is replaced.
    fallback : Path
        A model file that predicts until the history is full.
    path : Path
        The file to write, which may be `model`.

    Returns
    -------
    Metadata
        Metadata of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If one of the two is not a model file, or the fallback does not fit the model.
    RuntimeError
        If the outputs of the file are not those of the models.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> thermal = find_model("ka-t044")
    >>> add_fallback(find_model("ka-t044-history"), thermal, Path("m.pt")).provenance["fallback"]
    'ka-t044'
    """
    read_metadata(model)
    content = read_content(model)
    content["provenance"] = content.get("provenance", {}) | {"fallback": fallback.stem}
    metadata = check_metadata(model, content)
    extra_files = {FALLBACK: fallback_content(metadata, fallback)}
    if metadata.networks is not None:
        extra_files[WEIGHTS] = Archive(model).extra_file(WEIGHTS)
    module = load_module(model, torch.device("cpu"))
    _write(path, module, json.dumps(content, indent=2), metadata, extra_files)
    return metadata


def _known_to_engine(
    networks: list[NetworkWeights], model: Network, physics: Physics
) -> list[NetworkWeights] | None:
    """The plain weights, where the compiled engine computes what the network computes."""
    try:
        engine = Engine(networks)
    except UnknownNetworkError:
        return None
    except ValueError as error:  # a class of one's own, with other layers
        warnings.warn(
            f"{error}: the file has no plain weights, and torch computes the model", stacklevel=3
        )
        return None
    trial = trial_arrays(physics.mixture, physics.cutoff, physics.inputs)
    with torch.inference_mode():
        outputs = model(*(torch.from_numpy(array) for array in trial))
    for ours, theirs in zip(engine.score(*trial), outputs, strict=True):
        scale = float(theirs.abs().max()) if theirs.numel() else 0.0
        if not np.allclose(ours, theirs, 0, ENGINE_TOLERANCE * scale):
            warnings.warn(
                f"the network {type(model).__name__} computes something else than '"
                f"{networks[0].kind}' does with its weights: the file has no plain weights, and "
                "torch computes the model",
                stacklevel=3,
            )
            return None
    return networks


def _write(
    path: Path,
    model: torch.nn.Module,
    text: str,
    metadata: Metadata,
    extra_files: Mapping[str, bytes],
) -> None:
    """Write a model file, and load it again and compare before the name appears."""
    cpu = torch.device("cpu")
    with whole_file(path) as part:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as such
            content = torch.jit.script(model).save_to_buffer(
                _extra_files={"metadata.json": text, **extra_files}
            )
        part.write_bytes(add_checksum(content))
        archive = Archive(part)
        same = read_metadata(part) == metadata
        same = same and same_outputs(model, load_module(part, cpu, trust=True), metadata)
        same = same and all(
            archive.extra_file(name) == inside for name, inside in extra_files.items()
        )
        if (fallback := read_fallback(archive, metadata)) is not None:
            load_module(fallback, cpu)  # else it would fail where it is needed
        if not same:
            raise RuntimeError(f"{path}: the exported model does not reproduce the network")


def _check_lengths(several: Sequence[Checkpoint]) -> None:
    for checkpoint in several:
        physics = checkpoint.physics
        for name, expected in (("cutoff", physics.cutoff), ("diameter", physics.mixture.diameter)):
            found = checkpoint.model.settings.get(name, expected)
            if not math.isclose(found, expected, rel_tol=SAME_LENGTH):
                raise ValueError(
                    f"the network has the {name} {found:g}, and its physics say {expected:g}"
                )


def _agree(several: Sequence[Checkpoint]) -> tuple[Physics, dict[str, Any]]:
    """Physics of all checkpoints, and their provenance."""
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
    model: Network,
    architecture: str,
    physics: Physics,
    provenance: dict[str, Any],
    seen: InputStatistics | None,
    networks: list[NetworkWeights] | None,
) -> Metadata:
    # the network itself tells its width and its outputs
    node, _, edge, _ = states_without_nodes(model)
    with torch.inference_mode():
        node_outputs, edge_outputs = model.decode(node, edge)
    quantity = "propensity" if physics.node == "S" else physics.node
    n_times, several = len(physics.lag_times), "committee" in provenance
    return Metadata(
        architecture=architecture,
        networks=networks
        and [NetworkSettings(kind=one.kind, settings=dict(one.settings)) for one in networks],
        mixture=physics.mixture,
        inputs=physics.inputs,
        seen=seen,
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
    """Names of the outputs: one for each lag time; of a committee, then the standard deviations."""
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
