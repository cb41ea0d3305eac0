"""The compiled engine against the code in the model file, for all sets of instructions."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from engines import Doubled, network, physics, with_bfloat16, write
from public_data import CONFIGURATION_401, needs_public_data, reference_outputs, weights
from score_runs import run

from lammps_botan.files.ensemble import read_start
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.engine.scoring import Engine
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph, build_graph

ROUNDING = 2e-5  # the order of sums in float32


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write(tmp_path_factory.mktemp("model") / "m.pt", network())


def graph(n_particles=300, length=6.5, seed=0):
    rng = np.random.default_rng(seed)
    species = (rng.random(n_particles) < 0.2).astype(int)
    positions, box = rng.random((n_particles, 3)) * length, Box(length, (True, True, True))
    return build_graph(Configuration(positions=positions, species=species, box=box), 2.0)


def assert_same(predictor, given, tolerance=ROUNDING):
    found, expected = predictor.predict_graph(given), predictor.predict_by_torch(given)
    for ours, theirs in ((found.node, expected.node), (found.edge, expected.edge)):
        assert ours.shape == theirs.shape
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=tolerance * np.abs(theirs).max(initial=1))


@pytest.mark.parametrize("rounds", [1, 2, 7])
def test_the_engine_computes_what_the_model_file_does(instructions, rounds, tmp_path):
    predictor = Predictor(write(tmp_path / "m.pt", network(rounds=rounds)))
    assert predictor.engine == instructions
    given = graph()
    assert np.abs(predictor.predict_graph(given).edge).max() > 0.1
    assert_same(predictor, given)


@needs_public_data
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_engine_reproduces_the_outputs_of_the_public_implementation(instructions, k, tmp_path):
    run("import-weights", weights(k), "-o", tmp_path / "m.ckpt")
    run("export", tmp_path / "m.ckpt", "-o", tmp_path / "m.pt")
    predictor = Predictor(tmp_path / "m.pt")
    assert predictor.engine == instructions
    found = predictor.predict(read_start(CONFIGURATION_401))
    node, edge = reference_outputs(k)
    np.testing.assert_allclose(found.node.reshape(-1), node.reshape(-1), atol=ROUNDING)
    np.testing.assert_allclose(found.edge.reshape(-1), edge.reshape(-1), atol=ROUNDING)


@pytest.mark.parametrize("n_particles", [1, 2, 5, 23, 24, 25, 47, 49])
def test_graphs_of_any_size_and_density(instructions, model, n_particles):
    predictor = Predictor(model)
    for length in (2.5, 4.5, 30.0):  # many images of each neighbor; some edges; next to none
        assert_same(predictor, graph(n_particles, length, seed=n_particles))


def test_particles_without_edges_anywhere(instructions, model):
    given = graph(100, 4.5)
    for lonely in ([0], [99], [40, 41, 42, 43], range(100)):
        keep = ~np.isin(given.center, lonely)
        assert_same(
            Predictor(model),
            given.only(keep, cutoff=given.cutoff),
        )


def test_a_graph_without_particles(instructions, model):
    none = np.zeros(0, np.int64)
    predictor, empty = Predictor(model), Graph(none, none, none, np.zeros((0, 3)), 2.0)
    for found in (predictor.predict_graph(empty), predictor.predict_by_torch(empty)):
        assert found.node.shape == found.edge.shape == (0, 1)


def test_arrays_of_any_layout(model):
    given = graph(99, 4.5)
    expected = Predictor(model).predict_graph(given)

    def awkward(array, number):
        other = np.asfortranarray(np.repeat(array, 2, axis=0).astype(number))[::2]
        other.flags.writeable = False
        return other

    other = Graph(
        awkward(given.species, np.int32),
        awkward(given.center, np.int32),
        awkward(given.neighbor, np.int32),
        awkward(given.vectors, np.float64),
        given.cutoff,
    )
    np.testing.assert_array_equal(Predictor(model).predict_graph(other).edge, expected.edge)
    assert_same(Predictor(model), other)


def test_a_committee(instructions, tmp_path):
    predictor = Predictor(write(tmp_path / "m.pt", *(network(seed) for seed in (1, 2, 3))))
    assert predictor.engine == instructions
    assert predictor.predict_graph(graph()).edge.shape[1] == 2
    assert_same(predictor, graph())


def test_any_number_of_threads_gives_the_same_bits(instructions, model):
    given = graph(900, 9.5)
    found = [Predictor(model, threads=n).predict_graph(given) for n in (1, 2, 3, 7)]
    for other in found[1:]:
        np.testing.assert_array_equal(other.node, found[0].node)
        np.testing.assert_array_equal(other.edge, found[0].edge)


def test_a_predictor_remembers_nothing_of_the_graph_before(instructions, model):
    predictor, small, large = Predictor(model), graph(40, 4.0), graph(600, 8.0)
    first = predictor.predict_graph(small)
    predictor.predict_graph(large)
    again = predictor.predict_graph(small)
    np.testing.assert_array_equal(first.node, again.node)
    np.testing.assert_array_equal(first.edge, again.edge)


def test_python_threads_may_share_a_predictor(model):
    predictor = Predictor(model)
    given = [graph(200, 5.5, seed) for seed in range(8)]
    alone = [predictor.predict_graph(one).edge for one in given]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: predictor.predict_graph(one).edge, given))
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_is_not_a_number_stays_so(instructions, model):
    given = graph(200, 5.5)
    given.vectors[0] = np.nan
    vectors = given.vectors.astype(np.float32)
    engine = Engine([Checkpoint(network(), physics()).weights])
    assert engine.instructions == instructions
    node, edge = engine.score(given.species, vectors, given.center, given.neighbor)
    exact = Predictor(model).predict_by_torch(given)
    for nodes, edges in ((node, edge), (exact.node, exact.edge)):
        assert np.isnan(edges[0])
        assert np.isnan(nodes[given.center[0]])


def test_predictions_that_are_not_numbers_are_refused(instructions, model):
    given = graph(200, 5.5)
    given.vectors[0] = np.nan
    with pytest.raises(ValueError, match=r"m\.pt predicts numbers that are not finite for"):
        Predictor(model).predict_graph(given)


def test_bfloat16_has_the_error_of_its_eight_bits(instructions, model, tmp_path):
    for path in (model, write(tmp_path / "m.pt", network(1), network(2))):
        predictor = Predictor(path, precision="bfloat16")
        assert predictor.engine == with_bfloat16(instructions)
        given = graph()
        found, exact = predictor.predict_graph(given), predictor.predict_by_torch(given)
        for ours, theirs in ((found.node, exact.node), (found.edge, exact.edge)):
            error = np.abs(ours - theirs)[:, 0]
            assert 0 < error.max() < 0.03 * np.abs(theirs[:, 0]).max()
    for n_particles in (1, 25, 49):
        assert_same(predictor, graph(n_particles, 4.5), tolerance=0.03)


def test_what_is_kept_in_bfloat16_takes_half_of_the_memory(instructions, model):
    given, taken = graph(), {}
    for precision in ("float32", "bfloat16"):
        predictor = Predictor(model, precision=precision)
        predictor.predict_graph(given)
        taken[precision] = predictor._engine.memory_usage()
    of_edges = 2 * 64 * len(given.center)  # two states of 64 numbers
    assert taken["float32"] - taken["bfloat16"] == pytest.approx(2 * of_edges, rel=0.1)


@pytest.mark.parametrize("name", ["ka-t044", "ka-t064"])
def test_bfloat16_leaves_the_order_of_the_shipped_models_predictions(instructions, name):
    predictor = Predictor(name, precision="bfloat16")
    given = graph(1000, 9.4)
    found, exact = predictor.predict_graph(given), predictor.predict_by_torch(given)
    for ours, theirs in ((found.node, exact.node), (found.edge, exact.edge)):
        assert np.corrcoef(ours[:, 0], theirs[:, 0])[0, 1] > 0.999


def test_other_networks_are_computed_by_torch(tmp_path):
    torch.manual_seed(1)
    for other in (network(width=32), NtGnn(3)):
        path = write(tmp_path / "m.pt", other)
        assert Predictor(path).engine == "torch"
        with pytest.raises(ValueError, match="bfloat16 is for BOTAN with 64 features"):
            Predictor(path, precision="bfloat16")


@pytest.mark.parametrize("size", [1.0, 1e-6])
def test_a_file_with_the_weights_but_another_formula_is_computed_by_torch(tmp_path, size):
    state = network().state_dict()
    state["output.weight"] *= size
    state["output.bias"] *= size
    same, other = Botan(3, 64), Doubled(3, 64)
    same.load_state_dict(state)
    other.load_state_dict(state)
    assert Predictor(write(tmp_path / "same.pt", same)).engine != "torch"
    with pytest.warns(UserWarning, match="Doubled computes something else than 'botan'"):
        write(tmp_path / "m.pt", other)
    predictor = Predictor(tmp_path / "m.pt")
    assert predictor.engine == "torch"
    given = graph()
    np.testing.assert_array_equal(
        predictor.predict_graph(given).node, predictor.predict_by_torch(given).node
    )


def test_the_environment_can_ask_for_torch(model, monkeypatch):
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "torch")
    assert Predictor(model).engine == "torch"


def test_the_environment_cannot_ask_for_anything(model, monkeypatch):
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "sse9")
    with pytest.raises(ValueError, match=r"LAMMPS_BOTAN_ENGINE must be avx512 or avx2 .* or unset"):
        Predictor(model)


def test_an_unknown_precision_is_refused(model):
    with pytest.raises(ValueError, match="expected precision float32 or bfloat16, found float16"):
        Predictor(model, precision="float16")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"center": np.array([1, 0])}, "ascending order"),
        ({"center": np.array([0, 9])}, "center must hold numbers of particles, 0 to 1, found 0 to"),
        ({"neighbor": np.array([-1, 0])}, "neighbor must hold numbers .* found -1 to 0"),
        ({"neighbor": np.array([0])}, r"2 neighbors, found \[2, 3\] and \[1\]"),
        ({"vectors": np.zeros((3, 3))}, r"shape \[2, 3\]"),
        ({"species": np.array([0, -1])}, "knows 2 species .A, B., found species number -1"),
    ],
)
def test_a_graph_that_is_none_is_refused(model, change, message):
    good = Graph(np.array([0, 1]), np.array([0, 1]), np.array([1, 0]), np.ones((2, 3)), 2.0)
    Predictor(model).predict_graph(good)
    with pytest.raises(ValueError, match=message):
        Predictor(model).predict_graph(replace(good, **change))


def test_too_little_memory_is_an_error(model):
    # 10^7 edges take 5 GB
    code = f"""
import resource
import numpy as np
from lammps_botan.structure.graph import Graph
from lammps_botan.network.predictor import Predictor
predictor = Predictor({str(model)!r})
n = 10_000_000
none = np.zeros(n, int)
given = Graph(np.zeros(1, int), none, none, np.zeros((n, 3), np.float32), 2.0)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2 * 10**9,) * 2)
try:
    predictor.predict_graph(given)
except MemoryError as error:
    print(error)
"""
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "not enough memory to score 10000000 edges"
