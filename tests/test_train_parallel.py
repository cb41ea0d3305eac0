"""Several processes share the graphs of a step and learn what one process would."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from liquids import configure, recipe, write_liquid, write_liquids

from lammps_botan.cli import main
from lammps_botan.network.checkpoint import load_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.long]

KERNELS = 'precision = "bf16-mixed"'
COMMAND = Path(sys.executable).with_name("lammps-botan")


def run(folder, text, *options):
    """As a user types it: Lightning starts the other processes by the same command."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [COMMAND, "train", configure(folder, text), *options],
        capture_output=True,
        text=True,
        env=environment,
    )


def rows(output, column):
    with (output / "log/version_0/metrics.csv").open() as file:
        return [float(row[column]) for row in csv.DictReader(file) if row[column]]


def liquids(folder):
    write_liquids(folder)
    for seed, name in ((3, "train_3"), (4, "train_4")):
        write_liquid(folder / f"{name}.npz", seed)
    return folder


@pytest.mark.parametrize(
    ("lines", "seeds"),
    [
        ("graphs_per_step = 2", [1]),
        ('graphs_per_step = 2\noptimizer = "muon"\nseed = [1, 2]', [1, 2]),
        ("graphs_per_step = 2\np = 0", [1]),
        (f"graphs_per_step = 2\n{KERNELS}\nreversed = 0.3", [1]),
    ],
)
def test_two_processes_learn_what_one_would(tmp_path, lines, seeds):
    liquids(tmp_path)
    kernels = KERNELS in lines
    text = recipe(10, recipe=lines, network=f"rounds = 1\nwidth = {64 if kernels else 16}")
    atol = 1e-3 if kernels else 1e-5
    printed = {}
    for devices in ("1", "2"):
        done = run(tmp_path, text.replace('"out"', f'"out{devices}"'), "--devices", devices)
        assert done.returncode == 0, done.stderr
        printed[devices] = done.stdout
    # one of the processes speaks
    assert printed["2"].count("wrote ") == 1
    assert printed["2"].count("10 of 10") == len(seeds)
    for seed in seeds:
        one, two = (
            tmp_path / f"out{devices}" / ("" if len(seeds) == 1 else f"seed-{seed}")
            for devices in (1, 2)
        )
        for column in ("loss", "rho"):
            assert rows(two, column) == pytest.approx(rows(one, column), abs=atol)
        assert len(rows(two, "loss")) == 20
        first, second = (load_checkpoint(o / "best.ckpt").model.state_dict() for o in (one, two))
        for name, tensor in first.items():
            torch.testing.assert_close(second[name], tensor, rtol=0, atol=atol)


def test_a_loss_that_is_not_finite_ends_all_processes(tmp_path):
    liquids(tmp_path)
    done = run(
        tmp_path, recipe(5, recipe="graphs_per_step = 2\nlearning_rate = 1e30"), "--devices", "2"
    )
    assert done.returncode != 0
    assert "expected finite numbers" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_processes_that_cannot_share_a_step_are_refused(tmp_path):
    path = configure(write_liquids(tmp_path), recipe(5))
    result = CliRunner().invoke(main, ["train", str(path), "--devices", "2", "--num-nodes", "2"])
    assert result.exit_code == 1
    words = " ".join(result.output.split())
    assert "graphs_per_step to be a multiple of 4 (devices x nodes), found 1" in words
    assert not (tmp_path / "out").exists()
