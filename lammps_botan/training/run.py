"""Training run, from its configuration to its checkpoints."""

import contextlib
import logging
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning import pytorch as pl
from lightning.pytorch.callbacks import Callback, EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities import rank_zero_warn
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch.utils.data import DataLoader

from lammps_botan.files.output_folder import lock_folder
from lammps_botan.files.whole_file import keep_apart, whole_file
from lammps_botan.training.bar import Bar
from lammps_botan.training.config import Config
from lammps_botan.training.correlations import check_validation
from lammps_botan.training.data import TrainingData, read_data
from lammps_botan.training.data_record import (
    DataRecord,
    check_files,
    check_physics,
    record_files,
)
from lammps_botan.training.graphs import Order, TurnedGraphs
from lammps_botan.training.interruption import Interruption, InterruptionError
from lammps_botan.training.linear_run import train_linear
from lammps_botan.training.module import Module, NotFiniteError
from lammps_botan.training.network import InitialWeights, read_initial_weights
from lammps_botan.training.output import SUFFIX, begin_output, check_output, write_best
from lammps_botan.training.processes import Processes
from lammps_botan.training.standardization import record_seen, standardize
from lammps_botan.training.starts import Starts


def train(
    config: Config,
    folder: Path,
    *,
    init: Path | None = None,
    devices: int = 1,
    num_nodes: int = 1,
) -> list[Path]:
    """Train a network for each seed and write its best checkpoint by validation.

    An interrupted run goes on from its last validated epoch when it is started again. It ends with
    the weights of an uninterrupted run, to the last bit (on a CPU, with the same installation and
    the same number of threads and processes).

    Parameters
    ----------
    config : Config
    folder : Path
        Folder that the patterns of `config.data` and `config.output` start from.
    init : Path or None
        A checkpoint with the weights to start from. Default: random weights.
    devices : int
        Processes on each machine, with one GPU each where there are any.
    num_nodes : int
        Machines.

    Returns
    -------
    list of Path
        The checkpoint `best.ckpt` in the output folder of each seed.

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.
    ValueError
        If a file cannot be used, data, configuration and initial weights do not fit together, an
        output folder holds a run of another configuration, other weights or other data, another
        process writes there, the graphs of a step cannot be shared by the processes or these are
        not there, or a loss or a correlation is not finite (the best checkpoint until then is kept
        and named).

    Examples
    --------
    The linear network learns from two configurations, made up here, in a second.

    >>> import numpy as np
    >>> from lammps_botan.training.config import Data, Network, Recipe
    >>> sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    >>> about = {"box": 4.705, "types": np.repeat([0, 1], [100, 25]), "time": 13.0}
    >>> for k, name in enumerate(("a.npz", "b.npz")):
    ...     start = sites + np.random.default_rng(k).normal(0, 0.05, sites.shape)
    ...     positions = start + np.random.default_rng(k).normal(0, 0.1, (4, 125, 3))
    ...     np.savez(name, **about, temperature=0.5, initial_positions=start, positions=positions)
    >>> data, network = Data(train=["?.npz"]), Network(architecture="linear")
    >>> config = Config(output="run", data=data, network=network, recipe=Recipe(p=1))
    >>> train(config, Path("."))
    [PosixPath('run/best.ckpt')]
    """
    if config.network.architecture == "linear":
        if init is not None or devices * num_nodes > 1:
            raise ValueError(
                "network.architecture 'linear' is fitted at once, from nothing and by one process: "
                "leave out --init, --devices and --num-nodes"
            )
        Processes(devices=1, num_nodes=1).check()
        return [train_linear(config, folder)]
    processes = Processes(devices, num_nodes)
    if config.recipe.graphs_per_step % processes.number:
        raise ValueError(
            "the processes share the graphs of a step: expected recipe.graphs_per_step to be a "
            f"multiple of {processes.number} (devices x nodes), found "
            f"{config.recipe.graphs_per_step}"
        )
    processes.check()
    members = config.members()
    weights = None if init is None else read_initial_weights(init, config.network)
    if len(members) > 1 and (folder / config.output / "config.json").exists():
        raise ValueError(
            f"{folder / config.output} holds a run with a single seed: choose another `output` "
            "or delete that folder"
        )
    with contextlib.ExitStack() as locks:
        for member in members:
            if processes.is_first:
                locks.enter_context(lock_folder(folder / member.output))
            check_output(member, folder / member.output, weights)
            keep_apart([folder / member.output / "best.ckpt"], [] if init is None else [init])
        files = record_files(config, folder)
        for member in members:
            check_files(folder / member.output, files)
        data = read_data(config, folder)
        record = DataRecord(files=files, physics=data.physics)
        for member in members:
            check_physics(folder / member.output, data.physics)
        if weights is not None:
            weights.check(data.physics)
            weights.check_validation(data.known)
        for sample in data.validation:
            check_validation(sample, mixture=data.physics.mixture, p=config.recipe.p)
        starts = Starts(config, data, folder)
        starts.check_validation(data.known)
        paths = []
        for member in members:
            output = folder / member.output
            begin_output(member, output, weights, record)
            paths.append(_train_one(member, output, weights, data, starts, processes))
        return paths


def _train_one(
    config: Config,
    output: Path,
    init: InitialWeights | None,
    data: TrainingData,
    starts: Starts,
    processes: Processes,
) -> Path:
    best = _file(output, "best", monitor="rho")

    def write() -> None:
        rho = math.nan if best.best_model_score is None else float(best.best_model_score)
        known = [*starts.known, *data.known]
        seen = record_seen(data.training, data.physics.mixture)
        write_best(config, output, init, physics=data.physics, known=known, seen=seen, rho=rho)

    interruption = Interruption()
    with warnings.catch_warnings():
        for message in _CHATTER:
            warnings.filterwarnings("ignore", message)
        try:
            # several processes wait for each other in each step: there the first signal ends them
            with interruption if processes.number == 1 else contextlib.nullcontext():
                _fit(config, output, init, data, starts, processes, [best, interruption])
        except NotFiniteError as error:
            if not (output / f"best{SUFFIX}").exists():
                raise
            write()
            kept = output / "best.ckpt"
            raise NotFiniteError(f"{error}; {kept} is the best until then") from None
        except (InterruptionError, SIGTERMException):
            state = "nothing is learned yet"
            if (output / f"best{SUFFIX}").exists():
                write()
                state = f"{output / 'best.ckpt'} is the best until now"
            raise KeyboardInterrupt(
                f"stopped; {state}; the same command goes on from the last epoch"
            ) from None
    write()
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
    processes: Processes,
    callbacks: Sequence[Callback],
) -> None:
    recipe = config.recipe
    assert isinstance(recipe.seed, int)  # see Config.members
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    pl.seed_everything(recipe.seed, verbose=False)
    module = Module(config, data.physics, len(data.training))
    if init is None:
        standardize(module.model, data.training)
    else:
        init.load_into(module.model, data.physics)
    if module.precision != recipe.precision:
        rank_zero_warn(
            f"recipe.precision = '{recipe.precision}' is computed in '{module.precision}', which "
            "is faster here: kernels for bfloat16 need a processor with AVX-512 BF16 (Intel "
            "Sapphire Rapids, AMD Zen 4, and newer)",
            stacklevel=2,
        )
    title = f"seed {recipe.seed}, epoch" if output.name == f"seed-{recipe.seed}" else "epoch"
    callbacks = [*callbacks, _file(output, "last"), Bar(title, recipe.validate_every)]
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
        precision=module.precision,
        check_val_every_n_epoch=recipe.validate_every,
        callbacks=callbacks,
        plugins=[_WholeFiles()],
        logger=[table, TensorBoardLogger(output, name="log", version=table.version)],
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        enable_model_summary=False,
    )
    if trainer.world_size != processes.number:
        raise ValueError(
            f"the launcher has {trainer.world_size} processes: expected {processes.number}, as "
            f"--devices {processes.devices} --num-nodes {processes.num_nodes} say; give both the "
            "same numbers"
        )
    last = output / f"last{SUFFIX}"
    order = Order(
        len(data.training), seed=recipe.seed, rank=trainer.global_rank, n_ranks=trainer.world_size
    )
    trainer.fit(
        module,
        DataLoader(
            TurnedGraphs(
                data.training,
                starts,
                seed=recipe.seed,
                rotations=recipe.rotations,
                dimension=data.physics.mixture.dimension,
            ),
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
    """Lightning's files appear when they are whole, and are read wherever their folder is by now.

    Lightning moves them from another file system, and forgets the best epoch of a moved folder.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        with whole_file(path) as part:
            super().save_checkpoint(checkpoint, part, storage_options)

    def load_checkpoint(self, path: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        checkpoint = super().load_checkpoint(path, *arguments, **options)
        folder = Path(path).parent.resolve()
        for state in checkpoint["callbacks"].values():
            if "dirpath" in state:  # of a ModelCheckpoint
                state["dirpath"] = str(folder)
                for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
                    state[key] = _in_folder(folder, state[key])
                best = state["best_k_models"]
                state["best_k_models"] = {_in_folder(folder, file): best[file] for file in best}
        return checkpoint


def _in_folder(folder: Path, file: str) -> str:
    return str(folder / Path(file).name) if file else file


class _Patience(EarlyStopping):
    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # a run that had stopped stays so when it is started again
        if self.wait_count >= self.patience:
            trainer.should_stop = True
