"""Snapshot files: what is written is read, and a model takes a graph of its own cutoff only."""

from dataclasses import replace

import numpy as np
import pytest
from score_runs import liquid_configuration, liquid_frames, toy

from lammps_botan.files.snapshot import Snapshot, read_snapshot, read_snapshots, write_snapshot
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Box
from lammps_botan.structure.graph import build_graph

POSITIONS, TYPES = liquid_frames(1)
BOX = Box([[5.0, 0, 0], [1.0, 5.5, 0], [-0.5, 0.25, 6.0]], (True, False, True), (1.0, 2.0, 3.0))


@pytest.fixture
def snapshot():
    """In a triclinic box that is not periodic along its second vector."""
    plain = liquid_configuration(POSITIONS[0], TYPES, step=70, units="lj")
    configuration = replace(plain, box=BOX, ids=np.arange(90) * 2 + 1)
    return Snapshot(configuration, build_graph(configuration, 2.0))


def test_a_snapshot_comes_back_as_it_was(snapshot, tmp_path):
    path = write_snapshot(tmp_path, snapshot)
    assert path.name == "snapshot-000000000070.npz"
    (again,) = read_snapshots(tmp_path)
    for name in ("ids", "types", "positions", "cell"):
        np.testing.assert_array_equal(getattr(again, name), getattr(snapshot, name))
    assert (again.step, again.periodic) == (70, (True, False, True))
    assert again.configuration.units == "lj"
    np.testing.assert_array_equal(again.configuration.box.origin, BOX.origin)
    for name in ("species", "center", "neighbor"):
        np.testing.assert_array_equal(getattr(again.graph, name), getattr(snapshot.graph, name))
    np.testing.assert_allclose(again.graph.vectors, snapshot.graph.vectors, atol=2e-7)
    assert again.graph.cutoff == 2.0


def test_a_graph_of_another_cutoff_is_refused_by_a_model(snapshot, tmp_path):
    predictor = Predictor(toy(tmp_path))
    shorter = replace(snapshot, graph=build_graph(snapshot.configuration, 1.8))
    again = read_snapshot(write_snapshot(tmp_path, shorter))
    with pytest.raises(ValueError, match=r"takes graphs with the cutoff 2, found 1\.8; give the"):
        predictor.predict_graph(again.graph)
    full = predictor.predict(again.configuration).node
    np.testing.assert_array_equal(full, predictor.predict_graph(snapshot.graph).node)


def test_a_file_from_before_there_was_a_cutoff_has_a_graph_that_no_model_takes(snapshot, tmp_path):
    path = write_snapshot(tmp_path, snapshot)
    with np.load(path) as archive:
        old = {k: archive[k] for k in archive.files if k not in {"cutoff", "units", "origin"}}
    np.savez(path, **old)
    again = read_snapshot(path)
    predictor = Predictor(toy(tmp_path))
    with pytest.raises(ValueError, match=r"found nan; give the configuration to `predict`"):
        predictor.predict_graph(again.graph)
    expected = predictor.predict(snapshot.configuration).node
    np.testing.assert_array_equal(predictor.predict(again.configuration).node, expected)


def test_a_snapshot_in_other_units_is_refused_by_a_model(snapshot, tmp_path):
    metal = replace(snapshot, configuration=replace(snapshot.configuration, units="metal"))
    again = read_snapshot(write_snapshot(tmp_path, metal))
    with pytest.raises(ValueError, match="is in metal units, but kob-andersen in lj units"):
        Predictor(toy(tmp_path)).predict(again.configuration)


def test_what_is_no_snapshot_is_named(tmp_path):
    (tmp_path / "snapshot-000000000001.npz").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(ValueError, match=r"000001\.npz: not a snapshot file of DumpNeighbors"):
        list(read_snapshots(tmp_path))
    np.savez(tmp_path / "other.npz", step=1)
    with pytest.raises(ValueError, match=r"other\.npz: not a snapshot file .*ids"):
        read_snapshot(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError, match="missing"):
        read_snapshot(tmp_path / "missing.npz")
    with pytest.raises(FileNotFoundError, match=r"no snapshot-\*\.npz in this folder"):
        read_snapshots(tmp_path / "elsewhere")
