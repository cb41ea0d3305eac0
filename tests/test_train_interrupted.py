"""A training run that is killed goes on and ends with the same bits."""

import json
import signal
import subprocess
import sys

import pytest
import torch
from liquids import SEES, configure, recipe, write_histories, write_liquids

import lammps_botan
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.graphs import Order
from lammps_botan.training.module import Module

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:recipe.precision"),
]

# everything that has a state: two optimizers, a schedule, averages, patience
LINES = 'optimizer = "muon"\nlearning_rate = 1e-3\nwarmup_steps = 30\npatience = 3\nseed = 7'
# by the compiled kernels, where there are any, and with starts of several kinds
KERNELS = '\nprecision = "bf16-mixed"\nreversed = 0.3'
REVERSED = "\nreversed = 0.3\nreversed_weight = 0.5"
EQUIVARIANT = 'architecture = "equivariant"\nrounds = 2\nwidth = 16\nfeatures = 4'
STATE = (
    *("epoch", "global_step", "state_dict", "current_model_state", "averaging_state"),
    *("optimizer_states", "lr_schedulers"),
)
KILLED = """
import os, signal, sys
from pathlib import Path
import lammps_botan
from lammps_botan.training.config import read_config
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.training import train
from lammps_botan.training.module import Module

print(lammps_botan.__file__, flush=True)
path, epoch, batch = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
step = Module.training_step

def training_step(self, graphs, number):
    if (self.current_epoch, number) == (epoch, batch):
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, graphs, number)

Module.training_step = training_step
train(read_config(path), path.parent)
"""


def run(path, epoch, batch):
    """A training run that is killed before a step, or not where there is no such step."""
    # -P: the package that is tested here, not the sources in this folder, which have no kernels
    command = [sys.executable, "-P", "-c", KILLED, str(path), str(epoch), str(batch)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.splitlines()[:1] == [lammps_botan.__file__], done.stderr
    return done


def tensors(state, name=""):
    """Name and value of everything in a state, however deep."""
    if isinstance(state, dict):
        return {k: v for key in state for k, v in tensors(state[key], f"{name}.{key}").items()}
    if isinstance(state, list | tuple):
        return {k: v for i, s in enumerate(state) for k, v in tensors(s, f"{name}[{i}]").items()}
    return {name: state.tolist() if isinstance(state, torch.Tensor) else state}


@pytest.mark.parametrize(
    ("epoch", "batch", "lines", "network"),
    [
        (2, 1, "", "width = 16"),
        (10, 0, "", "width = 16"),
        (13, 1, KERNELS, "width = 64"),
        (13, 1, REVERSED, EQUIVARIANT),
    ],
)
def test_a_killed_run_ends_with_the_same_bits(tmp_path, epoch, batch, lines, network):
    states = []
    for name in ("whole", "killed"):
        folder = tmp_path / name
        folder.mkdir()
        text = recipe(20, recipe=LINES + lines, network=network)
        write_liquids(folder)
        if network == EQUIVARIANT:
            # of which one is drawn at each visit
            write_histories(folder, velocities=3)
            text += SEES
        path = configure(folder, text)
        # in processes of their own, as other tests set the number of threads in this one
        if name == "killed":
            done = run(path, epoch, batch)
            assert done.returncode == -signal.SIGKILL, done.stderr
            assert not (folder / "out/best.ckpt").exists()
        done = run(path, -1, -1)
        assert done.returncode == 0, done.stderr
        last = torch.load(folder / "out/last.pl", weights_only=True)
        state = {key: last[key] for key in STATE}
        state["best"] = torch.load(folder / "out/best.ckpt", weights_only=True)
        states.append(tensors(state))
    assert len(states[0]) > 50
    assert states[0] == states[1]


def test_an_interrupted_run_goes_on_where_it_was(tmp_path, monkeypatch):
    config = read_config(configure(write_liquids(tmp_path), recipe(20)))
    step = Module.training_step
    seen = []

    def interrupted(self, graphs, batch):
        seen.append((self.current_epoch, batch, [graph.path.name for graph in graphs]))
        if (self.current_epoch, batch) == (12, 0) and len(seen) < 30:
            raise ConnectionError
        step(self, graphs, batch)

    monkeypatch.setattr(Module, "training_step", interrupted)
    with pytest.raises(ConnectionError):
        train(config, tmp_path)
    train(config, tmp_path)
    # 2 graphs an epoch; the last file was written after 10 epochs
    steps = [(epoch, batch) for epoch, batch, _ in seen]
    every = [(epoch, batch) for epoch in range(20) for batch in range(2)]
    assert steps == every[:25] + every[20:]
    assert seen[20:25] == seen[25:30]
    assert len({str(names) for _, batch, names in seen if batch == 0}) == 2


def test_an_output_folder_knows_what_it_holds(tmp_path):
    config = read_config(configure(write_liquids(tmp_path), recipe(5)))
    train(config, tmp_path)
    files = {p.name for p in (tmp_path / "out").iterdir()}
    assert files == {"best.ckpt", "best.pl", "last.pl", "config.json", "data.json", "log", ".lock"}
    recorded = json.loads((tmp_path / "out/config.json").read_text())
    assert recorded == config.model_dump(mode="json")


def test_the_order_follows_from_seed_and_epoch_alone():
    def order(epoch, **options):
        sampler = Order(10, **{"seed": 1, **options})
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(3) == order(3)
    assert sorted(order(3)) == [(3, number) for number in range(10)]
    assert [n for _, n in order(3)] != [n for _, n in order(4)]
    assert order(3) != order(3, seed=2)


@pytest.mark.parametrize(("n_ranks", "n"), [(2, 10), (4, 10), (4, 3)])
def test_processes_together_take_what_one_would(n_ranks, n):
    samplers = [Order(n, seed=1, rank=rank, n_ranks=n_ranks) for rank in range(n_ranks)]
    alone = [number for _, number in Order(n, seed=1)]
    steps = list(zip(*samplers, strict=True))
    together = [number for step in steps for _, number in step]
    assert len(steps) == -(-n // n_ranks)
    assert together[:n] == alone
    # what is missing at the end begins again
    assert together[n:] == (alone * n_ranks)[: len(together) - n]


SIGNALLED = """
import os, signal, sys
from lammps_botan.cli import main
from lammps_botan.training.module import Module

kind, epoch, batch = (int(word) for word in sys.argv[2:])
step = Module.training_step

def training_step(self, graphs, number):
    if (self.current_epoch, number) == (epoch, batch):
        os.kill(os.getpid(), kind)
    step(self, graphs, number)

Module.training_step = training_step
main(["train", sys.argv[1]])
"""


def signalled(path, kind, epoch, batch):
    """`lammps-botan train`, which gets a signal within a step."""
    words = (str(path), str(int(kind)), str(epoch), str(batch))
    return subprocess.run(
        [sys.executable, "-P", "-c", SIGNALLED, *words], capture_output=True, text=True, timeout=120
    )


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_asked_to_end_keeps_its_best_and_goes_on(tmp_path, kind):
    path = configure(write_liquids(tmp_path), recipe(20))
    done = signalled(path, kind, 12, 1)
    assert done.returncode == 1, done.stderr
    words = " ".join(done.stderr.split())
    assert "best.ckpt is the best until now; the same command goes on from the last epoch" in words
    assert "Traceback" not in done.stderr
    load_checkpoint(tmp_path / "out/best.ckpt")
    done = signalled(path, kind, -1, -1)
    assert done.returncode == 0, done.stderr
    whole = tmp_path / "whole"
    whole.mkdir()
    train(read_config(configure(write_liquids(whole), recipe(20))), whole)
    ours, theirs = (
        torch.load(folder / "out/last.pl", weights_only=True)["state_dict"]
        for folder in (tmp_path, whole)
    )
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_a_training_that_is_asked_to_end_at_once_has_learned_nothing(tmp_path):
    done = signalled(configure(write_liquids(tmp_path), recipe(20)), signal.SIGTERM, 0, 0)
    assert done.returncode == 1
    assert "stopped; nothing is learned yet" in done.stderr
    assert not (tmp_path / "out/best.ckpt").exists()
