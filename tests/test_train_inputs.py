"""Training of networks that see histories: what is drawn, what it weighs, what is refused."""

import json
import tomllib
from dataclasses import replace

import argon
import numpy as np
import pytest
import torch
from liquids import (
    FILES,
    N_PARTICLES,
    SEES,
    configure,
    histories,
    of_histories,
    recipe,
    write_histories,
    write_liquid,
    write_mixture,
)

from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.inputs import HistoryInput, Inputs
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN
from lammps_botan.training import train
from lammps_botan.training.config import Config, read_config
from lammps_botan.training.data import read_data
from lammps_botan.training.graphs import TurnedGraphs, join
from lammps_botan.training.inputs import read_inputs
from lammps_botan.training.module import Module
from lammps_botan.training.network import make_network
from lammps_botan.training.standardization import standardize
from lammps_botan.training.starts import Starts

NETWORK = 'architecture = "equivariant"\nrounds = 2\nwidth = 16\nfeatures = 4'
NETWORKS = {"equivariant": NETWORK, "botan": 'architecture = "botan"\nrounds = 2\nwidth = 16'}
networks = pytest.mark.parametrize("kind", NETWORKS)


def configuration(folder, added="", epochs=5, kind="equivariant"):
    text = recipe(epochs, network=NETWORKS[kind], recipe=added).replace(
        "[network]", SEES + "[network]"
    )
    return read_config(configure(folder, text))


def graphs_of(folder, added="", kind="equivariant"):
    config = configuration(folder, added, kind=kind)
    data = read_data(config, folder)
    turned = TurnedGraphs(
        data.training, Starts(config, data, folder), seed=1, rotations="o3", dimension=3
    )
    return config, data, turned


def test_the_files_say_window_and_interval(tmp_path):
    data = read_data(configuration(write_histories(tmp_path)), tmp_path)
    assert data.physics.inputs == Inputs(history=HistoryInput(window=3.0, interval=0.1, parts=10))


def test_each_history_of_a_configuration_is_drawn_as_often(tmp_path):
    _, data, turned = graphs_of(write_histories(tmp_path))
    with np.load(tmp_path / "train_1.npz") as archive:
        energies = archive["history_energy"][0]
    seen = np.zeros(3, dtype=int)
    for epoch in range(120):
        (given,) = turned[epoch, 0].inputs
        (which,) = np.flatnonzero((energies == given.scalars[:, 1]).all(axis=1))
        seen[which] += 1
    assert seen.min() > 20
    assert len(data.training[0].inputs) == 3


def test_displacements_turn_with_the_graph(tmp_path):
    _, data, turned = graphs_of(write_histories(tmp_path, velocities=1))
    before, after = data.training[0], turned[3, 0]
    turn = np.linalg.lstsq(before.graph.vectors, after.graph.vectors, rcond=None)[0]
    assert np.abs(turn - np.eye(3)).max() > 0.1
    np.testing.assert_allclose(after.inputs[0].vectors, before.inputs[0].vectors @ turn, atol=1e-6)
    np.testing.assert_array_equal(after.inputs[0].scalars, before.inputs[0].scalars)


def test_an_end_of_a_run_has_its_own_history_and_weight(tmp_path):
    added = "reversed = 1.0\nreversed_weight = 0.25"
    _, data, turned = graphs_of(write_histories(tmp_path), added)
    one = read_ensemble(tmp_path / "train_1.npz")
    with np.load(tmp_path / "train_1.npz") as archive:
        variances = archive["history_variance"]
    ends = [replace(one.configuration, positions=end) for end in one.final]
    known = [build_graph(end, 1.5).distances for end in ends]

    def same(some, others):
        return len(some) == len(others) and np.allclose(some, others, atol=1e-6)

    runs = set()
    for epoch in range(20):
        graph = turned[epoch, 0]
        (run,) = (k for k, distances in enumerate(known) if same(distances, graph.graph.distances))
        motion = np.linalg.norm(one.initial - one.final[run], axis=1)
        np.testing.assert_allclose(graph.node, motion, atol=1e-6)
        assert (variances[1 + run] == graph.inputs[0].scalars[:, 0]).all(axis=1).any()
        assert graph.weight == 0.25
        runs.add(run)
    assert runs == {0, 1}
    assert data.training[0].weight == 1


def test_the_loss_of_a_reversed_run_counts_its_weight(tmp_path):
    losses = []
    for weight in (1.0, 0.25):
        added = f"reversed = 1.0\nreversed_weight = {weight}"
        config, data, turned = graphs_of(write_histories(tmp_path), added)
        torch.manual_seed(0)
        module = Module(config, data.physics, 2)
        losses.append({k: v.item() for k, v in module.losses([turned[0, 0]]).items()})
    for name, loss in losses[0].items():
        assert losses[1][name] == pytest.approx(0.25 * loss, rel=1e-6)


@networks
def test_inputs_and_outputs_are_standardized_by_species(tmp_path, kind):
    config, data, _ = graphs_of(write_histories(tmp_path), kind=kind)
    model = make_network(config.network, data.physics)
    standardize(model, data.training)
    seen = [(graph, given) for graph in data.training for given in graph.inputs]
    own = torch.cat(
        [
            model.particles(
                torch.from_numpy(graph.graph.species),
                torch.from_numpy(given.vectors),
                torch.from_numpy(given.scalars),
            )
            for graph, given in seen
        ]
    )
    species = np.concatenate([graph.graph.species for graph, _ in seen])
    for of in (0, 1):
        some = own[species == of, 2:].numpy()
        # a few are beyond what is told apart
        np.testing.assert_allclose(some.mean(axis=0), 0, atol=0.01)
        np.testing.assert_allclose(some.std(axis=0), 1, atol=0.01)
        if kind == "equivariant":
            node = np.concatenate([g.node[g.graph.species == of] for g in data.training])
            assert float(model.node_mean[of]) == pytest.approx(node.mean(), rel=1e-5)
            assert float(model.node_deviation[of]) == pytest.approx(node.std(), rel=1e-5)


def test_distances_are_standardized_over_all_pairs(tmp_path):
    config, data, _ = graphs_of(write_histories(tmp_path), kind="botan")
    model = make_network(config.network, data.physics)
    standardize(model, data.training)
    seen = [(graph.graph, given) for graph in data.training for given in graph.inputs]
    thermal = np.concatenate([graph.distances for graph, _ in seen])
    mean = np.concatenate(
        [
            np.linalg.norm(
                graph.vectors + d.vectors[graph.center, 0] - d.vectors[graph.neighbor, 0], axis=1
            )
            for graph, d in seen
        ]
    )
    expected = np.stack([thermal, mean, mean - thermal], axis=1)
    np.testing.assert_allclose(model.pairs.mean, expected.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(model.pairs.deviation, expected.std(axis=0), rtol=1e-5)


@networks
def test_the_checkpoint_says_what_the_network_saw_of_the_starts(tmp_path, kind):
    """Of all their histories, and not of the ends of runs nor of the validation data."""
    folder = write_histories(tmp_path)
    (path,) = train(configuration(folder, "reversed = 0.5", kind=kind), folder)
    seen = load_checkpoint(path).seen
    mean, deviation = of_histories([folder / "train_1.npz", folder / "train_2.npz"])
    np.testing.assert_allclose(seen.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(seen.deviation, deviation, rtol=1e-6)
    assert export(load_checkpoint(path), folder / "m.pt").seen == seen


def in_unit(folder, unit, kind, epochs=5):
    """A configuration file and its data, whose lengths are in another unit, as the mixture says."""
    folder.mkdir()
    for seed, file in enumerate(FILES):
        path = write_liquid(folder / f"{file}.npz", seed, **histories(seed, 1, 1))
        with np.load(path) as archive:
            arrays = dict(archive)
        for key in ("initial_positions", "positions", "box", "history_displacement"):
            arrays[key] = arrays[key] * unit
        arrays["history_variance"] = arrays["history_variance"] * unit**2
        np.savez(path, **arrays)
    target = f"cutoff = {1.5 * unit}"
    if unit != 1:
        lengths = [[unit * length for length in row] for row in ((1.35, 1.25), (1.25, 1.25))]
        mixture = write_mixture(folder / "mine.toml", bond_lengths=lengths, diameter=unit)
        target += f'\nmixture = "{mixture}"'
    text = recipe(epochs, network=NETWORKS[kind], target=target)
    return read_config(configure(folder, text.replace("[network]", SEES + "[network]")))


@networks
def test_the_first_loss_is_the_same_in_any_unit(tmp_path, kind):
    losses = []
    for unit in (1.0, 3.0, 2.0**-33):  # the last as in meters
        folder = tmp_path / f"unit-{unit}"
        config = in_unit(folder, unit, kind)
        data = read_data(config, folder)
        torch.manual_seed(0)
        module = Module(config, data.physics, 2)
        standardize(module.model, data.training)
        losses.append(module.losses([data.training[0]])["loss"].item())
    assert losses[1:] == pytest.approx(losses[:1] * 2, rel=1e-4)


@networks
def test_a_network_learns_the_same_in_any_unit(tmp_path, kind):
    """In a unit of a third of the length it predicts three times as much."""
    found = []
    for unit in (1.0, 3.0, 2.0**-33):
        folder = tmp_path / f"unit-{unit}"
        (best,) = train(in_unit(folder, unit, kind, epochs=10), folder)
        trained = load_checkpoint(best)
        export(trained, folder / "m.pt")
        one = read_ensemble(folder / "validation.npz", mixture=trained.physics.mixture)
        prediction = Predictor(folder / "m.pt").predict(one.configuration)
        found.append(np.concatenate([prediction.node, prediction.edge]) / unit)
        # weights to start from are those of the file
        config = read_config(folder / "recipe.toml")
        slow = config.model_copy(
            update={
                "output": "again",
                "recipe": config.recipe.model_copy(update={"learning_rate": 1e-12}),
            }
        )
        (again,) = train(slow, folder, init=best)
        after = load_checkpoint(again).model.state_dict()
        for name, tensor in trained.model.state_dict().items():
            torch.testing.assert_close(after[name], tensor, rtol=1e-5, atol=1e-6)
    assert found[0].std() > 0.01
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-3 * found[0].std())


@pytest.mark.parametrize(("kind", "width"), [("equivariant", 16 + 8 * 4), ("botan", 16)])
def test_a_network_that_sees_histories_is_trained_and_exported(tmp_path, kind, width):
    folder = write_histories(tmp_path, structures=1)
    # what moves far has a large variance
    for name in FILES:
        with np.load(folder / f"{name}.npz") as archive:
            arrays = dict(archive)
        runs = np.linalg.norm(arrays["positions"] - arrays["initial_positions"], axis=2)
        arrays["history_variance"][0] = 0.1 * runs.mean(axis=0)
        np.savez(folder / f"{name}.npz", **arrays)
    added = "learning_rate = 1e-2\np = 1\ngraphs_per_step = 1"
    config = configuration(folder, added, epochs=40, kind=kind)
    (path,) = train(config, folder)
    checkpoint = load_checkpoint(path)
    assert checkpoint.architecture == kind
    assert checkpoint.model.inputs == checkpoint.physics.inputs.names == ["history"]
    rho = checkpoint.provenance["validation_rho"]
    assert rho > 0.8
    metadata = export(checkpoint, folder / "model.pt")
    assert metadata.inputs == checkpoint.physics.inputs
    assert metadata.width == width
    one = read_ensemble(folder / "validation.npz")
    node = Predictor(folder / "model.pt").predict(one.configuration).node[:, 0]
    motion = np.linalg.norm(one.final - one.initial, axis=2).mean(axis=0)
    is_a = one.species == 0
    assert np.corrcoef(node[is_a], motion[is_a])[0, 1] == pytest.approx(rho, abs=1e-4)


def test_the_equivariant_network_learns_from_positions_alone(tmp_path):
    for seed, name in enumerate(FILES):
        write_liquid(tmp_path / f"{name}.npz", seed)
    text = recipe(60, network=NETWORK, recipe="learning_rate = 1e-2\np = 1\ngraphs_per_step = 1")
    (path,) = train(read_config(configure(tmp_path, text)), tmp_path)
    checkpoint = load_checkpoint(path)
    assert checkpoint.physics.inputs == Inputs()
    # 120 particles in a cube of edge 4.6: an edge ends at 1.5, where there are 17 others
    numbers = np.array(checkpoint.seen.mean)[:, :2].sum(axis=1)
    np.testing.assert_allclose(numbers, 119 * 4 / 3 * np.pi * (1.5 / 4.6) ** 3, rtol=0.08)
    assert checkpoint.provenance["validation_rho"] > 0.5
    assert json.loads(export(checkpoint, tmp_path / "m.pt").to_json())["format_version"] == 2


def test_weights_that_see_something_else_are_refused(tmp_path):
    folder = write_histories(tmp_path)
    (path,) = train(configuration(folder), folder)
    text = recipe(5, network=NETWORK).replace('"out"', '"other"')
    with pytest.raises(ValueError, match=r"sees positions, species, .* found .*history"):
        train(read_config(configure(folder, text)), folder, init=path)


@pytest.mark.parametrize(
    ("changes", "added", "message"),
    [
        (dict.fromkeys(histories(0, 1, 1)), "", r"train_1\.npz: has no histories"),
        ({"history_interval": None}, "", r"train_1\.npz: lacks history_interval"),
        ({"structures": 1}, "reversed = 0.5", r"histories of the start only, .*reversed"),
    ],
)
def test_data_without_what_the_network_sees_are_refused(tmp_path, changes, added, message):
    folder = write_histories(tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        train(configuration(folder, added), folder)


def test_the_model_minimizes_to_a_force_in_the_units_of_its_mixture():
    text = recipe(5, network=NETWORK).replace("[network]", "[inputs]\ninherent = true\n[network]")
    config = Config.model_validate(tomllib.loads(text))
    in_metal = argon.in_metal()
    for mixture, force in ((KOB_ANDERSEN, 0.1), (in_metal, 0.1 * argon.EPSILON / argon.SIGMA)):
        found = read_inputs(config, mixture, []).inherent
        assert found.force == pytest.approx(force, rel=1e-5)
    nothing = in_metal.model_copy(update={"interactions": None})
    with pytest.raises(ValueError, match="argon-like has no interactions, so that nothing says"):
        read_inputs(config, nothing, [])


def test_histories_over_different_windows_are_refused(tmp_path):
    folder = write_histories(tmp_path)
    keys = histories(1, 1, 1) | {"history_window": 6.0}
    write_liquid(folder / "train_2.npz", 1, **keys)
    with pytest.raises(ValueError, match=r"train_2\.npz: .* over 6, .*train_1\.npz.* over 3"):
        train(configuration(folder), folder)


@pytest.mark.parametrize(
    ("network", "recipe_lines", "data", "message"),
    [
        (
            'architecture = "nt-gnn"',
            "p = 1",
            "",
            r"'nt-gnn' sees positions only: .*'botan', 'linear' or",
        ),
        (NETWORK, 'precision = "bf16-mixed"', "", r"needs recipe\.precision = '32-true', found"),
        (NETWORK, 'aggregation = "scatter"', "", r"needs recipe\.aggregation = 'index_add'"),
        (NETWORK, "", 'copies = ["short.npz"]', r"data\.copies are positions only"),
    ],
)
def test_what_a_network_cannot_see_or_do_is_refused(tmp_path, network, recipe_lines, data, message):
    text = recipe(5, network=network, recipe=recipe_lines, data=data)
    text = text.replace("[network]", SEES + "[network]")
    with pytest.raises(ValueError, match=message):
        read_config(configure(tmp_path, text))


@networks
def test_several_graphs_are_joined_with_their_inputs(tmp_path, kind):
    config, data, _ = graphs_of(write_histories(tmp_path, velocities=1), kind=kind)
    model = make_network(config.network, data.physics).eval()
    device = torch.device("cpu")
    with torch.no_grad():
        together = model(*join(data.training, device))
        apart = [model(*join([graph], device)) for graph in data.training]
    for k in (0, 1):
        expected = torch.cat([one[k] for one in apart])
        torch.testing.assert_close(together[k], expected, rtol=0, atol=1e-5)


def test_a_start_alone_may_have_an_inherent_structure(tmp_path):
    """As in files of pseudo-labels, which have no runs and so no ends of runs."""
    rng = np.random.default_rng(5)
    for seed, name in enumerate(FILES):
        path = write_liquid(tmp_path / f"{name}.npz", seed)
        one = read_ensemble(path, mixture=KOB_ANDERSEN)
        start = replace(
            one.configuration,
            inherent_positions=one.initial + rng.normal(0, 0.05, one.initial.shape),
            inherent_energies=rng.normal(-7, 1, N_PARTICLES),
        )
        n_edges = build_graph(start, 1.5).n_edges
        labels = Ensemble(
            start,
            np.zeros((0, N_PARTICLES, 3)),
            propensity=rng.random(N_PARTICLES),
            pair_distance_change=rng.random(n_edges),
        )
        write_ensemble(path, labels)
    text = recipe(5, network=NETWORK).replace("[network]", "[inputs]\ninherent = true\n[network]")
    config = read_config(configure(tmp_path, text))
    data = read_data(config, tmp_path)
    (seen,) = data.training[0].inputs
    given = read_ensemble(tmp_path / "train_1.npz").configuration
    np.testing.assert_allclose(seen.scalars[:, 0], given.inherent_energies, rtol=1e-6)
    assert Starts(config, data, tmp_path).draw(0, rng) is None
