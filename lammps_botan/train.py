"""Training, on Lightning.

Shiba et al., J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791, sec. IV: the loss is
p L_S + (1 - p) L_E, mean squared errors over all particles and over all edges; the gradient norm is
clipped at 1; one graph a step. The graph is turned at each step by a rotation or reflection drawn
uniformly from O(3). Unlike the paper's, the learning rate falls along a cosine, the weights are
averaged exponentially, and the optimizer may be Muon: after 300 steps on the public data, with 3
rounds and equal learning rates, rho_S was .19 and rho_E .36; with Adam .12 and .34 (one run each).
"""

import glob
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import pytorch as pl
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint, ProgressBar
from lightning.pytorch.loggers import CSVLogger
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.stats import ortho_group
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR
from torch.utils.data import DataLoader, Dataset

from lammps_botan.checkpoint import Checkpoint, Physics, load_checkpoint, save_checkpoint
from lammps_botan.config import Config
from lammps_botan.dataset import Sample, read_sample
from lammps_botan.metrics import edge_mask, node_mask, pearson
from lammps_botan.model import Botan


def train(config: Config, folder: Path) -> Path:
    """Train a network and write its best checkpoint by validation.

    A run that was interrupted goes on from its last validated epoch when it is started again.

    Parameters
    ----------
    config : Config
    folder : Path
        Where the patterns of `config.data` and `config.output` start from.

    Returns
    -------
    Path
        The checkpoint `best.ckpt` in the output folder.

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.
    ValueError
        If a file cannot be used, or the output folder holds a run of another configuration.
    """
    output = folder / config.output
    recorded = output / "config.json"
    if recorded.exists() and Config.model_validate_json(recorded.read_text()) != config:
        raise ValueError(
            f"{output} holds a run of another configuration (config.json there): "
            "choose another `output` or delete that folder"
        )
    training = _read(config, _expand(config.data.train, folder))
    validation = _read(config, _expand(config.data.validation, folder))
    common = {s.path for s in training} & {s.path for s in validation}
    if common:
        raise ValueError(f"{sorted(common)[0]} is both in data.train and in data.validation")

    with warnings.catch_warnings():
        for message in _CHATTER:
            warnings.filterwarnings("ignore", message)
        best = _fit(config, output, training, validation)
    return _finish(config, output, best)


# remarks of Lightning that ask nothing of our user
_CHATTER = (
    ".*does not have many workers",
    ".*number of training batches .* is smaller than the logging interval",
    "Checkpoint directory .* exists and is not empty",
    ".*isinstance.treespec, LeafSpec.. is deprecated",
    "`weights_only` was not set",
)


def _fit(
    config: Config, output: Path, training: list[Sample], validation: list[Sample]
) -> ModelCheckpoint:
    output.mkdir(parents=True, exist_ok=True)
    (output / "config.json").write_text(config.model_dump_json(indent=2))
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    pl.seed_everything(config.recipe.seed, verbose=False)
    best = ModelCheckpoint(
        output, "best", monitor="rho", mode="max", enable_version_counter=False, save_last=False
    )
    best.FILE_EXTENSION = ".pl"
    resume = ModelCheckpoint(output, "last", enable_version_counter=False)
    resume.FILE_EXTENSION = ".pl"
    trainer = pl.Trainer(
        max_epochs=config.recipe.epochs,
        devices=1,
        num_nodes=1,
        precision=config.recipe.precision,
        check_val_every_n_epoch=config.recipe.validate_every,
        callbacks=[
            best,
            resume,
            EMAWeightAveraging(decay=config.recipe.averaging),
            _Bar(config.recipe.validate_every),
        ],
        logger=CSVLogger(output, name="log"),
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        enable_model_summary=False,
    )
    last = output / "last.pl"
    trainer.fit(
        _Module(config, len(training)),
        DataLoader(_Samples(training), batch_size=None, shuffle=True),
        DataLoader(_Samples(validation), batch_size=None),
        ckpt_path=last if last.exists() else None,
        weights_only=True,
    )
    return best


class _Samples(Dataset[Sample]):
    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]


class _Module(pl.LightningModule):
    def __init__(self, config: Config, n_graphs: int) -> None:
        super().__init__()
        self.config = config
        self._n_graphs = n_graphs  # in an epoch
        self.model = Botan(config.network.rounds, config.network.width)
        self.automatic_optimization = False  # it allows one optimizer only

    def transfer_batch_to_device(self, batch: Sample, device: torch.device, index: int) -> Sample:
        return batch  # the steps below move what they need

    def training_step(self, sample: Sample, batch: int) -> None:
        recipe = self.config.recipe
        rng = np.random.default_rng([recipe.seed, self.current_epoch, batch])
        rotation = ortho_group.rvs(3, random_state=rng)
        node, edge = self.model(*_tensors(sample, rotation, self.device))
        loss_s = mse_loss(node[:, 0].float(), _float(sample.propensity, self.device))
        loss_e = mse_loss(edge[:, 0].float(), _float(sample.pair_distance_change, self.device))
        self.log_dict({"loss_S": loss_s, "loss_E": loss_e}, batch_size=1)

        optimizers = _as_list(self.optimizers())
        for optimizer in optimizers:
            optimizer.zero_grad()
        self.manual_backward(recipe.p * loss_s + (1 - recipe.p) * loss_e)
        clip_grad_norm_(self.model.parameters(), recipe.clip)
        for optimizer in optimizers:
            optimizer.step()
        for schedule in _as_list(self.lr_schedulers()):
            schedule.step()

    def validation_step(self, sample: Sample, batch: int) -> None:
        node, edge = self.model(*_tensors(sample, np.eye(3), self.device))
        nodes, edges = node_mask(sample.graph), edge_mask(sample.graph)
        prediction_s, prediction_e = (
            node[:, 0].float().cpu().numpy(),
            edge[:, 0].float().cpu().numpy(),
        )
        rho_s = pearson(prediction_s[nodes], sample.propensity[nodes])
        rho_e = pearson(prediction_e[edges], sample.pair_distance_change[edges])
        p = self.config.recipe.p
        used = [rho for rho, weight in ((rho_s, p), (rho_e, 1 - p)) if weight > 0]
        scores = {"rho_S": rho_s, "rho_E": rho_e, "rho": float(np.mean(used))}
        self.log_dict(scores, batch_size=1)

    def configure_optimizers(self) -> Any:
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
        steps = recipe.epochs * self._n_graphs
        return optimizers, [_schedule(o, recipe.warmup_steps, steps) for o in optimizers]


def _schedule(optimizer: torch.optim.Optimizer, warmup: int, steps: int) -> LRScheduler:
    warmup = min(warmup, steps - 1)
    fall = CosineAnnealingLR(optimizer, steps - warmup)
    if warmup == 0:
        return fall
    rise = LinearLR(optimizer, 0.01, total_iters=warmup)
    return SequentialLR(optimizer, [rise, fall], [warmup])


def _as_list(one_or_more: Any) -> list[Any]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


class _Bar(ProgressBar):
    """One bar over all epochs, with the time left and the scores on the validation set."""

    def __init__(self, validate_every: int) -> None:
        super().__init__()
        self._validate_every = validate_every
        self._progress = Progress(
            TextColumn("epoch"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )

    def disable(self) -> None:
        self._progress.disable = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._progress.start()
        done = trainer.current_epoch
        self._task = self._progress.add_task("", total=trainer.max_epochs, completed=done)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        scores = trainer.callback_metrics
        names = [name for name in ("rho_S", "rho_E") if name in scores]
        text = "  ".join(f"{name} {float(scores[name]):.3f}" for name in names)
        self._progress.update(self._task, advance=1, description=text)
        # a log file has no bar to redraw: give it a line for each validation
        epoch = trainer.current_epoch + 1
        if not self._progress.console.is_terminal and not epoch % self._validate_every:
            print(f"epoch {epoch} of {trainer.max_epochs}  {text}", flush=True)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._progress.stop()


def _finish(config: Config, output: Path, best: ModelCheckpoint) -> Path:
    # Lightning's file becomes ours: weights, physics and provenance, nothing else
    state = torch.load(output / "best.pl", map_location="cpu", weights_only=True)
    model = Botan(config.network.rounds, config.network.width)
    weights = {k.removeprefix("model."): v for k, v in state["state_dict"].items()}
    model.load_state_dict(weights)
    target = config.target
    physics = Physics(
        target.species, target.cutoff, (target.lag_time,), target.temperature, target.density
    )
    score = best.best_model_score
    provenance = {
        "config": config.model_dump(mode="json"),
        "epoch": state["epoch"],
        "validation_rho": None if score is None else float(score),
        "torch": str(torch.__version__),
    }
    path = output / "best.ckpt"
    save_checkpoint(Checkpoint(model, physics, provenance), path)
    load_checkpoint(path)
    return path


def _tensors(
    sample: Sample, rotation: np.ndarray, device: torch.device
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    graph = sample.graph
    return (
        torch.from_numpy(graph.species).to(device),
        _float(graph.vectors @ rotation, device),
        torch.from_numpy(graph.center).to(device),
        torch.from_numpy(graph.neighbor).to(device),
    )


def _float(array: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(array.astype(np.float32)).to(device)


def _read(config: Config, paths: list[Path]) -> list[Sample]:
    samples = [read_sample(path, cutoff=config.target.cutoff) for path in paths]
    n_species = len(config.target.species)
    for sample in samples:
        if sample.graph.species.max() >= n_species:
            raise ValueError(
                f"{sample.path}: has species {sample.graph.species.max()}, but target.species "
                f"names {n_species}: {', '.join(config.target.species)}"
            )
    return samples


def _expand(patterns: list[str], folder: Path) -> list[Path]:
    paths: list[Path] = []
    for pattern in patterns:
        found = sorted(glob.glob(str(folder / pattern)))  # noqa: PTH207 (absolute patterns too)
        if not found:
            raise FileNotFoundError(f"no file matches '{pattern}' (from {folder.resolve()})")
        paths += [Path(name) for name in found]
    return paths
