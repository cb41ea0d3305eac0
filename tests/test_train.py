"""Training: a small liquid is learned, several seeds make a committee, runs start from others."""

import contextlib
import csv
import hashlib
import json
import pickle
import re
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from liquids import configure, recipe, write_liquids, write_mixture
from public_data import GLASSY_DYNAMICS, needs_glassy_dynamics, needs_public_data, weights

from lammps_botan.analysis.sample import make_relative_displacement
from lammps_botan.cli import main
from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.evaluation.pearson import pearson
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.engine import training as kernels
from lammps_botan.network.export import export
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.data import read_data
from lammps_botan.training.module import Module


@pytest.fixture
def folder(tmp_path):
    return write_liquids(tmp_path)


def run(folder, text, **options):
    return train(read_config(configure(folder, text)), folder, **options)


def command(*arguments, fails=False):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def same(path, other):
    first, second = (load_checkpoint(p).model.state_dict() for p in (path, other))
    return all(torch.equal(second[name], tensor) for name, tensor in first.items())


def rows(folder, column):
    with (folder / "log/version_0/metrics.csv").open() as file:
        return [float(row[column]) for row in csv.DictReader(file) if row[column]]


def test_a_network_learns_and_its_model_file_scores(folder):
    (path,) = run(folder, recipe(60))
    checkpoint = load_checkpoint(path)
    assert checkpoint.physics.lag_times == (2.0,)
    assert checkpoint.physics.cutoff == 1.5
    assert checkpoint.provenance["config"]["recipe"]["epochs"] == 60
    assert checkpoint.provenance["init"] is None
    export(checkpoint, folder / "model.pt")
    model, validation = folder / "model.pt", folder / "validation.npz"
    (found,) = evaluate([model], [validation], known=True)["models"]
    assert found["S"]["A"]["rho_mean"] > 0.8
    with pytest.raises(ValueError, match="known to the models"):
        evaluate([model], [validation])


def test_the_best_epoch_by_validation_is_kept(folder):
    (path,) = run(folder, recipe(40, recipe="averaging = 0\nlearning_rate = 1e-2"))
    scores = rows(folder / "out", "rho")
    assert len(scores) == 8
    assert max(scores) > scores[-1]
    provenance = load_checkpoint(path).provenance
    assert provenance["validation_rho"] == pytest.approx(max(scores), abs=1e-6)
    assert provenance["epoch"] == 5 * int(np.argmax(scores)) + 4


def test_logs_are_tables_and_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(folder, recipe(5))
    log = folder / "out/log/version_0"
    events = EventAccumulator(str(log)).Reload()
    for name in ("loss", "loss_S", "loss_E", "rho", "rho_S", "rho_E"):
        written = [event.value for event in events.Scalars(name)]
        assert written == pytest.approx(rows(folder / "out", name))
    assert len(rows(folder / "out", "loss")) == 10
    first = [rows(folder / "out", name)[0] for name in ("loss", "loss_S", "loss_E")]
    assert first[0] == pytest.approx(0.4 * first[1] + 0.6 * first[2])


def test_a_folder_with_another_run_is_not_overwritten(folder):
    run(folder, recipe(5))
    before = (folder / "out/best.ckpt").read_bytes()
    with pytest.raises(ValueError, match="holds a run of another configuration"):
        run(folder, recipe(10))
    with pytest.raises(ValueError, match="out holds a run with a single seed"):
        run(folder, recipe(5, recipe="seed = [1, 2]"))
    assert (folder / "out/best.ckpt").read_bytes() == before
    assert json.loads((folder / "out/config.json").read_text())["recipe"]["epochs"] == 5


def test_a_finished_run_started_again_gives_the_same_checkpoint(folder):
    (path,) = run(folder, recipe(5))
    path.replace(folder / "first.ckpt")
    run(folder, recipe(5))
    assert same(path, folder / "first.ckpt")


def test_several_seeds_make_a_committee_with_one_command(folder):
    path = configure(folder, recipe(5, recipe="seed = [2, 1]"))
    printed = command("train", path)
    members = [folder / f"out/seed-{seed}/best.ckpt" for seed in (2, 1)]
    names = " ".join(map(str, members))
    assert f"wrote {names}; next: lammps-botan export {names} -o model.pt" in printed
    assert not same(*members)
    recorded = [load_checkpoint(m).provenance["config"]["recipe"]["seed"] for m in members]
    assert recorded == [2, 1]
    command("export", *members, "-o", folder / "model.pt")
    # each is what it would have been alone
    (alone,) = run(folder, recipe(5, recipe="seed = 1").replace('"out"', '"alone"'))
    assert same(alone, members[1])


def test_a_run_starts_from_the_weights_of_another_one(folder):
    (pretrained,) = run(folder, recipe(5, recipe="p = 0").replace('"out"', '"edges"'))
    # so slow that the weights stay what they were
    slow = recipe(5, recipe="learning_rate = 1e-12\naveraging = 0")
    (path,) = run(folder, slow, init=pretrained)
    first, second = (load_checkpoint(p).model.state_dict() for p in (pretrained, path))
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, rtol=0, atol=1e-6)
    digest = hashlib.sha256(pretrained.read_bytes()).hexdigest()
    origin = {"file": "best.ckpt", "sha256": digest}
    assert load_checkpoint(path).provenance["init"] == origin

    with pytest.raises(ValueError, match=r"started from other weights, those of best.ckpt: give"):
        run(folder, slow)
    run(folder, recipe(5).replace('"out"', '"random"'))
    with pytest.raises(ValueError, match="started from other weights, random ones: give"):
        run(folder, recipe(5).replace('"out"', '"random"'), init=pretrained)


def test_what_the_first_weights_learned_from_does_not_validate(folder):
    (pretrained,) = run(folder, recipe(5).replace('"out"', '"first"'))
    shutil.copy(folder / "train_1.npz", folder / "judge.npz")
    text = re.sub(r"train = \[.*\]", 'train = ["validation.npz"]', recipe(5))
    text = re.sub(r"validation = \[.*\]", 'validation = ["judge.npz"]', text)
    words = (
        r"judge.npz: is among data.validation, but the weights of best.ckpt have learned from it"
    )
    with pytest.raises(ValueError, match=rf"{words} \(train_1.npz\)"):
        run(folder, text, init=pretrained)
    assert not (folder / "out" / "config.json").exists()
    run(folder, text)


@needs_public_data
def test_a_run_may_start_from_public_weights(folder):
    command("import-weights", weights(1), "-o", folder / "model1.ckpt")
    text = recipe(5, network="rounds = 7\nwidth = 64", target="cutoff = 2.0", recipe="p = 0")
    printed = command("train", configure(folder, text), "--init", folder / "model1.ckpt")
    assert "best.ckpt" in printed
    checkpoint = load_checkpoint(folder / "out/best.ckpt")
    assert checkpoint.provenance["init"]["file"] == "model1.ckpt"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "rounds = 3"}, r"expected network.rounds = 3, .* found 2"),
        ({"network": "width = 8"}, r"expected network.width = 8, .* found 16"),
        ({"target": "cutoff = 1.4"}, r"expected target.cutoff = 1.4, .* found 1.5"),
        (
            {"target": 'mixture = "other.toml"'},
            r"expected the mixture other, .* found kob-andersen; they differ in bond lengths",
        ),
        (
            {"network": 'architecture = "nt-gnn"', "recipe": "p = 1"},
            r"expected network.architecture = 'nt-gnn', .* found 'botan'",
        ),
    ],
)
def test_weights_of_another_network_are_refused(folder, changes, message):
    write_mixture(folder / "other.toml", bond_lengths=[[1.2, 1.0], [1.0, 1.1]])
    (pretrained,) = run(folder, recipe(5).replace('"out"', '"edges"'))
    path = configure(folder, recipe(5, **changes))
    printed = command("train", path, "--init", pretrained, fails=True)
    words = " ".join(printed.split())
    with pytest.raises(ValueError, match=rf"best\.ckpt: cannot start from it: {message}"):
        raise ValueError(words)
    assert not (folder / "out").exists()


def test_patience_ends_a_run_that_no_longer_improves(folder):
    text = recipe(50, recipe="learning_rate = 1e-12\naveraging = 0\npatience = 2")
    (path,) = run(folder, text)
    n = len(rows(folder / "out", "loss"))
    assert n < 2 * 50
    path.replace(folder / "first.ckpt")
    # it has ended, also when it is started again
    run(folder, text)
    assert same(path, folder / "first.ckpt")
    assert not (folder / "out/log/version_1/metrics.csv").exists()


@pytest.mark.parametrize("quantity", ["R", "D", "C"])
def test_motion_relative_to_neighbors_is_learned_in_place_of_the_propensity(folder, quantity):
    text = recipe(60, target=f'node = "{quantity}"', recipe="p = 1\ngraphs_per_step = 1")
    (path,) = run(folder, text)
    checkpoint = load_checkpoint(path)
    metadata = export(checkpoint, folder / "model.pt")
    assert metadata.node_outputs == [quantity]
    with pytest.raises(ValueError, match=rf"model\.pt: predicts {quantity}, motion relative to"):
        evaluate([folder / "model.pt"], [folder / "validation.npz"])
    (graph,) = read_data(read_config(folder / "recipe.toml"), folder).validation
    truth = make_relative_displacement(read_ensemble(folder / "validation.npz"), quantity)
    np.testing.assert_array_equal(graph.node, truth)
    with torch.inference_mode():
        node, _ = checkpoint.model(
            torch.from_numpy(graph.graph.species),
            torch.from_numpy(graph.graph.vectors).float(),
            torch.from_numpy(graph.graph.center),
            torch.from_numpy(graph.graph.neighbor),
        )
    is_a = graph.graph.species == 0
    rho = pearson(node[:, 0].numpy()[is_a], truth[is_a])
    assert rho == pytest.approx(checkpoint.provenance["validation_rho"], abs=1e-4)


def test_the_network_of_bapst_et_al_is_trained_on_nodes(folder):
    text = recipe(20, network='architecture = "nt-gnn"', recipe="p = 1\ngraphs_per_step = 2")
    (path,) = run(folder, text)
    checkpoint = load_checkpoint(path)
    assert checkpoint.architecture == "nt-gnn"
    assert checkpoint.provenance["validation_rho"] > 0.5
    assert len(rows(folder / "out", "loss")) == 20
    assert export(checkpoint, folder / "model.pt").edge_outputs == []


@needs_glassy_dynamics
def test_data_of_bapst_et_al_are_learned(tmp_path):
    source = GLASSY_DYNAMICS / "test_large.pickle"
    (tmp_path / "a.pickle").symlink_to(source)
    text = f"""
        output = "out"
        data.train = ["a.pickle"]
        data.validation = ["{GLASSY_DYNAMICS}/test_large.pickle"]
        data.time_index = 0
        target.lag_time = 0.132
        target.temperature = 0.44
        network = {{ architecture = "nt-gnn", rounds = 1, width = 16 }}
        recipe = {{ p = 1, epochs = 1, validate_every = 1 }}
        """
    with pytest.raises(ValueError, match=r"both in data.train and in data.validation"):
        run(tmp_path, text)
    # a copy is the same configuration
    (tmp_path / "a.pickle").unlink()
    (tmp_path / "a.pickle").write_bytes(source.read_bytes())
    with pytest.raises(ValueError, match=r"a\.pickle holds the same configuration"):
        run(tmp_path, text)
    # its mirror image, since one file is all there is
    one = read_ensemble(source, time_index=0)
    mirrored = {
        "positions": one.initial * [-1, 1, 1],
        "types": one.species,
        "box": np.diagonal(one.box.cell),
        "time": [one.lag_time],
        "time_indices": [0],
        "trajectory_target_positions": [list(one.final * [-1, 1, 1])],
    }
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(mirrored))
    (path,) = run(tmp_path, text)
    assert load_checkpoint(path).physics.lag_times == (0.132,)


@pytest.mark.filterwarnings("ignore:recipe.precision")
@pytest.mark.parametrize(("precision", "width"), [("32-true", 16), ("bf16-mixed", 64)])
def test_a_loss_that_is_not_finite_ends_the_run_in_words(folder, precision, width):
    lines = f'learning_rate = 1e30\nprecision = "{precision}"'
    wild = recipe(5, recipe=lines, network=f"width = {width}")
    printed = " ".join(command("train", configure(folder, wild), fails=True).split())
    assert "Error: epoch 1, step 2 of it: the loss is nan and its gradient nan, expected" in printed
    assert "try a smaller recipe.learning_rate" in printed
    assert "Traceback" not in printed
    assert not (folder / "out/best.ckpt").exists()


def test_the_best_before_a_loss_that_is_not_finite_is_kept(folder, monkeypatch):
    step = Module.training_step

    def damaged(self, graphs, batch):
        if self.global_step == 27:
            self.model.output.bias.data.fill_(float("inf"))
        step(self, graphs, batch)

    monkeypatch.setattr(Module, "training_step", damaged)
    text = recipe(20)
    with pytest.raises(ValueError, match=r"epoch 14, step 2 of it: .*best.ckpt is the best until"):
        run(folder, text)
    provenance = load_checkpoint(folder / "out/best.ckpt").provenance
    assert provenance["epoch"] in {4, 9}
    assert provenance["validation_rho"] == pytest.approx(max(rows(folder / "out", "rho")))
    with pytest.raises(ValueError, match="epoch 14, step 2 of it"):
        run(folder, text)


@pytest.mark.parametrize("instructions", ["avx2", "avx512"], indirect=True)
def test_a_precision_without_kernels_is_computed_in_one_with_kernels(
    folder, instructions, monkeypatch
):
    """As on a processor that has no products of bfloat16."""
    there = kernels.available
    monkeypatch.setattr(kernels, "available", lambda m, p="float32": p == "float32" and there(m))
    paths = {}
    for precision in ("bf16-mixed", "32-true"):
        text = recipe(5, recipe=f'precision = "{precision}"', network="width = 64")
        text = text.replace('"out"', f'"{precision}"')
        slow = precision == "bf16-mixed"
        words = pytest.warns(UserWarning, match="'bf16-mixed' is computed in '32-true', which is")
        with words if slow else contextlib.nullcontext():
            (paths[precision],) = run(folder, text)
    assert same(*paths.values())


@pytest.mark.parametrize("rotations", ["o3", "cube"])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_each_rotation_and_precision_trains(folder, rotations, precision):
    lines = f'rotations = "{rotations}"\nprecision = "{precision}"\np = 1\ngraphs_per_step = 1'
    (path,) = run(folder, recipe(60, recipe=lines))
    assert load_checkpoint(path).provenance["validation_rho"] > 0.5


def test_training_with_kernels_and_without_them_is_the_same(folder, instructions, monkeypatch):
    losses = {}
    for engine in (instructions, "torch"):
        monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", engine)
        text = recipe(5, network="rounds = 2\nwidth = 64").replace('"out"', f'"{engine}"')
        run(folder, text)
        losses[engine] = rows(folder / engine, "loss")
    assert losses[instructions] == pytest.approx(losses["torch"], rel=1e-4)


def test_a_run_whose_folder_was_moved_keeps_its_best_epoch(tmp_path, monkeypatch):
    text = recipe(40, recipe="averaging = 0\nlearning_rate = 1e-2")
    begun, whole = tmp_path / "begun", tmp_path / "whole"
    for folder in (begun, whole):
        folder.mkdir()
        write_liquids(folder)
    (expected,) = run(whole, text)
    scores = rows(whole / "out", "rho")
    assert max(scores[:-1]) > scores[-1]
    step = Module.training_step

    def interrupted(self, graphs, batch):
        if self.current_epoch == 37:
            raise ConnectionError
        step(self, graphs, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Module, "training_step", interrupted)
        with pytest.raises(ConnectionError):
            run(begun, text)
    (path,) = run(begun.rename(tmp_path / "moved"), text)
    provenance, own = (load_checkpoint(p).provenance for p in (expected, path))
    assert (own["epoch"], own["validation_rho"]) == (
        provenance["epoch"],
        provenance["validation_rho"],
    )
    assert same(path, expected)
