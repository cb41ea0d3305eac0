"""The linear network: its equations in plain loops, its symmetries, and its two contracts."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from lammps_botan.network.checkpoint import Checkpoint, Physics, load_checkpoint, save_checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs, node_inputs
from lammps_botan.network.linear import Linear, LinearWithInputs, ThermalLinear
from lammps_botan.network.module import load_module
from lammps_botan.network.arrays import forward_arrays
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN

N, LENGTH, CUTOFF, GENERATIONS = 70, 3.9, 1.9, 3
BOX = Box(LENGTH, (True, True, True))
HISTORY = HistoryInput(window=30.0, interval=0.2, parts=10)
INHERENT = InherentInput(force=0.1)
SEES = {
    "thermal": Inputs(),
    "history": Inputs(history=HISTORY),
    "inherent": Inputs(inherent=INHERENT),
    "both": Inputs(history=HISTORY, inherent=INHERENT),
}
sees_each = pytest.mark.parametrize("sees", SEES)


def make_configuration(n=N):
    rng = np.random.default_rng(1)
    positions = rng.random((n, 3)) * LENGTH
    return Configuration(
        positions=positions,
        species=np.arange(n) % 3 // 2,  # two A for each B
        box=BOX,
        mixture=KOB_ANDERSEN,
        history=History(
            HISTORY.window,
            rng.normal(size=(n, 3)) * 0.1,
            rng.gamma(2.0, 0.03, n),
            rng.normal(size=n) - 6.0,
        ),
        inherent_positions=positions + rng.normal(size=(n, 3)) * 0.1,
        inherent_energies=rng.normal(size=n) - 7.0,
    )


def make_network(sees, **settings):
    """With weights of which each matters about as much as another."""
    network = Linear(CUTOFF, generations=GENERATIONS, inputs=SEES[sees].names, **settings)
    random = torch.Generator().manual_seed(2)
    for name, scale in (
        ("origin", 1.0),
        ("weights", 0.05),
        ("offset", 1.0),
        ("pair_offset", 0.1),
    ):
        tensor = getattr(network, name)
        tensor.copy_(scale * torch.randn(tensor.shape, generator=random))
    # the same for both orders of a pair
    several = torch.randn(len(network.distances), 3, 6, generator=random) * 0.02
    kinds = torch.tensor([0, 1, 1, 2])
    network.pair_weights.copy_(several[:, kinds].flatten(1))
    network.pair_offset.copy_(network.pair_offset[[0, 1, 1, 3]])
    return network.eval()


def predict(network, configuration, sees):
    inputs = SEES[sees]
    given = node_inputs(configuration, inputs) if inputs.names else ()
    graph = build_graph(configuration, CUTOFF)
    with torch.inference_mode():
        arrays = forward_arrays(graph, *given)
        node, edge = network(*(torch.from_numpy(array) for array in arrays))
    return node.numpy()[:, 0], edge.numpy()[:, 0], graph


def expected(network, configuration, sees):
    """The equations of the module, one sum after the other, in double precision.

    Returns
    -------
    S [n_particles], and E by (center, neighbor)
    """
    n, species = configuration.n_particles, configuration.species
    thermal = configuration.positions
    mean, functions = thermal, [[] for _ in range(n)]
    if sees in {"inherent", "both"}:
        mean = configuration.inherent_positions
        way = np.linalg.norm(mean - thermal, axis=1)
        for i in range(n):
            functions[i] = [min(way[i], 0.5), configuration.inherent_energies[i]]
    if sees in {"history", "both"}:
        past = configuration.history
        mean = thermal + past.displacement
        for i in range(n):
            spread = np.log(max(past.variance[i], 1e-4))
            moved = min(np.linalg.norm(past.displacement[i]), 0.5)
            functions[i] = [spread, spread**2, moved, past.energy[i], *functions[i]]
    for i in range(n):
        functions[i] += [1.0, 0.0] if species[i] == 0 else [0.0, 1.0]

    radii = 0.75 + 0.05 * np.arange(24)
    assert radii[-1] == pytest.approx(CUTOFF)
    densities = np.zeros((n, 2, len(radii)))
    weight = np.eye(n)
    lengths = {}
    for i, j in product(range(n), range(n)):
        apart = thermal[i] - thermal[j]
        image = -LENGTH * np.rint(apart / LENGTH)
        far = np.linalg.norm(apart + image)
        if i == j or far >= CUTOFF:
            continue
        r = np.linalg.norm(mean[i] - mean[j] + image)
        left = min(max((CUTOFF - r) / 0.3, 0.0), 1.0)
        fall = left**2 * (3 - 2 * left)
        densities[i, species[j]] += fall * np.exp(-((r - radii) ** 2) / (2 * 0.05**2))
        weight[i, j] += fall * np.exp(-r / 2)
        lengths[i, j] = r, far
    x = np.concatenate([np.array(functions), densities.reshape(n, -1)], axis=1)
    average = weight / weight.sum(axis=1, keepdims=True)

    w = network.weights.double().numpy().reshape(-1, GENERATIONS + 1, 2)[:, ::-1]
    propensity = np.zeros(n)
    averaged = x - network.origin.double().numpy()
    for generation in range(GENERATIONS + 1):
        both = averaged @ w[:, generation]
        propensity += both[np.arange(n), species]
        averaged = average @ averaged
    propensity += network.offset.double().numpy()[species]

    distances = network.distances.double().numpy()
    widths = np.where(distances < 1.59, 0.04, 0.1)
    v = network.pair_weights.double().numpy().reshape(len(distances), 4, 6)
    changes = {}
    for (i, j), (r, far) in lengths.items():
        a, b, towards = propensity[i], propensity[j], r - far
        near = np.exp(-((r - distances) ** 2) / (2 * widths**2))
        limited = min(max(towards, -0.6), 0.6)
        factors = [1, a + b, a * b, (a + b) ** 3, limited, limited * (a + b)]
        kind = 2 * species[i] + species[j]
        further = near @ v[:, kind] @ factors + float(network.pair_offset[kind])
        changes[i, j] = towards + further
    return propensity, changes


@sees_each
def test_it_computes_its_equations(sees):
    network, configuration = make_network(sees), make_configuration()
    node, edge, graph = predict(network, configuration, sees)
    propensity, changes = expected(network, configuration, sees)
    np.testing.assert_allclose(node, propensity, rtol=0, atol=1e-5 * np.ptp(propensity))
    of_edges = [changes[pair] for pair in zip(graph.center, graph.neighbor, strict=True)]
    assert len(of_edges) == len(changes)
    np.testing.assert_allclose(edge, of_edges, rtol=0, atol=2e-5 * np.ptp(of_edges))


@sees_each
def test_lengths_are_in_diameters(sees):
    """All lengths and the diameter times 3.4: S and E times 3.4."""
    scale, first = 3.4, make_configuration()
    past = first.history
    large = replace(
        first,
        positions=scale * first.positions,
        box=Box(scale * LENGTH, (True, True, True)),
        history=replace(
            past, displacement=scale * past.displacement, variance=scale**2 * past.variance
        ),
        inherent_positions=scale * first.inherent_positions,
    )
    network = make_network(sees)
    argon = Linear(scale * CUTOFF, scale, GENERATIONS, inputs=SEES[sees].names, n_species=2)
    argon.load_state_dict(network.state_dict())
    node, edge, _ = predict(network, first, sees)
    inputs = SEES[sees]
    given = node_inputs(large, inputs) if inputs.names else ()
    arrays = forward_arrays(build_graph(large, scale * CUTOFF), *given)
    with torch.inference_mode():
        found = argon(*(torch.from_numpy(array) for array in arrays))
    for small, of_large in zip((node, edge), found, strict=True):
        of_large = of_large.numpy()[:, 0]
        np.testing.assert_allclose(of_large, scale * small, atol=3e-5 * np.ptp(of_large))


# those that leave the cube as it is
TURNS = {
    "quarter turn": np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    "reflection": np.diag([-1.0, 1, 1]),
}


@sees_each
@pytest.mark.parametrize("turn", TURNS)
def test_neither_turns_nor_reflections_nor_shifts_matter(sees, turn):
    network, configuration = make_network(sees), make_configuration()
    matrix = TURNS[turn]
    past = configuration.history
    other = replace(
        configuration,
        positions=configuration.positions @ matrix.T + [0.3, -0.2, 5.0],
        history=replace(past, displacement=past.displacement @ matrix.T),
        inherent_positions=configuration.inherent_positions @ matrix.T + [0.3, -0.2, 5.0],
    )
    node, edge, graph = predict(network, configuration, sees)
    node_there, edge_there, graph_there = predict(network, other, sees)
    np.testing.assert_array_equal(graph_there.neighbor, graph.neighbor)
    np.testing.assert_allclose(node_there, node, rtol=0, atol=1e-5 * np.ptp(node))
    np.testing.assert_allclose(edge_there, edge, rtol=0, atol=1e-5 * np.ptp(edge))


@sees_each
def test_any_rotation_of_vectors_leaves_the_outputs_as_they_are(sees):
    network, configuration = make_network(sees), make_configuration()
    matrix, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    graph = build_graph(configuration, CUTOFF)
    there = replace(graph, vectors=graph.vectors @ matrix.T)
    given = node_inputs(configuration, SEES[sees]) if SEES[sees].names else ()
    given_there = ()
    if given:
        given_there = (given[0] @ matrix.T.astype(np.float32), given[1])
    with torch.inference_mode():
        outputs = [
            network(*(torch.from_numpy(array) for array in forward_arrays(one, *of_nodes)))
            for one, of_nodes in ((graph, given), (there, given_there))
        ]
    for first, second in zip(*outputs, strict=True):
        assert torch.allclose(first, second, rtol=0, atol=1e-5 * float(np.ptp(first.numpy())))


@sees_each
def test_the_order_of_particles_does_not_matter(sees):
    network, configuration = make_network(sees), make_configuration()
    order = np.random.default_rng(4).permutation(N)
    node, edge, graph = predict(network, configuration, sees)
    node_there, edge_there, graph_there = predict(network, configuration.select(order), sees)
    np.testing.assert_allclose(node_there, node[order], rtol=0, atol=1e-5 * np.ptp(node))
    pairs = zip(order[graph_there.center], order[graph_there.neighbor], strict=True)
    there = dict(zip(pairs, edge_there, strict=True))
    found = [there[pair] for pair in zip(graph.center, graph.neighbor, strict=True)]
    np.testing.assert_allclose(found, edge, rtol=0, atol=1e-5 * np.ptp(edge))


@sees_each
def test_a_pair_changes_alike_in_both_directions(sees):
    _, edge, graph = predict(make_network(sees), make_configuration(), sees)
    pairs = zip(graph.center, graph.neighbor, strict=True)
    of_pairs = dict(zip(pairs, edge, strict=True))
    for (i, j), change in of_pairs.items():
        assert of_pairs[j, i] == pytest.approx(change, abs=2e-6)


@sees_each
def test_two_processes_give_what_one_gives(sees):
    """Each holds half the particles; the rest are ghosts, whose states are copied by hand."""
    network, configuration = make_network(sees), make_configuration()
    node, edge, graph = predict(network, configuration, sees)
    inputs = SEES[sees]
    given = node_inputs(configuration, inputs) if inputs.names else ()
    halves = [np.arange(N) % 2 == k for k in (0, 1)]
    ranks = []
    for own in halves:
        order = np.concatenate([np.flatnonzero(own), np.flatnonzero(~own)])
        number = np.argsort(order)
        mine = np.flatnonzero(own[graph.center])
        edges = mine[np.argsort(number[graph.center[mine]], kind="stable")]
        ends = [torch.from_numpy(number[end[edges]]) for end in (graph.center, graph.neighbor)]
        species = torch.from_numpy(graph.species[order])
        vectors = torch.from_numpy(graph.vectors[edges].astype(np.float32))
        n_local = int(own.sum())
        arguments = [species, vectors]
        if given:
            arguments += [*(torch.from_numpy(one[order]) for one in given), *ends, n_local]
        ranks.append([order, edges, ends, n_local, network.encode(*arguments)])
    everywhere = torch.zeros(N, network.width)
    with torch.inference_mode():
        for round in range(network.rounds):
            for order, _, _, n_local, states in ranks:
                everywhere[order[:n_local]] = states[0][:n_local]
            for rank in ranks:
                order, _, ends, n_local, (_, const, of_edges, edge_const) = rank
                there = everywhere[order]
                there, of_edges = network.step(
                    round, there, const, of_edges, edge_const, *ends, n_local
                )
                rank[4] = (there, const, of_edges, edge_const)
        for order, edges, _, n_local, (there, _, of_edges, _) in ranks:
            found = network.decode(there, of_edges)
            own = order[:n_local]
            np.testing.assert_allclose(found[0][:, 0], node[own], atol=1e-5 * np.ptp(node))
            np.testing.assert_allclose(found[1][:, 0], edge[edges], atol=1e-5 * np.ptp(edge))


@sees_each
def test_a_model_file_predicts_the_same(sees, tmp_path):
    """Checkpoint, export, and the Predictor, which scripted code computes."""
    network, configuration = make_network(sees), make_configuration()
    physics = Physics(mixture=KOB_ANDERSEN, cutoff=CUTOFF, lag_times=(1.0,), inputs=SEES[sees])
    save_checkpoint(Checkpoint(network, physics), tmp_path / "a.ckpt")
    checkpoint = load_checkpoint(tmp_path / "a.ckpt")
    assert checkpoint.architecture == "linear"
    metadata = export(checkpoint, tmp_path / "a.pt")
    assert (metadata.rounds, metadata.width) == (GENERATIONS + 2, 2 * (GENERATIONS + 1))
    found = Predictor(tmp_path / "a.pt").predict(configuration)
    node, edge, _ = predict(network, configuration, sees)
    np.testing.assert_allclose(found.node[:, 0], node, rtol=0, atol=1e-6 * np.ptp(node))
    np.testing.assert_allclose(found.edge[:, 0], edge, rtol=0, atol=1e-6 * np.ptp(edge))


def test_without_pairs_it_has_no_outputs_on_edges(tmp_path):
    network = make_network("thermal", pairs=False)
    physics = Physics(mixture=KOB_ANDERSEN, cutoff=CUTOFF, lag_times=(1.0,))
    metadata = export(Checkpoint(network, physics), tmp_path / "a.pt")
    assert (metadata.edge_outputs, metadata.rounds) == ([], GENERATIONS + 1)
    found = Predictor(tmp_path / "a.pt").predict(make_configuration())
    node, _, _ = predict(make_network("thermal"), make_configuration(), "thermal")
    np.testing.assert_allclose(found.node[:, 0], node, rtol=0, atol=1e-6 * np.ptp(node))


def test_inputs_choose_the_contract():
    assert type(Linear(2.0)) is ThermalLinear
    assert type(Linear(2.0, inputs=["history"])) is LinearWithInputs


def test_particles_that_do_not_move_or_have_no_neighbors_have_finite_outputs():
    """As particles that are left out of the graph, which are handed over with zeros."""
    still = Configuration(
        positions=[[0.0, 0, 0], [2.0, 2, 2]],
        species=[0, 1],
        box=BOX,
        mixture=KOB_ANDERSEN,
        history=History(HISTORY.window, np.zeros((2, 3)), np.zeros(2), np.zeros(2)),
    )
    node, _, graph = predict(make_network("history"), still, "history")
    assert graph.n_edges == 0
    assert np.isfinite(node).all()


@sees_each
def test_a_model_file_takes_a_graph_without_particles(sees, tmp_path):
    """As the fix gives it at loading, and as a process without atoms has it."""
    physics = Physics(mixture=KOB_ANDERSEN, cutoff=CUTOFF, lag_times=(1.0,), inputs=SEES[sees])
    export(Checkpoint(make_network(sees), physics), tmp_path / "a.pt")
    network = load_module(tmp_path / "a.pt", torch.device("cpu"))
    none, inputs = torch.zeros(0, dtype=torch.int64), SEES[sees]
    given = [none, torch.zeros(0, 3)]
    if inputs.names:
        given += [torch.zeros(0, inputs.n_vectors, 3), torch.zeros(0, inputs.n_scalars)]
    node, edge = network(*given, none, none)
    assert (node.shape, edge.shape) == ((0, 1), (0, 1))


def test_a_pair_enters_the_graph_smoothly():
    """Thermal positions alone: propensities do not jump where an edge appears at the cutoff."""
    network = make_network("thermal")

    def at(distance):
        pair = Configuration(
            positions=[[0.0, 0, 0], [distance, 0, 0]], species=[0, 1], box=Box(20.0, (True,) * 3)
        )
        return predict(network, pair, "thermal")

    below, above = at(CUTOFF - 1e-4), at(CUTOFF + 1e-4)
    assert (below[2].n_edges, above[2].n_edges) == (2, 0)
    np.testing.assert_allclose(below[0], above[0], atol=1e-5)
