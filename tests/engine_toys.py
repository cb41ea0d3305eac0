"""Toys that the compiled engine computes, for where torch is not installed: BOTAN with 0 and 1.

A ReLU passes on what is not negative. So BOTAN (its equations: lammps_botan/network/botan.py) can
count the walks of `toy_models.Walks`, and add up over neighbors as `toy_models.GivenBack`. It has
one output of nodes, and a committee has two: the mean and the standard deviation of its networks.
"""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from toy_metadata import entries

from lammps_botan.files.checksum import add_checksum
from lammps_botan.network.weights import WEIGHTS, NetworkWeights, weights_content

Floats = NDArray[np.float64]

FEATURES = 64  # those of BOTAN that the engine computes
# what some of them carry: sums over neighbors, what a node has of its own, what neighbors send, ...
SUM, OWN, SENT, EDGE = range(4)
PARTS = slice(4, 10)  # what the output of an edge is the sum of
# of mean 0 and standard deviation 1
COMMITTEE = (0.5, 0.5, 0.5, -1.5)

EDGE_OUTPUTS = 1  # of `Walks` at the most
SHARE = 1 / 64  # of the sums over neighbors that `GivenBack` gives after each round
OFFSET = 24.0  # numbers from -24 on are positive with it
RANGE = 2.0**40  # the standard deviation of inputs, 6 of which are cut off


@dataclass(frozen=True)
class Walks:
    """The toy of the same name in toy_models.py, as far as BOTAN is one.

    Node output 0 is the number of walks, and 1, where it is asked for, the species of the atom.
    Edge output 0 is |x| + |y| + |z|, since a distance takes a root. The width is always 64.
    """

    rounds: int = 1
    width: int = 3
    weights: tuple[float, ...] = (1.0, 1.0)
    node_outputs: int = 1
    edge_outputs: int = 1
    fault: str = ""

    def networks(self) -> list[NetworkWeights]:
        """One, or a committee."""
        skip_unless(not self.fault, "goes wrong on purpose")
        skip_unless(self.node_outputs <= 2, f"has {self.node_outputs} node outputs")
        skip_unless(self.edge_outputs == 1, f"has {self.edge_outputs} edge outputs")
        settings = {"rounds": self.rounds, "width": FEATURES}
        n = len(self.weights)
        # the encoder is given the number of one or two species, and of more a column for each
        nodes, bias = np.zeros((FEATURES, n if n > 2 else 1)), np.zeros(FEATURES)
        for feature, values in ((SUM, self.weights), (OWN, range(n))):
            bias[feature] = 0 if n > 2 else values[0]
            nodes[feature] = values if n > 2 else values[-1] - values[0]
        edges = np.zeros((FEATURES, 3))
        edges[PARTS] = np.concatenate([np.eye(3), -np.eye(3)])
        return [
            NetworkWeights("botan", settings, botan(nodes, bias, edges, {SUM: 1.0, OWN: spread}))
            for spread in ((0.0,) if self.node_outputs == 1 else COMMITTEE)
        ]


def edge_columns(vectors: Floats, code: Floats) -> Floats:
    """Edge outputs of `Walks` [n_edges, EDGE_OUTPUTS]; `code` is for toys that have more."""
    return np.abs(vectors).sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class GivenBack:
    """The toy of the same name in toy_models.py, with one number in place of several.

    Node output 0 is `handed_back` of an atom, and 1 the sum of this over walks from the atom, of
    which a share is given. Edge output 0 is the distance of mean positions, or of inherent ones.
    """

    inputs: list[str]
    rounds: int = 1
    node_outputs = 2
    edge_outputs = 1

    def networks(self) -> list[NetworkWeights]:
        """A committee."""
        n_vectors, has_history = len(self.inputs), "history" in self.inputs
        n = 2 * n_vectors + has_history
        nodes, bias = np.zeros((FEATURES, 2 + n)), np.zeros(FEATURES)  # 2 species
        for feature in (SUM, OWN):
            nodes[feature, 2:] = RANGE * factors(n)
            bias[feature] = OFFSET
        edges = np.zeros((FEATURES, 1 + 2 * n_vectors))
        edges[PARTS.start, 2 * n_vectors - 1] = 1
        more = {
            "particles.mean": np.zeros((2, n)),
            "particles.deviation": np.full((2, n), RANGE),
            "pairs.mean": np.zeros(1 + 2 * n_vectors),
            "pairs.deviation": np.ones(1 + 2 * n_vectors),
        }
        settings = {"rounds": self.rounds, "width": FEATURES, "diameter": 1.0}
        return [
            NetworkWeights(
                "botan", settings, botan(nodes, bias, edges, {OWN: 1.0, SUM: spread}, SHARE) | more
            )
            for spread in COMMITTEE
        ]


def handed_back(vectors: Floats, scalars: Floats, has_history: bool) -> Floats:
    """What `GivenBack` gives of vectors [n, V, 3] and scalars [n, K]: one number."""
    numbers = scalars.copy()
    if has_history:
        numbers[:, 0] = np.log(numbers[:, 0] + 1e-4)  # the variance
    lengths = np.log(np.linalg.norm(vectors, axis=2) + 0.01)
    numbers = np.concatenate([numbers, lengths], axis=1)
    return OFFSET + numbers @ factors(numbers.shape[1])[:, None]


def factors(n: int) -> Floats:
    """Of as many numbers, all different, so that none can stand for another one."""
    return 2.0 ** -np.arange(n)


def skip_unless(possible: bool, what: str) -> None:
    """Skip the test of a toy that is no network of the engine."""
    if not possible:
        pytest.skip(f"a toy that {what} is computed by torch, which is not installed")


def botan(
    nodes: Floats, bias: Floats, edges: Floats, output: dict[int, float], share: float = 1.0
) -> dict[str, Floats]:
    """BOTAN with these first layers of its encoders, and that output of nodes.

    In each round a node sends its SUM, and gets the share of what arrives as its next one.
    """
    edge_model = np.zeros((FEATURES, 4 * FEATURES))  # of neighbor, center, edge, edge at first
    edge_model[SENT, SUM] = 1
    edge_model[EDGE, 3 * FEATURES :][PARTS] = 1
    node_model = np.zeros((FEATURES, 3 * FEATURES))  # of node, node at first, sum over edges
    node_model[SUM, 2 * FEATURES + SENT] = share
    node_model[OWN, FEATURES + OWN] = 1
    last = np.zeros((1, FEATURES))
    last[0, EDGE] = 1  # which nodes do not have, as edges have neither SUM nor OWN
    last[0, list(output)] = list(output.values())
    tensors = {"output.weight": last, "output.bias": np.zeros(1)}
    for name, matrix in (
        ("node_encoder", nodes),
        ("edge_encoder", edges),
        ("node_model", node_model),
        ("edge_model", edge_model),
        ("decoder", np.eye(FEATURES)),
    ):
        tensors[f"{name}.fc1.weight"] = matrix
        tensors[f"{name}.fc1.bias"] = bias if name == "node_encoder" else np.zeros(FEATURES)
        tensors[f"{name}.fc2.weight"] = np.eye(FEATURES)
        tensors[f"{name}.fc2.bias"] = np.zeros(FEATURES)
    return tensors


def save_model(path: Path, model: Walks | GivenBack | None = None, **changes: Any) -> Path:
    """Write a model file; for the changes of its metadata see `toy_metadata.entries`."""
    model = model or Walks()
    networks = model.networks()
    own: dict[str, object] = {
        "width": FEATURES * len(networks),
        "networks": [{"kind": one.kind, "settings": one.settings} for one in networks],
    }
    if len(networks) > 1:
        own["edge_outputs"] = ["edge_0", "edge_0_std"]
    text = json.dumps(entries(model, **(own | changes)))
    save_archive(path, model, {"metadata.json": text})
    return path


def save_archive(path: Path, model: Walks | GivenBack, extra_files: dict[str, str]) -> None:
    contents = {name: text.encode() for name, text in extra_files.items()}
    path.write_bytes(archive({**contents, WEIGHTS: weights_content(model.networks())}))


def archive(contents: dict[str, bytes]) -> bytes:
    """A model file without TorchScript, of which the engine has no need."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in contents.items():
            file.writestr(f"archive/extra/{name}", content)
    return add_checksum(buffer.getvalue())
