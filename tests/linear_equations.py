"""The equations of the linear network in plain loops, and a configuration and weights for them."""

from itertools import product

import numpy as np
import pytest
import torch

from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs
from lammps_botan.network.linear import Linear
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN

N, LENGTH, CUTOFF, GENERATIONS = 70, 3.9, 1.9, 3
BOX = Box(LENGTH, (True, True, True))
HISTORY = HistoryInput(window=30.0, interval=0.2, parts=10)
INHERENT = InherentInput(force=0.1)
SEES = {
    "thermal": Inputs(),
    "history": Inputs(history=HISTORY),
    "inherent": Inputs(inherent=INHERENT),
    "both": Inputs(history=HISTORY, inherent=INHERENT),
}
sees_each = pytest.mark.parametrize("sees", SEES)


def make_configuration(n=N):
    rng = np.random.default_rng(1)
    positions = rng.random((n, 3)) * LENGTH
    return Configuration(
        positions=positions,
        species=np.arange(n) % 3 // 2,  # two A for each B
        box=BOX,
        mixture=KOB_ANDERSEN,
        history=History(
            HISTORY.window,
            rng.normal(size=(n, 3)) * 0.1,
            rng.gamma(2.0, 0.03, n),
            rng.normal(size=n) - 6.0,
        ),
        inherent_positions=positions + rng.normal(size=(n, 3)) * 0.1,
        inherent_energies=rng.normal(size=n) - 7.0,
    )


def make_network(sees, **settings):
    """With weights of which each matters about as much as another."""
    network = Linear(CUTOFF, generations=GENERATIONS, inputs=SEES[sees].names, **settings)
    random = torch.Generator().manual_seed(2)
    for name, scale in (
        ("origin", 1.0),
        ("weights", 0.05),
        ("offset", 1.0),
        ("pair_offset", 0.1),
    ):
        tensor = getattr(network, name)
        tensor.copy_(scale * torch.randn(tensor.shape, generator=random))
    # the same for both orders of a pair
    several = torch.randn(len(network.distances), 3, 6, generator=random) * 0.02
    kinds = torch.tensor([0, 1, 1, 2])
    network.pair_weights.copy_(several[:, kinds].flatten(1))
    network.pair_offset.copy_(network.pair_offset[[0, 1, 1, 3]])
    return network.eval()


def expected(network, configuration, sees):
    """The equations of the module, one sum after the other, in double precision.

    Returns
    -------
    S [n_particles], and E by (center, neighbor)
    """
    n, species = configuration.n_particles, configuration.species
    thermal = configuration.positions
    mean, functions = thermal, [[] for _ in range(n)]
    if sees in {"inherent", "both"}:
        mean = configuration.inherent_positions
        way = np.linalg.norm(mean - thermal, axis=1)
        for i in range(n):
            functions[i] = [min(way[i], 0.5), configuration.inherent_energies[i]]
    if sees in {"history", "both"}:
        past = configuration.history
        mean = thermal + past.displacement
        for i in range(n):
            spread = np.log(max(past.variance[i], 1e-4))
            moved = min(np.linalg.norm(past.displacement[i]), 0.5)
            functions[i] = [spread, spread**2, moved, past.energy[i], *functions[i]]
    for i in range(n):
        functions[i] += [1.0, 0.0] if species[i] == 0 else [0.0, 1.0]

    radii = 0.75 + 0.05 * np.arange(24)
    assert radii[-1] == pytest.approx(CUTOFF)
    densities = np.zeros((n, 2, len(radii)))
    weight = np.eye(n)
    lengths = {}
    for i, j in product(range(n), range(n)):
        apart = thermal[i] - thermal[j]
        image = -LENGTH * np.rint(apart / LENGTH)
        far = np.linalg.norm(apart + image)
        if i == j or far >= CUTOFF:
            continue
        r = np.linalg.norm(mean[i] - mean[j] + image)
        left = min(max((CUTOFF - r) / 0.3, 0.0), 1.0)
        fall = left**2 * (3 - 2 * left)
        densities[i, species[j]] += fall * np.exp(-((r - radii) ** 2) / (2 * 0.05**2))
        weight[i, j] += fall * np.exp(-r / 2)
        lengths[i, j] = r, far
    x = np.concatenate([np.array(functions), densities.reshape(n, -1)], axis=1)
    average = weight / weight.sum(axis=1, keepdims=True)

    w = network.weights.double().numpy().reshape(-1, GENERATIONS + 1, 2)[:, ::-1]
    propensity = np.zeros(n)
    averaged = x - network.origin.double().numpy()
    for generation in range(GENERATIONS + 1):
        both = averaged @ w[:, generation]
        propensity += both[np.arange(n), species]
        averaged = average @ averaged
    propensity += network.offset.double().numpy()[species]

    distances = network.distances.double().numpy()
    widths = np.where(distances < 1.59, 0.04, 0.1)
    v = network.pair_weights.double().numpy().reshape(len(distances), 4, 6)
    changes = {}
    for (i, j), (r, far) in lengths.items():
        a, b, towards = propensity[i], propensity[j], r - far
        near = np.exp(-((r - distances) ** 2) / (2 * widths**2))
        limited = min(max(towards, -0.6), 0.6)
        factors = [1, a + b, a * b, (a + b) ** 3, limited, limited * (a + b)]
        kind = 2 * species[i] + species[j]
        further = near @ v[:, kind] @ factors + float(network.pair_offset[kind])
        changes[i, j] = towards + further
    return propensity, changes
