"""The NT-GNN of Bapst et al.: against its authors' outputs, its formula, and inside LAMMPS."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from engines import physics, random_graph, tensors
from lmp import read_dump, run_lmp
from public_data import GLASSY_DYNAMICS, needs_glassy_dynamics

from lammps_botan.analysis.sample import read_sample
from lammps_botan.cli import main
from lammps_botan.evaluation.pearson import node_mask, pearson
from lammps_botan.network.botan import Botan, ThermalBotan
from lammps_botan.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.public_weights import import_nt_gnn_weights
from lammps_botan.structure.mixture import KOB_ANDERSEN

WEIGHTS = GLASSY_DYNAMICS / "t044_s09_weights.npz"
TEST_LARGE = GLASSY_DYNAMICS / "test_large.pickle"
ROUNDING = 2e-5  # float32 sums in another order
PUBLISHED_RHO = 0.93460

SCRIPT = """
units lj
read_data {folder}/large.data
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
velocity all create 0.44 1 loop geom
fix nve all nve
fix mob all botan 20 {folder}/m.pt A B
dump atoms all custom 20 atoms.dump id type f_mob
dump_modify atoms format float %.9g
dump bonds all local 20 bonds.dump f_mob[1] f_mob[2] f_mob[3]
run {steps}
"""


@pytest.fixture
def graph():
    return random_graph(100, 5.0)


def reference():
    """Edges without those to themselves as (receiver, sender), in our order, and node outputs."""
    with np.load(GLASSY_DYNAMICS / "reference_test_large.npz") as archive:
        sender, receiver = archive["edge_index"]
        outputs = archive["node_output"]
    assert np.count_nonzero(sender == receiver) == len(outputs)
    edges = np.stack([receiver, sender])[:, sender != receiver]
    return edges[:, np.lexsort((edges[1], edges[0]))], outputs


def formula(model, species, vectors, center, neighbor):
    """The published network with concatenations, and edges to themselves in the graph."""

    def mlp(layers, *inputs):
        x = torch.cat(inputs, dim=1)
        return torch.relu(layers.fc2(torch.relu(layers.fc1(x))))

    nodes = torch.arange(len(species))
    r, s = torch.cat([center, nodes]), torch.cat([neighbor, nodes])
    vectors = torch.cat([vectors, torch.zeros(len(species), 3, dtype=vectors.dtype)])
    v0 = v = mlp(model.node_encoder, species[:, None].to(vectors.dtype))
    e0 = e = mlp(model.edge_encoder, vectors)
    for _ in range(model.rounds):
        e = mlp(model.edge_model, e, e0, v[r], v0[r], v[s], v0[s])
        received = torch.stack([e[r == node].sum(0) for node in nodes])
        v = mlp(model.node_model, received, v, v0)
    return model.output(mlp(model.decoder, v))


@needs_glassy_dynamics
def test_the_published_weights_give_the_published_outputs():
    sample = read_sample(TEST_LARGE, time_index=0)
    edges, outputs = reference()
    np.testing.assert_array_equal(np.stack([sample.graph.center, sample.graph.neighbor]), edges)
    model = import_nt_gnn_weights(WEIGHTS, physics()).model
    with torch.inference_mode():
        node, edge = model(*tensors(sample.graph))
    np.testing.assert_allclose(node[:, 0], outputs, atol=ROUNDING)
    assert edge.shape == (sample.graph.n_edges, 0)
    mask = node_mask(sample.graph, KOB_ANDERSEN)
    rho = pearson(node[:, 0].numpy()[mask], sample.propensity[mask])
    assert rho == pytest.approx(PUBLISHED_RHO, abs=1e-5)


def test_edges_to_themselves_inside_the_network_give_the_formula_and_its_gradients(graph):
    torch.manual_seed(1)
    model = NtGnn(rounds=3, width=16).double()
    species, vectors, center, neighbor = tensors(graph)
    results = []
    for output in (
        model(species, vectors.double(), center, neighbor)[0],
        formula(model, species, vectors.double(), center, neighbor),
    ):
        loss = (output - 0.3).square().mean()
        results.append((output, *torch.autograd.grad(loss, list(model.parameters()))))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)


def test_a_particle_without_neighbors_still_hears_itself():
    torch.manual_seed(2)
    model = NtGnn(rounds=3, width=16)
    none, species = torch.zeros(0, dtype=torch.int64), torch.tensor([0, 1])
    with torch.inference_mode():
        node, edge = model(species, torch.zeros(0, 3), none, none)
        torch.testing.assert_close(node, formula(model, species, torch.zeros(0, 3), none, none))
    assert edge.shape == (0, 0)
    assert model(none, torch.zeros(0, 3), none, none)[0].shape == (0, 1)


def test_the_published_network_has_62401_parameters():
    assert sum(p.numel() for p in NtGnn().parameters()) == 62_401


def test_ghosts_refreshed_between_steps_give_the_periodic_result(graph):
    """Two halves of the particles, each with the other as ghosts, are the whole."""
    torch.manual_seed(2)
    model = NtGnn(rounds=4, width=16)
    species, vectors, center, neighbor = tensors(graph)
    with torch.inference_mode():
        expected, _ = model(species, vectors, center, neighbor)
        halves = [torch.arange(50), torch.arange(50, 100)]
        states = []
        for local, ghost in (halves, halves[::-1]):
            order = torch.cat([local, ghost])
            place = torch.argsort(order)
            mine = torch.isin(center, local)
            ends = place[center[mine]], place[neighbor[mine]]
            states.append([*model.encode(species[order], vectors[mine]), *ends])
        for m in range(model.rounds):
            new = []
            for state in states:
                node, state[2] = model.step(m, *state, 50)
                new.append(node)
            for k, state in enumerate(states):
                state[0] = torch.cat([new[k], new[1 - k]])
        result = torch.cat([model.decode(state[0][:50], state[2])[0] for state in states])
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-6)


def test_a_checkpoint_knows_which_network_it_holds(tmp_path):
    path = tmp_path / "m.ckpt"
    for model in (NtGnn(3, 8), Botan(3, 8)):
        save_checkpoint(Checkpoint(model, physics()), path)
        loaded = load_checkpoint(path).model
        assert type(loaded) is type(model)
        assert (loaded.rounds, loaded.width) == (3, 8)
        for name, tensor in model.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], tensor)


def test_a_checkpoint_that_does_not_say_holds_botan(tmp_path):
    path = tmp_path / "m.ckpt"
    save_checkpoint(Checkpoint(Botan(1, 4), physics()), path)
    content = torch.load(path, weights_only=True)
    torch.save(content | {"architecture": {"rounds": 1, "width": 4}}, path)
    assert type(load_checkpoint(path).model) is ThermalBotan


def test_a_network_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "m.ckpt"
    save_checkpoint(Checkpoint(Botan(1, 4), physics()), path)
    content = torch.load(path, weights_only=True)
    torch.save(content | {"architecture": {"name": "gpt"}}, path)
    with pytest.raises(ValueError, match=r"a network 'gpt'; this version .* knows botan, nt-gnn"):
        load_checkpoint(path)


def test_a_model_file_says_that_edges_have_no_output(tmp_path, graph):
    export(Checkpoint(NtGnn(2, 8), physics()), tmp_path / "m.pt")
    metadata = read_metadata(tmp_path / "m.pt")
    assert (metadata.architecture, metadata.rounds, metadata.width) == ("nt-gnn", 2, 16)
    assert (metadata.node_outputs, metadata.edge_outputs) == (["propensity"], [])
    assert Predictor(tmp_path / "m.pt").predict_graph(graph).edge.shape == (graph.n_edges, 0)


NAME = "graph_network/edge_block/mlp/linear_0/w"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"conv/w": np.zeros(3)}, "unexpected entry 'conv/w'; expected layers named graph_indep"),
        ({NAME: np.zeros((384, 64))}, "not the weights of an NT-GNN: 'output.weight'"),
        ({NAME: np.array(["a"])}, "expected an npz file of weights"),
        ({NAME: np.array([{}])}, "expected an npz file of weights: Object arrays"),
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ValueError, match=rf"other\.npz: {message}"):
        import_nt_gnn_weights(tmp_path / "other.npz", physics())


@needs_glassy_dynamics
def test_weights_of_another_shape_are_refused(tmp_path):
    with np.load(WEIGHTS) as archive:
        np.savez(tmp_path / "other.npz", **{**archive, NAME: np.zeros((256, 64))})
    with pytest.raises(ValueError, match=r"not the weights of an NT-GNN: .*edge_model.fc1.weight"):
        import_nt_gnn_weights(tmp_path / "other.npz", physics())


def test_what_is_no_npz_file_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.npz: expected an npz file of weights"):
        import_nt_gnn_weights(tmp_path / "text.npz", physics())
    with pytest.raises(FileNotFoundError, match=r"none\.npz: no such file"):
        import_nt_gnn_weights(tmp_path / "none.npz", physics())


def run(*words):
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The published weights as a model file and their configuration as a data file."""
    folder = tmp_path_factory.mktemp("nt_gnn")
    run("import-weights", WEIGHTS, "-o", folder / "m.ckpt")
    run("export", folder / "m.ckpt", "-o", folder / "m.pt")
    run("data-file", TEST_LARGE, "-o", folder / "large.data")
    return folder


@needs_glassy_dynamics
def test_the_command_line_gives_the_published_correlation(folder):
    words = ("evaluate", TEST_LARGE, "-m", folder / "m.pt", "--time-index", 0, "--json")
    (model,) = json.loads(run(*words))["models"]
    assert model["S"]["A"]["per_configuration"] == pytest.approx([PUBLISHED_RHO], abs=1e-5)
    assert model["E"] is None
    metadata = json.loads(run("info", folder / "m.pt", "--json"))
    assert (metadata["lag_times"], metadata["density"]) == ([0.132], 1.203)


@needs_glassy_dynamics
def test_lammps_gives_the_published_outputs_on_any_number_of_ranks(folder, tmp_path):
    _, outputs = reference()
    sample = read_sample(TEST_LARGE, time_index=0)
    mask = node_mask(sample.graph, KOB_ANDERSEN)
    frames = []
    for ranks in (1, 2):
        here = tmp_path / str(ranks)
        here.mkdir()
        run_lmp(SCRIPT.format(folder=folder, steps=20), here, ranks=ranks)
        first, last = read_dump(here / "atoms.dump")
        np.testing.assert_array_equal(first["id"], np.arange(4096) + 1)
        np.testing.assert_allclose(first["f_mob"], outputs, atol=ROUNDING)
        rho = pearson(first["f_mob"][mask], sample.propensity[mask])
        assert rho == pytest.approx(PUBLISHED_RHO, abs=1e-5)
        bonds, _ = read_dump(here / "bonds.dump")
        assert len(bonds["f_mob[3]"]) == np.count_nonzero(sample.graph.distances < 1.35)
        frames.append(last["f_mob"])
    np.testing.assert_allclose(*frames, atol=ROUNDING)
