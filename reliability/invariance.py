"""What must not change the predictions of a model, for every model that ships."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations, product
from pathlib import Path

import numpy as np
from child import Attempt, make_tries
from fault import OTHER, RIGHT, Fault

from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import shipped_models
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN

CLOSE = 1e-5  # of the spread of the outputs
CELLS = 4
N = 4 * CELLS**3
LENGTH = (N / KOB_ANDERSEN.density) ** (1 / 3)
TRIES = 100
EQUIVARIANT = ("history", "inherent")  # networks that know the symmetries; others learned them
LEARNED = "BOTAN learns this symmetry, and has it roughly"
CUBE = [
    np.eye(3)[list(order)] * signs
    for order in permutations(range(3))
    for signs in product((1.0, -1.0), repeat=3)
]


def configuration(rng: np.random.Generator) -> Configuration:
    """Particles around the places of an fcc crystal, with an inherent structure."""
    corners = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    places = np.array(list(product(range(CELLS), repeat=3)))[:, None] + corners
    positions = places.reshape(N, 3) * LENGTH / CELLS + rng.uniform(-0.12, 0.12, (N, 3))
    return Configuration(
        positions=positions,
        species=rng.permutation(np.arange(N) % 5 == 4).astype(int),
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


def prepare(model: str, folder: Path) -> Attempt:
    """A try compares the predictions of one configuration and of what it was changed to.

    The remainder of the seed says which change.
    """
    predictor = Predictor(model, threads=1)
    history = predictor.metadata.inputs.history

    def attempt(seed: int) -> tuple[str, str]:
        rng, change = np.random.default_rng(seed), _change(seed)
        here = configuration(rng)
        if history is not None:
            here = with_history(here, rng, history.window)
        there, order = CHANGES[change](here, rng)
        with warnings.catch_warnings():
            # the history is nobody's, and unlike what the model saw in training
            warnings.simplefilter("ignore", UserWarning)
            one, other = (predictor.predict(c).node for c in (here, there))
        if change == "the same again":
            return (RIGHT if one.tobytes() == other.tobytes() else OTHER), "other bytes"
        apart = float((np.abs(other - one[order]) / one.std(axis=0)).max())
        return (RIGHT if apart < CLOSE else OTHER), f"{apart:g} spreads apart"

    return attempt


def _change(seed: int) -> str:
    return list(CHANGES)[seed % len(CHANGES)]


def faults(share: float) -> Iterator[Fault]:
    """Each model and each change."""
    seeds = range(max(1, round(share * TRIES)) * len(CHANGES))
    for model in (one.name for one in shipped_models()):
        found = {change: Fault(f"{model}: {change}") for change in CHANGES}
        if not model.endswith(EQUIVARIANT):
            found["operations of the cube"].allowed = LEARNED
        for seed, outcome, text in make_tries(partial(prepare, model), seeds):
            change = _change(seed)
            found[change].add(outcome, f"seed {seed}: {text}", case=(model, change))
        yield from found.values()
