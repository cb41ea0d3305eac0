"""Modules at their addresses from before the rooms: each warns and works as it did."""

import importlib
import sys

import numpy as np
import pytest
from dumps import ORTHOGONAL, frame, write

from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph

PERIODIC = (True, True, True)


def former(name):
    """Import a module for the first time, with its warning."""
    sys.modules.pop(f"lammps_botan.{name}", None)
    with pytest.warns(DeprecationWarning, match=rf"lammps_botan\.{name} is now lammps_botan\."):
        return importlib.import_module(f"lammps_botan.{name}")


def test_a_graph_from_arrays_is_that_of_the_configuration():
    rng = np.random.default_rng(3)
    positions, species = rng.random((40, 3)) * 5, rng.integers(2, size=40)
    module = former("graph")
    for periodic in (PERIODIC, (True, True, False)):
        graph = module.build_graph(positions, [5, 5, 5], species, cutoff=1.5, periodic=periodic)
        some = Configuration(positions=positions, species=species, box=Box(5.0, periodic))
        expected = build_graph(some, 1.5)
        np.testing.assert_array_equal(graph.center, expected.center)
        np.testing.assert_array_equal(graph.vectors, expected.vectors)
        assert graph.cutoff == 1.5
    assert module.build_graph([[0.0, 0, 0], [1.9, 0, 0]], 9.0, [0, 1]).n_edges == 2  # within 2


def test_a_graph_need_not_say_its_cutoff():
    one = np.zeros(1, int)
    graph = former("graph").Graph(species=one, center=one, neighbor=one, vectors=np.ones((1, 3)))
    assert np.isnan(graph.cutoff)
    assert (graph.n_particles, graph.n_edges) == (1, 1)
    assert graph.distances.tolist() == [np.sqrt(3)]


def test_cells_and_images_are_those_of_the_box():
    module = former("graph")
    np.testing.assert_array_equal(module.cell_matrix(2.0), np.eye(3) * 2)
    assert module.minimum_image(np.array([[3.0, 0, -3.5]]), 4.0).tolist() == [[-1.0, 0.0, 0.5]]


def test_a_frame_counts_types_from_1():
    module = former("frames")
    made = module.Frame(np.eye(3), [4.0, 5.0, 6.0], [1, 2, 1], ids=[7, 8, 9], step=5)
    assert isinstance(made, Configuration)
    assert made.species.tolist() == [0, 1, 0]
    assert made.types.tolist() == [1, 2, 1]
    assert (made.ids.tolist(), made.step, made.box.periodic) == ([7, 8, 9], 5, PERIODIC)


def test_dumps_are_opened_at_the_former_address(tmp_path):
    path = write(tmp_path / "run.dump", frame(np.eye(3), ORTHOGONAL, step=4))
    module = former("trajectory")
    assert [f.step for f in module.open_frames(path)] == [4]
    assert module.open_dump(path).atoms.positions.tolist() == np.eye(3).tolist()


def test_a_data_set_has_its_former_attributes(tmp_path):
    rng = np.random.default_rng(0)
    initial = rng.random((10, 3)) * 4
    final = initial + rng.normal(0, 0.1, (3, 10, 3))
    np.savez(
        tmp_path / "c.npz",
        types=[0] * 8 + [1] * 2,
        initial_positions=initial,
        positions=final,
        box=4.0,
        time=2.5,
    )
    module = former("dataset")
    read = module.read_configuration(tmp_path / "c.npz")
    assert (read.time, read.path.name) == (2.5, "c.npz")
    np.testing.assert_array_equal(read.cell, np.eye(3) * 4)
    np.testing.assert_array_equal(read.initial, initial)
    np.testing.assert_array_equal(read.final, final)
    assert read.species.tolist() == [0] * 8 + [1] * 2
    sample = module.read_sample(tmp_path / "c.npz", cutoff=1.5)
    assert sample.time == 2.5
    moved = np.linalg.norm(final - initial, axis=2).mean(axis=0)
    np.testing.assert_allclose(sample.propensity, moved, rtol=1e-12)
    assert len(sample.pair_distance_change) == sample.graph.n_edges


def test_targets_are_written_at_the_former_address(tmp_path):
    targets = {"propensity": np.array([0.5, 0.25]), "pair_distance_change": np.array([1.0, -1.0])}
    positions = np.array([[0.0, 0, 0], [1, 0, 0]])
    former("dataset_writer").write_targets(
        tmp_path / "t.npz",
        species=[0, 1],
        initial=positions,
        cell=np.eye(3) * 9,
        time=2.5,
        **targets,
    )
    read = read_ensemble(tmp_path / "t.npz")
    assert (read.lag_time, read.propensity.tolist()) == (2.5, [0.5, 0.25])
    assert read.pair_distance_change.tolist() == [1.0, -1.0]
    assert read.box.periodic == PERIODIC
    np.testing.assert_array_equal(read.initial, positions)
