"""Graphs: against the public implementation, against a loop over images, and exact cases."""

import itertools

import numpy as np
import pytest
from public_data import CONFIGURATION_401, needs_public_data, reference_graph

from lammps_botan.files.ensemble_npz import read_configuration
from lammps_botan.structure.graph import build_graph, cell_matrix, minimum_image

CELLS = {
    "cubic": np.eye(3) * 6.0,
    "orthogonal": np.diag([5.0, 6.0, 7.0]),
    "triclinic": np.array([[6.0, 0, 0], [1.5, 5.5, 0], [-1.0, 0.7, 6.5]]),
    "smaller than two cutoffs": np.eye(3) * 3.1,
    "smaller than a cutoff": np.diag([1.7, 4.5, 5.0]),
}


def edges_by_loop(positions, cell, cutoff):
    """All ordered pairs within the cutoff, over explicit periodic images."""
    found = set()
    reach = range(-3, 4)
    for i, j in itertools.product(range(len(positions)), repeat=2):
        for shift in itertools.product(reach, repeat=3):
            vector = positions[i] - positions[j] - np.array(shift) @ cell
            if (i, shift) != (j, (0, 0, 0)) and np.linalg.norm(vector) < cutoff:
                found.add((i, j, *np.round(vector, 9)))
    return found


@needs_public_data
def test_graph_of_configuration_401_is_the_public_one():
    reference = reference_graph()
    configuration = read_configuration(CONFIGURATION_401)
    graph = build_graph(configuration.initial, configuration.cell, configuration.species)
    assert graph.n_edges == 166_240
    np.testing.assert_array_equal(graph.center, reference["center"])
    np.testing.assert_array_equal(graph.neighbor, reference["neighbor"])
    np.testing.assert_allclose(graph.vectors, reference["edge_attr"], atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_graph_is_that_of_a_loop_over_images(name):
    rng = np.random.default_rng(3)
    cell = CELLS[name]
    positions = rng.random((12, 3)) @ cell
    graph = build_graph(positions, cell, np.zeros(12, int), cutoff=2.0)
    rows = zip(graph.center, graph.neighbor, *np.round(graph.vectors, 9).T, strict=True)
    assert set(rows) == edges_by_loop(positions, cell, 2.0)
    assert np.all(np.diff(graph.center) >= 0)


def test_unwrapped_positions_give_the_same_graph():
    rng = np.random.default_rng(4)
    positions = rng.random((50, 3)) * 5
    species = rng.integers(2, size=50)
    wrapped = build_graph(positions, 5.0, species)
    unwrapped = build_graph(positions + 5.0 * rng.integers(-2, 3, (50, 3)), 5.0, species)
    np.testing.assert_array_equal(wrapped.neighbor, unwrapped.neighbor)
    np.testing.assert_allclose(wrapped.vectors, unwrapped.vectors, atol=1e-12)


def test_a_pair_at_the_cutoff_is_no_edge():
    positions = np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 1.0]])
    assert build_graph(positions, 9.0, [0, 0], cutoff=2.0).n_edges == 0
    assert build_graph(positions, 9.0, [0, 0], cutoff=2.0 + 1e-12).n_edges == 2


def test_the_vector_points_from_the_neighbor_to_the_center():
    graph = build_graph([[1.0, 1, 1], [2.0, 1, 1]], 9.0, [0, 1])
    assert graph.center.tolist() == [0, 1]
    assert graph.vectors.tolist() == [[-1.0, 0, 0], [1.0, 0, 0]]


def test_two_dimensions_have_no_images_along_z():
    positions = [[1.0, 1, 0], [4.5, 1, 0]]
    graph = build_graph(positions, [5.0, 5, 1], [0, 0], cutoff=1.8, periodic=(True, True, False))
    assert graph.n_edges == 2
    assert np.all(graph.vectors[:, 2] == 0)


def test_an_isolated_particle_and_no_particle_have_no_edges():
    assert build_graph([[0.0, 0, 0]], 9.0, [0]).n_edges == 0
    assert build_graph(np.zeros((0, 3)), 9.0, np.zeros(0, int)).n_edges == 0


def test_minimum_image_is_the_shortest_of_all_images():
    rng = np.random.default_rng(5)
    cell = CELLS["triclinic"]
    vectors = rng.uniform(-9, 9, (200, 3))
    shifts = np.array(list(itertools.product(range(-4, 5), repeat=3))) @ cell
    shortest = np.linalg.norm(vectors[:, None] + shifts, axis=2).min(axis=1)
    np.testing.assert_allclose(np.linalg.norm(minimum_image(vectors, cell), axis=1), shortest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": np.zeros((2, 2))}, r"positions must have shape \[n_particles, 3\]"),
        ({"species": [0]}, r"species must have shape \[2\]"),
        ({"positions": [[0, 0, 0], [np.nan, 0, 0]]}, "must be finite, found .* for particle 1"),
        ({"box": [1.0, 2.0]}, r"found shape \(2,\)"),
        ({"box": 0.0}, "must span a finite volume"),
        ({"cutoff": -1.0}, "cutoff must be positive, found -1.0"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"positions": np.zeros((2, 3)), "box": 5.0, "species": [0, 0]} | change
    with pytest.raises(ValueError, match=message):
        build_graph(**arguments)


def test_a_box_may_be_given_in_three_ways():
    for box in (2.0, [2.0, 2.0, 2.0], np.eye(3) * 2.0):
        np.testing.assert_array_equal(cell_matrix(box), np.eye(3) * 2.0)
