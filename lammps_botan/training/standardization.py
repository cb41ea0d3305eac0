"""The scales of a network's inputs and outputs, taken from the training data."""

from collections.abc import Sequence

import numpy as np
import torch

from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.network import Network
from lammps_botan.training.data import TrainingGraph


def standardize(model: Network, graphs: Sequence[TrainingGraph]) -> None:
    """Give a network means and standard deviations of what it sees and of what it learns.

    Those of particles are of each species. What never varies keeps the deviation 1.

    Parameters
    ----------
    model : Network
        Others than the equivariant ones have no scales and stay as they are.
    graphs : sequence of TrainingGraph
        Of the starts of the training configurations.
    """
    if not isinstance(model, Equivariant):
        return
    diameter = model.diameter
    # each configuration counts as often as it has histories
    seen = [(graph, known) for graph in graphs for known in graph.inputs or (None,)]
    species = np.concatenate([graph.graph.species for graph, _ in seen])
    node = np.concatenate([graph.node for graph, _ in seen])[:, None] / diameter
    edge = np.concatenate([graph.edge for graph in graphs]) / diameter
    with torch.no_grad():
        degrees = [g.graph.n_edges / g.graph.n_particles for g in graphs]
        model.pairs.neighbors.fill_(float(np.mean(degrees)))
        if np.isfinite(edge).all():
            model.edge_output.deviation.fill_(_deviation(edge))
        inputs = np.concatenate(
            [
                np.zeros((graph.graph.n_particles, 0))
                if known is None
                else model.particles.functions(
                    torch.from_numpy(known.vectors), torch.from_numpy(known.scalars)
                ).numpy()
                for graph, known in seen
            ]
        )
        for kind in np.unique(species):
            some = species == kind
            for values, mean, deviation in (
                (inputs[some], model.particles.mean, model.particles.deviation),
                (node[some], model.node_mean, model.node_deviation),
            ):
                mean[kind] = torch.from_numpy(values.mean(axis=0))
                deviation[kind] = torch.tensor([_deviation(column) for column in values.T])


def _deviation(values: np.ndarray) -> float:
    found = float(values.std()) if len(values) else 0.0
    return found if found > 0 else 1.0
