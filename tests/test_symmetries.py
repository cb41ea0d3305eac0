"""Symmetries of the networks that see more than positions, and particles spread over processes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from symmetry import (
    CUTOFF,
    INPUTS,
    LENGTH,
    SPREAD,
    TURNS,
    N,
    assert_same,
    botan,
    equivariant,
    liquid,
    outputs,
    physics,
    tensors,
    turned,
)

from lammps_botan import Predictor
from lammps_botan.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lammps_botan.network.export import export
from lammps_botan.structure.graph import build_graph

NETWORKS = {"equivariant": equivariant, "botan": botan}
WIDTHS = {"equivariant": 32 + 8 * 8, "botan": 64}
# BOTAN of thermal positions sees vectors: it learns symmetries, and has none of its own
networks = pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in NETWORKS for name in INPUTS if (kind, name) != ("botan", "thermal")],
)


@networks
@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_outputs_do_not_depend_on_the_axes(kind, name, turn):
    model, here = NETWORKS[kind](name), liquid()
    # edges in the order of the first graph, whatever the images that the list finds
    graph, given = build_graph(here, CUTOFF), tensors(here, name)
    there = tensors(turned(here, turn), name)
    there[1] = torch.from_numpy((graph.vectors @ turn.T).astype(np.float32))
    there[-2:] = given[-2:]
    with torch.no_grad():
        assert_same(model(*given), model(*there))


@networks
def test_outputs_do_not_depend_on_the_origin(kind, name):
    model, here = NETWORKS[kind](name), liquid()
    shift = np.array([0.3, -1.7, 5.1])
    there = replace(
        here,
        positions=here.positions + shift,
        inherent_positions=here.inherent_positions + shift,
    )
    assert_same(outputs(model, here, name), outputs(model, there, name))


@networks
def test_outputs_follow_particles_in_another_order(kind, name):
    model, here = NETWORKS[kind](name), liquid()
    order = np.random.default_rng(5).permutation(N)
    node, edge = outputs(model, here, name)
    other_node, other_edge = outputs(model, here.select(order), name)
    torch.testing.assert_close(node[order], other_node, rtol=0, atol=SPREAD * float(node.std()))
    graph, other = build_graph(here, CUTOFF), build_graph(here.select(order), CUTOFF)
    # pairs occur twice where they meet over two faces: vectors tell them apart
    keys = np.column_stack([graph.center, graph.neighbor, graph.vectors.round(6)])
    others = np.column_stack([order[other.center], order[other.neighbor], other.vectors.round(6)])
    first, second = np.lexsort(keys.T), np.lexsort(others.T)
    torch.testing.assert_close(
        edge[first], other_edge[second], rtol=0, atol=SPREAD * float(edge.std())
    )


@networks
@pytest.mark.parametrize("share", [0.5, 0.0])
def test_particles_on_two_processes_get_the_same(kind, name, share):
    """Two halves of the box, each with the other as ghosts, and the exchange between steps."""
    model, here = NETWORKS[kind](name), liquid()
    node, edge = outputs(model, here, name)
    species, vectors, *inputs, center, neighbor = tensors(here, name)
    is_first = here.positions[:, 0] < share * LENGTH
    parts = []
    for mine in (np.flatnonzero(is_first), np.flatnonzero(~is_first)):
        everyone = np.concatenate([mine, np.setdiff1d(np.arange(N), mine)])
        local = np.empty(N, dtype=np.int64)
        local[everyone] = np.arange(N)
        edges = np.flatnonzero(np.isin(center, mine))
        edges = edges[np.argsort(local[center[edges]], kind="stable")]
        ends = [torch.from_numpy(local[end[edges]]) for end in (center, neighbor)]
        given = [species[everyone], vectors[edges]]
        if inputs:
            given += [*(one[everyone] for one in inputs), *ends, len(mine)]
        with torch.no_grad():
            parts.append((mine, everyone, edges, ends, [*model.encode(*given)]))
    for round in range(model.rounds):
        current = torch.zeros(N, parts[0][4][0].shape[1])
        for mine, _, _, _, states in parts:
            current[mine] = states[0][: len(mine)]
        for mine, everyone, _, ends, states in parts:
            given = (current[everyone], states[1], states[2], states[3], *ends, len(mine))
            with torch.no_grad():
                states[0], states[2] = model.step(round, *given)
    for mine, _, edges, _, states in parts:
        with torch.no_grad():
            node_out, edge_out = model.decode(states[0], states[2])
        assert_same((node_out, edge_out), (node[mine], edge[edges])) if len(mine) else None


@networks
def test_the_exported_model_gives_what_the_network_gives(kind, name, tmp_path):
    model, here = NETWORKS[kind](name), liquid()
    export(Checkpoint(model, physics(name)), tmp_path / "model.pt")
    predictor = Predictor(tmp_path / "model.pt")
    assert predictor.metadata.width == WIDTHS[kind]
    assert predictor.engine != "torch"
    prediction = predictor.predict(here)
    node, edge = outputs(model, here, name)
    assert_same(
        (node, edge), (torch.from_numpy(prediction.node), torch.from_numpy(prediction.edge))
    )
    for turn in TURNS.values():
        there = predictor.predict(turned(here, turn))
        assert_same((node, node), (torch.from_numpy(there.node), torch.from_numpy(there.node)))


@networks
def test_a_checkpoint_makes_the_network_anew(kind, name, tmp_path):
    model, here = NETWORKS[kind](name), liquid()
    save_checkpoint(Checkpoint(model, physics(name)), tmp_path / "a.ckpt")
    again = load_checkpoint(tmp_path / "a.ckpt")
    assert again.architecture == kind
    assert again.model.settings == model.settings
    for a, b in zip(outputs(model, here, name), outputs(again.model, here, name), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
