"""A small file of every format, and how it is read: into arrays and plain values."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lammps_botan import structure
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.files.ensemble_npz import read_histories
from lammps_botan.files.lammps_data import write_lammps_data
from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.files.trajectory import open_frames
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, Physics, load_checkpoint, save_checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KOB_ANDERSEN
from lammps_botan.training.config import read_config

N, LENGTH = 60, 4.5
RECIPE = """
output = "out"
[data]
train = ["train_1.npz", "train_2.npz"]
validation = ["validation.npz"]
[target]
cutoff = 1.5
lag_time = 2.0
temperature = 0.7
[network]
rounds = 2
width = 16
[recipe]
epochs = 10
learning_rate = 3e-3
schedule = "cosine"
averaging = 0.9
"""


def liquid(seed: int = 0, n: int = N, length: float = LENGTH) -> Configuration:
    """Particles anywhere in a periodic cube."""
    rng = np.random.default_rng(seed)
    return Configuration(
        positions=rng.random((n, 3)) * length,
        species=(np.arange(n) % 5 == 4).astype(int),
        box=Box(length, (True, True, True)),
        mixture=KOB_ANDERSEN,
    )


def random_checkpoint(width: int = 8) -> Checkpoint:
    """A network that learned nothing."""
    torch.manual_seed(3)
    physics = Physics(
        mixture=KOB_ANDERSEN, cutoff=1.5, lag_times=(4120.0,), temperature=0.44, density=1.2
    )
    return Checkpoint(Botan(2, width), physics)


def without_checksum(path: Path) -> Path:
    """As files from before checksums."""
    path.write_bytes(path.read_bytes()[: -84 - 2] + b"\0\0")
    return path


def write_model(path: Path) -> Path:
    """A model file."""
    export(random_checkpoint(), path)
    return path


def predict(path: Path) -> Any:
    """The outputs of a model for a small liquid."""
    prediction = Predictor(path).predict(liquid())
    return prediction.node, prediction.edge


def write_network(path: Path) -> Path:
    """A checkpoint."""
    save_checkpoint(random_checkpoint(), path)
    return path


def read_network(path: Path) -> Any:
    """Weights and physics."""
    checkpoint = load_checkpoint(path)
    return [*checkpoint.model.state_dict().values(), checkpoint.physics]


def write_arrays(path: Path, **more: Any) -> Path:
    """An ensemble of three runs."""
    start = liquid()
    rng = np.random.default_rng(1)
    final = start.positions + rng.normal(0, 0.1, (3, N, 3))
    arrays = {"types": start.species, "initial_positions": start.positions, "positions": final}
    np.savez(path, **(arrays | {"box": LENGTH, "lag_time": 2.0} | more))
    return path


def write_with_histories(path: Path) -> Path:
    """An ensemble with two histories of its start."""
    rng = np.random.default_rng(2)
    return write_arrays(
        path,
        history_window=3.0,
        history_interval=0.1,
        history_displacement=rng.normal(0, 0.1, (1, 2, N, 3)),
        history_variance=rng.random((1, 2, N)),
        history_energy=rng.normal(-6, 1, (1, 2, N)),
    )


def read_runs(path: Path) -> Any:
    """What an ensemble holds."""
    read = read_ensemble(path)
    return read.species, read.initial, read.box.cell, read.final, read.lag_time, read.propensity


def read_with_histories(path: Path) -> Any:
    """The histories too."""
    each = [one for some in read_histories(path) for one in some]
    return [(h.window, h.displacement, h.variance, h.energy) for h in each], read_runs(path)


def write_pickle(path: Path) -> Path:
    """One lag time with targets and three runs."""
    start = liquid()
    runs = [start.positions + 0.01 * k for k in range(3)]
    content = {
        "positions": start.positions,
        "types": start.species.astype(np.int32),
        "box": np.full(3, LENGTH),
        "time": [0.0, 0.1],
        "time_indices": [1],
        "is_values": np.array([0.9]),
        "targets": [start.positions[:, 0]],
        "trajectory_target_positions": [runs],
        "metadata": {"fluid": "Kob Andersen"},
    }
    path.write_bytes(pickle.dumps(content, 3))
    return path


def write_dump(path: Path) -> Path:
    """Two frames."""
    text = ""
    for step in (0, 100):
        start = liquid(step)
        text += f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{N}\nITEM: BOX BOUNDS pp pp pp\n"
        text += 3 * f"0 {LENGTH}\n" + "ITEM: ATOMS id type xu yu zu\n"
        rows = enumerate(zip(start.types, start.positions, strict=True), 1)
        text += "".join(f"{k} {t} {x:.9g} {y:.9g} {z:.9g}\n" for k, (t, (x, y, z)) in rows)
    path.write_text(text)
    return path


def write_data(path: Path) -> Path:
    """A configuration for LAMMPS."""
    write_lammps_data(path, liquid(), "a liquid")
    return path


def write_xyz(path: Path) -> Path:
    """Two frames."""
    text = ""
    for seed in (0, 1):
        start = liquid(seed)
        lattice = f"{LENGTH} 0 0 0 {LENGTH} 0 0 0 {LENGTH}"
        text += f'{N}\nLattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"\n'
        rows = zip(start.species, start.positions, strict=True)
        text += "".join(f"{'AB'[s]} {x:.9g} {y:.9g} {z:.9g}\n" for s, (x, y, z) in rows)
    path.write_text(text)
    return path


def read_targets(path: Path) -> Any:
    """What a pickle holds of its one lag time."""
    read = read_ensemble(path, time_index=0)
    return read.species, read.initial, read.box.cell, read.final, read.lag_time, read.propensity


def read_frames(path: Path) -> Any:
    """All of them."""
    frames = list(open_frames(path))
    return [(f.ids, f.species, f.positions, f.box.cell, f.box.periodic, f.step) for f in frames]


def write_mixture(path: Path) -> Path:
    """The Kob-Andersen mixture as a user's own."""
    shipped = Path(structure.__path__[0])
    path.write_text((shipped / "kob-andersen.toml").read_text())
    return path


def write_recipe(path: Path) -> Path:
    """A training, with the files that it names."""
    for name in ("train_1", "train_2", "validation"):
        write_arrays(path.with_name(f"{name}.npz"))
    path.write_text(RECIPE)
    return path


# by name of the file
WRITERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], Any]]] = {
    "model.pt": (write_model, predict),
    "bare.pt": (lambda path: without_checksum(write_model(path)), predict),
    "network.ckpt": (write_network, read_network),
    "bare.ckpt": (lambda path: without_checksum(write_network(path)), read_network),
    "ensemble.npz": (write_arrays, read_runs),
    "histories.npz": (write_with_histories, read_with_histories),
    "bapst.pickle": (write_pickle, read_targets),
    "run.dump": (write_dump, read_frames),
    "glass.data": (write_data, read_frames),
    "frames.xyz": (write_xyz, read_frames),
    "mixture.toml": (write_mixture, find_mixture),
    "recipe.toml": (write_recipe, read_config),
}
