"""Learning curves of trainings."""

import re

import numpy as np
import pytest
from pictures import words, write_ensemble
from score_runs import run

from lammps_botan.figures.training_log import read_training_log
from lammps_botan.network.checkpoint import load_checkpoint

RECIPE = """
output = "out"
[data]
train = ["train_*.npz"]
validation = ["validation.npz"]
[target]
cutoff = 1.5
lag_time = 2.0
temperature = 0.7
[network]
rounds = 1
width = 8
[recipe]
epochs = {epochs}
learning_rate = 3e-3
validate_every = 2
"""


@pytest.fixture
def trained(tmp_path):
    """The output folder of a training that was started again after its end."""
    for k, name in enumerate(("train_1", "train_2", "validation")):
        lengths = np.random.default_rng(k).uniform(0.1, 0.5, 100)
        write_ensemble(tmp_path / f"{name}.npz", lengths, seed=k)
    (tmp_path / "my.toml").write_text(RECIPE.format(epochs=6))
    for _ in range(2):
        run("train", tmp_path / "my.toml")
    return tmp_path / "out"


def write_log(folder, version, *lines, header="epoch,loss_E,loss_S,rho,rho_E,rho_S,step"):
    path = folder / f"log/version_{version}/metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([header, *lines]) + "\n" if header else "")
    return folder


def test_a_training_is_drawn_and_its_chosen_epoch_marked(trained, tmp_path):
    run("plot", "learning-curve", trained, "-o", tmp_path / "l.svg")
    best = load_checkpoint(trained / "best.ckpt").provenance["epoch"] + 1
    assert {f"out, best epoch {best}", "particles", "pairs"} <= set(words(tmp_path / "l.svg"))
    log = read_training_log(trained)
    for quantity in ("S", "E"):
        assert log.losses[quantity].epochs == [1, 2, 3, 4, 5, 6]
        assert log.correlations[quantity].epochs == [2, 4, 6]
    assert log.best == best


def test_losses_are_means_over_an_epoch_and_what_a_resumed_run_repeats_counts_once(tmp_path):
    first = ("0,1.0,3.0,,,,0", "0,2.0,4.0,,,,1", "0,,,0.3,0.2,0.4,1", "1,5.0,6.0,,,,2")
    second = ("1,0.5,,,,,2", "1,,,0.1,0.1,0.1,3", "2,nan,0.5,,,,4")
    folder = write_log(tmp_path / "r", 9, *first)
    log = read_training_log(write_log(folder, 10, *second))
    assert (log.losses["E"].epochs, log.losses["E"].values) == ([1, 2], [1.5, 0.5])
    assert (log.losses["S"].epochs, log.losses["S"].values) == ([1, 3], [3.5, 0.5])
    assert log.correlations["S"].values == [0.4, 0.1]
    assert log.best == 1


def test_a_line_that_is_being_written_is_left_out_and_other_columns_do_not_matter(tmp_path):
    header = "epoch,grad_norm,loss_E,rho,rho_E"
    log = read_training_log(
        write_log(tmp_path / "r", 0, "0,7,1.0,,", "0,,,0.3,0.3", "1,7,0.", header=header)
    )
    assert log.losses.keys() == log.correlations.keys() == {"E"}
    assert log.losses["E"].epochs == [1]


def test_runs_of_one_name_are_told_apart(tmp_path):
    folders = [write_log(tmp_path / k / "out", 0, "0,1,1,.5,.5,.5,0") for k in "ab"]
    run("plot", "learning-curve", *folders, "-o", tmp_path / "l.svg")
    found = words(tmp_path / "l.svg")
    assert {f"{folder}, best epoch 1" for folder in folders} <= set(found)


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("none", "none: no such folder; expected an output of a training"),
        ("plain", "plain: no output folder of `lammps-botan train`: there is no log/version_0"),
        ("several", "type its folders several/seed-1 several/seed-2"),
        ("empty", "empty: nothing was logged yet"),
        ("started", "started: nothing was logged yet"),
        ("early", "early: no validation was logged in 2 epochs"),
        ("other", "metrics.csv: expected a table of a training with a column epoch, found"),
        ("damaged", "metrics.csv: line 3: could not convert string to float: 'x'"),
    ],
)
def test_errors_are_messages(folder, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").mkdir()
    for k in (1, 2):
        write_log(tmp_path / f"several/seed-{k}", 0, "0,1,1,.5,.5,.5,0")
    write_log(tmp_path / "empty", 0, header="")
    write_log(tmp_path / "started", 0)
    write_log(tmp_path / "early", 0, "0,1,1,,,,0", "1,1,1,,,,1")
    write_log(tmp_path / "other", 0, "1,2", header="t,x")
    write_log(tmp_path / "damaged", 0, "0,1,1,,,,0", "0,x,1,,,,1")
    printed = run("plot", "learning-curve", folder, "-o", "l.png", fails=True).output
    assert message in re.sub(r"\s+", " ", printed)
    assert not (tmp_path / "l.png").exists()
