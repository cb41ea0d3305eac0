"""The linear network: its equations in plain loops, its symmetries, and its two contracts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from linear_equations import (
    BOX,
    CUTOFF,
    GENERATIONS,
    HISTORY,
    LENGTH,
    SEES,
    N,
    expected,
    make_configuration,
    make_network,
    sees_each,
)

from lammps_botan.network.arrays import forward_arrays
from lammps_botan.network.checkpoint import Checkpoint, Physics, load_checkpoint, save_checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.inputs import node_inputs
from lammps_botan.network.linear import Linear, LinearWithInputs, ThermalLinear
from lammps_botan.network.module import load_module
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN


def predict(network, configuration, sees):
    inputs = SEES[sees]
    given = node_inputs(configuration, inputs) if inputs.names else ()
    graph = build_graph(configuration, CUTOFF)
    with torch.inference_mode():
        arrays = forward_arrays(graph, *given)
        node, edge = network(*(torch.from_numpy(array) for array in arrays))
    return node.numpy()[:, 0], edge.numpy()[:, 0], graph


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
