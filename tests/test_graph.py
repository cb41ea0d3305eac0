"""Graphs: against the public implementation, against a loop over images, and exact cases."""

import itertools

import numpy as np
import pytest
from public_data import CONFIGURATION_401, needs_public_data, reference_graph

from lammps_botan.files.ensemble import read_start
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.crowding import count_cells
from lammps_botan.structure.graph import build_graph

CELLS = {
    "cubic": np.eye(3) * 6.0,
    "orthogonal": np.diag([5.0, 6.0, 7.0]),
    "triclinic": np.array([[6.0, 0, 0], [1.5, 5.5, 0], [-1.0, 0.7, 6.5]]),
    "smaller than two cutoffs": np.eye(3) * 3.1,
    "smaller than a cutoff": np.diag([1.7, 4.5, 5.0]),
}
PERIODIC = (True, True, True)


def particles(positions, cell, species=None, periodic=PERIODIC):
    species = np.zeros(len(positions), int) if species is None else species
    return Configuration(positions=positions, species=species, box=Box(cell, periodic))


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
    graph = build_graph(read_start(CONFIGURATION_401), 2.0)
    assert graph.n_edges == 166_240
    np.testing.assert_array_equal(graph.center, reference["center"])
    np.testing.assert_array_equal(graph.neighbor, reference["neighbor"])
    np.testing.assert_allclose(graph.vectors, reference["edge_attr"], atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_graph_is_that_of_a_loop_over_images(name):
    rng = np.random.default_rng(3)
    cell = CELLS[name]
    positions = rng.random((12, 3)) @ cell
    graph = build_graph(particles(positions, cell), cutoff=2.0)
    rows = zip(graph.center, graph.neighbor, *np.round(graph.vectors, 9).T, strict=True)
    assert set(rows) == edges_by_loop(positions, cell, 2.0)
    assert np.all(np.diff(graph.center) >= 0)
    assert graph.cutoff == 2.0


def test_unwrapped_positions_give_the_same_graph():
    rng = np.random.default_rng(4)
    positions = rng.random((50, 3)) * 5
    species = rng.integers(2, size=50)
    wrapped = build_graph(particles(positions, 5.0, species), 2.0)
    moved = positions + 5.0 * rng.integers(-2, 3, (50, 3))
    unwrapped = build_graph(particles(moved, 5.0, species), 2.0)
    np.testing.assert_array_equal(wrapped.neighbor, unwrapped.neighbor)
    np.testing.assert_allclose(wrapped.vectors, unwrapped.vectors, atol=1e-12)


def test_a_pair_at_the_cutoff_is_no_edge():
    pair = particles(np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 1.0]]), 9.0)
    assert build_graph(pair, cutoff=2.0).n_edges == 0
    assert build_graph(pair, cutoff=2.0 + 1e-12).n_edges == 2


def test_the_vector_points_from_the_neighbor_to_the_center():
    graph = build_graph(particles([[1.0, 1, 1], [2.0, 1, 1]], 9.0, [0, 1]), 2.0)
    assert graph.center.tolist() == [0, 1]
    assert graph.vectors.tolist() == [[-1.0, 0, 0], [1.0, 0, 0]]


def test_two_dimensions_have_no_images_along_z():
    pair = particles([[1.0, 1, 0], [4.5, 1, 0]], [5.0, 5, 1], periodic=(True, True, False))
    graph = build_graph(pair, cutoff=1.8)
    assert graph.n_edges == 2
    assert np.all(graph.vectors[:, 2] == 0)


def test_an_isolated_particle_and_no_particle_have_no_edges():
    assert build_graph(particles([[0.0, 0, 0]], 9.0), 2.0).n_edges == 0
    assert build_graph(particles(np.zeros((0, 3)), 9.0), 2.0).n_edges == 0


@pytest.mark.parametrize("cutoff", [-1.0, 0.0, np.inf, np.nan])
def test_a_cutoff_that_is_not_positive_is_refused(cutoff):
    with pytest.raises(ValueError, match=f"cutoff must be positive, found {cutoff}"):
        build_graph(particles(np.zeros((1, 3)), 5.0), cutoff)


@pytest.mark.parametrize("name", CELLS)
def test_a_shorter_cutoff_leaves_the_graph_that_would_have_been_built(name):
    rng = np.random.default_rng(6)
    some = particles(rng.random((30, 3)) @ CELLS[name], CELLS[name])
    shorter, built = build_graph(some, 2.0).within(1.3), build_graph(some, 1.3)
    assert shorter.cutoff == built.cutoff == 1.3
    np.testing.assert_array_equal(shorter.center, built.center)
    np.testing.assert_array_equal(shorter.neighbor, built.neighbor)
    np.testing.assert_allclose(shorter.vectors, built.vectors, atol=1e-14)


def test_a_graph_is_never_widened():
    graph = build_graph(particles([[1.0, 1, 1], [2.0, 1, 1]], 9.0), 1.5)
    assert graph.within(1.5).n_edges == 2
    with pytest.raises(ValueError, match=r"with cutoff 1\.5 has .* shorter cutoff, found 2"):
        graph.within(2.0)
    with pytest.raises(ValueError, match="found 0"):
        graph.within(0.0)


SPARSE = {
    "a particle far away": ([5.0, 5.0, 5.0], (False, False, False), [1e12, 0, 0]),
    "far away along all axes": ([5.0, 5.0, 5.0], (False, False, False), [1e12, -1e12, 1e13]),
    "a large periodic box": ([1e6, 1e6, 1e6], PERIODIC, [0, 0, 0]),
    "a long thin box": ([1e7, 5.0, 3.1], PERIODIC, [0, 0, 0]),
    "thin and open along z": ([1e7, 1.7, 9.0], (True, True, False), [0, 0, 1e9]),
    "a tilted box": ([[1e7, 0, 0], [1.5, 5.5, 0], [-1.0, 0.7, 6.5]], PERIODIC, [0, 0, 0]),
}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(("cell", "periodic", "far"), SPARSE.values(), ids=SPARSE)
def test_particles_in_much_empty_space_have_their_edges(cell, periodic, far):
    """A droplet at the corner of the box, and a particle that may be elsewhere."""
    cell = np.diag(cell) if np.ndim(cell) == 1 else np.array(cell)
    rng = np.random.default_rng(8)
    positions = rng.uniform(-2.0, 2.0, (40, 3))
    positions[-1] += far
    graph = build_graph(particles(positions, cell, periodic=periodic), 2.0)
    expected = set()
    reach = [range(-3, 4) if along else range(1) for along in periodic]
    for i, j in itertools.product(range(40), repeat=2):
        for shift in itertools.product(*reach):
            vector = positions[i] - positions[j] - np.array(shift) @ cell
            if (i, shift) != (j, (0, 0, 0)) and np.linalg.norm(vector) < 2.0:
                expected.add((i, j, *np.round(vector, 5)))
    rows = zip(graph.center, graph.neighbor, *np.round(graph.vectors, 5).T, strict=True)
    assert set(rows) == expected
    assert len(expected) == graph.n_edges > 100
    assert np.all(np.diff(graph.center) >= 0)


def test_a_large_system_with_one_particle_far_away_keeps_its_edges():
    """By cells of the whole space all of them would share one cell."""
    rng = np.random.default_rng(9)
    positions = rng.random((30_000, 3)) * 30
    near = build_graph(particles(positions[:-1], 30.0, periodic=(False,) * 3), 1.5)
    positions[-1] = [1e10, 0, 0]
    far = build_graph(particles(positions, 30.0, periodic=(False,) * 3), 1.5)
    np.testing.assert_array_equal(far.center, near.center)
    np.testing.assert_array_equal(far.neighbor, near.neighbor)
    np.testing.assert_allclose(far.vectors, near.vectors, atol=1e-12)


TOO_MUCH = {
    "all at one point": (np.full((2_000_000, 3), 1.5), 100.0, 2.0, "up to 2000000 particles share"),
    "a point far away": (np.full((200_000, 3), 1.5), 1e9, 2.0, "up to 200000 particles share"),
    "a cutoff of 1e5": (np.random.default_rng(1).random((100, 3)) * 5, 5.0, 1e5, "cutoff 100000,"),
    "a cutoff of 1e300": (np.zeros((1, 3)), 5.0, 1e300, "cutoff must be at most 1e.15, found 1e.3"),
    "a dense liquid": (
        np.random.default_rng(1).random((50_000, 3)) * 5,
        5.0,
        3.0,
        "density is 400",
    ),
    "boxes away": ([[0.0, 0, 0], [1e13, 0, 0]], 5.0, 2.0, r"a particle is 2e\+12 boxes away"),
}


@pytest.mark.parametrize(("positions", "box", "cutoff", "message"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_graph_that_no_machine_holds_is_refused(positions, box, cutoff, message):
    with pytest.raises(ValueError, match=message):
        build_graph(particles(positions, box), cutoff)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("cutoff", [1.0, 2.0, 4.0])
def test_the_number_of_edges_is_known_before_within_a_factor_of_four(name, cutoff):
    rng = np.random.default_rng(10)
    some = particles(rng.random((300, 3)) @ CELLS[name], CELLS[name])
    ratio = count_cells(some, cutoff).n_edges / build_graph(some, cutoff).n_edges
    assert 1 / 4 < ratio < 4


def test_all_pairs_of_a_droplet_are_no_reason_to_refuse_it():
    """A cutoff larger than all of it, in a box without images."""
    droplet = particles(np.random.default_rng(11).random((200, 3)), 5.0, periodic=(False,) * 3)
    assert build_graph(droplet, 1e6).n_edges == 200 * 199


def test_some_of_the_edges_have_no_cutoff():
    graph = build_graph(particles([[1.0, 1, 1], [2.0, 1, 1]], 9.0), 1.5)
    half = graph.only(np.array([True, False]))
    assert (half.n_edges, half.n_particles) == (1, 2)
    assert np.isnan(half.cutoff)
    with pytest.raises(ValueError, match="cutoff nan"):
        half.within(1.0)
