"""Ensembles of a training run, read and checked."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lammps_botan.analysis.sample import (
    make_relative_displacement_of_any_start,
    make_sample_of_any_start,
)
from lammps_botan.network.checkpoint import Physics
from lammps_botan.network.inputs import Inputs, Singles, node_inputs
from lammps_botan.network.known_configurations import KnownConfiguration
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import Graph
from lammps_botan.training.bar import shown
from lammps_botan.training.config import Config
from lammps_botan.training.inputs import starts
from lammps_botan.training.known import known_in_data
from lammps_botan.training.physics import agree, read_ensembles


@dataclass(frozen=True, eq=False)
class NodeInputs:
    """Inputs of the particles besides the graph, see `network.inputs`.

    Attributes
    ----------
    vectors : float32 [n_particles, n_vectors, 3]
        Length unit.
    scalars : float32 [n_particles, n_scalars]

    Examples
    --------
    >>> NodeInputs(np.zeros((2, 1, 3), np.float32), np.zeros((2, 1), np.float32)).scalars.shape
    (2, 1)
    """

    vectors: Singles
    scalars: Singles


@dataclass(frozen=True)
class TrainingGraph:
    """A graph with the targets to learn on it.

    The graphs for training are in single precision, see `in_single_precision`.

    Attributes
    ----------
    path : Path
        File that the graph comes from.
    graph : Graph
    node : float64 [n_particles]
        The quantity `target.node` of the configuration, length unit.
    edge : float64 [n_edges]
        E_ij, length unit; NaN where the file has no runs.
    inputs : tuple of NodeInputs
        Inputs of the network, once for each history; one of them is drawn.
    weight : float
        Weight in the loss.

    Examples
    --------
    >>> nothing, none = np.zeros(0, int), np.zeros((0, 3))
    >>> graph = Graph(np.zeros(3, int), nothing, nothing, none, cutoff=2.0)
    >>> TrainingGraph(Path("c1.npz"), graph, node=np.ones(3), edge=np.zeros(0)).weight
    1.0
    """

    path: Path
    graph: Graph
    node: Floats
    edge: Floats
    inputs: tuple[NodeInputs, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True)
class TrainingData:
    """Data for the training and the validation of a run.

    Attributes
    ----------
    physics : Physics
        Mixture, lag time and state of the data.
    ensembles : list of Ensemble
        For training, without targets, which the graphs have.
    training : list of TrainingGraph
        Graphs of the ensembles, in single precision.
    validation : list of TrainingGraph
    known : list of KnownConfiguration
        Configurations that a network knows after learning from all of the data.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> TrainingData(physics, ensembles=[], training=[], validation=[], known=[]).physics.cutoff
    2.0
    """

    physics: Physics
    ensembles: list[Ensemble]
    training: list[TrainingGraph]
    validation: list[TrainingGraph]
    known: list[KnownConfiguration]


def read_data(config: Config, folder: Path) -> TrainingData:
    """Read the data of a run.

    Parameters
    ----------
    config : Config
    folder : Path
        Folder that the patterns of `config.data`, and a mixture file, start from.

    Returns
    -------
    TrainingData

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.
    ValueError
        If a file cannot be used, is in both sets, or does not fit the configuration or the others.

    Examples
    --------
    >>> from lammps_botan.training.config import Data
    >>> sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    >>> about = {"box": 4.705, "types": np.repeat([0, 1], [100, 25]), "time": 13.0}
    >>> for k, name in enumerate(("a.npz", "b.npz")):
    ...     start = sites + np.random.default_rng(k).normal(0, 0.05, sites.shape)
    ...     positions = start + np.random.default_rng(k).normal(0, 0.1, (4, 125, 3))
    ...     np.savez(name, **about, temperature=0.5, initial_positions=start, positions=positions)
    >>> config = Config(output="run", data=Data(train=["a.npz"], validation=["b.npz"]))
    >>> data = read_data(config, Path("."))
    >>> data.physics.lag_times, len(data.training)
    ((13.0,), 1)
    """
    paths = [expand(patterns, folder) for patterns in (config.data.train, config.data.validation)]
    common = {p.resolve() for p in paths[0]} & {p.resolve() for p in paths[1]}
    if common:
        raise ValueError(f"{sorted(common)[0]} is both in data.train and in data.validation")
    for_training, for_validation = (
        read_ensembles(config, folder, shown(some, f"{what}, files"))
        for some, what in zip(paths, ("training", "validation"), strict=True)
    )
    known = known_in_data(for_training, for_validation)
    physics = agree(config, folder, [*for_training, *for_validation])

    def graph(one: Ensemble) -> TrainingGraph:
        return make_graph(config, physics, one, see(starts(one, physics.inputs), physics.inputs))

    training = []
    for k, one in enumerate(shown(for_training, "training, graphs")):
        training.append(in_single_precision(graph(one)))
        # the targets for all pairs of a thousand files would fill the memory
        for_training[k] = replace(one, propensity=None, pair_distance_change=None)
    validation = [graph(one) for one in for_validation]
    first = training[0]
    for other in (*training, *validation):
        if other.graph.n_particles != first.graph.n_particles:
            raise ValueError(
                "the configurations of a data set must have the same number of particles, found "
                f"{first.graph.n_particles} in {first.path} and {other.graph.n_particles} in "
                f"{other.path}"
            )
    return TrainingData(physics, for_training, training, validation, known)


def see(structures: Sequence[Configuration], inputs: Inputs) -> tuple[NodeInputs, ...]:
    """Give the inputs of the network on structures that differ in their histories.

    Parameters
    ----------
    structures : sequence of Configuration
    inputs : Inputs
        Inputs of the network.

    Returns
    -------
    tuple of NodeInputs
        One for each structure; empty for a network without inputs.

    Raises
    ------
    ValueError
        If a structure lacks an input.

    Examples
    --------
    >>> see([], Inputs())
    ()
    """
    if not inputs.names:
        return ()
    return tuple(NodeInputs(*node_inputs(one, inputs)) for one in structures)


def make_graph(
    config: Config, physics: Physics, ensemble: Ensemble, inputs: tuple[NodeInputs, ...] = ()
) -> TrainingGraph:
    """Make the graph of an ensemble with inputs and targets.

    Parameters
    ----------
    config : Config
    physics : Physics
    ensemble : Ensemble
    inputs : tuple of NodeInputs

    Returns
    -------
    TrainingGraph

    Raises
    ------
    ValueError
        If the ensemble lacks the targets of the run.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> from lammps_botan.training.config import Data
    >>> config = Config(output="run", data=Data(train=["a.npz"], validation=["b.npz"]))
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(9.0, (True, True, True)))
    >>> make_graph(config, physics, Ensemble(start, final=np.eye(2, 3)[None] + 1.0)).edge
    array([0., 0.])
    """
    sample = make_sample_of_any_start(ensemble, physics.cutoff)
    node = sample.propensity
    if physics.node != "S":
        node = make_relative_displacement_of_any_start(ensemble, physics.node)
    if config.recipe.p < 1 and np.isnan(sample.pair_distance_change).any():
        raise ValueError(
            f"{ensemble.path}: has no runs and so no pair-distance change to learn: expected "
            f"recipe.p = 1, found {config.recipe.p:g}"
        )
    change = sample.pair_distance_change
    return TrainingGraph(ensemble.path, sample.graph, node, change, inputs)


def in_single_precision(sample: TrainingGraph) -> TrainingGraph:
    """Give the same graph in half of the memory: 4 MB for 4096 particles of a glass.

    Parameters
    ----------
    sample : TrainingGraph

    Returns
    -------
    TrainingGraph

    Examples
    --------
    >>> nothing, none = np.zeros(0, int), np.zeros((0, 3))
    >>> graph = Graph(np.zeros(3, int), nothing, nothing, none, cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, node=np.ones(3), edge=np.zeros(0))
    >>> in_single_precision(sample).node.dtype
    dtype('float32')
    """
    graph = replace(
        sample.graph,
        vectors=sample.graph.vectors.astype(np.float32),
        center=sample.graph.center.astype(np.int32),
        neighbor=sample.graph.neighbor.astype(np.int32),
    )
    node, edge = sample.node.astype(np.float32), sample.edge.astype(np.float32)
    return replace(sample, graph=graph, node=node, edge=edge)


def expand(patterns: Sequence[str], folder: Path) -> list[Path]:
    """Give the files that patterns stand for, each once.

    Parameters
    ----------
    patterns : sequence of str
    folder : Path
        Folder that the patterns start from.

    Returns
    -------
    list of Path

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.

    Examples
    --------
    >>> Path("c1.npz").touch()
    >>> [path.name for path in expand(["c?.npz", "c1.npz"], Path("."))]
    ['c1.npz']
    """
    paths: list[Path] = []
    start = Path(glob.escape(str(folder)))  # brackets in the name of a folder are no pattern
    for pattern in patterns:
        found = sorted(glob.glob(str(start / pattern)))  # noqa: PTH207 (absolute patterns too)
        if not found:
            raise FileNotFoundError(f"no file matches '{pattern}' (from {folder.resolve()})")
        if Path(found[0]).is_dir():
            raise FileNotFoundError(f"'{pattern}' is a folder: write '{pattern}/*.npz'")
        paths += [Path(name) for name in found]
    return list(dict.fromkeys(paths))
