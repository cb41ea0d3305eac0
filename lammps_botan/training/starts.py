"""Further starts of the training configurations, which teach a network more than their own do.

A configuration and the ends of its isoconfigurational runs hold more than one graph with targets:

- Copies. A short time after the start the particles have vibrated and little else has happened:
  the ends of short runs are further thermal configurations of the same structure, from where the
  known ends are reached in nearly the same lag time. At T = 0.44 the propensity to 4120 from the
  ends of runs of t = 13 correlates at .95 to .98 with that from their start.
- Reversed runs. The dynamics are reversible and the velocities of an equilibrium do not depend on
  their direction: read backwards, a run is one of the isoconfigurational runs of the configuration
  it ended in. What a single run says of the average is noisy but not biased.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from lammps_botan.files.ensemble_npz import Configuration, read_configuration
from lammps_botan.structure.graph import Floats
from lammps_botan.training.config import Config
from lammps_botan.training.data import TrainingGraph, expand, make_graph

SAME_PLACE = 1e-3  # up to which positions are the same, LJ units
SHORT = 0.1  # lag times, up to which runs still are in the structure they started from


class Starts:
    """Draws starts; every graph is made once and kept, 4 MB for 4096 particles.

    Parameters
    ----------
    config : Config
        `data.copies` names files of short runs, `recipe.reversed` the share of reversed runs.
    configurations : list of Configuration
        For training.
    folder : Path
        Where the patterns start from.

    Raises
    ------
    FileNotFoundError
        If a pattern of `data.copies` matches no file.
    ValueError
        If one of its files cannot be read, has no runs or too long ones, or starts from none of the
        configurations, or if the configurations have no runs.
    """

    def __init__(
        self, config: Config, configurations: Sequence[Configuration], folder: Path
    ) -> None:
        self._config = config
        self._configurations = configurations
        self._copies: list[list[Floats]] = [[] for _ in configurations]
        for path in expand(config.data.copies, folder):
            short = _read_short(path, config.target.lag_time)
            self._copies[_same_start(short, configurations)] += list(short.final)
        used = "data.copies" if config.data.copies else "recipe.reversed"
        for one in configurations:
            if (config.data.copies or config.recipe.reversed) and len(one.final) == 0:
                raise ValueError(f"{one.path}: has no runs, which {used} needs")
        self._graph = cache(self._make)

    def draw(self, number: int, rng: np.random.Generator) -> TrainingGraph | None:
        """A further start of a training configuration, or None for its own."""
        share = self._config.recipe.reversed
        if share > 0 and rng.random() < share:
            run = int(rng.integers(len(self._configurations[number].final)))
            return self._graph(number, _Start(run, reversed=True))
        copies = self._copies[number]
        if not copies:
            return None
        k = int(rng.integers(len(copies) + 1))
        return self._graph(number, _Start(k - 1, reversed=False)) if k else None

    def _make(self, number: int, start: "_Start") -> TrainingGraph:
        one = self._configurations[number]
        if start.reversed:
            other = replace(one, initial=one.final[start.run], final=one.initial[None])
        else:
            other = replace(one, initial=self._copies[number][start.run])
        made = make_graph(self._config, other)
        graph = replace(
            made.graph,
            vectors=made.graph.vectors.astype(np.float32),
            center=made.graph.center.astype(np.int32),
            neighbor=made.graph.neighbor.astype(np.int32),
        )
        return replace(
            made,
            graph=graph,
            node=made.node.astype(np.float32),
            edge=made.edge.astype(np.float32),
        )


@dataclass(frozen=True)
class _Start:
    run: int
    reversed: bool


def _read_short(path: Path, lag_time: float) -> Configuration:
    short = read_configuration(path)
    if len(short.final) == 0:
        raise ValueError(f"{path}: is among data.copies, but has no runs")
    if short.time is None or short.time > SHORT * lag_time:
        found = "no time" if short.time is None else f"time {short.time:g}"
        raise ValueError(
            f"{path}: is among data.copies, whose runs must be short: expected the key time, at "
            f"most {SHORT:g} of target.lag_time = {lag_time:g}, found {found}"
        )
    return short


def _same_start(short: Configuration, configurations: Sequence[Configuration]) -> int:
    for number, one in enumerate(configurations):
        if (
            np.array_equal(short.species, one.species)
            and np.allclose(short.cell, one.cell)
            and np.abs(short.initial - one.initial).max() < SAME_PLACE
        ):
            return number
    raise ValueError(
        f"{short.path}: is among data.copies, but starts from none of the configurations of "
        "data.train: expected equal types, box and initial_positions"
    )
