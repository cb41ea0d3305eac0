"""Targets: against the public implementation, against loops, and exact cases."""

import numpy as np
import pytest
from public_data import CONFIGURATION_401, needs_public_data, reference_graph

from lammps_botan.dataset import read_sample
from lammps_botan.graph import build_graph
from lammps_botan.metrics import edge_mask, node_mask
from lammps_botan.targets import pair_distance_change, propensity

BOXES = {
    "cubic": np.eye(3) * 6.0,
    "triclinic": np.array([[6.0, 0, 0], [1.2, 5.8, 0], [-0.8, 0.6, 6.2]]),
}


@pytest.fixture(params=BOXES)
def liquid(request):
    rng = np.random.default_rng(7)
    cell = BOXES[request.param]
    initial = rng.random((60, 3)) @ cell
    return initial, cell, build_graph(initial, cell, rng.integers(2, size=60)), rng


@needs_public_data
def test_targets_of_configuration_401_are_the_public_ones():
    reference = reference_graph()
    sample = read_sample(CONFIGURATION_401)
    np.testing.assert_allclose(sample.propensity, reference["propensity"], atol=1e-5)
    np.testing.assert_allclose(
        sample.pair_distance_change, reference["pair_distance_change"], atol=1e-5
    )
    np.testing.assert_array_equal(node_mask(sample.graph), reference["mask_node"])
    np.testing.assert_array_equal(edge_mask(sample.graph), reference["mask_edge"])


def test_targets_are_those_of_loops(liquid):
    initial, cell, graph, rng = liquid
    final = initial + rng.normal(0, 0.3, (4, *initial.shape)) + rng.integers(-1, 2, (60, 3)) @ cell
    expected_s = [
        np.mean([np.linalg.norm(run[i] - initial[i]) for run in final]) for i in range(60)
    ]
    np.testing.assert_allclose(propensity(initial, final), expected_s, rtol=1e-12)

    shifts = np.array(np.meshgrid(*[range(-3, 4)] * 3)).reshape(3, -1).T @ cell
    expected_e = []
    for i, j, distance in zip(graph.center, graph.neighbor, graph.distances, strict=True):
        runs = [np.linalg.norm(run[i] - run[j] + shifts, axis=1).min() for run in final]
        expected_e.append(np.mean(runs) - distance)
    change = pair_distance_change(initial, final, graph, cell)
    np.testing.assert_allclose(change, expected_e, atol=1e-12)


def test_a_uniform_translation_moves_all_and_changes_no_distance(liquid):
    initial, cell, graph, _ = liquid
    shift = np.array([0.3, -0.4, 1.2])
    final = np.stack([initial + shift, initial - shift])
    np.testing.assert_allclose(propensity(initial, final), 1.3)
    np.testing.assert_allclose(pair_distance_change(initial, final, graph, cell), 0, atol=1e-12)


def test_one_moved_particle_changes_its_own_pairs_alone(liquid):
    initial, cell, graph, _ = liquid
    final = initial[None].copy()
    final[0, 5] += [0.0, 0.1, 0.0]
    moved = propensity(initial, final)
    assert np.flatnonzero(moved).tolist() == [5]
    assert moved[5] == pytest.approx(0.1)
    change = pair_distance_change(initial, final, graph, cell)
    touched = (graph.center == 5) | (graph.neighbor == 5)
    assert np.all(np.abs(change[~touched]) < 1e-12)
    assert np.all(np.abs(change[touched]) > 0)


def test_both_directions_of_a_pair_change_alike(liquid):
    initial, cell, graph, rng = liquid
    change = pair_distance_change(initial, initial + rng.normal(0, 0.2, (3, 60, 3)), graph, cell)
    by_pair = dict(zip(zip(graph.center, graph.neighbor, strict=True), change, strict=True))
    assert all(by_pair[j, i] == pytest.approx(value) for (i, j), value in by_pair.items())


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"found \[2, 3, 3\] and \[4, 3\]"):
        propensity(np.zeros((4, 3)), np.zeros((2, 3, 3)))
