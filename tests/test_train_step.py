"""One step of training: its loss and gradients, several graphs at once, and how messages add up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from engines import physics
from liquids import configure, recipe, write_liquids
from public_data import CONFIGURATION_401, needs_public_data, weights
from torch import nn

from lammps_botan.analysis.sample import read_sample
from lammps_botan.evaluation.pearson import pearson
from lammps_botan.network.public_weights import import_public_weights
from lammps_botan.structure.graph import Graph
from lammps_botan.training.config import Network, read_config
from lammps_botan.training.data import TrainingGraph, read_data
from lammps_botan.training.graphs import join
from lammps_botan.training.module import Module
from lammps_botan.training.network import make_network

P = 0.4
ATOL = 1e-5  # of the norm of the gradient, which clipping divides by; float32 against float64


def cut(graph: Graph, keep: np.ndarray) -> tuple[Graph, np.ndarray]:
    """Some particles with the edges among them, and which edges these are."""
    edges = keep[graph.center] & keep[graph.neighbor]
    number = np.cumsum(keep) - 1
    return (
        Graph(
            graph.species[keep],
            number[graph.center[edges]],
            number[graph.neighbor[edges]],
            graph.vectors[edges],
            np.nan,
        ),
        edges,
    )


def written_out(w, graph, node_target, edge_target, rounds):
    """METHODS of the paper, secs. II and IV, word by word: the loss in float64."""

    def mlp(name, x):
        for layer in ("fc1", "fc2"):
            x = torch.relu(x @ w[f"{name}.{layer}.weight"].T + w[f"{name}.{layer}.bias"])
        return x

    def decode(x):
        return (mlp("decoder", x) @ w["output.weight"].T + w["output.bias"])[:, 0]

    sender, receiver = torch.from_numpy(graph.neighbor), torch.from_numpy(graph.center)
    h_v0 = h_v = mlp("node_encoder", torch.from_numpy(graph.species).double()[:, None])
    h_e0 = h_e = mlp("edge_encoder", torch.from_numpy(graph.vectors))
    for _ in range(rounds):
        h_e = mlp("edge_model", torch.cat([h_v[sender], h_v[receiver], h_e, h_e0], dim=1))
        messages = torch.zeros_like(h_v).index_add(0, receiver, h_e)
        h_v = mlp("node_model", torch.cat([h_v, h_v0, messages], dim=1))
    loss_s = ((decode(h_v) - torch.from_numpy(node_target)) ** 2).mean()
    loss_e = ((decode(h_e) - torch.from_numpy(edge_target)) ** 2).mean()
    return P * loss_s + (1 - P) * loss_e


@needs_public_data
def test_loss_and_gradients_are_those_of_the_formula(tmp_path):
    sample = read_sample(CONFIGURATION_401)
    # some hundred particles around the first one
    near = np.zeros(sample.graph.n_particles, dtype=bool)
    near[0] = True
    while near.sum() < 300:
        near[sample.graph.center[near[sample.graph.neighbor]]] = True
    graph, edges = cut(sample.graph, near)
    node, edge = sample.propensity[near], sample.pair_distance_change[edges]
    model = import_public_weights(weights(1), physics()).model

    config = read_config(configure(tmp_path, recipe(5, network="rounds = 7\nwidth = 64")))
    module = Module(config, physics(), 1)
    module.model.load_state_dict(model.state_dict())
    loss = module.losses([TrainingGraph(CONFIGURATION_401, graph, node, edge)])["loss"]
    loss.backward()

    plain = {k: v.double().requires_grad_() for k, v in model.state_dict().items()}
    expected = written_out(plain, graph, node, edge, rounds=7)
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    norm = torch.cat([w.grad.flatten() for w in plain.values()]).norm().item()
    for name, parameter in module.model.named_parameters():
        expected = plain[name].grad
        # the first layers have small gradients, with the rounding errors of all later ones
        atol = min(ATOL * norm, 3e-3 * expected.abs().max().item())
        torch.testing.assert_close(parameter.grad.double(), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("architecture", ["botan", "nt-gnn"])
def test_several_graphs_in_a_step_are_the_average_of_single_ones(tmp_path, architecture):
    p = {"botan": "p = 0.4", "nt-gnn": "p = 1"}[architecture]
    network = f'architecture = "{architecture}"\nrounds = 2\nwidth = 16'
    write_liquids(tmp_path)
    config = read_config(configure(tmp_path, recipe(5, network=network, recipe=p)))
    graphs = read_data(config, tmp_path).training
    assert graphs[0].graph.n_edges != graphs[1].graph.n_edges
    torch.manual_seed(0)
    module = Module(config, physics(), 2)

    def gradients(losses):
        module.zero_grad()
        losses["loss"].backward()
        return [p.grad.clone() for p in module.parameters()]

    alone = [gradients(module.losses([graph])) for graph in graphs]
    for together, first, second in zip(gradients(module.losses(graphs)), *alone, strict=True):
        torch.testing.assert_close(together, (first + second) / 2, rtol=1e-4, atol=1e-7)


def test_joined_graphs_keep_to_themselves(tmp_path):
    config = read_config(configure(write_liquids(tmp_path), recipe(5)))
    graphs = read_data(config, tmp_path).training
    species, vectors, center, neighbor = join(graphs, torch.device("cpu"))
    n, n_edges = graphs[0].graph.n_particles, graphs[0].graph.n_edges
    assert len(species) == 2 * n
    assert vectors.dtype == torch.float32
    assert center[:n_edges].max() < n <= center[n_edges:].min()
    assert neighbor[:n_edges].max() < n <= neighbor[n_edges:].min()
    np.testing.assert_array_equal(center[n_edges:] - n, graphs[1].graph.center)
    np.testing.assert_array_equal(neighbor[n_edges:] - n, graphs[1].graph.neighbor)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_loss_without_weight_is_left_out(tmp_path, p):
    config = read_config(configure(write_liquids(tmp_path), recipe(5, recipe=f"p = {p}")))
    graph = read_data(config, tmp_path).training[0]
    unknown = {0.0: {"node": graph.node * np.nan}, 1.0: {"edge": graph.edge * np.nan}}[p]
    losses = Module(config, physics(), 1).losses([replace(graph, **unknown)])
    assert set(losses) == {"loss", "loss_E" if p == 0 else "loss_S"}
    assert torch.isfinite(losses["loss"])


@pytest.mark.parametrize("architecture", ["botan", "nt-gnn"])
def test_torch_scatter_adds_up_the_same(tmp_path, architecture):
    pytest.importorskip("torch_scatter", reason="torch-scatter is not installed")
    p = {"botan": "p = 0.4", "nt-gnn": "p = 1"}[architecture]
    network = f'architecture = "{architecture}"\nrounds = 2\nwidth = 16'
    write_liquids(tmp_path)
    modules = []
    for aggregation in ("index_add", "scatter"):
        lines = f'{p}\naggregation = "{aggregation}"'
        config = read_config(configure(tmp_path, recipe(5, network=network, recipe=lines)))
        graphs = read_data(config, tmp_path).training
        modules.append(Module(config, physics(), 2))
    usual, scatter = modules
    scatter.model.load_state_dict(usual.model.state_dict())
    losses = [module.losses(graphs)["loss"] for module in modules]
    for loss in losses:
        loss.backward()
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-6)
    for one, other in zip(usual.parameters(), scatter.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-6)


def test_a_small_graph_is_learned_by_heart(tmp_path):
    config = read_config(configure(write_liquids(tmp_path), recipe(5, network="width = 32")))
    whole = read_data(config, tmp_path).training[0]
    keep = np.arange(whole.graph.n_particles) % 6 == 0
    graph, edges = cut(whole.graph, keep)
    small = TrainingGraph(whole.path, graph, whole.node[keep], whole.edge[edges])
    torch.manual_seed(0)
    module = Module(config, physics(), 1)
    optimizer = torch.optim.Adam(module.parameters(), 5e-3)
    for _ in range(500):
        optimizer.zero_grad()
        module.losses([small])["loss"].backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
    with torch.inference_mode():
        node, edge = module.model(*join([small], torch.device("cpu")))
    assert pearson(node[:, 0].numpy(), small.node) > 0.99
    assert pearson(edge[:, 0].numpy(), small.edge) > 0.99


def test_offsets_have_a_weight_of_their_own(tmp_path):
    write_liquids(tmp_path)
    losses = {}
    for weight in (1, 0.25, 0):
        text = recipe(5, recipe=f"offset_weight = {weight}\np = {P}")
        config = read_config(configure(tmp_path, text))
        graph = read_data(config, tmp_path).training[0]
        torch.manual_seed(0)
        module = Module(config, physics(), 1)
        losses[weight] = module.losses([graph])["loss"].item()
        node, edge = (x[:, 0].detach().numpy() for x in module.model(*join([graph], "cpu")))
        species, g = graph.graph.species, graph.graph
        parts = []
        for error, kinds in (
            (node - graph.node, species),
            (edge - graph.edge, 2 * species[g.center] + species[g.neighbor]),
        ):
            means = {k: error[kinds == k].mean() for k in np.unique(kinds)}
            mean = np.array([means[k] for k in kinds])
            parts.append(np.mean((error - mean) ** 2) + weight * np.mean(mean**2))
        assert losses[weight] == pytest.approx(P * parts[0] + (1 - P) * parts[1], rel=1e-5)
    assert losses[1] > losses[0.25] > losses[0]


def test_the_scale_of_the_edge_encoder_is_that_of_its_first_weights():
    made = []
    for scale in (1.0, 4.0):
        torch.manual_seed(0)
        made.append(
            make_network(Network(rounds=2, width=8, edge_scale=scale), physics()).state_dict()
        )
    for name, tensor in made[0].items():
        factor = 4 if name.startswith("edge_encoder.fc1") else 1
        assert torch.equal(made[1][name], factor * tensor)
