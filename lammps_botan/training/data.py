"""The configurations of a training run, read and checked."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.analysis.sample import make_relative_displacement, make_sample
from lammps_botan.files.ensemble_npz import SAME_TIME, Configuration, read_future
from lammps_botan.structure.graph import Floats, Graph
from lammps_botan.training.config import Config


@dataclass(frozen=True)
class TrainingGraph:
    """A graph with what is to be learned on it.

    Attributes
    ----------
    path : Path
        The file it came from.
    graph : Graph
    node : float64 [n_particles]
        The quantity `target.node` of the configuration.
    edge : float64 [n_edges]
        E_ij; NaN where the file has no runs.
    """

    path: Path
    graph: Graph
    node: Floats
    edge: Floats


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from, and what it is judged by.

    Attributes
    ----------
    configurations : list of Configuration
        For training.
    training : list of TrainingGraph
        Their graphs.
    validation : list of TrainingGraph
    """

    configurations: list[Configuration]
    training: list[TrainingGraph]
    validation: list[TrainingGraph]


def read_data(config: Config, folder: Path) -> TrainingData:
    """The configurations of a run.

    Parameters
    ----------
    config : Config
    folder : Path
        Where the patterns of `config.data` start from.

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.
    ValueError
        If a file cannot be used, is in both sets, or does not fit the configuration or the others.
    """
    paths = [expand(patterns, folder) for patterns in (config.data.train, config.data.validation)]
    common = {p.resolve() for p in paths[0]} & {p.resolve() for p in paths[1]}
    if common:
        raise ValueError(f"{sorted(common)[0]} is both in data.train and in data.validation")
    time_index = config.data.time_index
    read = [[read_future(path, time_index=time_index) for path in some] for some in paths]
    training, validation = ([make_graph(config, one) for one in some] for some in read)
    first = training[0]
    for other in (*training, *validation):
        if other.graph.n_particles != first.graph.n_particles:
            raise ValueError(
                "the configurations of a data set must have the same number of particles, found "
                f"{first.graph.n_particles} in {first.path} and {other.graph.n_particles} in "
                f"{other.path}"
            )
    return TrainingData(read[0], training, validation)


def make_graph(config: Config, configuration: Configuration) -> TrainingGraph:
    """The graph of a configuration with what is to be learned on it.

    Raises
    ------
    ValueError
        If it does not fit the configuration of the run.
    """
    target, path = config.target, configuration.path
    sample = make_sample(configuration, cutoff=target.cutoff)
    node = sample.propensity
    if target.node != "S":
        node = make_relative_displacement(configuration, target.node)
    n_species = len(target.species)
    if sample.graph.species.max() >= n_species:
        raise ValueError(
            f"{path}: has species {sample.graph.species.max()}, but target.species "
            f"names {n_species}: {', '.join(target.species)}"
        )
    if sample.time is not None and not np.isclose(sample.time, target.lag_time, rtol=SAME_TIME):
        raise ValueError(
            f"{path}: holds the lag time {sample.time:g}, but target.lag_time is "
            f"{target.lag_time:g}"
        )
    if config.recipe.p < 1 and np.isnan(sample.pair_distance_change).any():
        raise ValueError(
            f"{path}: has no runs and so no pair-distance change to learn: expected recipe.p = 1, "
            f"found {config.recipe.p:g}"
        )
    return TrainingGraph(path, sample.graph, node, sample.pair_distance_change)


def expand(patterns: Sequence[str], folder: Path) -> list[Path]:
    """The files that patterns stand for, each once.

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.
    """
    paths: list[Path] = []
    for pattern in patterns:
        found = sorted(glob.glob(str(folder / pattern)))  # noqa: PTH207 (absolute patterns too)
        if not found:
            raise FileNotFoundError(f"no file matches '{pattern}' (from {folder.resolve()})")
        if Path(found[0]).is_dir():
            raise FileNotFoundError(f"'{pattern}' is a folder: write '{pattern}/*.npz'")
        paths += [Path(name) for name in found]
    return list(dict.fromkeys(paths))
