"""A model that sees a history, and its fallback, which sees positions and species only.

Without torch: engine_networks.py.
"""

from pathlib import Path
from typing import Any

import pytest
from engines import network, physics
from seeing import Sees
from toy_models import Walks, save_model

from lammps_botan.network.checkpoint import NETWORKS, Checkpoint, Physics
from lammps_botan.network.export import export
from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.network.inputs import HistoryInput, Inputs
from lammps_botan.network.metadata import Metadata

STRIDE, FULL = 5, 6  # steps from one sample to the next, at the time step .005; samples
SEES_HISTORY = Inputs(history=HistoryInput(window=0.15, interval=0.025, parts=3))


def remembers(saw: InputStatistics | None = None, **changes: object) -> Checkpoint:
    """A network that gives sums of mean energies, with a sign that makes them positive."""
    stands_for: Physics = physics(inputs=SEES_HISTORY, **changes)
    return Checkpoint(Sees(["history"], weight=-0.01).eval(), stands_for, {"seed": 1}, saw)


def save_thermal(path: Path, saw: InputStatistics | None = None, **changes: object) -> Path:
    """The model file of BOTAN with 64 features, which the compiled engine computes."""
    export(Checkpoint(network(), physics(**changes), {}, saw), path)
    return path


def save_remembering(path: Path, fallback: Path | None = None, **changes: object) -> Metadata:
    """The model file of `remembers`, with a fallback or without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "sees", Sees)
        return export(remembers(**changes), path, fallback)


def save_all(folder: Path, **changes: object) -> None:
    """thermal.pt, plain.pt, which sees a history, and m.pt: plain.pt with thermal.pt in it."""
    thermal = save_thermal(folder / "thermal.pt", **changes)
    save_remembering(folder / "plain.pt", **changes)
    save_remembering(folder / "m.pt", thermal, **changes)


def save_without_edges(path: Path, **changes: Any) -> Path:
    """The model file of a network without edge outputs."""
    return save_model(path, Walks(edge_outputs=0), **changes)
