"""Steps of training and validation, and the optimizers, for Lightning."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from lightning import pytorch as pl
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import LambdaLR

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Physics
from lammps_botan.network.engine import training
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.training.config import Config, Recipe
from lammps_botan.training.correlations import correlations
from lammps_botan.training.data import TrainingGraph
from lammps_botan.training.graphs import float_tensor, join
from lammps_botan.training.network import make_network

START = 0.01  # of the learning rate, where it warms up


class NotFiniteError(ValueError):
    """The loss of a step, its gradient or a correlation is not a finite number."""


class Module(pl.LightningModule):
    """The network of a configuration with its loss, correlations and optimizers.

    The loss measures lengths in diameters of the mixture, so that it is the same in any units.

    Parameters
    ----------
    config : Config
    physics : Physics
    n_graphs : int
        Graphs of an epoch.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lammps_botan import KOB_ANDERSEN, Graph
    >>> from lammps_botan.training.config import Data, Network
    >>> data = Data(train=["a.npz"], validation=["b.npz"])
    >>> config = Config(output="run", data=data, network=Network(rounds=1, width=4))
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> ends, vectors = (np.array([0, 1]), np.array([1, 0])), np.array([[1.0, 0, 0], [-1, 0, 0]])
    >>> graph = Graph(np.zeros(2, int), *ends, vectors, cutoff=2.0)
    >>> sample = TrainingGraph(Path("c1.npz"), graph, node=np.ones(2), edge=np.ones(2))
    >>> sorted(Module(config, physics, n_graphs=1).losses([sample]))
    ['loss', 'loss_E', 'loss_S']
    """

    def __init__(self, config: Config, physics: Physics, n_graphs: int) -> None:
        super().__init__()
        self.config = config
        self._mixture = physics.mixture
        recipe = config.recipe
        self.model = make_network(config.network, physics, aggregation=recipe.aggregation)
        # units of the lengths that the network gives and takes; the equivariant ones know the
        # diameter for both, all others with inputs for the lengths that they take
        simple = isinstance(self.model, Botan | NtGnn)
        self._unit = physics.mixture.diameter if simple else 1.0
        self._taken = self._unit if not physics.inputs.names else 1.0
        # the kernels add up messages themselves
        self._may_use_kernels = recipe.aggregation == "index_add"
        self.precision = recipe.precision
        if self._is_slow_in_bfloat16():
            self.precision = "32-true"
        self.automatic_optimization = False  # it allows one optimizer only
        self._steps = recipe.epochs * -(-n_graphs // recipe.graphs_per_step)

    def _is_slow_in_bfloat16(self) -> bool:
        # torch's autocast takes 20 times as long as the kernels for float32
        return (
            self.precision == "bf16-mixed"
            and self._may_use_kernels
            and not torch.cuda.is_available()
            and training.available(self.model)
            and not training.available(self.model, "bfloat16")
        )

    def transfer_batch_to_device(self, batch: Any, device: torch.device, index: int) -> Any:
        """Leave the batch as it is: the steps below move the tensors that they need."""
        return batch

    def losses(self, graphs: Sequence[TrainingGraph]) -> dict[str, Tensor]:
        """Compute L_S and L_E of one step, and the loss p L_S + (1 - p) L_E (Shiba et al., eq. 12).

        Each is a mean squared error over all particles or edges of a graph, averaged over the
        graphs, where reversed runs have the weight `recipe.reversed_weight`. A loss without weight
        is left out. The mean error of each species, or pair of species, has the weight
        `recipe.offset_weight`.
        """
        p = self.config.recipe.p
        node, edge = self._outputs(graphs)
        losses = {}
        counts = [g.weight for g in graphs]
        if p > 0:
            kinds = [g.graph.species for g in graphs]
            losses["loss_S"] = self._error(node, [g.node for g in graphs], kinds, counts)
        if p < 1:
            kinds = [_pairs(g) for g in graphs]
            losses["loss_E"] = self._error(edge, [g.edge for g in graphs], kinds, counts)
        weights = {"loss_S": p, "loss_E": 1 - p}
        loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        return {"loss": loss, **losses}

    def _outputs(self, graphs: Sequence[TrainingGraph]) -> tuple[Tensor, Tensor]:
        tensors = join(graphs, self.device, unit=self._taken)
        model = self.model
        precision: training.Precision
        precision = "bfloat16" if self.precision == "bf16-mixed" else "float32"
        if (
            self._may_use_kernels
            and isinstance(model, Botan)
            and training.available(model, precision)
        ):
            return training.forward(model, *tensors, precision=precision)
        outputs: tuple[Tensor, Tensor] = model(*tensors)
        return outputs

    def _error(
        self,
        output: Tensor,
        targets: Sequence[np.ndarray],
        kinds: Sequence[np.ndarray],
        counts: Sequence[float],
    ) -> Tensor:
        parts = torch.split(output[:, 0].float(), [len(target) for target in targets])
        weight, unit = self.config.recipe.offset_weight, self._mixture.diameter
        errors = [
            part * (self._unit / unit) - float_tensor(target / unit, self.device)
            for part, target in zip(parts, targets, strict=True)
        ]
        squares = [
            count * _squared_error(error, kind, weight)
            for error, kind, count in zip(errors, kinds, counts, strict=True)
        ]
        return torch.stack(squares).mean()

    def training_step(self, graphs: list[TrainingGraph], batch: int) -> None:
        """Run forward, backward and one step of the optimizers.

        Raises
        ------
        NotFiniteError
            If the loss or its gradient is not finite; then the weights stay as before the step.
        """
        losses = self.losses(graphs)
        optimizers = _as_list(self.optimizers())
        for optimizer in optimizers:
            optimizer.zero_grad()
        self.manual_backward(losses["loss"])
        # the gradient is the same on all processes, so that they stop together
        norm = clip_grad_norm_(self.model.parameters(), self.config.recipe.clip)
        if not torch.isfinite(norm) or not torch.isfinite(losses["loss"].detach()):
            raise NotFiniteError(
                f"epoch {self.current_epoch + 1}, step {batch + 1} of it: the loss is "
                f"{float(losses['loss'].detach()):g} and its gradient {float(norm):g}, expected "
                "finite numbers: try a smaller recipe.learning_rate, or more recipe.warmup_steps"
            )
        for optimizer in optimizers:
            optimizer.step()
        for schedule in _as_list(self.lr_schedulers()):
            schedule.step()
        self.log_dict(
            {name: value.detach() for name, value in losses.items()},
            batch_size=len(graphs),
            sync_dist=True,
        )

    def validation_step(self, sample: TrainingGraph, batch: int) -> None:
        """Compute the correlations, averaged over the graphs; `rho` chooses the epoch.

        Raises
        ------
        NotFiniteError
            If a correlation is not defined, as where all predictions are the same.
        """
        # as the exported model computes: in float32
        unit = self._unit
        with torch.autocast(self.device.type, enabled=False):
            node, edge = self.model(*join([sample], self.device, unit=self._taken))
        found = correlations(
            sample,
            unit * _array(node),
            unit * _array(edge),
            mixture=self._mixture,
            p=self.config.recipe.p,
        )
        for name, rho in found.items():
            if math.isnan(rho):
                raise NotFiniteError(
                    f"epoch {self.current_epoch + 1}: {name} of {sample.path} is not defined: the "
                    "network predicts the same number everywhere, or numbers that are not finite; "
                    "try a smaller recipe.learning_rate, or another recipe.seed"
                )
        # all processes judge all graphs, so that the correlations do not depend on their number
        self.log_dict(found, batch_size=1, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Make one optimizer, or two for Muon, with a learning rate that changes at each step."""
        recipe = self.config.recipe
        matrices = [p for p in self.model.parameters() if p.ndim == 2]
        biases = [p for p in self.model.parameters() if p.ndim != 2]
        optimizers: list[torch.optim.Optimizer]
        if recipe.optimizer == "adam":
            optimizers = [torch.optim.Adam([*matrices, *biases], recipe.learning_rate)]
        else:
            # it turns matrices only
            muon = torch.optim.Muon(
                matrices, recipe.learning_rate, 0.0, adjust_lr_fn="match_rms_adamw"
            )
            optimizers = [muon, torch.optim.Adam(biases, recipe.learning_rate)]
        factor = partial(_learning_rate_factor, recipe, self._steps)
        return optimizers, [LambdaLR(optimizer, factor) for optimizer in optimizers]


def _squared_error(error: Tensor, kind: np.ndarray, offset_weight: float) -> Tensor:
    # of all, where the mean of each kind counts with its weight
    if offset_weight == 1:
        return error.square().mean()
    kinds = torch.from_numpy(kind).to(error.device)
    count = torch.bincount(kinds).to(error.dtype)
    mean = torch.zeros_like(count).index_add(0, kinds, error) / count.clamp(min=1)
    offsets = (count * mean.square()).sum() / len(error)
    return (error - mean[kinds]).square().mean() + offset_weight * offsets


def _pairs(graph: TrainingGraph) -> np.ndarray:
    species = graph.graph.species
    n_species = species.max() + 1
    pairs: np.ndarray = species[graph.graph.center] * n_species + species[graph.graph.neighbor]
    return pairs


def _learning_rate_factor(recipe: Recipe, steps: int, step: int) -> float:
    warmup = min(recipe.warmup_steps, steps - 1)
    if step < warmup:
        return START + (1 - START) * step / warmup
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def _as_list(one_or_more: Any) -> list[Any]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def _array(output: Tensor) -> np.ndarray:
    # empty where a network has no output on edges
    return output[:, :1].flatten().float().cpu().numpy()
