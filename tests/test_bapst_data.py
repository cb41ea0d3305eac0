"""Pickle files of Bapst et al.: data are read, anything else is refused and never run."""

import os
import pickle
import struct
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from public_data import GLASSY_DYNAMICS, needs_glassy_dynamics

from lammps_botan.analysis.sample import read_sample
from lammps_botan.analysis.targets import propensity
from lammps_botan.cli import main
from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.files.bapst_pickle import _Unpickler
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.export import export
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

TEST_SMALL = GLASSY_DYNAMICS / "test_small.pickle"
TEST_LARGE = GLASSY_DYNAMICS / "test_large.pickle"
N = 40


def content(**changes):
    """Two lag times with targets, the first of them with three runs too."""
    rng = np.random.default_rng(0)
    initial = rng.random((N, 3)) * 3
    runs = [initial + rng.normal(0, 0.1, (N, 3)) for _ in range(3)]
    arrays = {
        "positions": initial,
        "types": np.array([0] * 32 + [1] * 8, dtype=np.int32),
        "box": np.full(3, 3.0),
        "time": [0.0, 0.1, np.float64(0.5), 2.5],
        "time_indices": [1, 3],
        "is_values": np.array([0.9, 0.8]),
        "targets": [rng.random(N), rng.random(N)],
        "trajectory_target_positions": [runs],
        "metadata": {"fluid": "Kob Andersen"},
    } | changes
    return {key: value for key, value in arrays.items() if value is not None}


def write(path, protocol=3, **changes):
    path.write_bytes(pickle.dumps(content(**changes), protocol))
    return path


def test_times_runs_and_targets_are_read(tmp_path):
    expected, path = content(), write(tmp_path / "c.pickle")
    first, second = (read_ensemble(path, time_index=k) for k in (0, 1))
    assert (first.lag_time, second.lag_time) == (0.1, 2.5)
    for read in (first, second):
        np.testing.assert_array_equal(read.species, expected["types"])
        np.testing.assert_array_equal(read.initial, expected["positions"])
        np.testing.assert_array_equal(read.box.cell, np.diag([3.0, 3.0, 3.0]))
        assert read.box.periodic == (True, True, True)
        assert read.configuration.mixture is KOB_ANDERSEN
    np.testing.assert_array_equal(first.final, expected["trajectory_target_positions"][0])
    assert first.propensity is None  # runs count where there are any
    assert second.n_runs == 0
    np.testing.assert_array_equal(second.propensity, expected["targets"][1])


def test_another_mixture_may_be_given_and_must_fit(tmp_path):
    path = write(tmp_path / "c.pickle")
    other = KOB_ANDERSEN.model_copy(update={"name": "other"})
    assert read_start(path, mixture=other).mixture is other
    with pytest.raises(ValueError, match="ka2d is two-dimensional"):
        read_start(path, mixture=KA2D)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", "F"])
def test_every_protocol_byte_order_and_layout_gives_the_same(tmp_path, protocol, kind):
    initial = content()["positions"].astype(np.float32)
    initial = np.asfortranarray(initial) if kind == "F" else initial.astype(kind)
    read = read_start(write(tmp_path / "c.pickle", protocol, positions=initial))
    np.testing.assert_array_equal(read.positions, initial)


class Python2(pickle._Pickler):
    """Writes text and bytes as Python 2 did, both as byte strings."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value):
        self.write(pickle.BINSTRING + struct.pack("<i", len(value)) + value)

    def save_str(self, value):
        self.save_bytes(value.encode("latin1"))

    dispatch[bytes] = save_bytes
    dispatch[str] = save_str


def test_a_file_of_python_2_is_read(tmp_path):
    with (tmp_path / "c.pickle").open("wb") as file:
        Python2(file, 2).dump(content())
    text = (tmp_path / "c.pickle").read_bytes().replace(b"numpy._core", b"numpy.core")
    (tmp_path / "c.pickle").write_bytes(text)
    np.testing.assert_array_equal(
        read_start(tmp_path / "c.pickle").positions, content()["positions"]
    )


class Harmful:
    """Unpickling this calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_in_a_file_is_refused_by_name_and_not_run(tmp_path, protocol):
    harm = Harmful(os.mkdir, str(tmp_path / "harm"))
    path = write(tmp_path / "bad.pickle", protocol, metadata=harm)
    name = rf"{os.mkdir.__module__}\.mkdir"
    with pytest.raises(ValueError, match=rf"bad\.pickle: .*asks for {name}, which is no data: ref"):
        read_start(path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Harmful(eval, "1"), r"builtins\.eval"),
        (Harmful(getattr, "a", "b"), r"builtins\.getattr"),
        (Harmful(np.load, "x"), r"numpy\.load"),
        (Path("a"), r"pathlib\.(_local\.)?P"),
        (np.random.default_rng(0), r"numpy\.random"),
        (np.array([{}]), "array of 'O8', which are not numbers"),
        (np.array(["text"]), "array of 'U4', which are not numbers"),
    ],
)
def test_nothing_but_data_is_read(tmp_path, value, message):
    path = write(tmp_path / "bad.pickle", metadata=value)
    with pytest.raises(ValueError, match=rf"bad\.pickle: expected a pickle of .*{message}"):
        read_start(path)


def test_bytes_are_never_taken_for_objects(tmp_path):
    """An array of objects whose addresses come from the file, which numpy itself would follow."""
    dtype = Harmful(np.dtype, "O8", False, True)
    state = (1, (1,), dtype, False, b"\x41" * 8)
    reconstruct = np._core.multiarray._reconstruct
    array = Harmful(reconstruct, np.ndarray, (0,), b"b")
    array.call = (*array.call, state)
    with pytest.raises(ValueError, match="array of 'O8', which are not numbers"):
        read_start(write(tmp_path / "bad.pickle", positions=array))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": None}, "lacks types; found positions, box"),
        ({"types": np.full(N, 0.5)}, "types must be integers from 0, found"),
        ({"types": np.full(N, -1)}, "types must be integers from 0, found"),
        ({"types": np.zeros(0)}, "types must be integers from 0, found"),
        ({"positions": np.zeros((N + 1, 3))}, r"positions must have shape \[40, 3\], found \[41, "),
        ({"positions": np.full((N, 3), np.nan)}, "positions holds values that are not finite"),
        ({"positions": {}}, r"positions must be numbers of shape \[40, 3\]"),
        ({"box": [3.0, 3.0]}, r"box must have shape \[3\], found \[2\]"),
        ({"time_indices": [1, 4]}, r"time_indices must count the 4 values of time, found \[1 4\]"),
        ({"targets": [np.zeros(N)] * 3}, "targets must be a list with one entry for each of 2"),
        ({"targets": [np.zeros(N - 1)]}, r"targets\[0\] must have shape \[40\], found \[39\]"),
        (
            {"trajectory_target_positions": [[np.zeros((N, 2))]]},
            r"trajectory_target_positions\[0\] must have shape \[any, 40, 3\], found \[1, 40, 2\]",
        ),
    ],
)
def test_bad_content_is_named(tmp_path, changes, message):
    with pytest.raises(ValueError, match=rf"bad\.pickle: .*{message}"):
        read_start(write(tmp_path / "bad.pickle", **changes))


def test_a_box_without_volume_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"bad\.pickle: .*must be positive, found \[0\.0, 0\.0"):
        read_start(write(tmp_path / "bad.pickle", box=np.zeros(3)))


@pytest.mark.parametrize("text", [b"", b"text", b"\x80\x03", pickle.dumps(content())[:500]])
def test_what_is_no_whole_pickle_is_named(tmp_path, text):
    (tmp_path / "bad.pickle").write_bytes(text)
    with pytest.raises(ValueError, match=r"bad\.pickle: expected a pickle of plain data: ."):
        read_start(tmp_path / "bad.pickle")


def test_other_data_and_missing_files_are_named(tmp_path):
    (tmp_path / "list.pickle").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match=r"list\.pickle: expected a dict of arrays, found list"):
        read_start(tmp_path / "list.pickle")
    with pytest.raises(FileNotFoundError, match=r"none\.pickle: no such file"):
        read_start(tmp_path / "none.pickle")


def test_a_sample_has_the_targets_of_its_time_index(tmp_path):
    path, arrays = write(tmp_path / "c.pickle"), content()
    with_runs, without = (read_sample(path, cutoff=1.0, time_index=k) for k in (0, 1))
    moved = np.array(arrays["trajectory_target_positions"][0]) - arrays["positions"]
    np.testing.assert_allclose(
        with_runs.propensity, np.linalg.norm(moved, axis=2).mean(axis=0), atol=1e-12
    )
    assert np.isfinite(with_runs.pair_distance_change).all()
    np.testing.assert_array_equal(without.propensity, arrays["targets"][1])
    assert np.isnan(without.pair_distance_change).all()
    assert len(without.pair_distance_change) == without.graph.n_edges


def test_a_configuration_needs_no_time_index(tmp_path):
    start = read_start(write(tmp_path / "c.pickle"))
    np.testing.assert_array_equal(start.positions, content()["positions"])


@pytest.mark.parametrize("time_index", [None, -1, 2])
def test_a_time_index_that_is_not_there_lists_those_that_are(tmp_path, time_index):
    found = "none" if time_index is None else time_index
    message = rf"c\.pickle: .*--time-index.*found {found}; .* has 0 .t = 0.1., 1 .t = 2.5."
    with pytest.raises(ValueError, match=message):
        read_sample(write(tmp_path / "c.pickle"), cutoff=1.0, time_index=time_index)


def test_a_lag_time_without_a_future_is_named(tmp_path):
    path = write(tmp_path / "c.pickle", targets=None)
    with pytest.raises(ValueError, match="has neither runs nor targets at time index 1"):
        read_sample(path, cutoff=1.0, time_index=1)


def test_an_npz_file_of_one_lag_time_has_no_time_index(tmp_path):
    path = tmp_path / "x.npz"
    arrays = {"types": [0] * 8 + [1] * 2, "initial_positions": np.eye(10)[:, :3]}
    np.savez(path, **arrays, positions=np.zeros((1, 10, 3)), box=5.0)
    with pytest.raises(ValueError, match=r"x\.npz: the time index is for files with several lag t"):
        read_sample(path, time_index=0)


def test_a_model_with_edge_outputs_has_no_score_without_runs(tmp_path):
    path = write(tmp_path / "c.pickle")
    torch.manual_seed(1)  # with some weights all outputs are the same, and nothing correlates
    physics = Physics(mixture=KOB_ANDERSEN, cutoff=1.0, lag_times=(2.5,))
    export(Checkpoint(Botan(1, 16), physics), tmp_path / "m.pt")
    for time_index, has_runs in ((0, True), (1, False)):
        (model,) = evaluate([tmp_path / "m.pt"], [path], time_index=time_index)["models"]
        assert np.isfinite(model["S"]["A"]["rho_mean"])
        assert np.isfinite(model["E"]["A-A"]["rho_mean"]) == has_runs
    words = ["evaluate", str(path), "-m", str(tmp_path / "m.pt")]
    printed = CliRunner().invoke(main, [*words, "--time-index", "1", "--json"]).output
    assert '"rho_mean": null' in printed
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code != 0
    assert "choose a lag time by its time index (--time-index of evaluate" in refused.output


@needs_glassy_dynamics
def test_the_targets_of_the_authors_are_the_propensities_of_their_runs():
    sample = read_sample(TEST_LARGE, cutoff=2.0, time_index=0)
    with TEST_LARGE.open("rb") as file:
        own = _Unpickler(file, encoding="latin1").load()
    authors = own["targets"][0].values
    np.testing.assert_allclose(sample.propensity, authors, atol=1e-12)
    assert np.bincount(sample.graph.species).tolist() == [3277, 819]
    read = [read_ensemble(TEST_LARGE, time_index=k) for k in range(10)]
    assert read[0].lag_time == pytest.approx(0.132)
    assert [one.n_runs > 0 for one in read] == [True] + [False] * 9
    with pytest.raises(ValueError, match="found 10; the file has 0"):
        read_ensemble(TEST_LARGE, time_index=10)


@needs_glassy_dynamics
def test_the_small_file_has_30_runs_at_each_of_ten_times():
    read = [read_ensemble(TEST_SMALL, time_index=k) for k in range(10)]
    assert [one.final.shape for one in read] == [(30, 20, 3)] * 10
    assert {one.propensity for one in read} == {None}
    means = [propensity(one.initial, one.final).mean() for one in read[:9]]
    assert np.all(np.diff(means) > 0)
