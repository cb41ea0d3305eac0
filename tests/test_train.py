"""Training: a small liquid is learned, an interrupted run goes on, and a bad recipe is named."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lammps_botan.checkpoint import load_checkpoint
from lammps_botan.config import read_config
from lammps_botan.evaluate import evaluate
from lammps_botan.export import export
from lammps_botan.scorer import Scorer
from lammps_botan.train import _Module, train

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
rounds = 2
width = 16
[recipe]
epochs = {epochs}
learning_rate = 3e-3
averaging = 0.9
validate_every = 5
"""


@pytest.fixture
def folder(tmp_path):
    """Configurations whose particles move the farther the fewer neighbors they have."""
    rng = np.random.default_rng(0)
    for name in ("train_1", "train_2", "validation"):
        initial = rng.random((120, 3)) * 4.6
        apart = initial[:, None] - initial
        apart -= 4.6 * np.rint(apart / 4.6)
        neighbors = (np.linalg.norm(apart, axis=2) < 1.4).sum(axis=1) - 1
        direction = rng.normal(size=(2, 120, 3))
        direction /= np.linalg.norm(direction, axis=2, keepdims=True)
        final = initial + direction * (0.4 / (1 + neighbors))[:, None]
        types = (np.arange(120) >= 96).astype(np.int8)
        np.savez(
            tmp_path / f"{name}.npz",
            types=types,
            initial_positions=initial,
            positions=final,
            box=4.6,
        )
    return tmp_path


def configure(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_a_network_learns_and_its_model_file_scores(folder):
    config = read_config(configure(folder, RECIPE.format(epochs=60)))
    path = train(config, folder)
    checkpoint = load_checkpoint(path)
    assert checkpoint.physics.lag_times == (2.0,)
    assert checkpoint.physics.cutoff == 1.5
    assert checkpoint.provenance["config"]["recipe"]["epochs"] == 60
    export(checkpoint, folder / "model.pt")
    scores = evaluate([folder / "model.pt"], [folder / "validation.npz"])["models"][0]
    assert scores["S"]["A"]["rho_mean"] > 0.8


def test_an_interrupted_run_goes_on_where_it_was(folder, monkeypatch):
    config = read_config(configure(folder, RECIPE.format(epochs=20)))
    step = _Module.training_step
    seen = []

    def interrupted(self, sample, batch):
        seen.append(self.global_step)
        if self.global_step == 24 and len(seen) < 30:
            raise ConnectionError
        return step(self, sample, batch)

    monkeypatch.setattr(_Module, "training_step", interrupted)
    with pytest.raises(ConnectionError):
        train(config, folder)
    train(config, folder)
    # 2 graphs an epoch; the last file was written after 10 epochs
    assert seen == [*range(25), *range(20, 40)]


def test_a_folder_with_another_run_is_not_overwritten(folder):
    train(read_config(configure(folder, RECIPE.format(epochs=5))), folder)
    before = (folder / "out/best.ckpt").read_bytes()
    with pytest.raises(ValueError, match="holds a run of another configuration"):
        train(read_config(configure(folder, RECIPE.format(epochs=10))), folder)
    assert (folder / "out/best.ckpt").read_bytes() == before
    assert json.loads((folder / "out/config.json").read_text())["recipe"]["epochs"] == 5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs", "epoch", r"unknown key 'recipe.epoch'; expected one of p, epochs"),
        ("[network]", "[net]", r"unknown key 'net'; expected one of output, data"),
        ("width = 16", 'width = "x"', r"network.width: .* found 'x'"),
        ("lag_time = 2.0", "lag_time = -2.0", r"target.lag_time: .* greater than 0"),
        ('output = "out"', "", r"output: Field required"),
        ("[data]", "[data", r"not a TOML file"),
        (
            "epochs = 5",
            "epochs = 7",
            r"recipe: epochs must be a multiple .* 7 and 5",
        ),
    ],
)
def test_a_bad_recipe_is_named(folder, old, new, message):
    path = configure(folder, RECIPE.format(epochs=5).replace(old, new))
    with pytest.raises(ValueError, match=rf"recipe\.toml: {message}"):
        read_config(path)


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("train_*.npz", "none_*.npz", FileNotFoundError, r"no file matches 'none_\*\.npz'"),
        ("validation.npz", "train_1.npz", ValueError, "both in data.train and in data.validation"),
        ("[target]", '[target]\nspecies = ["A"]', ValueError, "has species 1, but target.species"),
    ],
)
def test_data_that_cannot_be_used_are_named(folder, old, new, error, message):
    config = read_config(configure(folder, RECIPE.format(epochs=5).replace(old, new)))
    with pytest.raises(error, match=message):
        train(config, folder)
    assert not (folder / "out").exists()


def test_a_finished_run_started_again_gives_the_same_checkpoint(folder):
    config = read_config(configure(folder, RECIPE.format(epochs=5)))
    first = load_checkpoint(train(config, folder)).model.state_dict()
    again = load_checkpoint(train(config, folder)).model.state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in first.items())


def test_the_shipped_recipe_is_one_and_the_shipped_model_came_from_it():
    recipe = Path(__file__).resolve().parents[1] / "configs" / "botan.toml"
    assert Scorer("ka-t044").metadata.provenance["config"] == read_config(recipe).model_dump(
        mode="json"
    )
