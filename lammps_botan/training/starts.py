"""Further starts of the training configurations, which teach a network more than their own do.

A configuration and the ends of its isoconfigurational runs hold more than one graph with targets:

- Copies. A short time after the start the particles have vibrated and little else has happened:
  the ends of short runs are further thermal configurations of the same structure. Runs from there
  reach the known ends in nearly the same lag time. At T = 0.44 the propensity to 4120 from the
  ends of runs of t = 13 correlates at .95 to .98 with that from their start.
- Reversed runs. The dynamics are reversible and the velocities of an equilibrium do not depend on
  their direction: read backwards, a run is one of the isoconfigurational runs of the configuration
  it ended in. A single run is a noisy but unbiased sample of the average.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.network.checkpoint import Physics
from lammps_botan.network.known_configurations import END_OF_A_RUN, KnownConfiguration
from lammps_botan.structure.box import Floats
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.training.config import Config
from lammps_botan.training.data import (
    TrainingData,
    TrainingGraph,
    expand,
    in_single_precision,
    make_graph,
    see,
)
from lammps_botan.training.inputs import count_ends, ends
from lammps_botan.training.known import know

SAME_PLACE = 1e-3  # diameters, up to which positions are the same
SHORT = 0.1  # lag times, up to which runs still are in the structure they started from


class Starts:
    """Draw starts; every graph is made once and kept, 4 MB for 4096 particles.

    Parameters
    ----------
    config : Config
        `data.copies` names files of short runs, `recipe.reversed` the share of reversed runs.
    data : TrainingData
    folder : Path
        Folder that the patterns start from.

    Raises
    ------
    FileNotFoundError
        If a pattern of `data.copies` matches no file.
    ValueError
        If one of its files cannot be read, has no runs, too long ones or wrapped ones, or starts
        from none of the configurations, or if the configurations have no runs, or no inputs of the
        ends of runs.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> from lammps_botan.training.config import Data
    >>> config = Config(output="run", data=Data(train=["a.npz"], validation=["b.npz"]))
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> data = TrainingData(physics, ensembles=[], training=[], validation=[], known=[])
    >>> Starts(config, data, Path(".")).known
    []
    """

    def __init__(self, config: Config, data: TrainingData, folder: Path) -> None:
        self._config = config
        self._physics = data.physics
        self._ensembles = data.ensembles
        self._copies: list[list[Floats]] = [[] for _ in data.ensembles]
        for path in expand(config.data.copies, folder):
            short = _read_short(path, data.physics)
            self._copies[_same_start(short, data.ensembles)] += list(short.final)
        used = "data.copies" if config.data.copies else "recipe.reversed"
        for one in data.ensembles:
            if (config.data.copies or config.recipe.reversed) and len(one.final) == 0:
                raise ValueError(f"{one.path}: has no runs, which {used} needs")
        inputs, share = data.physics.inputs, config.recipe.reversed
        self._inputs = [
            [see(end, inputs) for end in ends(one, inputs, count_ends(one, inputs) if share else 0)]
            for one in data.ensembles
        ]
        self._graph = cache(self._make)

    @property
    def known(self) -> list[KnownConfiguration]:
        """Configurations that a network gets to know by these starts."""
        found = []
        for one, copies, inputs in zip(self._ensembles, self._copies, self._inputs, strict=True):
            ends = [*copies, *one.final[: len(inputs)]]
            for positions in ends:
                end = replace(one.configuration, positions=positions)
                found.append(know(end, "training", f"{one.path.name}{END_OF_A_RUN}"))
        return found

    def check_validation(self, known: Iterable[KnownConfiguration]) -> None:
        """Refuse validation with one of these starts, from which a network learns.

        Raises
        ------
        ValueError
            With the names of both files.
        """
        learned = {one.sha256: one.name for one in self.known}
        for one in known:
            if one.role == "validation" and one.sha256 in learned:
                raise ValueError(
                    f"{one.name}: is among data.validation, and also a start of the training "
                    f"({learned[one.sha256]}); validate with another configuration"
                )

    def draw(self, number: int, rng: np.random.Generator) -> TrainingGraph | None:
        """Draw a further start of a training configuration, or None for its own."""
        share = self._config.recipe.reversed
        if share > 0 and rng.random() < share:
            run = int(rng.integers(len(self._inputs[number])))
            return self._graph(number, _Start(run, reversed=True))
        copies = self._copies[number]
        if not copies:
            return None
        k = int(rng.integers(len(copies) + 1))
        return self._graph(number, _Start(k - 1, reversed=False)) if k else None

    def _make(self, number: int, start: "_Start") -> TrainingGraph:
        one = self._ensembles[number]
        if start.reversed:
            positions, final = one.final[start.run], one.initial[None]
            inputs, weight = self._inputs[number][start.run], self._config.recipe.reversed_weight
        else:
            positions, final = self._copies[number][start.run], one.final
            inputs, weight = (), 1.0
        # history and inherent structure of the start are not those of another structure
        there = replace(one.configuration, positions=positions, history=None)
        other = replace(one, configuration=there, final=final)
        made = make_graph(self._config, self._physics, other, inputs)
        return replace(in_single_precision(made), weight=weight)


@dataclass(frozen=True)
class _Start:
    run: int
    reversed: bool


def _read_short(path: Path, physics: Physics) -> Ensemble:
    short = read_ensemble(path, mixture=physics.mixture)
    (lag_time,) = physics.lag_times
    if short.n_runs == 0:
        raise ValueError(f"{path}: is among data.copies, but has no runs")
    if short.lag_time is None or short.lag_time > SHORT * lag_time:
        found = "no time" if short.lag_time is None else f"time {short.lag_time:g}"
        raise ValueError(
            f"{path}: is among data.copies, whose runs must be short: expected the key time, at "
            f"most {SHORT:g} of target.lag_time = {lag_time:g}, found {found}"
        )
    short.refuse_wrapped()
    return short


def _same_start(short: Ensemble, ensembles: Sequence[Ensemble]) -> int:
    for number, one in enumerate(ensembles):
        if (
            np.array_equal(short.species, one.species)
            and short.box.same_as(one.box)
            and np.abs(short.initial - one.initial).max() < SAME_PLACE * one.configuration.diameter
        ):
            return number
    raise ValueError(
        f"{short.path}: is among data.copies, but starts from none of the configurations of "
        "data.train: expected equal types, box and initial_positions"
    )
