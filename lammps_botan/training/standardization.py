"""Scales of the inputs and outputs of a network, from the training data."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lammps_botan.network.botan import BotanWithInputs
from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.input_statistics import InputStatistics, input_statistics
from lammps_botan.network.inputs import Singles
from lammps_botan.network.network import Network
from lammps_botan.network.pair_distances import PairDistances
from lammps_botan.network.particle_inputs import ParticleInputs
from lammps_botan.structure.mixture import Mixture
from lammps_botan.training.data import NodeInputs, TrainingGraph

MOST_GRAPHS = 100  # of which neighbors are counted: their means hardly differ

Seen = Sequence[tuple[TrainingGraph, NodeInputs | None]]


def standardize(model: Network, graphs: Sequence[TrainingGraph]) -> None:
    """Set means and standard deviations of the inputs and outputs of a network.

    Those of particles are of each species. A quantity that never varies keeps the deviation 1.

    Parameters
    ----------
    model : Network
        Only the equivariant networks and BOTAN with inputs have scales; others stay as they are.
    graphs : sequence of TrainingGraph
        Graphs of the starts of the training configurations.

    Examples
    --------
    >>> from lammps_botan.network.botan import Botan
    >>> standardize(Botan(1, 4), [])  # has no scales
    """
    # each configuration counts as often as it has histories
    seen = [(graph, known) for graph in graphs for known in graph.inputs or (None,)]
    with torch.no_grad():
        if isinstance(model, BotanWithInputs):
            _standardize_particles(model.particles, seen)
            _standardize_pairs(model.pairs, seen)
        if isinstance(model, Equivariant):
            _standardize_particles(model.particles, seen)
            _standardize_outputs(model, graphs, seen)


def record_seen(graphs: Sequence[TrainingGraph], mixture: Mixture) -> InputStatistics | None:
    """Record the inputs of a network in training, to compare them with later inputs.

    Only the starts count: the ends of runs are in the same equilibrium.

    Parameters
    ----------
    graphs : sequence of TrainingGraph
        Graphs of the starts of the training configurations, with all their histories.
    mixture : Mixture

    Returns
    -------
    InputStatistics or None
        None where nothing can be said, see `input_statistics`.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> record_seen([], KOB_ANDERSEN) is None
    True
    """
    if any(graph.inputs for graph in graphs):
        samples = [
            (graph.graph, one.vectors, one.scalars) for graph in graphs for one in graph.inputs
        ]
    else:
        some = graphs[:: max(1, math.ceil(len(graphs) / MOST_GRAPHS))]
        samples = [(graph.graph, *_nothing(len(graph.graph.species))) for graph in some]
    return input_statistics(samples, mixture)


def _nothing(n_nodes: int) -> tuple[Singles, Singles]:
    """What the nodes of a network that sees positions alone are given."""
    return np.zeros((n_nodes, 0, 3), np.float32), np.zeros((n_nodes, 0), np.float32)


def _standardize_particles(particles: ParticleInputs, seen: Seen) -> None:
    inputs = np.concatenate(
        [
            np.zeros((graph.graph.n_particles, 0))
            if known is None
            else particles.functions(
                torch.from_numpy(known.vectors), torch.from_numpy(known.scalars)
            ).numpy()
            for graph, known in seen
        ]
    )
    _set(particles.mean, particles.deviation, inputs, _species(seen))


def _standardize_pairs(pairs: PairDistances, seen: Seen) -> None:
    distances = np.concatenate(
        [
            pairs.functions(
                torch.from_numpy(graph.graph.vectors.astype(np.float32)),
                torch.from_numpy(known.vectors),
                torch.from_numpy(graph.graph.center.astype(np.int64)),
                torch.from_numpy(graph.graph.neighbor.astype(np.int64)),
            ).numpy()
            for graph, known in seen
            if known is not None
        ]
    )
    for column, values in enumerate(distances.T):
        pairs.mean[column] = float(values.mean(dtype=np.float64))
        pairs.deviation[column] = _deviation(values)


def _standardize_outputs(model: Equivariant, graphs: Sequence[TrainingGraph], seen: Seen) -> None:
    node = np.concatenate([graph.node for graph, _ in seen])[:, None] / model.diameter
    edge = np.concatenate([graph.edge for graph in graphs]) / model.diameter
    degrees = [g.graph.n_edges / g.graph.n_particles for g in graphs]
    model.pairs.neighbors.fill_(float(np.mean(degrees)))
    if np.isfinite(edge).all():
        model.edge_output.deviation.fill_(_deviation(edge))
    _set(model.node_mean, model.node_deviation, node, _species(seen))


def _species(seen: Seen) -> np.ndarray:
    return np.concatenate([graph.graph.species for graph, _ in seen])


def _set(mean: Tensor, deviation: Tensor, values: np.ndarray, species: np.ndarray) -> None:
    """Means and deviations [n_species, n_columns] of the columns of values."""
    for kind in np.unique(species):
        own = values[species == kind]
        mean[kind] = torch.from_numpy(own.mean(axis=0, dtype=np.float64))
        deviation[kind] = torch.tensor([_deviation(column) for column in own.T])


def _deviation(values: np.ndarray) -> float:
    found = float(values.std(dtype=np.float64)) if len(values) else 0.0
    return found if found > 0 else 1.0
