"""Graphs of a training run: drawn, shuffled, turned and joined.

The draws of an epoch follow from (seed, epoch, number of the graph) alone, not from earlier draws:
a run that goes on after an interruption, or on another number of processes, sees the same graphs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from lammps_botan.structure.box import Floats
from lammps_botan.training.data import TrainingGraph
from lammps_botan.training.rotations import draw_rotation
from lammps_botan.training.starts import Starts


class TurnedGraphs(Dataset[TrainingGraph]):
    """Training graphs by (epoch, number), each turned by a rotation or reflection of its own.

    If a configuration has several histories, one is drawn.

    Parameters
    ----------
    graphs : list of TrainingGraph
    starts : Starts
        May replace a graph by that of another start.
    seed : int
    rotations : str
        See `draw_rotation`.
    dimension : int
        See `draw_rotation`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from types import SimpleNamespace
    >>> from lammps_botan import Graph
    >>> nothing, none = np.zeros(0, int), np.zeros((0, 3))
    >>> graph = Graph(np.zeros(3, int), nothing, nothing, none, cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, node=np.ones(3), edge=np.zeros(0))
    >>> own = SimpleNamespace(draw=lambda number, rng: None)
    >>> turned = TurnedGraphs([sample], own, seed=1, rotations="o3", dimension=3)
    >>> turned[0, 0].node
    array([1., 1., 1.])
    """

    def __init__(
        self,
        graphs: Sequence[TrainingGraph],
        starts: Starts,
        *,
        seed: int,
        rotations: str,
        dimension: int,
    ) -> None:
        self._graphs = graphs
        self._starts = starts
        self._seed = seed
        self._rotations = rotations
        self._dimension = dimension

    def __len__(self) -> int:
        return len(self._graphs)

    def __getitem__(self, key: tuple[int, int]) -> TrainingGraph:
        epoch, number = key
        # from 1, since a seed does not change by zeros at its end
        rng = np.random.default_rng([self._seed, epoch, number + 1])
        turned = self._starts.draw(number, rng) or self._graphs[number]
        inputs = turned.inputs
        if len(inputs) > 1:
            inputs = (inputs[rng.integers(len(inputs))],)
        rotation = draw_rotation(self._rotations, rng, self._dimension)
        vectors = turned.graph.vectors @ rotation
        return replace(
            turned,
            graph=replace(turned.graph, vectors=vectors),
            inputs=tuple(
                replace(one, vectors=(one.vectors @ rotation).astype(np.float32)) for one in inputs
            ),
        )


class Order(Sampler[tuple[int, int]]):
    """The (epoch, number) of the graphs of an epoch, shuffled, for one of the processes.

    Step by step the processes together take the graphs that a single one would take. If their
    number does not divide that of the graphs, the first graphs of the epoch come again at its end.

    Parameters
    ----------
    n_graphs : int
    seed : int
    rank : int
        Number of the process, from 0.
    n_ranks : int
        Number of processes.

    Examples
    --------
    >>> sorted(Order(3, seed=1))
    [(0, 0), (0, 1), (0, 2)]
    """

    def __init__(self, n_graphs: int, *, seed: int, rank: int = 0, n_ranks: int = 1) -> None:
        self._n_graphs = n_graphs
        self._seed = seed
        self._rank = rank
        self._n_ranks = n_ranks
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; Lightning calls this before each one."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._n_graphs // self._n_ranks)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rng = np.random.default_rng([self._seed, self._epoch])
        order = np.resize(rng.permutation(self._n_graphs), len(self) * self._n_ranks)
        return iter([(self._epoch, int(number)) for number in order[self._rank :: self._n_ranks]])


def join(
    graphs: Sequence[TrainingGraph], device: torch.device, *, unit: float = 1.0
) -> tuple[Tensor, ...]:
    """Join several graphs to one: the arguments of `forward` of a network, in order.

    Parameters
    ----------
    graphs : sequence of TrainingGraph
    device : torch.device
    unit : float
        Unit of the vectors between particles, length unit.

    Returns
    -------
    species : int64 [n_particles of all]
    vectors : float32 [n_edges of all, 3]
    node_vectors : float32 [n_particles of all, n_vectors, 3]
        In the unit of the data, of the first of the inputs of each graph; this and the next are
        left out where graphs have no inputs.
    node_scalars : float32 [n_particles of all, n_scalars]
    center, neighbor : int64 [n_edges of all]

    Examples
    --------
    >>> from pathlib import Path
    >>> from lammps_botan import Graph
    >>> ends = np.array([0, 1]), np.array([1, 0])
    >>> graph = Graph(np.zeros(2, int), *ends, np.array([[1.0, 0, 0], [-1, 0, 0]]), cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, node=np.ones(2), edge=np.ones(2))
    >>> *_, center, neighbor = join([sample, sample], torch.device("cpu"))
    >>> center
    tensor([0, 1, 2, 3])
    """
    starts = np.cumsum([0, *(g.graph.n_particles for g in graphs)])
    center = [
        g.graph.center.astype(np.int64) + start for g, start in zip(graphs, starts, strict=False)
    ]
    neighbor = [
        g.graph.neighbor.astype(np.int64) + start for g, start in zip(graphs, starts, strict=False)
    ]
    inputs = [g.inputs[0] for g in graphs if g.inputs]
    given = [[one.vectors for one in inputs], [one.scalars for one in inputs]] if inputs else []
    return (
        torch.from_numpy(np.concatenate([g.graph.species for g in graphs])).to(device),
        float_tensor(np.concatenate([g.graph.vectors / unit for g in graphs]), device),
        *(float_tensor(np.concatenate(arrays), device) for arrays in given),
        torch.from_numpy(np.concatenate(center)).to(device),
        torch.from_numpy(np.concatenate(neighbor)).to(device),
    )


def float_tensor(array: Floats, device: torch.device) -> Tensor:
    """Copy an array to a device as float32.

    Parameters
    ----------
    array : float array
    device : torch.device

    Returns
    -------
    float32 tensor
        In the shape of the array.

    Examples
    --------
    >>> float_tensor(np.ones(2), torch.device("cpu"))
    tensor([1., 1.])
    """
    return torch.from_numpy(array.astype(np.float32)).to(device)
