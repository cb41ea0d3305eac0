"""What must not change the predictions of a model, for every model that ships."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations, product
from pathlib import Path

import numpy as np
import torch
from child import Attempt, make_tries
from fault import OTHER, RIGHT, Fault

from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import shipped_models
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.history import History

CLOSE = 1e-5  # of the spread of the outputs
N, LENGTH = 300, 6.3
TRIES = 100
EQUIVARIANT = ("history", "inherent")  # networks that know the symmetries; others learned them
CUBE = [
    np.eye(3)[list(order)] * signs
    for order in permutations(range(3))
    for signs in product((1.0, -1.0), repeat=3)
]


def configuration(rng: np.random.Generator) -> Configuration:
    """Particles anywhere, with a history and an inherent structure."""
    positions = rng.random((N, 3)) * LENGTH
    return Configuration(
        positions=positions,
        species=(np.arange(N) % 5 == 4).astype(int),
        box=Box(LENGTH, (True, True, True)),
        inherent_positions=positions + rng.normal(0, 0.05, (N, 3)),
        inherent_energies=rng.normal(-7, 1, N),
    )


def with_history(start: Configuration, rng: np.random.Generator, window: float) -> Configuration:
    """A history that is nobody's."""
    return replace(
        start,
        history=History(window, rng.normal(0, 0.1, (N, 3)), rng.random(N), rng.normal(-6, 1, N)),
    )


def permuted(here: Configuration, rng: np.random.Generator) -> tuple[Configuration, np.ndarray]:
    """Particles in another order."""
    order = rng.permutation(N)
    return here.select(order), order


def translated(here: Configuration, rng: np.random.Generator) -> tuple[Configuration, np.ndarray]:
    """Another origin."""
    return _moved(here, rng.normal(0, 5, 3)), np.arange(N)


def imaged(here: Configuration, rng: np.random.Generator) -> tuple[Configuration, np.ndarray]:
    """Each particle in another periodic image."""
    return _moved(here, LENGTH * rng.integers(-3, 4, (N, 3))), np.arange(N)


def relabelled(here: Configuration, rng: np.random.Generator) -> tuple[Configuration, np.ndarray]:
    """Other ids."""
    return replace(here, ids=1 + rng.permutation(3 * N)[:N]), np.arange(N)


def turned(here: Configuration, rng: np.random.Generator) -> tuple[Configuration, np.ndarray]:
    """One of the 48 operations of the cube."""
    turn = CUBE[rng.integers(48)]
    there = replace(
        here,
        positions=here.positions @ turn.T,
        inherent_positions=here.inherent_positions @ turn.T,
    )
    if here.history is not None:
        displacement = here.history.displacement @ turn.T
        there = replace(there, history=replace(here.history, displacement=displacement))
    return there, np.arange(N)


def repeated(here: Configuration, rng: np.random.Generator) -> tuple[Configuration, np.ndarray]:
    """Nothing: the same bytes."""
    return here, np.arange(N)


Change = Callable[[Configuration, np.random.Generator], tuple[Configuration, np.ndarray]]
CHANGES: dict[str, Change] = {
    "particles in another order": permuted,
    "another origin": translated,
    "other periodic images": imaged,
    "other ids": relabelled,
    "operations of the cube": turned,
    "the same again": repeated,
}


def _moved(here: Configuration, way: np.ndarray) -> Configuration:
    return replace(
        here,
        positions=here.positions + way,
        inherent_positions=here.inherent_positions + way,
    )


def prepare(model: str, change: str, folder: Path) -> Attempt:
    """A try compares the predictions of one configuration and of what it was changed to."""
    torch.set_num_threads(1)
    predictor = Predictor(model)
    history = predictor.metadata.inputs.history

    def attempt(seed: int) -> tuple[str, str]:
        rng = np.random.default_rng(seed)
        here = configuration(rng)
        if history is not None:
            here = with_history(here, rng, history.window)
        there, order = CHANGES[change](here, rng)
        one, other = (predictor.predict(c).node for c in (here, there))
        if change == "the same again":
            return (RIGHT if one.tobytes() == other.tobytes() else OTHER), "other bytes"
        apart = float((np.abs(other - one[order]) / one.std(axis=0)).max())
        return (RIGHT if apart < CLOSE else OTHER), f"{apart:g} spreads apart"

    return attempt


def faults(share: float) -> Iterator[Fault]:
    """Each model and each change."""
    tries = max(1, round(share * TRIES))
    for change in CHANGES:
        for model in (one.name for one in shipped_models()):
            learned = change == "operations of the cube" and not model.endswith(EQUIVARIANT)
            fault = Fault(
                f"{model}: {change}",
                "BOTAN learns this symmetry, and has it only roughly" if learned else "",
            )
            seeds = range(tries)
            for seed, outcome, text in make_tries(partial(prepare, model, change), seeds):
                fault.add(outcome, f"seed {seed}: {text}")
            yield fault
