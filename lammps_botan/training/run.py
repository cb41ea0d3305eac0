"""A training run, from its configuration to its checkpoints."""

import json
import logging
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning import pytorch as pl
from lightning.pytorch.callbacks import Callback, EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import DataLoader

from lammps_botan.network.checkpoint import Checkpoint, Physics, load_checkpoint, save_checkpoint
from lammps_botan.training.bar import Bar
from lammps_botan.training.config import Config, recorded_config
from lammps_botan.training.data import TrainingData, read_data
from lammps_botan.training.graphs import Order, TurnedGraphs
from lammps_botan.training.module import Module, NotFiniteError
from lammps_botan.training.network import InitialWeights, make_network, read_initial_weights
from lammps_botan.training.starts import Starts

SUFFIX = ".pl"  # of Lightning's own files


@dataclass(frozen=True)
class _Processes:
    """How many share a run: `devices` on each of `num_nodes` machines."""

    devices: int
    num_nodes: int

    @property
    def number(self) -> int:
        return self.devices * self.num_nodes


def train(
    config: Config,
    folder: Path,
    *,
    init: Path | None = None,
    devices: int = 1,
    num_nodes: int = 1,
) -> list[Path]:
    """Train a network for each seed and write its best checkpoint by validation.

    A run that was interrupted goes on from its last validated epoch when it is started again, and
    ends with the weights, to the last bit, that it would have had (on a CPU, with the same
    installation and the same number of threads and processes).

    Parameters
    ----------
    config : Config
    folder : Path
        Where the patterns of `config.data` and `config.output` start from.
    init : Path or None
        A checkpoint whose weights to start from; without, they are random.
    devices, num_nodes : int
        Processes on each machine, with one GPU each where there are any, and machines.

    Returns
    -------
    list of Path
        The checkpoint `best.ckpt` in the output folder of each seed.

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.
    ValueError
        If a file cannot be used, an output folder holds another run, the graphs of a step cannot
        be shared by the processes, or a loss is not finite (the best checkpoint until then is kept
        and named).
    """
    processes = _Processes(devices, num_nodes)
    if config.recipe.graphs_per_step % processes.number:
        raise ValueError(
            "the processes share the graphs of a step: expected recipe.graphs_per_step to be a "
            f"multiple of {processes.number} (devices x nodes), found "
            f"{config.recipe.graphs_per_step}"
        )
    members = config.members()
    weights = None if init is None else read_initial_weights(init, config)
    if len(members) > 1 and (folder / config.output / "config.json").exists():
        raise ValueError(
            f"{folder / config.output} holds a run with a single seed: choose another `output` "
            "or delete that folder"
        )
    for member in members:
        _check_output(member, folder / member.output, weights)
    data = read_data(config, folder)
    starts = Starts(config, data.configurations, folder)
    return [
        _train_one(member, folder / member.output, weights, data, starts, processes)
        for member in members
    ]


def _train_one(
    config: Config,
    output: Path,
    init: InitialWeights | None,
    data: TrainingData,
    starts: Starts,
    processes: _Processes,
) -> Path:
    _begin(config, output, init)
    best = _file(output, "best", monitor="rho")
    with warnings.catch_warnings():
        for message in _CHATTER:
            warnings.filterwarnings("ignore", message)
        try:
            _fit(config, output, init, data, starts, processes, best)
        except NotFiniteError as error:
            if not (output / f"best{SUFFIX}").exists():
                raise
            _finish(config, output, init, best)
            kept = output / "best.ckpt"
            raise NotFiniteError(f"{error}; {kept} is the best until then") from None
    _finish(config, output, init, best)
    return output / "best.ckpt"


# remarks of Lightning that ask nothing of our user
_CHATTER = (
    ".*does not have many workers",
    ".*number of training batches .* is smaller than the logging interval",
    "Checkpoint directory .* exists and is not empty",
    ".*isinstance.treespec, LeafSpec.. is deprecated",
    "`weights_only` was not set",
)


def _fit(
    config: Config,
    output: Path,
    init: InitialWeights | None,
    data: TrainingData,
    starts: Starts,
    processes: _Processes,
    best: ModelCheckpoint,
) -> None:
    recipe = config.recipe
    assert isinstance(recipe.seed, int)  # see Config.members
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    pl.seed_everything(recipe.seed, verbose=False)
    module = Module(config, len(data.training))
    if init is not None:
        module.model.load_state_dict(init.weights)
    title = f"seed {recipe.seed}, epoch" if output.name == f"seed-{recipe.seed}" else "epoch"
    callbacks: list[Callback] = [
        best,
        _file(output, "last"),
        Bar(title, recipe.validate_every),
    ]
    if recipe.averaging > 0:
        callbacks.append(EMAWeightAveraging(decay=recipe.averaging))
    if recipe.patience is not None:
        callbacks.append(_Patience("rho", patience=recipe.patience, mode="max", check_finite=False))
    table = CSVLogger(output, name="log")
    trainer = pl.Trainer(
        max_epochs=recipe.epochs,
        devices=processes.devices,
        num_nodes=processes.num_nodes,
        strategy=_strategy(config) if processes.number > 1 else "auto",
        use_distributed_sampler=False,
        precision=recipe.precision,
        check_val_every_n_epoch=recipe.validate_every,
        callbacks=callbacks,
        plugins=[_WholeFiles()],
        logger=[table, TensorBoardLogger(output, name="log", version=table.version)],
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        enable_model_summary=False,
    )
    last = output / f"last{SUFFIX}"
    order = Order(
        len(data.training), seed=recipe.seed, rank=trainer.global_rank, n_ranks=trainer.world_size
    )
    trainer.fit(
        module,
        DataLoader(
            TurnedGraphs(data.training, starts, seed=recipe.seed, rotations=recipe.rotations),
            batch_size=recipe.graphs_per_step // processes.number,
            sampler=order,
            collate_fn=list,
        ),
        DataLoader(data.validation, batch_size=None),  # type: ignore[arg-type]
        ckpt_path=last if last.exists() else None,
        weights_only=True,
    )


def _strategy(config: Config) -> DDPStrategy:
    # one round that ends on edges leaves the network of the nodes without a gradient
    unused = config.recipe.p == 0 and config.network.rounds == 1
    return DDPStrategy(find_unused_parameters=unused)


def _file(output: Path, name: str, monitor: str | None = None) -> ModelCheckpoint:
    checkpoint = ModelCheckpoint(
        output, name, monitor=monitor, mode="max", enable_version_counter=False
    )
    checkpoint.FILE_EXTENSION = SUFFIX
    return checkpoint


class _WholeFiles(TorchCheckpointIO):
    """Lightning's files appear when they are whole; it moves them from another file system."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        part = Path(f"{path}.part")
        super().save_checkpoint(checkpoint, part, storage_options)
        part.replace(path)


class _Patience(EarlyStopping):
    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # a run that had stopped stays so when it is started again
        if self.wait_count >= self.patience:
            trainer.should_stop = True


def _check_output(config: Config, output: Path, init: InitialWeights | None) -> None:
    recorded = output / "config.json"
    if not recorded.exists():
        return
    if recorded_config(json.loads(recorded.read_text())) != config:
        raise ValueError(
            f"{output} holds a run of another configuration (config.json there): "
            "choose another `output` or delete that folder"
        )
    start = output / "init.json"
    began = json.loads(start.read_text()) if start.exists() else None
    if began != _origin(init):
        found = f"those of {began['file']}" if began else "random ones"
        raise ValueError(
            f"{output} holds a run that started from other weights, {found}: give the same "
            "--init again, choose another `output` or delete that folder"
        )


@rank_zero_only
def _begin(config: Config, output: Path, init: InitialWeights | None) -> None:
    output.mkdir(parents=True, exist_ok=True)
    texts = {"config.json": config.model_dump_json(indent=2)}
    if init is not None:
        texts = {"init.json": json.dumps(_origin(init), indent=2)} | texts
    for name, text in texts.items():
        part = output / f"{name}.part"
        part.write_text(text)
        part.replace(output / name)


def _origin(init: InitialWeights | None) -> dict[str, str] | None:
    return None if init is None else {"file": init.file, "sha256": init.sha256}


@rank_zero_only
def _finish(
    config: Config, output: Path, init: InitialWeights | None, best: ModelCheckpoint
) -> None:
    # Lightning's file becomes ours: weights, physics and provenance, nothing else
    state = torch.load(output / f"best{SUFFIX}", map_location="cpu", weights_only=True)
    model = make_network(config.network)
    weights = {k.removeprefix("model."): v for k, v in state["state_dict"].items()}
    model.load_state_dict(weights)
    target = config.target
    physics = Physics(
        target.species,
        target.cutoff,
        (target.lag_time,),
        target.temperature,
        target.density,
        target.node,
    )
    score = math.nan if best.best_model_score is None else float(best.best_model_score)
    provenance = {
        "config": config.model_dump(mode="json"),
        "init": _origin(init),
        "epoch": state["epoch"],
        "validation_rho": score if math.isfinite(score) else None,
        "torch": str(torch.__version__),
    }
    path = output / "best.ckpt"
    save_checkpoint(Checkpoint(model, physics, provenance), path)
    load_checkpoint(path)
