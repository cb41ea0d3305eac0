"""Training in any mixture: what it is taken from, units, three species, two dimensions."""

import json

import numpy as np
import pytest
import torch
from liquids import (
    LENGTH,
    N_PARTICLES,
    configure,
    recipe,
    write_liquid,
    write_liquids,
    write_mixture,
)
from public_data import FOLDER, needs_ka2d

from lammps_botan.analysis.sample import read_sample
from lammps_botan.evaluation.pearson import pearson
from lammps_botan.files.ensemble import read_start
from lammps_botan.files.ensemble_npz import read_npz_ensemble
from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.data import read_data
from lammps_botan.training.graphs import TurnedGraphs
from lammps_botan.training.starts import Starts

SIGMA = 3.405  # Angstrom, of argon
NAMES = ("train_1", "train_2", "validation")


def read(folder, text):
    return read_data(read_config(configure(folder, text)), folder)


def run(folder, text, **options):
    return train(read_config(configure(folder, text)), folder, **options)


def without(text, *keys):
    return "\n".join(line for line in text.splitlines() if line.split(" = ")[0] not in keys)


def argon(folder):
    """The Kob-Andersen mixture with argon's diameter, in units metal."""
    lengths = (SIGMA * np.array(KOB_ANDERSEN.bond_lengths)).tolist()
    return find_mixture(
        write_mixture(
            folder / "argon.toml",
            units="metal",
            diameter=SIGMA,
            bond_lengths=lengths,
            density=KOB_ANDERSEN.density / SIGMA**3,
        )
    )


def test_what_the_configuration_leaves_out_is_taken_from_the_data(tmp_path):
    length = (N_PARTICLES / KOB_ANDERSEN.density) ** (1 / 3)
    for seed, name in enumerate(NAMES):
        write_liquid(tmp_path / f"{name}.npz", seed, length=length, time=2.0, temperature=0.7)
    physics = read(tmp_path, without(recipe(5), "lag_time", "temperature", "cutoff")).physics
    assert physics.mixture == KOB_ANDERSEN
    assert (physics.lag_times, physics.temperature) == ((2.0,), 0.7)
    assert (physics.cutoff, physics.density) == (2.0, 1.2)


@pytest.mark.parametrize("length", [4.6, 5.0], ids=["3 % more", "20 % less"])
def test_the_density_of_the_data_is_recorded_where_it_is_not_that_of_the_mixture(tmp_path, length):
    for seed, name in enumerate(NAMES):
        write_liquid(tmp_path / f"{name}.npz", seed, length=length)
    assert read(tmp_path, recipe(5)).physics.density == pytest.approx(
        N_PARTICLES / length**3, rel=1e-5
    )


def test_files_of_another_density_than_the_recipe_says_are_refused(tmp_path):
    for seed, name in enumerate(NAMES):
        write_liquid(tmp_path / f"{name}.npz", seed, length=5.0)
    with pytest.raises(ValueError, match=r"has the density 0\.96, but target\.density is 1\.2"):
        read(tmp_path, recipe(5, target="density = 1.2"))


def test_files_of_several_densities_are_refused(tmp_path):
    for seed, name in enumerate(NAMES):
        write_liquid(tmp_path / f"{name}.npz", seed, length=5.0 if seed else 5.5)
    with pytest.raises(ValueError, match=r"has the density .*; train on files of one density"):
        read(tmp_path, recipe(5))


@pytest.mark.parametrize("key", ["lag_time", "temperature"])
def test_what_nobody_says_is_asked_for(tmp_path, key):
    write_liquids(tmp_path)
    with pytest.raises(ValueError, match=rf"npz: does not say its .*: write target\.{key}"):
        read(tmp_path, without(recipe(5), key))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"time": 3.0}, r"validation\.npz: holds the lag time 3, but that of .*train_1\.npz is 2"),
        ({"temperature": 0.5}, r"holds the temperature 0\.5, but that of .*train_1\.npz is 0\.7"),
        (
            {"mixture": KOB_ANDERSEN.model_copy(update={"units": "metal"}).model_dump_json()},
            r"holds the mixture kob-andersen, but .* is kob-andersen; they differ in units metal",
        ),
        (
            {"types": np.arange(N_PARTICLES) % 2},
            r"validation\.npz: does not say which mixture its particles are: write target\.mixture",
        ),
    ],
)
def test_data_that_differ_from_each_other_are_refused(tmp_path, keys, message):
    same = {"time": 2.0, "temperature": 0.7}
    for seed, name in enumerate(NAMES):
        write_liquid(tmp_path / f"{name}.npz", seed, **(same | (keys if seed == 2 else {})))
    with pytest.raises(ValueError, match=message):
        read(tmp_path, without(recipe(5), "lag_time", "temperature"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": "metal"}, r"holds the mixture kob-andersen, expected m; .* units lj and metal"),
        ({"species": ["B", "A"]}, r"expected m; they differ in species \[A, B\] and \[B, A\]"),
        ({"diameter": 1.1}, r"expected m; they differ in diameter 1 and 1\.1"),
    ],
)
def test_data_of_another_mixture_than_the_target_are_refused(tmp_path, changes, message):
    write_mixture(tmp_path / "m.toml", **({"reference_species": "A"} | changes))
    for seed, name in enumerate(NAMES):
        path = tmp_path / f"{name}.npz"
        write_liquid(path, seed, mixture=KOB_ANDERSEN.model_dump_json())
    with pytest.raises(ValueError, match=rf"train_1\.npz: .*{message}"):
        read(tmp_path, recipe(5, target='mixture = "m.toml"'))


def test_a_mixture_of_another_dimension_is_refused(tmp_path):
    write_liquids(tmp_path)
    with pytest.raises(ValueError, match="ka2d is two-dimensional"):
        read(tmp_path, recipe(5, target='mixture = "ka2d"'))


def test_more_species_than_the_mixture_has_are_refused(tmp_path):
    write_liquids(tmp_path)
    alone = {"species": ["A"], "masses": [1.0], "fractions": [1.0], "bond_lengths": [[1.35]]}
    write_mixture(tmp_path / "one.toml", **alone)
    with pytest.raises(ValueError, match=r"found species number 1, but one has 1 species"):
        read(tmp_path, recipe(5, target='mixture = "one.toml"'))


def test_a_network_learns_the_same_in_any_units(tmp_path):
    """In Angstrom it predicts SIGMA times what it predicts in reduced units."""
    found = {}
    for units, scale in (("lj", 1.0), ("metal", SIGMA)):
        folder = tmp_path / units
        folder.mkdir()
        mixture = KOB_ANDERSEN if units == "lj" else argon(folder)
        for seed, name in enumerate(NAMES):
            path = folder / f"{name}.npz"
            one = read_npz_ensemble(write_liquid(path, seed))
            write_liquid(
                path,
                seed,
                initial_positions=one.initial * scale,
                positions=one.final * scale,
                box=LENGTH * scale,
                mixture=mixture.model_dump_json(),
            )
        (best,) = run(folder, recipe(20, target=f"cutoff = {1.5 * scale}"))
        export(load_checkpoint(best), folder / "m.pt")
        predictor = Predictor(folder / "m.pt")
        assert predictor.metadata.units == units
        prediction = predictor.predict(read_start(folder / "validation.npz"))
        found[units] = np.concatenate([prediction.node, prediction.edge]) / scale
        # weights to start from are those of the file, in any units
        slow = recipe(5, target=f"cutoff = {1.5 * scale}", recipe="learning_rate = 1e-12")
        (again,) = run(folder, slow.replace('"out"', '"again"'), init=best)
        before, after = (load_checkpoint(path).model.state_dict() for path in (best, again))
        for name, tensor in before.items():
            torch.testing.assert_close(after[name], tensor, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["metal"], found["lj"], atol=2e-5)
    assert np.abs(found["lj"]).max() > 0.02
    with pytest.raises(ValueError, match="is in metal units, but kob-andersen in lj units"):
        Predictor(tmp_path / "lj" / "m.pt").predict(read_start(tmp_path / "metal/validation.npz"))


PLANE = {"dimension": 2, "length": 10.0, "shares": KA2D.fractions}


def write_planar_liquids(folder):
    for seed, name in enumerate(NAMES):
        write_liquid(folder / f"{name}.npz", seed, **PLANE)


@pytest.mark.parametrize("architecture", ["botan", "nt-gnn"])
@pytest.mark.parametrize("rotations", ["o3", "cube"])
def test_three_species_in_two_dimensions_are_learned(tmp_path, architecture, rotations):
    write_planar_liquids(tmp_path)
    p = {"botan": 0.4, "nt-gnn": 1}[architecture]
    text = recipe(
        60,
        network=f'architecture = "{architecture}"',
        recipe=f'p = {p}\ngraphs_per_step = 1\nrotations = "{rotations}"',
    )
    (best,) = run(tmp_path, text)
    checkpoint = load_checkpoint(best)
    assert checkpoint.physics.mixture == KA2D
    metadata = export(checkpoint, tmp_path / "m.pt")
    assert (metadata.node_input, metadata.mixture.dimension) == ("one-hot", 2)
    start = read_start(tmp_path / "validation.npz")
    prediction = Predictor(tmp_path / "m.pt").predict(start)
    is_a = start.species == KA2D.reference
    truth = read_sample(tmp_path / "validation.npz", cutoff=1.5).propensity
    assert pearson(prediction.node[is_a, 0], truth[is_a]) > 0.7
    assert not prediction.graph.vectors[:, 2].any()


def test_graphs_in_two_dimensions_are_turned_in_the_plane(tmp_path):
    write_planar_liquids(tmp_path)
    config = read_config(configure(tmp_path, recipe(5)))
    data = read_data(config, tmp_path)
    starts = Starts(config, data, tmp_path)
    for rotations in ("o3", "cube"):
        turned = TurnedGraphs(data.training, starts, seed=1, rotations=rotations, dimension=2)
        vectors = turned[3, 0].graph.vectors
        assert np.abs(vectors - data.training[0].graph.vectors).max() > 0.1
        assert not vectors[:, 2].any()


@needs_ka2d
def test_the_public_ensemble_in_two_dimensions_is_learned_as_it_is(tmp_path):
    """Its one configuration trains, a liquid of the same size chooses the epoch."""
    source = FOLDER.parent / "ka2d" / "N1290T0.23_151_tc15.npz"
    with np.load(source, allow_pickle=False) as archive:
        n, box = len(archive["types"]), float(archive["box"])
    write_liquid(tmp_path / "validation.npz", 1, n, **(PLANE | {"length": box}))
    text = f"""
        output = "out"
        data.train = ["{source}"]
        data.validation = ["validation.npz"]
        target = {{ lag_time = 11.64, temperature = 0.23 }}
        network = {{ rounds = 2, width = 8 }}
        recipe = {{ epochs = 2, validate_every = 1 }}
        """
    (best,) = run(tmp_path, text)
    metadata = export(load_checkpoint(best), tmp_path / "m.pt")
    assert metadata.mixture == KA2D
    assert metadata.density == pytest.approx(1.192, abs=1e-3)
    start = read_start(source)
    assert metadata.known_configurations[start.sha256] == "training"
    prediction = Predictor(tmp_path / "m.pt").predict(start)
    assert prediction.node.shape == (1290, 1)
    assert np.isfinite(prediction.edge).all()


def test_a_run_records_the_configurations_that_it_knows(tmp_path):
    write_liquids(tmp_path)
    hashes = {name: read_start(tmp_path / f"{name}.npz").sha256 for name in NAMES}
    (first,) = run(tmp_path, recipe(5))
    known = load_checkpoint(first).provenance["configurations"]
    assert {one["sha256"]: (one["role"], one["name"]) for one in known} == {
        hashes["train_1"]: ("training", "train_1.npz"),
        hashes["train_2"]: ("training", "train_2.npz"),
        hashes["validation"]: ("validation", "validation.npz"),
    }
    # another run from its weights knows these too; it learns from what the first was judged by
    write_liquid(tmp_path / "other.npz", 7)
    text = recipe(5, data='train = ["validation.npz"]\nvalidation = ["other.npz"]')
    (second,) = run(tmp_path, text.replace('"out"', '"second"'), init=first)
    export(load_checkpoint(second), tmp_path / "m.pt")
    assert Predictor(tmp_path / "m.pt").metadata.known_configurations == {
        hashes["train_1"]: "training",
        hashes["train_2"]: "training",
        hashes["validation"]: "training",
        read_start(tmp_path / "other.npz").sha256: "validation",
    }


def test_a_configuration_under_two_names_is_not_trained_and_validated_on(tmp_path):
    write_liquids(tmp_path)
    write_liquid(tmp_path / "validation.npz", 1, temperature=0.7)  # that of train_2
    with pytest.raises(ValueError, match=r"npz is both in .*train_2\.npz holds the same"):
        read(tmp_path, recipe(5))


def test_what_pseudo_labels_were_distilled_from_does_not_validate(tmp_path):
    write_liquids(tmp_path)
    validation = read_start(tmp_path / "validation.npz")
    origin = {"sha256": validation.sha256, "role": "distillation", "name": "run_5.npz"}
    write_liquid(tmp_path / "train_2.npz", 1, distilled_from=json.dumps([origin]))
    with pytest.raises(ValueError, match=r"pseudo-labels .* distilled from it \(run_5\.npz\)"):
        read(tmp_path, recipe(5))
    write_liquid(tmp_path / "validation.npz", 5)
    known = {one.sha256: one.role for one in read(tmp_path, recipe(5)).known}
    assert known[validation.sha256] == "distillation"


ONE_A = {"types": (np.arange(N_PARTICLES) > 0).astype(int)}


def still():
    """Every particle goes the same way."""
    initial = np.random.default_rng(2).random((N_PARTICLES, 3)) * LENGTH
    return {"initial_positions": initial, "positions": initial[None] + [0.5, 0, 0]}


@pytest.mark.parametrize(
    ("keys", "p", "message"),
    [
        (ONE_A, 1, r"has no rho_S: .* A particles .* found 1 particles"),
        (ONE_A, 0, r"has no rho_E: .* A-A bonds .* found 0 pairs"),
        (still(), 1, r"has no rho_S: .* A particles .* found 96 particles"),
    ],
)
def test_validation_data_without_a_correlation_are_refused(tmp_path, keys, p, message):
    write_liquids(tmp_path)
    write_liquid(tmp_path / "validation.npz", 2, **keys)
    text = recipe(5, target='mixture = "kob-andersen"', recipe=f"p = {p}\ngraphs_per_step = 1")
    with pytest.raises(ValueError, match=rf"validation\.npz: is among .*{message}"):
        run(tmp_path, text)
    assert not (tmp_path / "out").exists()


def test_a_network_that_predicts_one_number_for_all_ends_the_run_in_words(tmp_path, monkeypatch):
    from lammps_botan.training.module import Module

    write_liquids(tmp_path)
    step = Module.training_step

    def flattened(self, graphs, batch):
        step(self, graphs, batch)
        if self.current_epoch >= 6:
            self.model.output.weight.data.zero_()

    monkeypatch.setattr(Module, "training_step", flattened)
    text = recipe(20, recipe="averaging = 0")
    with pytest.raises(
        ValueError, match=r"epoch 10: rho_S of .*validation\.npz is not defined"
    ) as e:
        run(tmp_path, text)
    assert "best.ckpt is the best until then" in str(e.value)
    assert load_checkpoint(tmp_path / "out/best.ckpt").provenance["epoch"] == 4
