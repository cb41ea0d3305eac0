"""The graphs of a training run: drawn, shuffled, turned and joined.

What an epoch draws follows from (seed, epoch, number of the graph) alone, never from what was drawn
before: a run that goes on after an interruption, or on another number of processes, sees the same.
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

    Of several histories of a configuration one is drawn.

    Parameters
    ----------
    graphs : list of TrainingGraph
    starts : Starts
        May replace a graph by that of another start.
    seed : int
    rotations : str
    dimension : int
        See `draw_rotation`.
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
    """The (epoch, number) of the graphs of an epoch, shuffled, that one of the processes takes.

    Step by step the processes together take what a single one would. Where their number does not
    divide that of the graphs, the first graphs of the epoch come again at its end.
    """

    def __init__(self, n_graphs: int, *, seed: int, rank: int = 0, n_ranks: int = 1) -> None:
        self._n_graphs = n_graphs
        self._seed = seed
        self._rank = rank
        self._n_ranks = n_ranks
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
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
    """Several graphs as one: what the `forward` of a network is given, in its order.

    Parameters
    ----------
    graphs : sequence of TrainingGraph
    device : torch.device
    unit : float
        What vectors between particles are measured in, length unit.

    Returns
    -------
    species : int64 [n_particles of all]
    vectors : float32 [n_edges of all, 3]
    node_vectors : float32 [n_particles of all, n_vectors, 3]
        In the unit of the data, of the first of the inputs of each graph; left out, as the next,
        where graphs have none.
    node_scalars : float32 [n_particles of all, n_scalars]
    center, neighbor : int64 [n_edges of all]
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
    """The array as float32 on the device."""
    return torch.from_numpy(array.astype(np.float32)).to(device)
