"""Who trains: one run in a folder, by as many processes as are asked for."""

import os

import pytest
import torch
from click.testing import CliRunner
from liquids import configure, recipe, write_liquids

from lammps_botan.cli import main
from lammps_botan.files.output_folder import lock_folder
from lammps_botan.training.processes import Processes

LINEAR = '\n[network]\narchitecture = "linear"'
SLURM = {"SLURM_NTASKS": "8", "SLURM_PROCID": "3", "SLURM_LOCALID": "3", "SLURM_NODEID": "0"}
TWO_NODES = SLURM | {"SLURM_NTASKS_PER_NODE": "4", "SLURM_NNODES": "2", "SLURM_STEP_NUM_TASKS": "8"}
ONE_SHELL = SLURM | {"SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "SLURM_STEP_NUM_TASKS": "1"}
TORCHRUN = {"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}


@pytest.fixture
def started(monkeypatch):
    """Set the environment, which has nothing of SLURM and torchrun but what is set."""
    for name in os.environ:
        if name.startswith(("SLURM_", "TORCHELASTIC_")) or name.endswith(("RANK", "WORLD_SIZE")):
            monkeypatch.delenv(name)

    def start(environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return start


def train(path, *options):
    result = CliRunner().invoke(main, ["train", str(path), *options])
    assert result.exit_code == 1
    return " ".join(result.output.split())


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (recipe(5), "out"),
        (recipe(5, recipe="seed = [1, 2]"), "out/seed-2"),
        (recipe(5).replace('validation = ["validation.npz"]', "").split("[network]")[0], "out"),
    ],
)
def test_a_folder_in_which_another_process_writes_is_refused(tmp_path, text, output):
    if "[network]" not in text:
        text += LINEAR
    path = configure(write_liquids(tmp_path), text)
    with lock_folder(tmp_path / output):
        found = train(path)
        assert f"{output}: another process is writing here; wait for it, or choose" in found
        assert list((tmp_path / output).iterdir()) == [tmp_path / output / ".lock"]
    assert not (tmp_path / "out").exists()


def test_a_lock_leaves_what_was_there(tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("mine", "new/one", "new/other"):
        with lock_folder(tmp_path / name):
            if name == "new/other":
                (tmp_path / name / "file").touch()
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert found == {"mine", "mine/.lock", "new", "new/other", "new/other/file", "new/other/.lock"}


@pytest.mark.parametrize(
    ("environment", "options", "words"),
    [
        (SLURM, (), "SLURM has 8 tasks here: expected 1, which is --devices 1 x"),
        (TWO_NODES, (), "SLURM has 8 tasks here: expected 1, which is --devices 1 x"),
        (SLURM, (4, 2), "SLURM has --ntasks=8 --nodes=2: expected --ntasks-per-node=4 --nodes=2,"),
        (
            TWO_NODES,
            (8, 1),
            "SLURM has --ntasks-per-node=4 --nodes=2: expected --ntasks-per-node=8 --nodes=1, as",
        ),
        (
            {k: v for k, v in TWO_NODES.items() if k != "SLURM_STEP_NUM_TASKS"},
            (4, 2),
            "--devices 4 --num-nodes 2: in a job of SLURM srun starts the processes, found a com",
        ),
        *(
            (
                ONE_SHELL | {"SLURM_NTASKS": tasks},  # of srun --pty bash
                (2, 1),
                "--devices 2 --num-nodes 1: in a job of SLURM srun starts the processes, found a",
            )
            for tasks in ("1", "2")
        ),
        (
            TORCHRUN,
            (),
            "torchrun starts 4 processes on this machine and 8 in all: expected 1 and",
        ),
        (TORCHRUN, (2, 4), "4 processes on this machine and 8 in all: expected 2 and 8"),
        ({}, (1, 2), "--num-nodes 2: nothing starts the processes of the other machines: expected"),
    ],
)
def test_processes_that_nobody_starts_are_refused_before_data_are_read(
    tmp_path, started, environment, options, words
):
    started(environment)
    path = configure(tmp_path, recipe(5, recipe="graphs_per_step = 8"))  # and no data
    named = zip(("--devices", "--num-nodes"), map(str, options), strict=False)
    assert words in train(path, *[word for option in named for word in option])


def test_more_processes_than_gpus_are_refused(tmp_path, started, monkeypatch):
    started({})
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    path = configure(tmp_path, recipe(5, recipe="graphs_per_step = 4"))
    words = train(path, "--devices", "4")
    assert "--devices 4: each process takes a GPU of its own: expected 4 GPUs or more on" in words
    assert "found 1; type --devices 1, or CUDA_VISIBLE_DEVICES= in front of" in words


@pytest.mark.parametrize(
    ("environment", "numbers", "first"),
    [
        ({}, (1, 1), True),
        ({}, (2, 1), True),
        ({"LOCAL_RANK": "1"}, (2, 1), False),
        # started by hand on the second machine
        ({"NODE_RANK": "1"}, (1, 2), False),
        (TWO_NODES, (4, 2), False),
        (TWO_NODES | {"SLURM_PROCID": "0", "SLURM_LOCALID": "0"}, (4, 2), True),
        (TWO_NODES | {"SLURM_LOCALID": "0", "SLURM_NODEID": "1"}, (4, 2), False),
        (TORCHRUN | {"LOCAL_RANK": "0", "GROUP_RANK": "0"}, (4, 2), True),
        (TORCHRUN | {"LOCAL_RANK": "0", "GROUP_RANK": "1"}, (4, 2), False),
        # a job with several tasks, in which one process trains without srun
        (SLURM | {"SLURM_NTASKS_PER_NODE": "8", "SLURM_PROCID": "0"}, (1, 1), True),
    ],
)
def test_one_of_the_processes_is_the_first(started, environment, numbers, first):
    started(environment)
    processes = Processes(*numbers)
    processes.check()
    assert processes.is_first == first
