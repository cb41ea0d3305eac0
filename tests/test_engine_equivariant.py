"""The equivariant network in the compiled engine, against torch."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest
import torch
from engines import plain_weights, random_graph
from public_data import CONFIGURATION_401, needs_public_data
from symmetry import CUTOFF, INPUTS, SPREAD, TURNS, equivariant, liquid, tensors, turned

from lammps_botan.files.ensemble import read_start
from lammps_botan.network.arrays import forward_arrays
from lammps_botan.network.engine.scoring import Engine, _Graph
from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.module import load_module
from lammps_botan.network.shipped import find_model
from lammps_botan.structure.graph import build_graph

ROUNDING = 5e-6  # the order of sums in float32
sees = pytest.mark.parametrize("name", INPUTS)


def engine(network):
    return Engine([plain_weights("equivariant", network)])


def random_scales(name, **settings):
    """A network whose scales of outputs are not those of a new one."""
    network = equivariant(name, **settings)
    with torch.no_grad():
        for tensor in (network.node_mean, network.edge_output.approach):
            tensor.normal_()
        for tensor in (network.node_deviation, network.edge_output.deviation):
            tensor.uniform_(2.0, 4.0)
        network.pairs.neighbors.fill_(30.0)
    return network


def arrays(name, graph=None):
    """What the network is given: of a graph with random inputs, or of the liquid."""
    if graph is None:
        return [tensor.numpy() for tensor in tensors(liquid(), name)]
    n, rng, inputs = len(graph.species), np.random.default_rng(5), []
    if name != "thermal":
        seen = INPUTS[name].names
        n_scalars = 2 * ("history" in seen) + ("inherent" in seen)
        inputs = [0.1 * rng.normal(size=(n, len(seen), 3)), rng.gamma(2.0, 0.03, (n, n_scalars))]
    return forward_arrays(graph, *(one.astype(np.float32) for one in inputs))


def by_torch(network, given):
    with torch.inference_mode():
        return [one.numpy() for one in network(*(torch.from_numpy(array) for array in given))]


def assert_same(network, given):
    found = engine(network).score(*given)
    for ours, theirs in zip(found, by_torch(network, given), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, 0, ROUNDING * np.abs(theirs).max(initial=1))
    return found


@sees
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"width": 64, "features": 16, "n_gaussians": 24, "n_times": 3},
        {"width": 20, "features": 3, "n_gaussians": 7, "n_times": 2},
        {"width": 5, "features": 1, "n_gaussians": 2, "rounds": 1},
        {"width": 49, "features": 9, "n_gaussians": 17, "rounds": 2},
    ],
)
def test_it_computes_what_torch_does(instructions, name, settings):
    """With numbers that fill registers, and with others."""
    network = random_scales(name, **settings)
    assert engine(network).instructions == instructions
    for found in assert_same(network, arrays(name)):
        assert found.std() > 0.05


@sees
@pytest.mark.parametrize("n_species", [1, 3])
def test_any_number_of_species_in_any_unit_of_length(instructions, name, n_species):
    network = random_scales(name, n_species=n_species, cutoff=5.1, diameter=3.4)
    graph = random_graph(150, 14.0, cutoff=5.1, n_species=n_species)
    assert_same(network, arrays(name, graph))


@sees
@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_glass_has_the_same_outputs(instructions, name, turn):
    made = engine(random_scales(name))
    there = [one.numpy() for one in tensors(turned(liquid(), TURNS[turn]), name)]
    for ours, theirs in zip(made.score(*there), made.score(*arrays(name)), strict=True):
        np.testing.assert_allclose(ours, theirs, 0, SPREAD * theirs.std())


@sees
def test_the_number_of_threads_changes_nothing(instructions, name):
    given = arrays(name, random_graph(1500, 11.0, cutoff=CUTOFF))
    made = engine(random_scales(name))
    one = made.score(*given, threads=1)
    for threads in (2, 3, 7):
        for ours, theirs in zip(made.score(*given, threads=threads), one, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@sees
@pytest.mark.parametrize("n", [1, 2, 23, 25, 49])
def test_graphs_of_any_size_and_density(instructions, name, n):
    network = random_scales(name)
    for length in (3.0, 30.0):
        assert_same(network, arrays(name, random_graph(n, length, cutoff=CUTOFF, seed=n)))


@sees
def test_particles_without_edges_anywhere(instructions, name):
    graph = random_graph(60, 4.5, cutoff=CUTOFF)
    network = random_scales(name)
    for lonely in ([0], [59], [20, 21, 22, 23], range(60)):
        keep = ~np.isin(graph.center, lonely)
        assert_same(network, arrays(name, graph.only(keep, cutoff=CUTOFF)))


@sees
def test_a_graph_without_particles(instructions, name):
    network = random_scales(name, n_times=2)
    node, edge = assert_same(network, arrays(name, random_graph(0, 4.5)))
    assert node.shape == edge.shape == (0, 2)


def test_pairs_beyond_the_cutoff_in_the_mean_positions(instructions):
    given = arrays("history")
    given[2] = 20 * given[2]
    assert_same(random_scales("history"), given)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("name", "which"),
    [("thermal", 1), ("both", 1), ("both", 2), ("both", 3)],
    ids=["vectors", "vectors of both", "node_vectors", "node_scalars"],
)
def test_what_is_not_finite_reaches_the_outputs(instructions, name, which, value):
    """Exactly where torch has it."""
    given = arrays(name, random_graph(400, 12.0, cutoff=CUTOFF))
    given[which] = given[which].copy()
    given[which].flat[0] = value
    network = random_scales(name, rounds=2)
    found = engine(network).score(*given)
    for ours, theirs in zip(found, by_torch(network, given), strict=True):
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
    # an infinite energy is one of six standard deviations
    assert np.isfinite(found[0]).all() == (which == 3 and not np.isnan(value))


@needs_public_data
@pytest.mark.parametrize("name", ["ka-t044-equivariant", "ka-t044-long-history"])
def test_the_models_that_ship(instructions, name):
    """On a glass of 4096 particles, with displacements and energies of the size of real ones."""
    module = load_module(find_model(name), torch.device("cpu"))
    inputs = []
    if name == "ka-t044-long-history":
        _, module = dict(module.named_children())["members"].children()
        inputs = ["history"]
    network = Equivariant(cutoff=module.cutoff, inputs=inputs)
    state = module.state_dict()
    network.load_state_dict({name: state[name] for name in network.state_dict()})
    graph = build_graph(read_start(CONFIGURATION_401), network.cutoff)
    given = arrays("history" if inputs else "thermal", graph)
    if inputs:
        given[3][:, -1] -= 7.0  # energy
    node, _ = assert_same(network.eval(), given)
    assert len(node) == 4096


def changed(network, name, value):
    given = plain_weights("equivariant", network)
    if name in given.tensors:
        return replace(given, tensors={**given.tensors, name: np.asarray(value, np.float32)})
    return replace(given, settings={**given.settings, name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pairs.radii", np.ones(15), r"'pairs.radii' of shape \[16\], found \[15\]"),
        ("pairs.neighbors", np.ones(1), r"'pairs.neighbors' of shape \[\], found \[1\]"),
        ("begin.bias", np.ones(31), r"'begin.bias' of shape \[32\], found \[31\]"),
        ("layers.2.update.weight", np.ones((32, 8)), r"of shape \[32, 130\], found \[32, 8\]"),
        ("layers.1.change.bias", np.ones(32), r"of shape \[80\], found \[32\]"),
        ("edge_output.approach", np.ones((1, 1)), r"of shape \[0, 1\], found \[1, 1\]"),
        ("node_mean", np.ones((1, 2)), r"'node_mean' of shape \[2, 1\], found \[1, 2\]"),
        ("rounds", 4, r"'layers.3.normalize.weight' of shape \[32\], found none"),
        ("width", 0, "a whole number 1 to 65536 as its setting 'width', found 0"),
        ("features", 10000, "a whole number 1 to 8192 as its setting 'features', found 10000"),
        ("n_gaussians", 1, "a whole number 2 to 65536 as its setting 'n_gaussians', found 1"),
        ("n_times", 2.5, "a whole number 1 to 1000 as its setting 'n_times', found 2.5"),
        ("n_species", 101, "a whole number 1 to 100 as its setting 'n_species', found 101"),
        ("cutoff", 0.7, "no particles are closer than 0.7 diameters"),
        ("diameter", -1, "a positive number as its setting 'diameter', found -1"),
        ("history", 1, r"'begin.weight' of shape \[32, 5\], found \[32, 2\]"),
    ],
)
def test_what_does_not_fit_is_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        Engine([changed(equivariant("thermal"), name, value)])


@sees
def test_members_of_a_committee_may_have_other_sizes(instructions, name):
    members = [random_scales(name), random_scales(name, rounds=2, width=20, features=3)]
    given = arrays(name)
    found = Engine([plain_weights("equivariant", member) for member in members]).score(*given)
    outputs = [by_torch(member, given) for member in members]
    for ours, theirs in zip(found, zip(*outputs, strict=True), strict=True):
        mean, deviation = np.mean(theirs, axis=0), np.std(theirs, axis=0, ddof=1)
        largest = np.abs(mean).max()
        np.testing.assert_allclose(ours, np.hstack([mean, deviation]), 0, ROUNDING * largest)


class Half:
    """An engine with half of the nodes as its own and the others as ghosts, as a rank has them."""

    def __init__(self, network, given, own):
        self.engine, self.own, n = engine(network), own, len(given[0])
        self.order = np.concatenate([np.flatnonzero(own), np.flatnonzero(~own)])
        rank = np.argsort(self.order)
        species, vectors, *inputs, center, neighbor = given
        self.edges = own[center]
        n_local = int(own.sum())
        first = np.searchsorted(rank[center[self.edges]], np.arange(n_local + 1))
        self.arrays = [
            species[self.order],
            first.astype(np.int64),
            rank[neighbor[self.edges]].astype(np.int32),
            vectors[self.edges],
            *(one[self.order] for one in inputs),
        ]
        addresses = [one.ctypes.data for one in self.arrays] + [None] * (2 - len(inputs))
        self.graph = _Graph(2, n_local, n, int(self.edges.sum()), *addresses)
        self.library, self.at = self.engine._library, self.engine._at
        self.node = np.empty((n_local, 1), np.float32)
        self.edge = np.empty((self.graph.n_edges, 1), np.float32)
        assert self.library.botan_engine_encode(self.at, ctypes.byref(self.graph))

    def states(self):
        address = ctypes.POINTER(ctypes.c_float)
        self.library.botan_engine_node.restype = address
        self.library.botan_engine_node.argtypes = [ctypes.c_void_p]
        shape = (len(self.order), self.engine.width)
        return np.ctypeslib.as_array(self.library.botan_engine_node(self.at), shape)

    def step(self):
        self.library.botan_engine_step(self.at, self.node.ctypes.data, self.edge.ctypes.data)


@sees
def test_halves_of_a_glass_that_exchange_their_states_have_the_outputs_of_the_whole(
    instructions, name
):
    network, given = random_scales(name), arrays(name)
    own = np.random.default_rng(0).random(len(given[0])) < 0.5
    halves = [Half(network, given, own), Half(network, given, ~own)]
    for round in range(network.rounds):
        if round > 0 or name != "thermal":
            whole = np.empty_like(halves[0].states())
            for half in halves:
                whole[half.own] = half.states()[: len(half.node)]
            for half in halves:
                half.states()[len(half.node) :] = whole[~half.own]
        for half in halves:
            half.step()
    node, edge = engine(network).score(*given)
    for half in halves:
        np.testing.assert_allclose(half.node, node[half.own], 0, ROUNDING)
        np.testing.assert_allclose(half.edge, edge[half.edges], 0, ROUNDING)
