"""The output folder of a training run: its configuration and its checkpoints."""

import json
import math
from pathlib import Path

import torch
from lightning.pytorch.utilities import rank_zero_only

from lammps_botan.files.whole_file import whole_file
from lammps_botan.network.checkpoint import Checkpoint, Physics, load_checkpoint, save_checkpoint
from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.network.known_configurations import KnownConfiguration, merge_known
from lammps_botan.training.config import Config, recorded_config
from lammps_botan.training.data_record import NAME as DATA
from lammps_botan.training.data_record import DataRecord
from lammps_botan.training.network import InitialWeights, make_network, scale_lengths

SUFFIX = ".pl"  # of Lightning's own files


def check_output(config: Config, output: Path, init: InitialWeights | None) -> None:
    """Refuse a folder that holds another run.

    Parameters
    ----------
    config : Config
    output : Path
    init : InitialWeights or None

    Raises
    ------
    ValueError
        If the folder was begun with another configuration, or from other weights.

    Examples
    --------
    >>> from lammps_botan.training.config import Data
    >>> config = Config(output="run", data=Data(train=["a.npz"], validation=["b.npz"]))
    >>> check_output(config, Path("fresh"), None)
    """
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
def begin_output(
    config: Config, output: Path, init: InitialWeights | None, data: DataRecord
) -> None:
    """Make the folder, and record configuration, initial weights and data there.

    Parameters
    ----------
    config : Config
    output : Path
    init : InitialWeights or None
    data : DataRecord

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> from lammps_botan.training.config import Data
    >>> config = Config(output="run", data=Data(train=["a.npz"], validation=["b.npz"]))
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> begin_output(config, Path("begun"), None, DataRecord(files={}, physics=physics))
    >>> sorted(path.name for path in Path("begun").iterdir())
    ['config.json', 'data.json']
    """
    output.mkdir(parents=True, exist_ok=True)
    texts = {DATA: data.model_dump_json(indent=2)}
    if init is not None:
        texts["init.json"] = json.dumps(_origin(init), indent=2)
    texts["config.json"] = config.model_dump_json(indent=2)  # the last: now the run is begun
    for name, text in texts.items():
        with whole_file(output / name) as part:
            part.write_text(text)


@rank_zero_only
def write_best(
    config: Config,
    output: Path,
    init: InitialWeights | None,
    *,
    physics: Physics,
    known: list[KnownConfiguration],
    seen: InputStatistics | None,
    rho: float,
) -> None:
    """Make the checkpoint `best.ckpt` of Lightning's file.

    Parameters
    ----------
    config : Config
    output : Path
    init : InitialWeights or None
    physics : Physics
    known : list of KnownConfiguration
        Configurations of the run; those of the initial weights are added.
    seen : InputStatistics or None
        Statistics of the inputs of the network in training.
    rho : float
        Correlation on the validation data, NaN where it is not known.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> from lammps_botan.training.config import Data, Network
    >>> data, small = Data(train=["a.npz"], validation=["b.npz"]), Network(rounds=1, width=4)
    >>> config = Config(output="best", data=data, network=small)
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> weights = make_network(small, physics).state_dict()
    >>> Path("best").mkdir()
    >>> lightning = {"epoch": 3, "state_dict": {f"model.{k}": v for k, v in weights.items()}}
    >>> torch.save(lightning, "best/best.pl")
    >>> write_best(config, Path("best"), None, physics=physics, known=[], seen=None, rho=0.7)
    >>> load_checkpoint(Path("best/best.ckpt")).provenance["validation_rho"]
    0.7
    """
    # weights, physics and provenance, nothing else
    state = torch.load(output / f"best{SUFFIX}", map_location="cpu", weights_only=True)
    model = make_network(config.network, physics)
    weights = {k.removeprefix("model."): v for k, v in state["state_dict"].items()}
    model.load_state_dict(weights)
    scale_lengths(model, physics.mixture.diameter)
    before = [] if init is None else init.known
    provenance = {
        "config": config.model_dump(mode="json"),
        "init": _origin(init),
        "epoch": state["epoch"],
        "validation_rho": rho if math.isfinite(rho) else None,
        "torch": str(torch.__version__),
        "configurations": [one.model_dump() for one in merge_known([*before, *known])],
    }
    path = output / "best.ckpt"
    save_checkpoint(Checkpoint(model, physics, provenance, seen), path)
    load_checkpoint(path)


def _origin(init: InitialWeights | None) -> dict[str, str] | None:
    return None if init is None else {"file": init.file, "sha256": init.sha256}
