"""The network: against the public implementation, and against its formula."""

import numpy as np
import pytest
import torch
from engines import physics, random_graph, tensors
from public_data import CONFIGURATION_401, needs_public_data, reference_outputs, weights

from lammps_botan.analysis.sample import read_sample
from lammps_botan.network.botan import Botan
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.public_weights import import_public_weights


@pytest.fixture
def graph():
    return random_graph(100, 5.0)


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
    model = import_public_weights(weights(k), physics()).model
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


@pytest.mark.parametrize("kind", [Botan, NtGnn])
@pytest.mark.parametrize("n_species", [1, 2, 3])
def test_a_species_that_there_is_not_is_refused(kind, n_species):
    model = kind(1, 4, n_species)
    none = torch.zeros(0, dtype=torch.int64)
    every = torch.arange(n_species)
    assert len(model(every, torch.zeros(0, 3), none, none)[0]) == n_species
    for wrong in (-1, n_species):
        species = torch.tensor([0, wrong])
        with pytest.raises(ValueError, match=rf"expected species 0 to {n_species - 1}, found"):
            model(species, torch.zeros(0, 3), none, none)


@pytest.mark.parametrize("kind", [Botan, NtGnn])
def test_three_species_are_in_no_order(kind):
    """With the columns of the first layer exchanged, so are the species."""
    torch.manual_seed(4)
    model, other = kind(2, 8, n_species=3), kind(2, 8, n_species=3)
    other.load_state_dict(model.state_dict())
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        other.node_encoder.fc1.weight[:, order] = model.node_encoder.fc1.weight
    species, *edges = tensors(random_graph(60, 5.0, n_species=3))
    assert set(species.tolist()) == {0, 1, 2}
    with torch.inference_mode():
        for ours, theirs in zip(model(species, *edges), other(order[species], *edges), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
