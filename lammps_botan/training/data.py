"""The ensembles of a training run, read and checked."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lammps_botan.analysis.sample import make_relative_displacement, make_sample
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
    """What a network with inputs is given besides the graph, see `network.inputs`.

    Attributes
    ----------
    vectors : float32 [n_particles, n_vectors, 3]
    scalars : float32 [n_particles, n_scalars]
    """

    vectors: Singles
    scalars: Singles


@dataclass(frozen=True)
class TrainingGraph:
    """A graph with what is to be learned on it.

    What a run learns from is in single precision, see `in_single_precision`.

    Attributes
    ----------
    path : Path
        The file it came from.
    graph : Graph
    node : float64 [n_particles]
        The quantity `target.node` of the configuration, length unit.
    edge : float64 [n_edges]
        E_ij, length unit; NaN where the file has no runs.
    inputs : tuple of NodeInputs
        What a network with inputs is given, once for each history; one of them is drawn.
    weight : float
        What it counts in the loss.
    """

    path: Path
    graph: Graph
    node: Floats
    edge: Floats
    inputs: tuple[NodeInputs, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from, and what it is judged by.

    Attributes
    ----------
    physics : Physics
        What the data stand for.
    ensembles : list of Ensemble
        For training, without targets, which their graphs have.
    training : list of TrainingGraph
        Their graphs, in single precision.
    validation : list of TrainingGraph
    known : list of KnownConfiguration
        What a network knows that learned from all of them.
    """

    physics: Physics
    ensembles: list[Ensemble]
    training: list[TrainingGraph]
    validation: list[TrainingGraph]
    known: list[KnownConfiguration]


def read_data(config: Config, folder: Path) -> TrainingData:
    """The data of a run.

    Parameters
    ----------
    config : Config
    folder : Path
        Where the patterns of `config.data`, and a mixture file, start from.

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
        # a thousand files with targets for all pairs fill the memory
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
    """What a network is given on structures that differ in their histories; empty without inputs.

    Raises
    ------
    ValueError
        If a structure lacks an input.
    """
    if not inputs.names:
        return ()
    return tuple(NodeInputs(*node_inputs(one, inputs)) for one in structures)


def make_graph(
    config: Config, physics: Physics, ensemble: Ensemble, inputs: tuple[NodeInputs, ...] = ()
) -> TrainingGraph:
    """The graph of an ensemble with what is given and what is to be learned on it.

    Raises
    ------
    ValueError
        If it has not what the run learns.
    """
    sample = make_sample(ensemble, physics.cutoff)
    node = sample.propensity
    if physics.node != "S":
        node = make_relative_displacement(ensemble, physics.node)
    if config.recipe.p < 1 and np.isnan(sample.pair_distance_change).any():
        raise ValueError(
            f"{ensemble.path}: has no runs and so no pair-distance change to learn: expected "
            f"recipe.p = 1, found {config.recipe.p:g}"
        )
    change = sample.pair_distance_change
    return TrainingGraph(ensemble.path, sample.graph, node, change, inputs)


def in_single_precision(sample: TrainingGraph) -> TrainingGraph:
    """The same in half of the memory: 4 MB for 4096 particles of a glass."""
    graph = replace(
        sample.graph,
        vectors=sample.graph.vectors.astype(np.float32),
        center=sample.graph.center.astype(np.int32),
        neighbor=sample.graph.neighbor.astype(np.int32),
    )
    node, edge = sample.node.astype(np.float32), sample.edge.astype(np.float32)
    return replace(sample, graph=graph, node=node, edge=edge)


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
