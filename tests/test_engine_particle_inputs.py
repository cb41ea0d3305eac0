"""Inputs of particles and distances of pairs in the compiled engine, by BOTAN that sees them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from engines import plain_weights
from symmetry import CUTOFF, INPUTS, botan, liquid

from lammps_botan.network.arrays import forward_arrays
from lammps_botan.network.botan import Botan
from lammps_botan.network.engine.scoring import Engine
from lammps_botan.network.inputs import node_inputs
from lammps_botan.structure.graph import build_graph

ROUNDING = 2e-5  # the order of sums in float32
sees = pytest.mark.parametrize("name", ["history", "inherent", "both"])


def engine(network):
    return Engine([plain_weights("botan", network)])


def given(name):
    """Species, vectors, vectors and scalars of particles, center and neighbor."""
    here = liquid()
    return forward_arrays(build_graph(here, CUTOFF), *node_inputs(here, INPUTS[name]))


def by_torch(network, arrays):
    with torch.inference_mode():
        return [one.numpy() for one in network(*(torch.from_numpy(array) for array in arrays))]


def assert_same(network, arrays):
    found = engine(network).score(*arrays)
    for ours, theirs in zip(found, by_torch(network, arrays), strict=True):
        np.testing.assert_allclose(ours, theirs, 0, ROUNDING * np.abs(theirs).max(initial=1))
    return found


@sees
def test_particles_at_their_mean_or_inherent_positions(name):
    """Whose displacements have no logarithm."""
    arrays = given(name)
    arrays[2] = np.zeros_like(arrays[2])
    assert np.isfinite(assert_same(botan(name), arrays)[0]).all()


@pytest.mark.parametrize("variance", [-1.0, 1e-12])
def test_a_variance_that_no_particle_has_is_none(variance):
    """The fix tries a model out on any numbers."""
    arrays, none = given("history"), given("history")
    arrays[3][:, 0], none[3][:, 0] = variance, 0.0
    found, expected = (assert_same(botan("history"), one) for one in (arrays, none))
    np.testing.assert_allclose(found[0], expected[0], 0, ROUNDING * np.abs(expected[0]).max())


@sees
def test_beyond_six_deviations_an_input_says_no_more(name):
    network = botan(name)
    arrays, further = given(name), given(name)
    arrays[3][:, -1], further[3][:, -1] = 1e3, 1e6  # energy
    found, other = (assert_same(network, one) for one in (arrays, further))
    for ours, theirs in zip(found, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@sees
def test_beyond_six_deviations_a_distance_says_no_more(name):
    network = botan(name)
    network.pairs.deviation.fill_(1e-3)
    network.pairs.mean.fill_(-10.0)
    arrays, further = given(name), given(name)
    further[1] = (1.1 * further[1]).astype(np.float32)
    found, other = (assert_same(network, one) for one in (arrays, further))
    for ours, theirs in zip(found, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@sees
def test_each_species_has_a_mean_and_a_deviation_of_its_own(name):
    """And there may be three of them."""
    torch.manual_seed(3)
    network = Botan(2, inputs=INPUTS[name].names, n_species=3).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight *= 1.7  # for outputs of order 1
        network.particles.mean.copy_(torch.randn(network.particles.mean.shape))
        network.particles.deviation.copy_(1 + torch.rand(network.particles.deviation.shape))
        network.pairs.deviation.copy_(1 + torch.rand(network.pairs.deviation.shape))
    arrays = given(name)
    arrays[0] = np.arange(len(arrays[0])) % 3
    found = assert_same(network, arrays)
    arrays[0] = (arrays[0] + 1) % 3
    assert np.abs(engine(network).score(*arrays)[0] - found[0]).max() > 0.01


@sees
def test_lengths_are_in_diameters(name):
    """All lengths and the diameter times 3.4: the same outputs."""
    network = botan(name)
    argon = Botan(network.rounds, inputs=INPUTS[name].names, diameter=3.4).eval()
    argon.load_state_dict(network.state_dict())
    arrays, large = given(name), given(name)
    for k in (1, 2):
        large[k] = (3.4 * large[k]).astype(np.float32)
    if name != "inherent":
        large[3][:, 0] *= 3.4**2
    found, expected = engine(argon).score(*large), engine(network).score(*arrays)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, 0, ROUNDING * np.abs(theirs).max())
    assert_same(argon, large)


@sees
@pytest.mark.parametrize("which", [1, 2, 3])
def test_nan_reaches_the_outputs(name, which):
    """Of an edge, of a displacement and of a scalar."""
    arrays = given(name)
    arrays[which].flat[0] = np.nan
    network = botan(name)
    for ours, theirs in zip(engine(network).score(*arrays), by_torch(network, arrays), strict=True):
        assert np.isnan(theirs).any()
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))


@pytest.mark.parametrize(
    ("name", "value", "shapes"),
    [
        ("particles.mean", np.ones((2, 4)), r"\[2, 3\], found \[2, 4\]"),
        (
            "particles.deviation",
            np.ones(6),
            r"\[2, 3\], found \[6\]",
        ),
        ("pairs.mean", np.ones(1), r"\[3\], found \[1\]"),
        ("pairs.deviation", np.ones((1, 3)), r"\[3\], found \[1, 3\]"),
    ],
)
def test_scales_of_another_shape_are_refused(name, value, shapes):
    weights = plain_weights("botan", botan("history"))
    other = replace(weights, tensors={**weights.tensors, name: value.astype(np.float32)})
    with pytest.raises(ValueError, match=rf"tensor '{name}' of shape {shapes}"):
        Engine([other])


@pytest.mark.parametrize("diameter", [0.0, -1.0, np.nan, np.inf])
def test_a_diameter_that_is_none_is_refused(diameter):
    weights = plain_weights("botan", botan("history"))
    other = replace(weights, settings={**weights.settings, "diameter": diameter})
    with pytest.raises(ValueError, match="a positive number as its setting 'diameter'"):
        Engine([other])
