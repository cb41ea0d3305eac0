"""The kernels of training: the network and its gradients, up to the rounding of bfloat16."""

from dataclasses import replace

import engines
import numpy as np
import pytest
import symmetry
import torch
from engines import random_graph

from lammps_botan.network.botan import Botan
from lammps_botan.network.engine import training
from lammps_botan.network.nt_gnn import NtGnn

pytestmark = pytest.mark.skipif(
    not torch.cpu._is_avx512_bf16_supported(), reason="no AVX-512 BF16 in this processor"
)


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def tensors(n_particles, length, seed=0):
    rng = np.random.default_rng(seed)
    graph = random_graph(n_particles, length, seed=seed)
    species = (rng.random(n_particles) < 0.2).astype(int)
    return engines.tensors(replace(graph, species=species))


def network(rounds=3, n_species=2):
    torch.manual_seed(1)
    return Botan(rounds, n_species=n_species)


def gradients(model, outputs, weights):
    """Of the loss with the given weights of nodes and edges."""
    model.zero_grad()
    torch.manual_seed(2)
    loss = sum(
        weight * (output.float() - torch.randn(output.shape)).square().mean()
        for weight, output in zip(weights, outputs, strict=True)
        if weight
    )
    loss.backward()
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in model.named_parameters()
    }


def distance(a, b):
    """Relative to b, over all parameters."""
    difference = sum((a[name] - b[name]).square().sum() for name in b)
    return float((difference / sum(g.square().sum() for g in b.values())).sqrt())


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("weights", [(0.4, 0.6), (0.0, 1.0), (1.0, 0.0)])
def test_outputs_and_gradients_are_those_of_the_network(n_threads, weights):
    torch.set_num_threads(n_threads)
    model, inputs = network(), tensors(300, 6.3)
    exact = [output.detach() for output in model(*inputs)]
    ours = [output.detach() for output in training.forward(model, *inputs)]
    for output, reference in zip(ours, exact, strict=True):
        assert output.shape == reference.shape
        assert output.dtype == torch.float32
        assert float((output - reference).norm() / reference.norm()) < 2e-3
    reference = gradients(model, model(*inputs), weights)
    found = gradients(model, training.forward(model, *inputs), weights)
    assert distance(found, reference) < 1e-2
    for name, gradient in reference.items():
        scale = float(gradient.norm())
        assert float((found[name] - gradient).norm()) <= 3e-2 * scale, name


def test_three_species_are_told_as_one_hot():
    model, inputs = network(n_species=3), engines.tensors(random_graph(300, 6.3, n_species=3))
    reference = gradients(model, model(*inputs), (0.4, 0.6))
    found = gradients(model, training.forward(model, *inputs), (0.4, 0.6))
    assert reference["node_encoder.fc1.weight"].shape == (64, 3)
    assert distance(found, reference) < 1e-2


@pytest.mark.parametrize("name", ["history", "inherent", "both"])
def test_networks_with_inputs_are_rounded_less_than_by_autocast(name):
    model, inputs = symmetry.botan(name), symmetry.tensors(symmetry.liquid(), name)
    exact = [output.detach() for output in model(*inputs)]
    reference = gradients(model, model(*inputs), (0.4, 0.6))
    with torch.autocast("cpu", torch.bfloat16):
        by_autocast = [output.detach().float() for output in model(*inputs)]
        rounded = gradients(model, model(*inputs), (0.4, 0.6))
    ours = [output.detach() for output in training.forward(model, *inputs)]
    found = gradients(model, training.forward(model, *inputs), (0.4, 0.6))
    for output, other, right in zip(ours, by_autocast, exact, strict=True):
        assert (output - right).norm() < (other - right).norm()
    assert distance(found, reference) < distance(rounded, reference)
    for part, gradient in reference.items():
        scale = float(gradient.norm())
        assert float((found[part] - gradient).norm()) <= 3e-2 * scale, part


def test_it_rounds_less_than_autocast():
    model, inputs = network(), tensors(300, 6.3)
    reference = gradients(model, model(*inputs), (0.4, 0.6))
    with torch.autocast("cpu", torch.bfloat16):
        rounded = gradients(model, model(*inputs), (0.4, 0.6))
        ours = gradients(model, training.forward(model, *inputs), (0.4, 0.6))
    assert distance(ours, reference) < distance(rounded, reference)


def test_a_step_has_the_same_bits_every_time():
    torch.set_num_threads(2)
    model, inputs = network(), tensors(300, 6.3)
    first = gradients(model, training.forward(model, *inputs), (0.4, 0.6))
    again = gradients(model, training.forward(model, *inputs), (0.4, 0.6))
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(("n_particles", "length"), [(2, 40.0), (5, 4.1), (40, 30.0)])
def test_few_edges_or_none(n_particles, length):
    """Particles without neighbors, tiles that are not full, threads without work."""
    torch.set_num_threads(3)
    model, inputs = network(), tensors(n_particles, length)
    for output, reference in zip(training.forward(model, *inputs), model(*inputs), strict=True):
        torch.testing.assert_close(output, reference, rtol=2e-2, atol=2e-3)
    if len(inputs[1]):
        reference = gradients(model, model(*inputs), (0.4, 0.6))
        found = gradients(model, training.forward(model, *inputs), (0.4, 0.6))
        assert distance(found, reference) < 3e-2


@pytest.mark.parametrize("name", [name for name, _ in Botan(1).named_parameters()])
def test_nan_is_not_lost(name):
    model, inputs = network(), tensors(300, 6.3)
    with torch.no_grad():
        dict(model.named_parameters())[name].view(-1)[0] = float("nan")
    reference = [bool(output.isnan().any()) for output in model(*inputs)]
    found = [bool(output.isnan().any()) for output in training.forward(model, *inputs)]
    assert found == reference
    assert any(found)


def test_a_step_can_be_taken_back_twice():
    model, inputs = network(), tensors(300, 6.3)
    outputs = training.forward(model, *inputs)
    loss = sum(output.square().mean() for output in outputs)
    names, parameters = zip(*model.named_parameters(), strict=True)
    first = torch.autograd.grad(loss, parameters, retain_graph=True)
    again = torch.autograd.grad(loss, parameters)
    for name, a, b in zip(names, first, again, strict=True):
        assert torch.equal(a, b), name


def test_edges_must_be_grouped():
    model, (species, vectors, center, neighbor) = network(), tensors(300, 6.3)
    with pytest.raises(ValueError, match="grouped by center"):
        training.forward(model, species, vectors, center.flip(0), neighbor)


def test_other_networks_are_left_to_torch():
    assert training.available(Botan(3))
    assert not training.available(Botan(3).double())
    assert not training.available(Botan(3, 32))
    assert not training.available(NtGnn(3))
