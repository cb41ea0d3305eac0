"""The network: against the public implementation, and against its formula."""

import numpy as np
import pytest
import torch
from public_data import CONFIGURATION_401, needs_public_data, reference_outputs, weights

from lammps_botan.analysis.sample import read_sample
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Physics, import_public_weights
from lammps_botan.structure.graph import build_graph


def tensors(graph):
    return (
        torch.from_numpy(graph.species),
        torch.from_numpy(graph.vectors.astype(np.float32)),
        torch.from_numpy(graph.center),
        torch.from_numpy(graph.neighbor),
    )


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    return build_graph(rng.random((100, 3)) * 5, 5.0, rng.integers(2, size=100))


def formula(model, species, vectors, center, neighbor):
    """The equations of the paper, written with concatenations."""

    def mlp(layers, *inputs):
        x = torch.cat(inputs, dim=1)
        return torch.relu(layers.fc2(torch.relu(layers.fc1(x))))

    h_v0 = h_v = mlp(model.node_encoder, species[:, None].to(vectors.dtype))
    h_e0 = h_e = mlp(model.edge_encoder, vectors)
    for _ in range(model.rounds):
        h_e = mlp(model.edge_model, h_v[neighbor], h_v[center], h_e, h_e0)
        received = torch.stack([h_e[center == v].sum(0) for v in range(len(species))])
        h_v = mlp(model.node_model, h_v, h_v0, received)
    return model.output(mlp(model.decoder, h_v)), model.output(mlp(model.decoder, h_e))


@needs_public_data
@pytest.mark.parametrize("k", [1, 2, 3])
def test_public_weights_give_the_public_outputs(k):
    model = import_public_weights(weights(k), Physics()).model
    with torch.inference_mode():
        node, edge = model(*tensors(read_sample(CONFIGURATION_401).graph))
    expected_node, expected_edge = reference_outputs(k)
    np.testing.assert_allclose(node[:, 0], expected_node, atol=2e-5)
    np.testing.assert_allclose(edge[:, 0], expected_edge, atol=2e-5)


def test_the_split_layers_give_the_formula_and_its_gradients(graph):
    torch.manual_seed(1)
    model = Botan(rounds=3, width=16).double()
    species, vectors, center, neighbor = tensors(graph)
    gradients = []
    for outputs in (
        model(species, vectors.double(), center, neighbor),
        formula(model, species, vectors.double(), center, neighbor),
    ):
        loss = sum((output - 0.3).square().mean() for output in outputs)
        gradients.append((*outputs, *torch.autograd.grad(loss, list(model.parameters()))))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_the_public_architecture_has_54209_parameters():
    assert sum(p.numel() for p in Botan().parameters()) == 54_209


def test_no_edges_and_no_nodes_are_fine():
    model = Botan(rounds=2, width=8)
    empty = torch.zeros(0, dtype=torch.int64)
    for n in (0, 3):
        node, edge = model(torch.zeros(n, dtype=torch.int64), torch.zeros(0, 3), empty, empty)
        assert node.shape == (n, 1)
        assert edge.shape == (0, 1)


def test_ghosts_refreshed_between_steps_give_the_periodic_result(graph):
    """Two halves of the particles, each with the other as ghosts, are the whole."""
    torch.manual_seed(2)
    model = Botan(rounds=4, width=16)
    species, vectors, center, neighbor = tensors(graph)
    with torch.inference_mode():
        expected, _ = model(species, vectors, center, neighbor)
        halves = [torch.arange(50), torch.arange(50, 100)]
        states = []
        for local, ghost in (halves, halves[::-1]):
            order = torch.cat([local, ghost])
            place = torch.argsort(order)
            mine = torch.isin(center, local)
            states.append(
                [
                    *model.encode(species[order], vectors[mine]),
                    place[center[mine]],
                    place[neighbor[mine]],
                ]
            )
        for m in range(model.rounds):
            local_nodes = []
            for state in states:
                node, node_const, edge, edge_const, c, n = state
                node, state[2] = model.step(m, node, node_const, edge, edge_const, c, n, 50)
                local_nodes.append(node)
            for k, state in enumerate(states):
                state[0] = torch.cat([local_nodes[k], local_nodes[1 - k]])
        result = torch.cat([model.decode(node, states[0][2])[0] for node in local_nodes])
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-6)
