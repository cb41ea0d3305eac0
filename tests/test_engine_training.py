"""The kernels of training: the network and its gradients, up to the rounding of their numbers."""

from dataclasses import dataclass, replace

import engines
import numpy as np
import pytest
import symmetry
import torch
from engines import random_graph

from lammps_botan.network.botan import Botan
from lammps_botan.network.engine import training
from lammps_botan.network.nt_gnn import NtGnn


@dataclass(frozen=True)
class Kernels:
    """Kernels to test, and how well they know outputs and gradients, relative to these."""

    precision: str
    output: float
    gradient: float
    parameter: float  # gradient of each

    def forward(self, model, *given):
        assert training.available(model, self.precision)
        return training.forward(model, *given, precision=self.precision)

    def gradients(self, model, inputs, weights):
        return gradients(model, self.forward(model, *inputs), weights)


SINGLE = Kernels("float32", output=2e-6, gradient=1e-5, parameter=1e-4)
HALF = Kernels("bfloat16", output=2e-3, gradient=1e-2, parameter=3e-2)


@pytest.fixture(params=["avx2", "avx512", "avx512_bf16"])
def kernels(request, monkeypatch):
    if request.param == "avx512_bf16":
        if not engines.HAS_BFLOAT16:
            pytest.skip("no AVX-512 BF16 in this processor")
        return HALF
    if not engines.available(request.param):
        pytest.skip(f"no {request.param} in this processor")
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", request.param)
    return SINGLE


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
def test_outputs_and_gradients_are_those_of_the_network(kernels, n_threads, weights):
    torch.set_num_threads(n_threads)
    model, inputs = network(), tensors(300, 6.3)
    exact = [output.detach() for output in model(*inputs)]
    ours = [output.detach() for output in kernels.forward(model, *inputs)]
    for output, reference in zip(ours, exact, strict=True):
        assert output.shape == reference.shape
        assert output.dtype == torch.float32
        assert float((output - reference).norm() / reference.norm()) < kernels.output
    reference = gradients(model, model(*inputs), weights)
    found = kernels.gradients(model, inputs, weights)
    assert distance(found, reference) < kernels.gradient
    for name, gradient in reference.items():
        scale = float(gradient.norm())
        assert float((found[name] - gradient).norm()) <= kernels.parameter * scale, name


def test_three_species_are_told_as_one_hot(kernels):
    model, inputs = network(n_species=3), engines.tensors(random_graph(300, 6.3, n_species=3))
    reference = gradients(model, model(*inputs), (0.4, 0.6))
    found = kernels.gradients(model, inputs, (0.4, 0.6))
    assert reference["node_encoder.fc1.weight"].shape == (64, 3)
    assert distance(found, reference) < kernels.gradient


@pytest.mark.parametrize("kernels", ["avx2", "avx512"], indirect=True)
@pytest.mark.parametrize("name", ["history", "inherent", "both"])
def test_networks_with_inputs_have_the_same_gradients(kernels, name):
    model, inputs = symmetry.botan(name), symmetry.tensors(symmetry.liquid(), name)
    exact = [output.detach() for output in model(*inputs)]
    ours = [output.detach() for output in kernels.forward(model, *inputs)]
    for output, reference in zip(ours, exact, strict=True):
        assert float((output - reference).norm() / reference.norm()) < kernels.output
    reference = gradients(model, model(*inputs), (0.4, 0.6))
    found = kernels.gradients(model, inputs, (0.4, 0.6))
    assert distance(found, reference) < kernels.gradient


@engines.needs_bfloat16
@pytest.mark.parametrize("name", ["history", "inherent", "both"])
def test_networks_with_inputs_are_rounded_less_than_by_autocast(name):
    model, inputs = symmetry.botan(name), symmetry.tensors(symmetry.liquid(), name)
    exact = [output.detach() for output in model(*inputs)]
    reference = gradients(model, model(*inputs), (0.4, 0.6))
    with torch.autocast("cpu", torch.bfloat16):
        by_autocast = [output.detach().float() for output in model(*inputs)]
        rounded = gradients(model, model(*inputs), (0.4, 0.6))
    ours = [output.detach() for output in HALF.forward(model, *inputs)]
    found = gradients(model, HALF.forward(model, *inputs), (0.4, 0.6))
    for output, other, right in zip(ours, by_autocast, exact, strict=True):
        assert (output - right).norm() < (other - right).norm()
    assert distance(found, reference) < distance(rounded, reference)
    for part, gradient in reference.items():
        scale = float(gradient.norm())
        assert float((found[part] - gradient).norm()) <= 3e-2 * scale, part


@engines.needs_bfloat16
def test_it_rounds_less_than_autocast():
    model, inputs = network(), tensors(300, 6.3)
    reference = gradients(model, model(*inputs), (0.4, 0.6))
    with torch.autocast("cpu", torch.bfloat16):
        rounded = gradients(model, model(*inputs), (0.4, 0.6))
        ours = gradients(model, HALF.forward(model, *inputs), (0.4, 0.6))
    assert distance(ours, reference) < distance(rounded, reference)


def test_a_step_has_the_same_bits_every_time(kernels):
    torch.set_num_threads(2)
    model, inputs = network(), tensors(300, 6.3)
    first = kernels.gradients(model, inputs, (0.4, 0.6))
    again = kernels.gradients(model, inputs, (0.4, 0.6))
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(("n_particles", "length"), [(2, 40.0), (5, 4.1), (40, 30.0)])
def test_few_edges_or_none(kernels, n_particles, length):
    """Particles without neighbors, tiles that are not full, threads without work."""
    torch.set_num_threads(3)
    model, inputs = network(), tensors(n_particles, length)
    for output, reference in zip(kernels.forward(model, *inputs), model(*inputs), strict=True):
        torch.testing.assert_close(output, reference, rtol=10 * kernels.output, atol=kernels.output)
    if len(inputs[1]):
        reference = gradients(model, model(*inputs), (0.4, 0.6))
        found = kernels.gradients(model, inputs, (0.4, 0.6))
        assert distance(found, reference) < 3 * kernels.gradient


@pytest.mark.parametrize("name", [name for name, _ in Botan(1).named_parameters()])
def test_nan_is_not_lost(kernels, name):
    model, inputs = network(), tensors(300, 6.3)
    with torch.no_grad():
        dict(model.named_parameters())[name].view(-1)[0] = float("nan")
    reference = [bool(output.isnan().any()) for output in model(*inputs)]
    found = [bool(output.isnan().any()) for output in kernels.forward(model, *inputs)]
    assert found == reference
    assert any(found)


def test_a_step_can_be_taken_back_twice(kernels):
    model, inputs = network(), tensors(300, 6.3)
    outputs = kernels.forward(model, *inputs)
    loss = sum(output.square().mean() for output in outputs)
    names, parameters = zip(*model.named_parameters(), strict=True)
    first = torch.autograd.grad(loss, parameters, retain_graph=True)
    again = torch.autograd.grad(loss, parameters)
    for name, a, b in zip(names, first, again, strict=True):
        assert torch.equal(a, b), name


def test_gradients_asked_for_one_at_a_time_are_those_together(kernels):
    model, inputs = network(), tensors(300, 6.3)
    loss = sum(output.square().mean() for output in kernels.forward(model, *inputs))
    names, parameters = zip(*model.named_parameters(), strict=True)
    together = torch.autograd.grad(loss, parameters, retain_graph=True)
    for name, parameter, expected in reversed(list(zip(names, parameters, together, strict=True))):
        (alone,) = torch.autograd.grad(loss, parameter, retain_graph=True)
        assert torch.equal(alone, expected), name
    # of some, and then of others
    torch.autograd.grad(loss, model.node_model.fc2.weight, retain_graph=True)
    (after,) = torch.autograd.grad(loss, model.edge_encoder.fc1.weight)
    assert torch.equal(after, together[names.index("edge_encoder.fc1.weight")])


@pytest.mark.parametrize("type", [torch.int32, torch.int64])
def test_ends_may_be_columns_of_one_tensor(kernels, type):
    model, (species, vectors, center, neighbor) = network(), tensors(300, 6.3)
    ends = torch.stack([center, neighbor], dim=1).to(type)
    expected = kernels.forward(model, species, vectors, center, neighbor)
    for a, b in zip(kernels.forward(model, species, vectors, *ends.T), expected, strict=True):
        assert torch.equal(a, b)


def test_edges_must_be_grouped(kernels):
    model, (species, vectors, center, neighbor) = network(), tensors(300, 6.3)
    with pytest.raises(ValueError, match="grouped by center"):
        kernels.forward(model, species, vectors, center.flip(0), neighbor)


def test_two_particles_with_one_edge(kernels):
    model = network()
    vectors = torch.tensor([[0.8, -0.3, 0.4]])
    for center, neighbor in ((0, 1), (1, 0)):
        inputs = torch.tensor([0, 1]), vectors, torch.tensor([center]), torch.tensor([neighbor])
        for output, reference in zip(kernels.forward(model, *inputs), model(*inputs), strict=True):
            torch.testing.assert_close(
                output, reference, rtol=10 * kernels.output, atol=kernels.output
            )
        reference = gradients(model, model(*inputs), (0.4, 0.6))
        found = kernels.gradients(model, inputs, (0.4, 0.6))
        assert distance(found, reference) < 3 * kernels.gradient


def test_particles_without_edges_learn_from_themselves(kernels):
    model = network()
    none = torch.zeros(0, dtype=torch.int64)
    inputs = torch.tensor([0, 1, 0]), torch.zeros(0, 3), none, none
    reference = gradients(model, model(*inputs), (1.0, 0.0))
    found = kernels.gradients(model, inputs, (1.0, 0.0))
    assert distance(found, reference) < kernels.gradient


@pytest.mark.parametrize("n_edges", [47, 48, 49, 95, 1, 2])
def test_any_number_of_edges(kernels, n_edges):
    """Around the number that is worked on at a time."""
    model, (species, vectors, center, neighbor) = network(), tensors(60, 4.5)
    inputs = species, *(x[:n_edges].contiguous() for x in (vectors, center, neighbor))
    assert len(inputs[1]) == n_edges
    reference = gradients(model, model(*inputs), (0.4, 0.6))
    found = kernels.gradients(model, inputs, (0.4, 0.6))
    assert distance(found, reference) < 3 * kernels.gradient


def test_other_networks_are_left_to_torch(kernels):
    assert training.available(Botan(3), kernels.precision)
    assert not training.available(Botan(3).double(), kernels.precision)
    assert not training.available(Botan(3, 32), kernels.precision)
    assert not training.available(NtGnn(3), kernels.precision)


def test_the_engine_that_is_asked_for_trains_too(monkeypatch):
    for name in ("torch", "portable"):
        monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", name)
        assert not training.available(Botan(3)), name
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "torch")
    assert not training.available(Botan(3), "bfloat16")
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "sse9")
    with pytest.raises(ValueError, match="LAMMPS_BOTAN_ENGINE must be avx512 or avx2"):
        training.available(Botan(3))
