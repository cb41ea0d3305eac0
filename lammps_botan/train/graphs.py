"""The graphs of a training run: read, checked, shuffled, turned and joined.

What an epoch draws follows from (seed, epoch, number of the graph) alone, never from what was drawn
before: a run that goes on after an interruption, or on another number of processes, sees the same.
"""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from lammps_botan.config import Config
from lammps_botan.dataset import SAME_TIME, read_relative_displacement, read_sample
from lammps_botan.graph import Floats, Graph
from lammps_botan.train.rotations import draw_rotation


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


def read_graphs(config: Config, folder: Path) -> tuple[list[TrainingGraph], list[TrainingGraph]]:
    """Those for training and those for validation.

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
    paths = [_expand(patterns, folder) for patterns in (config.data.train, config.data.validation)]
    common = {p.resolve() for p in paths[0]} & {p.resolve() for p in paths[1]}
    if common:
        raise ValueError(f"{sorted(common)[0]} is both in data.train and in data.validation")
    training, validation = ([_read(config, path) for path in some] for some in paths)
    first = training[0]
    for other in (*training, *validation):
        if other.graph.n_particles != first.graph.n_particles:
            raise ValueError(
                "the configurations of a data set must have the same number of particles, found "
                f"{first.graph.n_particles} in {first.path} and {other.graph.n_particles} in "
                f"{other.path}"
            )
    return training, validation


class TurnedGraphs(Dataset[TrainingGraph]):
    """Training graphs by (epoch, number), each turned by a rotation or reflection of its own."""

    def __init__(self, graphs: Sequence[TrainingGraph], *, seed: int, rotations: str) -> None:
        self._graphs = graphs
        self._seed = seed
        self._rotations = rotations

    def __len__(self) -> int:
        return len(self._graphs)

    def __getitem__(self, key: tuple[int, int]) -> TrainingGraph:
        epoch, number = key
        # from 1, since a seed does not change by zeros at its end
        rng = np.random.default_rng([self._seed, epoch, number + 1])
        turned = self._graphs[number]
        vectors = turned.graph.vectors @ draw_rotation(self._rotations, rng)
        return replace(turned, graph=replace(turned.graph, vectors=vectors))


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
    graphs: Sequence[TrainingGraph], device: torch.device
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Species, vectors, centers and neighbors of several graphs as those of one.

    Returns
    -------
    species : int64 [n_particles of all]
    vectors : float32 [n_edges of all, 3]
    center, neighbor : int64 [n_edges of all]
    """
    starts = np.cumsum([0, *(g.graph.n_particles for g in graphs)])
    center = [g.graph.center + start for g, start in zip(graphs, starts, strict=False)]
    neighbor = [g.graph.neighbor + start for g, start in zip(graphs, starts, strict=False)]
    return (
        torch.from_numpy(np.concatenate([g.graph.species for g in graphs])).to(device),
        float_tensor(np.concatenate([g.graph.vectors for g in graphs]), device),
        torch.from_numpy(np.concatenate(center)).to(device),
        torch.from_numpy(np.concatenate(neighbor)).to(device),
    )


def float_tensor(array: Floats, device: torch.device) -> Tensor:
    """The array as float32 on the device."""
    return torch.from_numpy(array.astype(np.float32)).to(device)


def _read(config: Config, path: Path) -> TrainingGraph:
    target, time_index = config.target, config.data.time_index
    sample = read_sample(path, cutoff=target.cutoff, time_index=time_index)
    node = sample.propensity
    if target.node != "S":
        node = read_relative_displacement(path, target.node, time_index=time_index)
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


def _expand(patterns: list[str], folder: Path) -> list[Path]:
    paths: list[Path] = []
    for pattern in patterns:
        found = sorted(glob.glob(str(folder / pattern)))  # noqa: PTH207 (absolute patterns too)
        if not found:
            raise FileNotFoundError(f"no file matches '{pattern}' (from {folder.resolve()})")
        if Path(found[0]).is_dir():
            raise FileNotFoundError(f"'{pattern}' is a folder: write '{pattern}/*.npz'")
        paths += [Path(name) for name in found]
    return list(dict.fromkeys(paths))
