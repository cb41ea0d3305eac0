"""Training of the linear network: what was planted is learned, and bad recipes are refused."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from liquids import LENGTH, N_PARTICLES, configure, of_histories, write_liquid
from public_data import FOLDER, needs_public_data
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from lammps_botan.cli import main
from lammps_botan.evaluation.pearson import pearson
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.known_configurations import known_in
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.graph import build_graph
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.data import TrainingGraph, see
from lammps_botan.training.inputs import starts
from lammps_botan.training.linear import LEAST_SPREAD, describe

RECIPE = """
output = "out"
[data]
train = ["train_*.npz"]
[target]
cutoff = 1.5
lag_time = 2.0
temperature = 0.7
[inputs]
history = true
[network]
architecture = "linear"
"""
N_RUNS = 4


def write_glass(path, seed, *, velocities=1, structures=1, **keys):
    """Particles that move as far as the logarithm of their variance says, in random directions.

    The history of the ends of the runs, where `structures` is 1 + N_RUNS, says as much.
    """
    rng = np.random.default_rng(seed)
    initial = rng.random((N_PARTICLES, 3)) * LENGTH
    spread = rng.normal(size=N_PARTICLES)
    variance = 0.05 * np.exp(0.3 * spread)
    direction = rng.normal(size=(N_RUNS, N_PARTICLES, 3))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    shape = (structures, velocities, N_PARTICLES)
    arrays = {
        "initial_positions": initial,
        "positions": initial + direction * (1.0 + 0.2 * spread)[:, None],
        "history_window": 30.0,
        "history_interval": 0.2,
        "history_displacement": rng.normal(size=(*shape, 3)) * 0.05,
        "history_variance": np.broadcast_to(variance, shape),
        "history_energy": rng.normal(size=shape) - 6.0,
    }
    return write_liquid(path, seed, **(arrays | keys))


@pytest.fixture
def folder(tmp_path):
    for seed in (1, 2, 3):
        write_glass(tmp_path / f"train_{seed}.npz", seed, velocities=2)
    write_glass(tmp_path / "other.npz", 4)
    return tmp_path


def fit(folder, text=RECIPE):
    (path,) = train(read_config(configure(folder, text)), folder)
    return load_checkpoint(path)


def command(*arguments):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_what_was_planted_is_learned_and_its_model_file_predicts_it(folder):
    """By the commands that a user types."""
    configure(folder, RECIPE)
    command("train", folder / "recipe.toml")
    command("export", folder / "out/best.ckpt", "-o", folder / "model.pt")
    predictor = Predictor(folder / "model.pt")
    assert predictor.metadata.architecture == "linear"
    inputs = predictor.metadata.inputs
    assert (inputs.history.window, inputs.history.interval, inputs.history.parts) == (30, 0.2, 10)
    other = read_ensemble(folder / "other.npz")
    found = predictor.predict(other.configuration)
    moved = np.linalg.norm(other.final - other.initial, axis=2).mean(axis=0)
    assert pearson(found.node[:, 0], moved) > 0.98
    assert found.node.mean() == pytest.approx(moved.mean(), abs=0.02)


def test_the_weights_are_those_of_scikit_learn(folder):
    """On descriptors of which each is relative to its sample and in units of its deviation."""
    checkpoint = fit(folder)
    network = checkpoint.model
    x, y, mean_x, mean_y = [], [], [], []
    for seed in (1, 2, 3):
        ensemble = read_ensemble(folder / f"train_{seed}.npz")
        some = ensemble.species == 0
        moved = np.linalg.norm(ensemble.final - ensemble.initial, axis=2).mean(axis=0)[some]
        for sample in samples_of(ensemble, checkpoint):
            own = describe(network, sample)[some].astype(np.float64)
            x.append(own - own.mean(axis=0))
            y.append(moved - moved.mean())
            mean_x.append(own.mean(axis=0))
            mean_y.append(moved.mean())
    x, y = np.concatenate(x), np.concatenate(y)
    n_shells = len(network.origin) - network.n_functions
    least = np.tile(np.repeat([0, LEAST_SPREAD], [network.n_functions, n_shells]), 6)
    scaler = StandardScaler(with_mean=False).fit(x)
    scale = np.maximum(scaler.scale_, least)
    penalty = checkpoint.provenance["cross_validation"]["penalties"]["A"]
    ridge = Ridge(penalty, fit_intercept=False).fit(x / scale, y)
    other = read_ensemble(folder / "other.npz")
    (sample,) = samples_of(other, checkpoint)
    there = describe(network, sample)[other.species == 0]
    expected = ridge.predict((there - np.mean(mean_x, axis=0)) / scale) + np.mean(mean_y)
    command("export", folder / "out/best.ckpt", "-o", folder / "model.pt")
    found = Predictor(folder / "model.pt").predict(other.configuration).node[:, 0]
    np.testing.assert_allclose(found[other.species == 0], expected, atol=2e-5)


def samples_of(ensemble, checkpoint):
    inputs = checkpoint.physics.inputs
    graph = build_graph(ensemble.configuration, checkpoint.physics.cutoff)
    none = np.zeros(0)
    return [
        TrainingGraph(ensemble.path, graph, none, none, (one,))
        for one in see(starts(ensemble, inputs), inputs)
    ]


def test_distances_that_relax_to_the_mean_are_predicted_exactly(tmp_path):
    """Runs that all end at the mean positions: E is the mean distance minus the distance."""
    for seed in (1, 2, 3, 4):
        rng = np.random.default_rng(seed)
        initial = rng.random((N_PARTICLES, 3)) * LENGTH
        moved = rng.normal(size=(N_PARTICLES, 3)) * 0.03
        name = f"train_{seed}" if seed < 4 else "other"
        write_glass(
            tmp_path / f"{name}.npz",
            seed,
            initial_positions=initial,
            positions=np.stack([initial + moved] * 2),
            history_displacement=moved[None, None],
        )
    fit(tmp_path)
    command("export", tmp_path / "out/best.ckpt", "-o", tmp_path / "model.pt")
    other = read_ensemble(tmp_path / "other.npz")
    found = Predictor(tmp_path / "model.pt").predict(other.configuration)
    graph, way = found.graph, other.final[0] - other.initial
    ends = np.linalg.norm(graph.vectors + way[graph.center] - way[graph.neighbor], axis=1)
    np.testing.assert_allclose(found.edge[:, 0], ends - graph.distances, atol=2e-3)


def test_reversed_runs_are_further_configurations(folder):
    text = RECIPE + "[recipe]\nreversed = 0.5\n"
    for seed in (1, 2, 3):
        write_glass(folder / f"train_{seed}.npz", seed, structures=1 + N_RUNS)
    checkpoint = fit(folder, text)
    # one run says as much as all, since all go equally far
    assert checkpoint.provenance["cross_validation"]["reversed_weights"]["A"] > 0
    known = {one.sha256 for one in known_in(checkpoint.provenance)}
    ensemble = read_ensemble(folder / "train_1.npz")
    assert ensemble.configuration.sha256 in known
    assert len(known) == 3 * (1 + N_RUNS // 2)
    # the ends are in the same equilibrium and are not looked at
    mean, deviation = of_histories([folder / f"train_{seed}.npz" for seed in (1, 2, 3)])
    np.testing.assert_allclose(checkpoint.seen.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(checkpoint.seen.deviation, deviation, rtol=1e-6)


def test_reversed_runs_need_histories_of_the_ends(folder):
    with pytest.raises(ValueError, match=r"train_1.npz: has histories .* of 0 runs, .*--ends 2"):
        fit(folder, RECIPE + "[recipe]\nreversed = 0.5\n")


def test_files_without_histories_are_refused(folder):
    write_liquid(folder / "train_3.npz", 3)
    with pytest.raises(ValueError, match=r"train_3.npz: .*histor.*simulate history"):
        fit(folder)


def test_histories_of_different_windows_are_refused(folder):
    write_glass(folder / "train_3.npz", 3, history_window=10.0)
    with pytest.raises(ValueError, match=r"train_3.npz: holds histories over 10, .* over 30"):
        fit(folder)


def test_one_configuration_is_too_few(folder):
    """Nor do two files of one configuration make two."""
    for number in (2, 3):
        write_glass(folder / f"train_{number}.npz", 1)
    with pytest.raises(ValueError, match=r"each species must be in two configurations or more"):
        fit(folder)


def test_data_without_runs_are_learned_for_particles(tmp_path):
    for seed in (1, 2, 3):
        propensity = np.random.default_rng(seed).random(N_PARTICLES)
        path = tmp_path / f"train_{seed}.npz"
        write_glass(path, seed, propensity=propensity, drop="positions")
    with pytest.raises(ValueError, match=r"pair-distance change to learn: expected recipe.p = 1"):
        fit(tmp_path)
    checkpoint = fit(tmp_path, RECIPE + "[recipe]\np = 1.0\n")
    assert not checkpoint.model.pairs
    assert "rho_E" not in checkpoint.provenance["cross_validation"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[target]", 'validation = ["a.npz"]\n[target]', r"data.validation: .* leave the key out"),
        (
            "[target]",
            'copies = ["a.npz"]\n[target]',
            r"no data.copies: .* takes time_index, train",
        ),
        ('"linear"', '"linear"\nrounds = 2', r"has no network.rounds: leave the key out"),
        ('"linear"', '"linear"\n[recipe]\nepochs = 3', r"no recipe.epochs: leave the key out"),
        ('"linear"', '"linear"\n[recipe]\nepochs = 10', r"no recipe.epochs: .* takes p, reversed"),
        ('"linear"', '"linear"\n[recipe]\np = 0.4', r"expected recipe.p = 1 for particles alone"),
        ('"linear"', '"botan"', r"data.validation: a key that must be there"),
    ],
)
def test_a_key_that_says_nothing_to_it_is_refused(folder, old, new, message):
    path = configure(folder, RECIPE.replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_config(path)


def test_it_starts_from_nothing(folder):
    config = read_config(configure(folder, RECIPE))
    with pytest.raises(ValueError, match="leave out --init, --devices"):
        train(config, folder, devices=2)


@needs_public_data
@pytest.mark.slow
def test_two_configurations_tell_something_of_a_third(tmp_path):
    """Thermal positions of the public data, which need no simulation; real particles, real runs."""
    files = [str(FOLDER / f"T0.44/train/isoconfig_N4096T0.44_{k}_tc07.npz") for k in (1, 2, 3)]
    text = RECIPE.replace('["train_*.npz"]', json.dumps(files)).replace("history = true", "")
    text = text.replace("1.5", "2.0").replace("2.0\ntemperature = 0.7", "4120\ntemperature = 0.44")
    found = fit(tmp_path, text).provenance["cross_validation"]
    assert found["rho_S"] > 0.4
    assert found["rho_E"] > 0.4
