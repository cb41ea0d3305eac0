"""Recipes: the paper's numbers are the defaults, and a bad key or value is named."""

import json
import re
from pathlib import Path

import pytest
from liquids import RECIPE, configure, recipe

from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.shipped import find_model
from lammps_botan.training.config import (
    Data,
    Inputs,
    Network,
    Recipe,
    Target,
    read_config,
    recorded_config,
)

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
LEAST = """
output = "out"
[data]
train = ["train_*.npz"]
validation = ["validation.npz"]
[recipe]
"""


def test_the_defaults_are_the_numbers_of_the_paper(tmp_path):
    config = read_config(configure(tmp_path, LEAST))
    assert config.target.model_dump() == {
        # from the data
        "mixture": None,
        "cutoff": None,
        "lag_time": None,
        "temperature": None,
        "density": None,
        "node": "S",
    }
    assert config.network.model_dump() == {
        "architecture": "botan",
        "rounds": 7,
        "width": 64,
        "features": 8,
        "edge_scale": 1.0,
    }
    assert config.recipe.model_dump() == {
        "p": 0.4,
        "epochs": 1000,
        "graphs_per_step": 1,
        "rotations": "o3",
        "optimizer": "adam",
        "learning_rate": 1e-4,
        "schedule": "constant",
        "warmup_steps": 0,
        "clip": 1.0,
        "averaging": 0.0,
        "precision": "32-true",
        "aggregation": "index_add",
        "validate_every": 10,
        "patience": None,
        "offset_weight": 1.0,
        "reversed": 0.0,
        "reversed_weight": 1.0,
        "seed": 1,
    }


def test_the_documentation_lists_every_key_with_its_default():
    text = (CONFIGS.parent / "docs" / "reference" / "train.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if "|" in line]
    key_of = r"`((?:data|target|inputs|network|recipe)\.(?!json)\w+)`"  # data.json is a file
    defaults = {key: cells[2] for cells in rows for key in re.findall(key_of, cells[1])}
    expected = {
        f"{name}.{key}": field.default
        for name, section in (
            ("target", Target),
            ("inputs", Inputs),
            ("network", Network),
            ("recipe", Recipe),
        )
        for key, field in section.model_fields.items()
    } | dict.fromkeys(f"data.{key}" for key in Data.model_fields)
    assert set(defaults) == set(expected)
    for key in ("network.rounds", "network.width", "recipe.p", "recipe.clip"):
        assert float(defaults[key]) == expected[key]
    for key in ("recipe.rotations", "recipe.optimizer", "recipe.schedule", "recipe.precision"):
        assert defaults[key] == f'`"{expected[key]}"`'


@pytest.mark.parametrize(("p", "graphs"), [(0, 1), (0.4, 1), (1, 5)])
def test_nodes_alone_are_learned_from_five_graphs_a_step(tmp_path, p, graphs):
    config = read_config(configure(tmp_path, LEAST + f"p = {p}"))
    assert config.recipe.graphs_per_step == graphs


def test_species_a_and_b_are_the_kob_andersen_mixture_with_a_warning(tmp_path):
    """As in configurations from before there were mixtures."""
    path = configure(tmp_path, LEAST + '[target]\nspecies = ["A", "B"]')
    with pytest.warns(FutureWarning, match='write mixture = "kob-andersen" in its place'):
        config = read_config(path)
    assert config.target == Target(mixture="kob-andersen")


def test_several_seeds_are_several_runs(tmp_path):
    config = read_config(configure(tmp_path, LEAST + "seed = [3, 1]"))
    members = config.members()
    assert [m.output for m in members] == ["out/seed-3", "out/seed-1"]
    assert [m.recipe.seed for m in members] == [3, 1]
    assert {m.recipe.p for m in members} == {0.4}
    one = read_config(configure(tmp_path, LEAST + "seed = 3"))
    assert one.members() == [one]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs", "epoch", r"unknown key 'recipe.epoch'; expected one of p, epochs"),
        ("[network]", "[net]", r"unknown key 'net'; expected one of output, data"),
        ("width = 16", 'width = "16"', r"network.width: .* integer, found '16'"),
        ("rounds = 2", "rounds = 2.5", r"network.rounds: .* integer, found 2.5"),
        (
            "rounds = 2",
            'architecture = "se3"',
            r"network.architecture: .* 'botan', 'nt-gnn', 'linear' or 'equivariant', .*",
        ),
        ("lag_time = 2.0", "lag_time = -2.0", r"target.lag_time: .* greater than 0"),
        ("lag_time = 2.0", "lag_time = inf", r"target.lag_time: .* finite number, found inf"),
        ("lag_time = 2.0", 'species = ["A"]', r"target: species = \['A'\]: write .* mixture = "),
        ("lag_time = 2.0", 'node = "X"', r"target.node: .* 'S', 'R', 'D' or 'C', found 'X'"),
        ("lag_time = 2.0", "lag_time = 2020-01-01", r"target.lag_time: .* number, found '2020-01-"),
        ('["validation.npz"]', "[]", r"data.validation: .* at least 1 item"),
        ('["validation.npz"]', '"validation.npz"', r"data.validation: .* array, found 'validation"),
        ('output = "out"', "", r"output: a key that must be there"),
        ("[data]", "[data", r"not a TOML file"),
        ("averaging = 0.9", 'seed = "1"', r"recipe.seed: must be an integer .* found '1'"),
        ("averaging = 0.9", "seed = true", r"recipe.seed: must be an integer .* found True"),
        ("averaging = 0.9", "seed = [1, 1]", r"recipe.seed: .* different ones, found \[1, 1\]"),
        ("averaging = 0.9", "p = 1.5", r"recipe.p: .* less than or equal to 1, found 1.5$"),
        ("epochs = 5", "epochs = 7", r"recipe: epochs must be a multiple .* 7 and 5"),
        (
            "rounds = 2",
            'architecture = "nt-gnn"',
            r"network.architecture 'nt-gnn' has no output on edges: expected recipe.p = 1, found 0",
        ),
    ],
)
def test_a_bad_recipe_is_named(tmp_path, old, new, message):
    path = configure(tmp_path, RECIPE.format(epochs=5).replace(old, new))
    with pytest.raises(ValueError, match=rf"recipe\.toml: {message}"):
        read_config(path)


def test_every_bad_key_has_a_line(tmp_path):
    path = configure(tmp_path, recipe(5, recipe="p = 2\nclip = 0\nfoo = 1"))
    with pytest.raises(ValueError, match=r"recipe\.p") as error:
        read_config(path)
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == [
        "recipe.p",
        "recipe.clip",
        "unknown key 'recipe.foo'; expected one of p, epochs, graphs_per_step, rotations, "
        "optimizer, learning_rate, schedule, warmup_steps, clip, averaging, precision, "
        "aggregation, validate_every, patience, offset_weight, reversed, reversed_weight, seed",
    ]


def test_what_a_run_records_is_read_back(tmp_path):
    config = read_config(configure(tmp_path, LEAST + "p = 1\nseed = [1, 2]"))
    assert recorded_config(json.loads(config.model_dump_json())) == config


@pytest.mark.parametrize(
    ("model", "recipe", "init"),
    [
        ("ka-t044", "botan", "best.ckpt"),  # of configs/pretrain.toml
        ("ka-t064", "t064", "best.ckpt"),
        ("ka-t064-history", "equivariant_t064", None),
    ],
)
def test_the_shipped_models_came_from_the_shipped_recipes(model, recipe, init):
    metadata = read_metadata(find_model(model))
    recorded = recorded_config(metadata.provenance["config"])
    config = read_config(CONFIGS / f"{recipe}.toml")
    # the folder of pseudo-labels had another name
    train = [path.replace("taught", "pseudo_labels") for path in recorded.data.train]
    assert recorded.data.model_copy(update={"train": train}) == config.data
    assert (recorded.network, recorded.recipe) == (config.network, config.recipe)
    assert recorded.target == config.target
    assert metadata.mixture.name == config.target.mixture
    assert (metadata.provenance["init"] or {"file": None})["file"] == init


def test_the_thermal_equivariant_network_came_from_its_recipe():
    metadata = read_metadata(find_model("ka-t044-equivariant"))
    recorded = recorded_config(metadata.provenance["config"])
    # its labels are those of a committee, and not of configs/teacher.toml: see its card
    config, start = (read_config(CONFIGS / f"equivariant_thermal{k}.toml") for k in ("", "_start"))
    # the second time that configs/equivariant_thermal.toml was followed: with another seed
    assert recorded.recipe == config.recipe.model_copy(update={"seed": 4})
    assert recorded.network == config.network
    assert (recorded.target, recorded.inputs) == (config.target, config.inputs)
    assert metadata.provenance["init"]["file"] == "best.ckpt"
    assert (start.network, start.target, start.data) == (
        config.network,
        config.target,
        config.data,
    )


def test_the_pretrained_network_is_one_to_start_the_shipped_recipe_from():
    pretraining, training = (read_config(CONFIGS / f"{n}.toml") for n in ("pretrain", "botan"))
    for key in ("architecture", "rounds", "width"):
        assert getattr(pretraining.network, key) == getattr(training.network, key)
    assert pretraining.target.mixture == training.target.mixture
    assert pretraining.target.cutoff == training.target.cutoff
    # as in the paper: T = 0.44, t = 13
    assert (pretraining.target.temperature, pretraining.target.lag_time) == (0.44, 13)
