"""Networks with random weights that the compiled engine computes, where torch is not installed.

They stand for those of fallbacks.py, with the same names.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from engine_toys import FEATURES, archive
from toy_metadata import KOB_ANDERSEN

from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.network.inputs import HistoryInput, Inputs
from lammps_botan.network.weights import WEIGHTS, NetworkWeights, weights_content

CUTOFF, ROUNDS, NEIGHBORS = 2.0, 3, 35
THERMAL = Inputs()
SEES_HISTORY = Inputs(history=HistoryInput(window=0.15, interval=0.025, parts=3))


def random_botan(inputs: Inputs = THERMAL, seed: int = 1) -> NetworkWeights:
    """BOTAN that keeps the size of features from layer to layer, as symmetry.botan."""
    rng, n_vectors = np.random.default_rng(seed), inputs.n_vectors
    n = inputs.n_scalars + n_vectors
    columns = {
        "node_encoder": 2 + n if n else 1,
        "edge_encoder": 1 + 2 * n_vectors if n else 3,
        "node_model": 3 * FEATURES,
        "edge_model": 4 * FEATURES,
        "decoder": FEATURES,
    }
    tensors = {"output.weight": rng.normal(size=(1, FEATURES)), "output.bias": np.zeros(1)}
    tensors["output.weight"] /= np.sqrt(FEATURES)
    for name, given in columns.items():
        for layer, width in (("fc1", given), ("fc2", FEATURES)):
            weight = rng.normal(0, np.sqrt(2 / width), (FEATURES, width))
            tensors |= {
                f"{name}.{layer}.weight": weight,
                f"{name}.{layer}.bias": np.zeros(FEATURES),
            }
    tensors["node_model.fc1.weight"][:, 2 * FEATURES :] /= NEIGHBORS
    settings: dict[str, float] = {"rounds": ROUNDS, "width": FEATURES}
    if n:
        settings["diameter"] = KOB_ANDERSEN["diameter"]
        tensors |= {
            "particles.mean": np.full((2, n), -3.0),
            "particles.deviation": np.full((2, n), 1.5),
            "pairs.mean": np.array([1.5, *n_vectors * (1.5, 0.0)]),
            "pairs.deviation": np.full(1 + 2 * n_vectors, 0.3),
        }
    return NetworkWeights("botan", settings, tensors)


def random_linear(inputs: Inputs = THERMAL, pairs: bool = True, seed: int = 1) -> NetworkWeights:
    """The linear network of the Kob-Andersen mixture; lammps_botan/network/linear.py has shapes."""
    rng = np.random.default_rng(seed)
    radii, near, far = np.arange(0.75, 2.03, 0.05), np.arange(0.8, 1.59, 0.04), [1.6, 1.7, 1.8, 1.9]
    n = 4 * (inputs.history is not None) + 2 * (inputs.inherent is not None) + 2 + 2 * len(radii)
    tensors = {
        "radii": radii,
        "distances": np.array([*near, *far]),
        "distance_widths": np.repeat([0.04, 0.1], [len(near), len(far)]),
        "origin": rng.normal(size=n),
        "weights": rng.normal(0, 0.05, (n, 2 * ROUNDS)),
        "offset": rng.normal(size=2),
        "pair_weights": rng.normal(0, 0.02, (len(near) + len(far), 4 * 6)),
        "pair_offset": rng.normal(0, 0.1, 4),
    }
    settings = {"cutoff": CUTOFF, "diameter": 1.0, "generations": ROUNDS - 1, "pairs": pairs}
    return NetworkWeights("linear", settings, tensors)


def save(
    path: Path,
    networks: Sequence[NetworkWeights],
    inputs: Inputs = THERMAL,
    fallback: Path | None = None,
    saw: InputStatistics | None = None,
    **changes: object,
) -> Path:
    """Write a model file of one network, or of a committee; `changes` are of its metadata."""
    several, is_linear = len(networks) > 1, networks[0].kind == "linear"
    metadata = {
        "format": "lammps-botan",
        "format_version": 3 if inputs.names else 2,
        "architecture": networks[0].kind,
        "networks": [{"kind": one.kind, "settings": one.settings} for one in networks],
        "mixture": KOB_ANDERSEN,
        "seen": None if saw is None else saw.model_dump(),
        "node_input": "one-hot" if inputs.names else "number",
        "cutoff": CUTOFF,
        "rounds": ROUNDS + is_linear,
        "width": len(networks) * (2 * ROUNDS if is_linear else FEATURES),
        "node_outputs": ["propensity", *(["propensity_std"] if several else [])],
        "edge_outputs": [
            "pair_distance_change",
            *(["pair_distance_change_std"] if several else []),
        ],
        "lag_times": [4120.0],
        "temperature": 0.44,
        "density": 1.2,
        **({"inputs": inputs.model_dump()} if inputs.names else {}),
        **changes,
    }
    contents = {
        "metadata.json": json.dumps(metadata).encode(),
        WEIGHTS: weights_content(networks),
        "fallback.pt": fallback.read_bytes() if fallback else b"",
    }
    path.write_bytes(archive(contents))
    return path


def save_thermal(path: Path, saw: InputStatistics | None = None, **changes: Any) -> Path:
    """The model file of BOTAN."""
    return save(path, [random_botan()], saw=saw, **changes)


def save_remembering(path: Path, fallback: Path | None = None, **changes: Any) -> Path:
    """The model file of a linear network that sees a history, with a fallback or without."""
    return save(path, [random_linear(SEES_HISTORY)], SEES_HISTORY, fallback, **changes)


def save_all(folder: Path, **changes: Any) -> None:
    """thermal.pt, plain.pt, which sees a history, and m.pt: plain.pt with thermal.pt in it."""
    thermal = save_thermal(folder / "thermal.pt", **changes)
    save_remembering(folder / "plain.pt", **changes)
    save_remembering(folder / "m.pt", thermal, **changes)


def save_without_edges(path: Path, **changes: Any) -> Path:
    """The model file of a network without edge outputs."""
    linear = random_linear(pairs=False)
    return save(path, [linear], **({"rounds": ROUNDS, "edge_outputs": []} | changes))
