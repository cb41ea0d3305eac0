"""The compiled engine on networks with inputs, against the code in the model file."""

import numpy as np
import pytest
import torch
from engines import with_bfloat16
from symmetry import CUTOFF, INPUTS, botan, liquid, physics
from torch import Tensor

from lammps_botan.network.botan import BotanWithInputs
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.inputs import node_inputs
from lammps_botan.network.model_file import read_checkpoints
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.graph import Graph, build_graph

ROUNDING = 2e-5  # the order of sums in float32
sees = pytest.mark.parametrize("name", ["history", "inherent", "both"])


def write(path, name, *models):
    """A model file of a network, or of several as a committee."""
    export([Checkpoint(model, physics(name)) for model in models], path)
    return path


def given(name, **which):
    here = liquid(**which)
    return build_graph(here, CUTOFF), *node_inputs(here, INPUTS[name])


def assert_same(predictor, arrays, tolerance=ROUNDING):
    found, expected = predictor.predict_graph(*arrays), predictor.predict_by_torch(*arrays)
    for ours, theirs in ((found.node, expected.node), (found.edge, expected.edge)):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=tolerance * np.abs(theirs).max(initial=1))
    return found


@sees
@pytest.mark.parametrize("rounds", [1, 4])
def test_the_engine_computes_what_the_model_file_does(instructions, name, rounds, tmp_path):
    predictor = Predictor(write(tmp_path / "m.pt", name, botan(name, rounds)))
    assert predictor.engine == instructions
    found = assert_same(predictor, given(name))
    assert found.node.std() > 0.1
    assert found.edge.std() > 0.1


@sees
def test_each_member_of_a_committee_has_scales_of_its_own(instructions, name, tmp_path):
    members = [botan(name, seed=seed) for seed in (1, 2)]
    members[1].particles.mean += 0.5
    members[1].pairs.deviation *= 1.5
    predictor = Predictor(write(tmp_path / "m.pt", name, *members))
    assert predictor.engine == instructions
    assert assert_same(predictor, given(name)).edge[:, 1].max() > 0.1


@pytest.mark.parametrize("n", [1, 2, 23, 25, 49])
def test_graphs_of_any_size(instructions, n, tmp_path):
    predictor = Predictor(write(tmp_path / "m.pt", "both", botan("both")))
    assert_same(predictor, given("both", n=n))


def test_a_graph_without_particles(instructions, tmp_path):
    predictor = Predictor(write(tmp_path / "m.pt", "both", botan("both")))
    none = np.zeros(0, np.int64)
    empty = Graph(none, none, none, np.zeros((0, 3)), CUTOFF)
    arrays = (empty, np.zeros((0, 2, 3), np.float32), np.zeros((0, 3), np.float32))
    assert assert_same(predictor, arrays).node.shape == (0, 1)


def test_bfloat16_has_the_error_of_its_eight_bits(instructions, tmp_path):
    predictor = Predictor(write(tmp_path / "m.pt", "both", botan("both")), precision="bfloat16")
    assert predictor.engine == with_bfloat16(instructions)
    arrays = given("both")
    found, exact = predictor.predict_graph(*arrays), predictor.predict_by_torch(*arrays)
    for ours, theirs in ((found.node, exact.node), (found.edge, exact.edge)):
        assert 0 < np.abs(ours - theirs).max() < 0.03 * np.abs(theirs).max()


class OfTheirOwn(BotanWithInputs):
    """The weights of BOTAN, whose encoders are given something else."""

    @torch.jit.export
    def encode(
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        nodes, edges = self.describe(
            species, vectors, node_vectors, node_scalars, center, neighbor, n_local
        )
        return self.begin(2 * nodes, edges)


def test_a_network_with_other_equations_is_computed_by_torch(tmp_path):
    model = OfTheirOwn(3, inputs=["history"]).eval()
    model.load_state_dict(botan("history").state_dict())
    with pytest.warns(UserWarning, match="OfTheirOwn computes something else than 'botan'"):
        write(tmp_path / "m.pt", "history", model)
    predictor = Predictor(tmp_path / "m.pt")
    assert predictor.engine == "torch"
    assert_same(predictor, given("history"))


@pytest.mark.parametrize("n_members", [1, 2])
def test_a_model_file_is_written_anew(n_members, tmp_path):
    members = [botan("both", seed=seed) for seed in range(n_members)]
    path = write(tmp_path / "m.pt", "both", *members)
    again = read_checkpoints(path)
    assert [one.model.settings for one in again] == [one.settings for one in members]
    for one, member in zip(again, members, strict=True):
        state = one.model.state_dict()
        assert all(torch.equal(state[key], value) for key, value in member.state_dict().items())
