"""Ridge regression for the linear network (`lammps_botan.network.linear`).

- Propensity: one regression for each species on its descriptors and their averages.
- Pair-distance change: one for each pair of species, of E_ij - (r_ij - ``|r_i - r_j|``), where r_ij
  is the distance between mean, inherent or thermal positions, on r_ij and the propensities of both
  ends. It learns from propensities that other configurations predict, as in later use.
"""

from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array, eye_array
from torch import Tensor

from lammps_botan.network.arrays import forward_arrays
from lammps_botan.network.linear import Linear
from lammps_botan.network.shells import PAIR_FACTORS, averaging_weights, pair_factors
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.graph import Graph
from lammps_botan.training.cross_validation import CrossValidation, Regression, part_of
from lammps_botan.training.data import TrainingGraph
from lammps_botan.training.moments import moments_of

# of neighbors in a shell, or pairs near a distance: rare ones would otherwise count most, and a
# single pair at such a distance would change by many diameters
LEAST_SPREAD = 0.1


class LinearFit:
    """A linear network that learns from configurations, particles first.

    Parameters
    ----------
    network : Linear
        Not fitted yet.

    Examples
    --------
    >>> fit = LinearFit(Linear(2.0))
    >>> sorted(fit.pairs)
    [(0, 0), (0, 1), (1, 1)]
    """

    def __init__(self, network: Linear) -> None:
        self._network = network
        n_species, n_shells = network.n_species, len(network.origin) - network.n_functions
        least = np.repeat([0.0, LEAST_SPREAD], [network.n_functions, n_shells])
        least = np.tile(least, network.generations + 1)
        self.particles = [CrossValidation(least) for _ in range(n_species)]
        self.pairs = {
            (a, b): CrossValidation(LEAST_SPREAD)
            for a in range(n_species)
            for b in range(a, n_species)
        }

    def learn_particles(
        self,
        number: int,
        sample: TrainingGraph,
        *,
        reversed_run: bool = False,
    ) -> None:
        """Learn the propensity of configuration `number`, or of a reversed run of it."""
        x, target = describe(self._network, sample), sample.node / self._network.diameter
        for kind, regression in enumerate(self.particles):
            some = sample.graph.species == kind
            if some.any():
                moments = moments_of(x[some], target[some])
                regression.add(number, moments, reversed_run=reversed_run)

    def learn_pairs(self, number: int, sample: TrainingGraph) -> None:
        """Learn the pair-distance change of configuration `number`, after `choose_particles`."""
        unit, graph = self._network.diameter, sample.graph
        node, _ = predict(self.network(part_of(number)), sample)
        for (a, b), regression in self.pairs.items():
            # one direction of each pair
            some = np.flatnonzero(_pairs_of(graph, a, b) & (graph.center < graph.neighbor))
            if len(some):
                x, towards = describe_pairs(self._network, sample, node / unit, some)
                regression.add(number, moments_of(x, sample.edge[some] / unit - towards))

    def choose_particles(self) -> None:
        """Choose the penalties of the propensity.

        Raises
        ------
        ValueError
            If a species is in fewer than two configurations.
        """
        for kind, regression in enumerate(self.particles):
            if regression.n_parts < 2:
                raise ValueError(
                    "each species must be in two configurations or more, each of which is "
                    "predicted from the others: add to data.train configurations with species "
                    f"number {kind}"
                )
            regression.choose()

    def choose_pairs(self) -> None:
        """Choose the penalties of the pair-distance change.

        Pairs that are in fewer than two configurations get the distance between their mean
        positions.
        """
        self.pairs = {kind: one for kind, one in self.pairs.items() if one.n_parts > 1}
        for regression in self.pairs.values():
            regression.choose()

    def network(self, part: int | None = None) -> Linear:
        """Fit the network to all configurations, or to those of all parts but one."""
        made = deepcopy(self._network)
        for kind, particles in enumerate(self.particles):
            if particles.penalty:
                _set_particles(made, kind, particles.fit(part))
        for (a, b), pairs in self.pairs.items():
            if pairs.penalty:
                _set_pairs(made, a, b, pairs.fit(part))
        return made


def describe(network: Linear, sample: TrainingGraph) -> Floats:
    """Compute descriptors and their averages, one generation after the other.

    Parameters
    ----------
    network : Linear
    sample : TrainingGraph

    Returns
    -------
    float32 [n_particles, (generations + 1) * n_descriptors]

    Examples
    --------
    >>> from pathlib import Path
    >>> ends, vectors = (np.array([0, 1]), np.array([1, 0])), np.array([[1.0, 0, 0], [-1, 0, 0]])
    >>> graph = Graph(np.zeros(2, int), *ends, vectors, cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, node=np.ones(2), edge=np.ones(2))
    >>> len(describe(Linear(2.0), sample))
    2
    """
    species, *_, center, neighbor = _tensors(sample)
    with torch.inference_mode():
        functions, distance, _ = _encode(network, sample)
        found = [network.describe(distance, functions, species[neighbor], center).numpy()]
        averages = _averages(averaging_weights(distance, network.reach).numpy(), sample.graph)
        for _ in range(network.generations):
            found.append(averages @ found[-1])
        return np.concatenate(found, axis=1)


def _averages(weights: Floats, graph: Graph) -> csr_array:
    """Matrix of `network.shells.neighbor_averages`, for many columns at once."""
    n = graph.n_particles
    total = csr_array((weights, (graph.center, graph.neighbor)), (n, n)) + eye_array(n)
    return csr_array(total.multiply(1 / total.sum(axis=1)[:, None]), dtype=np.float32)


def describe_pairs(
    network: Linear, sample: TrainingGraph, propensity: Floats, some: Ints
) -> tuple[Floats, Floats]:
    """Compute descriptors of some edges, and by how much the edges are longer in the mean.

    Parameters
    ----------
    network : Linear
    sample : TrainingGraph
    propensity : float32 [n_particles]
        Diameters.
    some : int64 [n]
        Numbers of the edges.

    Returns
    -------
    float32 [n, n_distances * pair_factors]
        Descriptors.
    float32 [n]
        Differences of the distances, diameters.

    Examples
    --------
    >>> from pathlib import Path
    >>> ends, vectors = (np.array([0, 1]), np.array([1, 0])), np.array([[1.0, 0, 0], [-1, 0, 0]])
    >>> graph = Graph(np.zeros(2, int), *ends, vectors, cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, node=np.ones(2), edge=np.ones(2))
    >>> _, towards = describe_pairs(Linear(2.0), sample, np.ones(2, np.float32), np.array([0]))
    >>> towards
    array([0.], dtype=float32)
    """
    own = torch.from_numpy(propensity)
    *_, center, neighbor = _tensors(sample)
    edges = torch.from_numpy(some)
    with torch.inference_mode():
        _, distance, towards = _encode(network, sample)
        towards = towards[edges]
        factors = pair_factors(towards, own[center[edges]], own[neighbor[edges]])
        x = network.near(distance[edges]).unsqueeze(2) * factors.unsqueeze(1)
        return x.flatten(1).numpy(), towards.numpy()


def predict(network: Linear, sample: TrainingGraph) -> tuple[Floats, Floats]:
    """Predict the propensity and the pair-distance change of a sample.

    Parameters
    ----------
    network : Linear
    sample : TrainingGraph

    Returns
    -------
    float32 [n_particles]
        Length unit.
    float32 [n_edges]
        Length unit.

    Examples
    --------
    >>> from pathlib import Path
    >>> ends, vectors = (np.array([0, 1]), np.array([1, 0])), np.array([[1.0, 0, 0], [-1, 0, 0]])
    >>> graph = Graph(np.zeros(2, int), *ends, vectors, cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, node=np.ones(2), edge=np.ones(2))
    >>> node, edge = predict(Linear(2.0), sample)  # not fitted yet
    >>> node
    array([0., 0.], dtype=float32)
    """
    with torch.inference_mode():
        node, edge = network(*_tensors(sample))
    return node[:, 0].numpy(), edge[:, :1].flatten().numpy()  # empty where it has no pairs


def _tensors(sample: TrainingGraph) -> list[Tensor]:
    """Arguments of `forward` of the network, with the first history where there are several."""
    given = [array for one in sample.inputs[:1] for array in (one.vectors, one.scalars)]
    return [torch.from_numpy(array) for array in forward_arrays(sample.graph, *given)]


def _encode(network: Linear, sample: TrainingGraph) -> tuple[Tensor, Tensor, Tensor]:
    """Functions of the nodes, distances in the mean, and by how much these are longer."""
    tensors = _tensors(sample)
    given = [*tensors, len(tensors[0])] if network.inputs else tensors[:2]
    _, functions, _, lengths = network.encode(*given)
    return functions, lengths[:, 0], lengths[:, 0] - lengths[:, 1]


def _set_particles(network: Linear, kind: int, found: Regression) -> None:
    k, n_generations = network.n_species, network.generations + 1
    weights = found.weights.reshape(n_generations, -1)
    if not network.origin.any():
        network.origin.copy_(torch.from_numpy(found.mean_x.reshape(n_generations, -1)[0]))
    # averages of a constant are the same constant
    origin = network.origin.double().numpy()
    mean = found.mean_x.reshape(n_generations, -1) - origin
    network.weights[:, kind::k] = torch.from_numpy(weights[::-1].T.copy()).float()
    network.offset[kind] = found.mean_y - float((mean * weights).sum())


def _set_pairs(network: Linear, a: int, b: int, found: Regression) -> None:
    k, factors = network.n_species, PAIR_FACTORS
    weights = torch.from_numpy(found.weights.reshape(-1, factors)).float()
    for kind in (a * k + b, b * k + a):
        network.pair_weights[:, kind * factors : (kind + 1) * factors] = weights
        network.pair_offset[kind] = found.mean_y - float(found.mean_x @ found.weights)


def _pairs_of(graph: Graph, a: int, b: int) -> npt.NDArray[np.bool_]:
    first, second = graph.species[graph.center], graph.species[graph.neighbor]
    return np.asarray(((first == a) & (second == b)) | ((first == b) & (second == a)))
