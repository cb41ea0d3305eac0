"""The equivariant networks: what they make of histories, pairs and lag times."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from symmetry import (
    CUTOFF,
    INPUTS,
    SPREAD,
    assert_same,
    equivariant,
    liquid,
    outputs,
    tensors,
)

from lammps_botan.network.equivariant import Equivariant
from lammps_botan.structure.graph import build_graph

sees = pytest.mark.parametrize("name", INPUTS)


@sees
def test_both_ends_of_a_pair_tell_the_same_change(name):
    model, here = equivariant(name), liquid()
    graph = build_graph(here, CUTOFF)
    _, edge = outputs(model, here, name)
    forth = np.column_stack([graph.center, graph.neighbor, graph.vectors.round(6)])
    back = np.column_stack([graph.neighbor, graph.center, (-graph.vectors).round(6)]) + 0.0
    first, second = np.lexsort(forth.T + 0.0), np.lexsort(back.T)
    torch.testing.assert_close(edge[first], edge[second], rtol=0, atol=SPREAD * float(edge.std()))


def test_a_history_matters_to_particles_and_pairs_around():
    model, here = equivariant("history"), liquid()
    node, edge = outputs(model, here, "history")
    variance = here.history.variance.copy()
    variance[0] *= 3
    there = replace(here, history=replace(here.history, variance=variance))
    other_node, other_edge = outputs(model, there, "history")
    changed = (node != other_node)[:, 0].numpy()
    graph = build_graph(here, CUTOFF)
    assert changed[0]
    assert changed[graph.neighbor[graph.center == 0]].all()
    assert (edge != other_edge)[graph.center == 0].all()


@sees
def test_a_pair_at_the_cutoff_counts_nothing(name):
    """Where a neighbor enters, the output of particles does not jump."""
    model, here = equivariant(name), liquid()
    given = tensors(here, name)
    graph = build_graph(here, CUTOFF)
    shell = graph.distances > 0.999 * CUTOFF
    assert shell.any()
    keep = torch.from_numpy(~shell)
    less = [*given]
    less[1], less[-2], less[-1] = given[1][keep], given[-2][keep], given[-1][keep]
    with torch.no_grad():
        node, other = model(*given)[0], model(*less)[0]
    assert (node - other).abs().max() < 1e-3 * node.std()


@sees
def test_a_gradient_reaches_every_weight(name):
    model = equivariant(name).train()
    node, edge = model(*tensors(liquid(), name))
    (node.square().sum() + edge.square().sum()).backward()
    idle = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # the features of the last layer serve nobody, and those of the start need vectors
    unused = {f"layers.{model.rounds - 1}.mix_vectors.weight"}
    unused |= {f"layers.{model.rounds - 1}.mix_matrices.weight"}
    if name == "thermal":
        unused |= {"edge_output.approach"}
        unused |= {"layers.0.send_vectors.weight", "layers.0.send_matrices.weight"}
        unused |= {"layers.0.angle.weight"}
    assert set(idle) == unused


def test_lengths_in_another_unit_give_the_same_motion_in_it():
    unit = 3.4
    here = liquid()
    model, other = (
        equivariant("history"),
        equivariant("history", cutoff=unit * CUTOFF, diameter=unit),
    )
    species, vectors, node_vectors, node_scalars, center, neighbor = tensors(here, "history")
    scale = torch.tensor([unit**2, 1.0])
    with torch.no_grad():
        node, edge = model(species, vectors, node_vectors, node_scalars, center, neighbor)
        there = other(
            species, unit * vectors, unit * node_vectors, node_scalars * scale, center, neighbor
        )
    assert_same((unit * node, unit * edge), there)


def test_several_lag_times_are_columns_of_one_network():
    model = equivariant("history", n_times=3)
    node, edge = outputs(model, liquid(), "history")
    assert node.shape[1] == edge.shape[1] == 3
    assert len(np.unique(node.numpy(), axis=1).T) == 3


def test_a_cutoff_within_the_first_neighbors_is_refused():
    with pytest.raises(ValueError, match=r"no particles are closer than 0.7 diameters: .* 0.6"):
        Equivariant(cutoff=0.6)
