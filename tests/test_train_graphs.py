"""The graphs of a training run: turned reproducibly, and refused by name where they do not fit."""

import pickle

import numpy as np
import pytest
from liquids import FILES, LENGTH, N_PARTICLES, configure, recipe, write_liquid, write_liquids

from lammps_botan.analysis.sample import read_sample
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.data import expand, read_data
from lammps_botan.training.graphs import TurnedGraphs
from lammps_botan.training.starts import Starts


@pytest.fixture
def folder(tmp_path):
    return write_liquids(tmp_path)


def read(folder, text=None):
    return read_data(read_config(configure(folder, text or recipe(5))), folder)


def write_pickle(path, seed=0, **changes):
    """A file of Bapst et al. with propensities at two lag times, and runs at the first one."""
    rng = np.random.default_rng(seed)
    initial = rng.random((N_PARTICLES, 3)) * LENGTH
    content = {
        "positions": initial,
        "types": np.zeros(N_PARTICLES, dtype=np.int32),
        "box": np.full(3, LENGTH),
        "time": [0.0, 0.5, 2.0],
        "time_indices": [1, 2],
        "targets": [rng.random(N_PARTICLES), rng.random(N_PARTICLES)],
        "trajectory_target_positions": [[initial + rng.normal(0, 0.1, initial.shape)]],
    }
    path.write_bytes(pickle.dumps(content | changes))


@pytest.mark.parametrize("rotations", ["o3", "cube"])
def test_a_graph_is_turned_anew_in_each_epoch_and_the_same_when_it_comes_again(folder, rotations):
    config = read_config(configure(folder, recipe(5)))
    data = read_data(config, folder)
    starts = Starts(config, data, folder)
    how = {"rotations": rotations, "dimension": 3}
    turned, other_seed = (TurnedGraphs(data.training, starts, seed=s, **how) for s in (1, 2))
    first = turned[0, 1].graph
    np.testing.assert_array_equal(turned[0, 1].graph.vectors, first.vectors)
    unturned = np.linalg.norm(data.training[1].graph.vectors.astype(np.float64), axis=1)
    np.testing.assert_allclose(first.distances, unturned, rtol=1e-12)
    np.testing.assert_array_equal(first.center, data.training[1].graph.center)
    others = [turned[1, 1], turned[2, 1], turned[3, 1], other_seed[0, 1]]
    assert all(np.abs(other.graph.vectors - first.vectors).max() > 0.1 for other in others)


def test_graphs_to_learn_from_are_rounded_and_those_that_judge_are_not(folder):
    """Of runs and of pseudo-labels, whose targets nothing keeps a second time."""
    sample = read_sample(folder / "train_1.npz", cutoff=1.5)
    labels = Ensemble(
        configuration=sample.configuration,
        final=np.zeros((0, N_PARTICLES, 3)),
        lag_time=2.0,
        propensity=sample.propensity,
        pair_distance_change=sample.pair_distance_change,
    )
    write_ensemble(folder / "train_1.npz", labels)
    data = read(folder)
    for found, floats, ints in (
        *((graph, np.float32, np.int32) for graph in data.training),
        *((graph, np.float64, np.int64) for graph in data.validation),
    ):
        exact = read_sample(found.path, cutoff=1.5)
        for array, expected, kind in (
            (found.graph.vectors, exact.graph.vectors, floats),
            (found.graph.center, exact.graph.center, ints),
            (found.graph.neighbor, exact.graph.neighbor, ints),
            (found.node, exact.propensity, floats),
            (found.edge, exact.pair_distance_change, floats),
        ):
            assert array.dtype == kind
            np.testing.assert_array_equal(array, expected.astype(kind))
    assert all(one.pair_distance_change is None for one in data.ensembles)


def test_a_file_that_two_patterns_match_counts_once(folder):
    text = recipe(5, data='train = ["train_*.npz", "train_1.npz"]')
    data = read(folder, text)
    assert [g.path.name for g in data.training] == ["train_1.npz", "train_2.npz"]
    assert [g.path.name for g in data.validation] == ["validation.npz"]


def test_brackets_in_the_name_of_a_folder_are_no_pattern(tmp_path):
    folder = tmp_path / "T[0.44]"
    folder.mkdir()
    for file in FILES:
        (folder / f"{file}.npz").touch()
    (tmp_path / "T0").mkdir()  # which the name would stand for, as a pattern
    (tmp_path / "T0/train_3.npz").touch()
    found = expand(["train_*.npz", "train_[1].npz", str(tmp_path / "T0/*.npz")], folder)
    expected = [folder / "train_1.npz", folder / "train_2.npz", tmp_path / "T0/train_3.npz"]
    assert found == expected


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"data": 'train = ["no_*.npz"]'}, FileNotFoundError, r"no file matches 'no_\*\.npz' \(fr"),
        ({"data": 'train = ["empty/*"]'}, FileNotFoundError, r"no file matches 'empty/\*'"),
        ({"data": 'train = ["empty"]'}, FileNotFoundError, r"'empty' is a folder: write 'empty/\*"),
        ({"data": 'train = ["train_1.npz", "validation.npz"]'}, ValueError, r"npz is both in data"),
        ({"data": "time_index = 0"}, ValueError, r"train_1\.npz: the time index is for files with"),
        ({"target": "cutoff = 2.5"}, ValueError, r"train_1\.npz: the box is smaller than two cut"),
    ],
)
def test_data_that_cannot_be_used_are_named(folder, changes, error, message):
    (folder / "empty").mkdir()
    config = read_config(configure(folder, recipe(5, **changes)))
    with pytest.raises(error, match=message):
        train(config, folder)
    assert not (folder / "out").exists()


def nan_positions():
    positions = np.random.default_rng(0).random((N_PARTICLES, 3)) * LENGTH
    positions[7, 1] = np.nan
    return positions


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"initial_positions": nan_positions()}, r"initial_positions holds values that are not fi"),
        ({"positions": nan_positions()[None]}, r"positions holds values that are not finite"),
        # at the same density
        (
            {"n": 100, "length": LENGTH * (100 / N_PARTICLES) ** (1 / 3)},
            r"number of particles, found 120 in .*train_1\.npz and 100 in .*train_3\.npz",
        ),
        ({"time": 4.0}, r"holds the lag time 4, but target\.lag_time is 2"),
        ({"positions": np.zeros((0, N_PARTICLES, 3))}, r"has no runs"),
    ],
)
def test_a_file_that_does_not_fit_is_named(folder, keys, message):
    write_liquid(folder / "train_3.npz", 3, **keys)
    with pytest.raises(ValueError, match=rf"{message}") as error:
        read(folder)
    assert str(folder / "train_3.npz") in str(error.value)


def test_a_lag_time_with_two_digits_is_the_same(folder):
    write_liquid(folder / "train_3.npz", 3, time=2.004)
    assert len(read(folder).training) == 3


def test_a_particle_that_is_alone_has_no_relative_motion(folder):
    positions = np.random.default_rng(0).random((2, N_PARTICLES, 3)) * LENGTH
    positions[0, 5] += 40
    for initial, name in zip(positions, ("alone", "judge"), strict=True):
        keys = {"initial_positions": initial, "positions": initial[None], "box": 100.0}
        write_liquid(folder / f"{name}.npz", 3, **keys)
    own = {
        "data": 'train = ["alone.npz"]\nvalidation = ["judge.npz"]',
        "target": 'node = "D"\nmixture = "kob-andersen"',
    }
    with pytest.raises(ValueError, match=r"alone\.npz: particle 5 has no neighbor within 1\.6"):
        read(folder, recipe(5, **own))


def test_propensities_without_runs_are_learned_on_nodes_alone(folder):
    for seed, name in enumerate(("train_1", "validation")):
        write_pickle(folder / f"{name}.pickle", seed, metadata=name)
    files = 'train = ["train_1.pickle"]\nvalidation = ["validation.pickle"]\ntime_index = 1'
    with pytest.raises(ValueError, match=r"train_1\.pickle: has no runs and .*p = 1, found 0\.4"):
        read(folder, recipe(5, data=files))
    with pytest.raises(ValueError, match=r"train_1\.pickle: has no runs, which R is computed from"):
        read(folder, recipe(5, data=files, target='node = "R"', recipe="p = 1"))
    (graph,) = read(folder, recipe(5, data=files, recipe="p = 1")).training
    with (folder / "train_1.pickle").open("rb") as file:
        expected = pickle.load(file)["targets"][1]
    np.testing.assert_array_equal(graph.node, expected.astype(np.float32))
    # where there are runs, there is E
    runs = recipe(5, data=files.replace("= 1", "= 0"), target="lag_time = 0.5")
    (graph,) = read(folder, runs).training
    assert np.isfinite(graph.edge).all()
