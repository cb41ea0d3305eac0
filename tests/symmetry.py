"""A glass that is known in every way, and what a network makes of it from any side."""

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from lammps_botan.network.arrays import forward_arrays
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Physics
from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs, node_inputs
from lammps_botan.network.network import Network
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN

LENGTH = 4.4
CUTOFF = 2.0
N = 90
SPREAD = 1e-5  # of outputs, up to which they are the same

INPUTS = {
    "thermal": Inputs(),
    "history": Inputs(history=HistoryInput(window=30.0, interval=0.2, parts=10)),
    "inherent": Inputs(inherent=InherentInput(force=0.1)),
    "both": Inputs(
        history=HistoryInput(window=30.0, interval=0.2, parts=10),
        inherent=InherentInput(force=0.1),
    ),
}


def liquid(n: int = N, seed: int = 0) -> Configuration:
    """Particles of which no two are closer than 0.75, with history and inherent structure."""
    rng = np.random.default_rng(seed)
    box = Box(LENGTH, (True, True, True))
    positions = np.zeros((0, 3))
    while len(positions) < n:
        one = rng.random(3) * LENGTH
        if (np.linalg.norm(box.minimum_image(positions - one), axis=1) > 0.75).all():
            positions = np.vstack([positions, one])
    return Configuration(
        positions=positions,
        species=(np.arange(n) % 5 == 0).astype(int),
        box=box,
        mixture=KOB_ANDERSEN,
        history=History(
            window=30.0,
            displacement=rng.normal(0, 0.1, (n, 3)),
            variance=0.03 * rng.lognormal(0, 0.5, n),
            energy=rng.normal(-6, 1, n),
        ),
        inherent_positions=positions + rng.normal(0, 0.1, (n, 3)),
        inherent_energies=rng.normal(-7, 1, n),
    )


def equivariant(name: str, **settings: object) -> Network:
    torch.manual_seed(1)
    inputs = INPUTS[name].names
    made = Equivariant(**({"cutoff": CUTOFF, "rounds": 3, "inputs": inputs} | settings)).eval()
    with torch.no_grad():
        # so that no part of the network is idle, and inputs are standardized
        made.particles.mean.fill_(-3.0)
        made.particles.deviation.fill_(1.5)
    return made


def botan(name: str, rounds: int = 3, seed: int = 2) -> Network:
    """With random weights that keep the size of features from layer to layer.

    He et al., 2015, doi:10.1109/ICCV.2015.123.
    """
    torch.manual_seed(seed)
    made = Botan(rounds, inputs=INPUTS[name].names).eval()
    with torch.no_grad():
        for layer in made.modules():
            if isinstance(layer, torch.nn.Linear):
                torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                torch.nn.init.zeros_(layer.bias)
        made.node_model.fc1.weight[:, 2 * made.width :] /= 35  # a particle has so many neighbors
        made.particles.mean.fill_(-3.0)
        made.particles.deviation.fill_(1.5)
        made.pairs.mean[0] = 1.5
        made.pairs.mean[1::2] = 1.5
        made.pairs.deviation.fill_(0.3)
    return made


def physics(name: str) -> Physics:
    return Physics(mixture=KOB_ANDERSEN, cutoff=CUTOFF, lag_times=(10.0,), inputs=INPUTS[name])


def tensors(configuration: Configuration, name: str) -> list[Tensor]:
    """What `forward` takes."""
    graph = build_graph(configuration, CUTOFF)
    inputs = node_inputs(configuration, INPUTS[name]) if INPUTS[name].names else (None, None)
    return [torch.from_numpy(array) for array in forward_arrays(graph, *inputs)]


def outputs(model: Network, configuration: Configuration, name: str) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        return model(*tensors(configuration, name))


def turned(configuration: Configuration, turn: np.ndarray) -> Configuration:
    """All particles turned about the origin, with the box."""
    history = configuration.history
    return replace(
        configuration,
        positions=configuration.positions @ turn.T,
        inherent_positions=configuration.inherent_positions @ turn.T,
        history=replace(history, displacement=history.displacement @ turn.T),
        box=Box(configuration.box.cell @ turn.T, (True, True, True)),
    )


def assert_same(some: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> None:
    for a, b in zip(some, others, strict=True):
        assert a.std() > 0
        torch.testing.assert_close(a, b, rtol=0, atol=SPREAD * float(a.std()))


TURNS = {
    "rotation": Rotation.random(rng=3).as_matrix(),
    "reflection": np.diag([1.0, -1.0, 1.0]) @ Rotation.random(rng=4).as_matrix(),
}
