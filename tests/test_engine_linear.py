"""The linear network in the compiled engine, against its equations and against torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from engines import plain_weights, random_graph
from linear_equations import (
    CUTOFF,
    SEES,
    expected,
    make_configuration,
    make_network,
    sees_each,
)
from public_data import CONFIGURATION_401, needs_public_data

from lammps_botan.files.ensemble import read_start
from lammps_botan.network.arrays import forward_arrays
from lammps_botan.network.engine.scoring import Engine
from lammps_botan.network.inputs import node_inputs
from lammps_botan.network.linear import Linear
from lammps_botan.network.module import load_module
from lammps_botan.network.shipped import find_model
from lammps_botan.network.weights import NetworkWeights
from lammps_botan.structure.graph import build_graph

ROUNDING = 5e-6  # the order of sums in float32


def engine(network):
    return Engine([plain_weights("linear", network)])


def arrays(sees, graph=None):
    """What the network is given: of `graph`, whose inputs are random, or of the configuration."""
    if graph is None:
        configuration = make_configuration()
        given = node_inputs(configuration, SEES[sees]) if sees != "thermal" else ()
        return forward_arrays(build_graph(configuration, CUTOFF), *given)
    n, rng, inputs = len(graph.species), np.random.default_rng(5), ()
    if sees != "thermal":
        network = make_network(sees)
        lengths, scalars = (n, network.n_vectors, 3), (n, network.n_scalars)
        inputs = [rng.normal(size=lengths) * 0.1, rng.gamma(2.0, 0.03, scalars)]
    return forward_arrays(graph, *(one.astype(np.float32) for one in inputs))


def by_torch(network, given):
    with torch.inference_mode():
        return [one.numpy() for one in network(*(torch.from_numpy(array) for array in given))]


def assert_same(network, given, **threads):
    found = engine(network).score(*given, **threads)
    for ours, theirs in zip(found, by_torch(network, given), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, 0, ROUNDING * np.abs(theirs).max(initial=1))
    return found


@sees_each
def test_it_computes_its_equations(instructions, sees):
    """Those of loops in double precision, as exactly as torch does."""
    network, configuration = make_network(sees), make_configuration()
    made = engine(network)
    assert made.instructions == instructions
    graph = build_graph(configuration, CUTOFF)
    node, edge = made.score(*arrays(sees))
    propensity, changes = expected(network, configuration, sees)
    np.testing.assert_allclose(node[:, 0], propensity, 0, 3e-6 * np.abs(propensity).max())
    of_edges = [changes[pair] for pair in zip(graph.center, graph.neighbor, strict=True)]
    np.testing.assert_allclose(edge[:, 0], of_edges, 0, 3e-6 * np.abs(of_edges).max())


@sees_each
def test_without_pairs_it_has_no_outputs_on_edges(instructions, sees):
    network = make_network(sees, pairs=False)
    node, edge = assert_same(network, arrays(sees))
    assert edge.shape[1] == 0
    both, _ = engine(make_network(sees)).score(*arrays(sees))
    np.testing.assert_array_equal(node, both)


def random_weights(**settings):
    network = Linear(**({"cutoff": 2.0} | settings))
    random = torch.Generator().manual_seed(3)
    for name, scale in (("origin", 1.0), ("weights", 0.1), ("offset", 1.0), ("pair_weights", 0.02)):
        tensor = getattr(network, name)
        tensor.copy_(scale * torch.randn(tensor.shape, generator=random))
    return network.eval()


@pytest.mark.parametrize("n_species", [1, 2, 3, 5])
@pytest.mark.parametrize("generations", [1, 2, 6])
def test_any_number_of_species_and_generations(instructions, n_species, generations):
    network = random_weights(n_species=n_species, generations=generations)
    assert_same(network, arrays("thermal", random_graph(150, 5.0, n_species=n_species)))


@pytest.mark.parametrize(("cutoff", "diameter"), [(2.5, 1.0), (6.8, 3.4), (0.7, 1.0), (1.3, 0.9)])
def test_any_cutoff_in_any_unit_of_length(instructions, cutoff, diameter):
    network = random_weights(cutoff=cutoff, diameter=diameter)
    graph = random_graph(200, 2.3 * cutoff, cutoff=cutoff)
    assert_same(network, arrays("thermal", graph))


@sees_each
@pytest.mark.parametrize("n", [1, 2, 23, 64])
def test_graphs_of_any_size_and_density(instructions, sees, n):
    """Many images of each neighbor, up to thousands of edges for each; some edges; next to none."""
    network = make_network(sees)
    for length in (2.0, 4.5, 30.0):
        assert_same(network, arrays(sees, random_graph(n, length, cutoff=CUTOFF, seed=n)))


@sees_each
def test_particles_without_edges_anywhere(instructions, sees):
    graph = random_graph(100, 4.5, cutoff=CUTOFF)
    for lonely in ([0], [99], [40, 41, 42, 43], range(100)):
        keep = ~np.isin(graph.center, lonely)
        assert_same(make_network(sees), arrays(sees, graph.only(keep, cutoff=CUTOFF)))


@sees_each
def test_a_graph_without_particles(instructions, sees):
    node, edge = assert_same(make_network(sees), arrays(sees, random_graph(0, 4.5)))
    assert node.shape == edge.shape == (0, 1)


def test_neighbors_in_the_thermal_positions_may_be_far_apart_in_the_mean_ones(instructions):
    """Beyond the cutoff they count neither in shells nor in averages."""
    given = arrays("history")
    given[2] = 20 * given[2]
    assert np.linalg.norm(given[2], axis=2).mean() > CUTOFF
    assert_same(make_network("history"), given)


@sees_each
def test_the_number_of_threads_changes_nothing(instructions, sees):
    given = arrays(sees, random_graph(1500, 11.0, cutoff=CUTOFF))
    made = engine(make_network(sees))
    one = made.score(*given, threads=1)
    for threads in (2, 3, 7):
        for ours, theirs in zip(made.score(*given, threads=threads), one, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", ["vectors", "node_vectors", "node_scalars"])
def test_what_is_not_finite_reaches_the_outputs(instructions, which, value):
    """As far as they do by torch, for which an infinite distance is one beyond the cutoff."""
    given = arrays("both")
    at = ["species", "vectors", "node_vectors", "node_scalars"].index(which)
    given[at] = given[at].copy()
    given[at].flat[1] = value
    network = make_network("both")
    found = engine(network).score(*given)
    assert not np.isfinite(found[1]).all()
    for ours, theirs in zip(found, by_torch(network, given), strict=True):
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))


@needs_public_data
@pytest.mark.parametrize("name", ["ka-t044-history", "ka-t044-inherent"])
def test_the_models_that_ship(instructions, name):
    """On a glass of 4096 particles, with displacements and energies of the size of real ones."""
    module = load_module(find_model(name), torch.device("cpu"))
    inputs = [one for one in ("history", "inherent") if getattr(module, one)]
    network = Linear(module.cutoff, inputs=inputs)
    network.load_state_dict(module.state_dict())
    graph = build_graph(read_start(CONFIGURATION_401), network.cutoff)
    given = arrays(inputs[0], graph)
    given[3][:, -1] -= 7.0  # energy
    node, _ = assert_same(network, given)
    assert len(node) == 4096


def changed(network, name, value):
    given = plain_weights("linear", network)
    if name in given.tensors:
        return replace(given, tensors={**given.tensors, name: np.asarray(value, np.float32)})
    return replace(given, settings={**given.settings, name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("radii", np.ones(3), r"'radii' of shape \[24\], found \[3\]"),
        ("weights", np.ones((4, 8)), r"'weights' of shape \[50, 8\], found \[4, 8\]"),
        ("origin", np.ones(49), r"'origin' of shape \[50\], found \[49\]"),
        ("offset", np.ones((2, 1)), r"'offset' of shape \[2\], found \[2, 1\]"),
        ("distances", np.ones(0), r"'distances' of shape \[23\], found \[0\]"),
        ("distance_widths", np.full(23, 0.001), "distance_widths"),
        ("pair_weights", np.ones((23, 23)), r"'pair_weights' of shape \[23, 24\]"),
        ("pair_offset", np.ones(3), r"'pair_offset' of shape \[4\], found \[3\]"),
        ("generations", 0, "a whole number 1 to 1000 as its setting 'generations', found 0"),
        ("generations", 4, r"'weights' of shape \[50, 10\], found \[50, 8\]"),
        ("n_species", 101, "a whole number 1 to 100 as its setting 'n_species', found 101"),
        ("cutoff", -1, "a positive number as its setting 'cutoff', found -1"),
        ("cutoff", 101, "the cutoff of a linear network must be 100 diameters or less"),
        ("diameter", 1e-300, "the cutoff of a linear network must be 100 diameters or less"),
        ("history", 1, r"'weights' of shape \[54, 8\], found \[50, 8\]"),
        ("pairs", 2, "true or false as its setting 'pairs', found 2"),
    ],
)
def test_what_does_not_fit_is_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        Engine([changed(make_network("thermal"), name, value)])


def test_what_would_take_all_memory_is_refused():
    given = plain_weights("linear", make_network("thermal"))
    settings = {**given.settings, "n_species": 100, "cutoff": 100.0}
    with pytest.raises(ValueError, match="more than 1 GiB"):
        Engine([NetworkWeights("linear", settings, given.tensors)])


def test_members_of_a_committee_may_have_other_generations(instructions):
    members = [random_weights(generations=generations) for generations in (1, 4)]
    given = arrays("thermal", random_graph(150, 5.0))
    found = Engine([plain_weights("linear", member) for member in members]).score(*given)
    outputs = [by_torch(member, given) for member in members]
    for ours, theirs in zip(found, zip(*outputs, strict=True), strict=True):
        mean, deviation = np.mean(theirs, axis=0), np.std(theirs, axis=0, ddof=1)
        largest = np.abs(mean).max()
        np.testing.assert_allclose(ours, np.hstack([mean, deviation]), 0, ROUNDING * largest)
