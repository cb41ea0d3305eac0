"""Further starts: copies a short time later, and runs read backwards."""

import numpy as np
import pytest
from liquids import LENGTH, configure, recipe, write_liquid, write_liquids

from lammps_botan.analysis.targets import pair_distance_change, propensity
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.known_configurations import known_in
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.data import read_data
from lammps_botan.training.graphs import Order, TurnedGraphs
from lammps_botan.training.starts import Starts

BOX = Box(LENGTH, (True, True, True))


@pytest.fixture
def folder(tmp_path):
    """Two training configurations, the second with ends of 3 short runs in two files."""
    write_liquids(tmp_path)
    second = read_start(tmp_path / "train_2.npz").positions
    rng = np.random.default_rng(7)
    for name, runs in (("short_1", 1), ("short_2", 2)):
        ends = second + 0.02 * rng.normal(size=(runs, *second.shape))
        write_liquid(
            tmp_path / f"{name}.npz", 1, positions=ends, initial_positions=second, time=0.02
        )
    write_liquid(tmp_path / "long.npz", 1, time=2.0)
    write_liquid(tmp_path / "other.npz", 5, time=0.02)
    labels = {"initial_positions": second, "propensity": np.ones(len(second)), "time": 0.02}
    write_liquid(tmp_path / "labels.npz", 1, drop="positions", **labels)
    wrapped = (second + 0.02) % LENGTH
    write_liquid(
        tmp_path / "wrapped.npz", 1, positions=[wrapped], initial_positions=second, time=0.02
    )
    write_liquid(tmp_path / "no_runs.npz", 1, positions=np.zeros((0, *second.shape)), time=0.02)
    return tmp_path


def starts(folder, data="", added=""):
    config = read_config(configure(folder, recipe(5, data=data, recipe=added)))
    read = read_data(config, folder)
    return read, Starts(config, read, folder)


def which(graph, known):
    """Which of the known (start, ends, species) a graph is, after all its targets were compared."""
    for k, (initial, final, species) in enumerate(known):
        there = Configuration(positions=initial, species=species, box=BOX)
        expected = build_graph(there, 1.5)
        if expected.n_edges != graph.graph.n_edges:
            continue
        if not np.allclose(graph.graph.vectors, expected.vectors, atol=1e-6):
            continue
        np.testing.assert_array_equal(graph.graph.center, expected.center)
        np.testing.assert_allclose(graph.node, propensity(initial, final), atol=1e-6)
        changes = pair_distance_change(initial, final, expected, BOX)
        np.testing.assert_allclose(graph.edge, changes, atol=1e-6)
        return k
    raise AssertionError("an unknown start")


def test_copies_are_drawn_as_often_as_the_start_itself(folder):
    read, drawn = starts(folder, 'copies = ["short_*.npz"]')
    rng = np.random.default_rng(0)
    assert all(drawn.draw(0, rng) is None for _ in range(20))  # it has no copies
    one = read.ensembles[1]
    ends = [
        end
        for name in ("short_1", "short_2")
        for end in read_ensemble(folder / f"{name}.npz").final
    ]
    known = [(one.initial, one.final, one.species)]
    known += [(end, one.final, one.species) for end in ends]
    seen = np.zeros(4, dtype=int)
    for _ in range(200):
        graph = drawn.draw(1, rng) or read.training[1]
        seen[which(graph, known)] += 1
    assert (seen > 30).all()


@pytest.mark.parametrize(
    ("data", "added"), [("", "reversed = 0.5"), ('copies = ["short_1.npz"]', "")]
)
def test_a_start_of_the_training_does_not_validate(folder, data, added):
    """The end of a training run is the validation configuration of another name."""
    source = "short_1.npz" if data else "train_1.npz"
    end = read_ensemble(folder / source).final[0]
    path = configure(folder, recipe(5, data=data, recipe=added))
    _, drawn = starts(folder, data, added)
    drawn.check_validation(read_data(read_config(path), folder).known)
    later = end + np.random.default_rng(1).normal(0, 0.1, (2, *end.shape))
    write_liquid(folder / "validation.npz", 9, initial_positions=end, positions=later)
    with pytest.raises(ValueError, match=r"validation\.npz: is among .* also a start .*, end of a"):
        train(read_config(path), folder)


def test_runs_are_read_backwards(folder):
    read, drawn = starts(folder, added="reversed = 0.5")
    one = read.ensembles[0]
    known = [(end, one.initial[None], one.species) for end in one.final]
    rng = np.random.default_rng(0)
    graphs = [drawn.draw(0, rng) for _ in range(200)]
    backwards = [graph for graph in graphs if graph is not None]
    assert 70 < len(backwards) < 130
    assert {which(graph, known) for graph in backwards} == {0, 1}
    assert len({id(graph) for graph in backwards}) == len(one.final)  # made once and kept


def test_what_an_epoch_draws_follows_from_the_seed(folder):
    read, _ = starts(folder)
    drawn = [starts(folder, 'copies = ["short_*.npz"]', "reversed = 0.3")[1] for _ in range(2)]
    sets = [TurnedGraphs(read.training, one, seed=3, rotations="o3", dimension=3) for one in drawn]
    order = Order(2, seed=3)
    order.set_epoch(4)
    for key in order:
        for _ in range(2):  # also when asked again
            first, second = (one[key] for one in sets)
            np.testing.assert_array_equal(first.graph.vectors, second.graph.vectors)
            np.testing.assert_array_equal(first.node, second.node)


def test_a_run_learns_from_them(folder):
    text = recipe(10, data='copies = ["short_*.npz"]', recipe="reversed = 0.3\noffset_weight = 0.1")
    (path,) = train(read_config(configure(folder, text)), folder)
    known = {one.sha256: one.role for one in known_in(load_checkpoint(path).provenance)}
    read, _ = starts(folder)
    ends = [end for one in read.ensembles for end in one.final]
    ends += list(read_ensemble(folder / "short_2.npz").final)
    assert len(ends) == 6
    for end in ends:
        there = Configuration(positions=end, species=read.ensembles[0].species, box=BOX)
        assert known[there.sha256] == "training"


@pytest.mark.parametrize(
    ("data", "added", "error", "message"),
    [
        ('copies = ["none_*.npz"]', "", FileNotFoundError, r"no file matches 'none_\*\.npz'"),
        (
            'copies = ["other.npz"]',
            "",
            ValueError,
            r"other\.npz: is among data\.copies, but starts from none",
        ),
        (
            'copies = ["long.npz"]',
            "",
            ValueError,
            r"long\.npz: .* must be short: expected the key time, at most 0\.1 of .* found time 2$",
        ),
        ('copies = ["train_2.npz"]', "", ValueError, r"must be short: .* found no time"),
        ('copies = ["wrapped.npz"]', "", ValueError, r"wrapped\.npz: the final .* wrapped"),
        ('copies = ["no_runs.npz"]', "", ValueError, r"no_runs\.npz: has no runs"),
        ('copies = ["labels.npz"]', "", ValueError, r"labels\.npz: .* but has no runs"),
        ("", "reversed = 1.5", ValueError, r"recipe\.reversed: .* less than or equal to 1"),
    ],
)
def test_starts_that_cannot_be_used_are_named(folder, data, added, error, message):
    with pytest.raises(error, match=message):
        starts(folder, data, added)


def go_far(folder):
    """Let a particle go farther than half the box: backwards it ends in the box, as if wrapped."""
    with np.load(folder / "train_1.npz") as archive:
        arrays = dict(archive)
    length = 0.7 * LENGTH
    arrays["initial_positions"][0] = [4.0, 1.0, 1.0]
    arrays["positions"][:, 0] = [4.0 + length, 1.0, 1.0]
    np.savez(folder / "train_1.npz", **arrays)
    return length


def test_a_run_that_went_far_is_read_backwards(folder):
    length = go_far(folder)
    for added in ("reversed = 1.0", "reversed = 0.0"):
        read, drawn = starts(folder, added=added)
        graph = drawn.draw(0, np.random.default_rng(0)) or read.training[0]
        assert graph.node[0] == pytest.approx(length, rel=1e-6)


@pytest.mark.parametrize("node", ["R", "D", "C"])
def test_relative_displacements_of_a_run_that_went_far_are_read_backwards(folder, node):
    go_far(folder)
    text = recipe(5, target=f'node = "{node}"', recipe="reversed = 1.0")
    config = read_config(configure(folder, text))
    graph = Starts(config, read_data(config, folder), folder).draw(0, np.random.default_rng(0))
    assert graph.node.argmax() == 0
    assert np.isfinite(graph.node).all()


def test_wrapped_ends_are_refused_before_the_training(folder):
    with np.load(folder / "train_1.npz") as archive:
        arrays = dict(archive)
    arrays["positions"] %= LENGTH
    np.savez(folder / "train_1.npz", **arrays)
    with pytest.raises(ValueError, match=r"train_1\.npz: the final positions are wrapped"):
        starts(folder, added="reversed = 1.0")
