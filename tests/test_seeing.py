"""Models that see histories and inherent structures: exported, loaded and run by Python."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from engines import physics
from liquids import NO_GLASS
from seeing import HISTORY, SEES, Sees, expected_outputs, seen
from test_export import run, with_metadata

from lammps_botan.network.checkpoint import (
    NETWORKS,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from lammps_botan.network.committee import make_committee
from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.export import export
from lammps_botan.network.inputs import Inputs, node_inputs
from lammps_botan.network.linear import Linear
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.network import Network
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KA2D

CUTOFF = 1.5
FLOAT32 = 1e-5


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(NETWORKS, "sees", Sees)


def checkpoint(name, **settings):
    inputs = SEES[name]
    model = Sees(inputs.names, **settings).eval()
    return Checkpoint(model, physics(cutoff=CUTOFF, inputs=inputs), {"seed": 1})


def written(path, name):
    export(checkpoint(name), path)
    return path


@pytest.mark.parametrize("name", SEES)
def test_a_model_is_given_what_it_asks_for(name, tmp_path):
    """Against sums that are written pair by pair."""
    configuration = seen()
    predictor = Predictor(written(tmp_path / "m.pt", name))
    prediction = predictor.predict(configuration)
    node, distances = expected_outputs(configuration, name, CUTOFF)
    graph = prediction.graph
    assert predictor.engine == "torch"
    assert graph.n_edges == np.isfinite(distances).sum()
    np.testing.assert_allclose(prediction.node[:, 0], node, atol=FLOAT32 * np.abs(node).max())
    np.testing.assert_allclose(
        prediction.edge[:, 0], distances[graph.center, graph.neighbor], atol=FLOAT32
    )
    by_torch = predictor.predict_by_torch(graph, *node_inputs(configuration, SEES[name]))
    np.testing.assert_array_equal(prediction.node, by_torch.node)


def test_particles_that_are_left_out_take_their_history_with_them(tmp_path):
    configuration = seen()
    predictor = Predictor(written(tmp_path / "m.pt", "both"))
    without = configuration.select(configuration.species == 0)
    prediction = predictor.predict(configuration, ["A", "NULL"])
    node, _ = expected_outputs(without, "both", CUTOFF)
    np.testing.assert_array_equal(prediction.inside, np.flatnonzero(configuration.species == 0))
    np.testing.assert_allclose(prediction.node[:, 0], node, atol=FLOAT32 * np.abs(node).max())


@pytest.mark.filterwarnings(NO_GLASS)
def test_a_model_without_inputs_ignores_histories_and_refuses_node_vectors(tmp_path):
    configuration = seen()
    predictor = Predictor("ka-t044")
    plain = replace(configuration, history=None, inherent_positions=None, inherent_energies=None)
    np.testing.assert_array_equal(
        predictor.predict(configuration).node, predictor.predict(plain).node
    )
    graph = build_graph(configuration, 2.0)
    with pytest.raises(ValueError, match=r"sees positions, species: expected .* None and None"):
        predictor.predict_graph(graph, *node_inputs(configuration, SEES["both"]))


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        (
            "history",
            {"history": None},
            [
                r"run\.dump: the model sees history \(t_w = 30, a sample every 0\.2, 10 parts\)",
                "has no history",
                "`fix botan`",
                "a dump with a frame every 0.2",
                r"`lammps-botan simulate history FILES -o FOLDER --window 30`",
            ],
        ),
        (
            "inherent",
            {"inherent_energies": None},
            [
                r"sees inherent structure \(to a force of 0\.1\), .* no inherent energies; ",
                "`lammps-botan score --inherent`",
                "simulate inherent FILES -o FOLDER",
            ],
        ),
        (
            "both",
            {"inherent_energies": None, "inherent_positions": None},
            ["no inherent positions and energies"],
        ),
    ],
)
def test_what_a_configuration_lacks_is_named_with_what_to_do(name, changes, words, tmp_path):
    configuration = replace(seen(), where="run.dump", **changes)
    with pytest.raises(ValueError, match=words[0]) as caught:
        Predictor(written(tmp_path / "m.pt", name)).predict(configuration)
    for one in words:
        assert re.search(one, str(caught.value)), one


def test_a_history_over_another_window_is_refused(tmp_path):
    """A part of the window, 3 of 30, more or less is the same window."""
    configuration = seen()
    predictor = Predictor(written(tmp_path / "m.pt", "history"))

    def over(window):
        return replace(configuration, history=replace(configuration.history, window=window))

    for window in (27.0, 30.0, 31.4, 33.0):
        assert predictor.predict(over(window)).node.shape == (60, 1)
    for window in (10.0, 26.9, 33.1):
        with pytest.raises(
            ValueError, match=rf"history with t_w = {window:g}: expected 30 up to a"
        ):
            predictor.predict(over(window))


def test_inputs_of_other_shapes_are_refused(tmp_path):
    predictor = Predictor(written(tmp_path / "m.pt", "both"))
    configuration = seen()
    graph = build_graph(configuration, CUTOFF)
    node_vectors, node_scalars = node_inputs(configuration, SEES["both"])
    for given in (
        (),
        (node_vectors,),
        (node_vectors[1:], node_scalars),
        (node_vectors, node_scalars[:, :2]),
    ):
        with pytest.raises(ValueError, match=r"of shape \[60, 2, 3\] and \[60, 3\], found"):
            predictor.predict_graph(graph, *given)


@pytest.mark.parametrize("name", SEES)
def test_the_file_says_what_the_model_sees(name, tmp_path):
    metadata = export(checkpoint(name), tmp_path / "m.pt")
    assert metadata.inputs == SEES[name]
    assert (metadata.node_input, metadata.width, metadata.rounds) == ("one-hot", 5, 1)
    content = json.loads(metadata.to_json())
    assert content["format_version"] == 3
    assert read_metadata(tmp_path / "m.pt") == metadata
    printed = " ".join(run("info", tmp_path / "m.pt").split())
    assert ("history (t_w = 30, a sample every 0.2, 10 parts)" in printed) == (name != "inherent")
    assert ("inherent structure (to a force of 0.1)" in printed) == (name != "history")


def changed(content, **changes):
    return json.dumps(json.loads(content) | changes).encode()


WINDOW = {"window": 30.0, "interval": 0.2, "parts": 10}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "'inputs': expected none in format 2, found history"),
        ({"inputs": {}}, "'inputs': expected history or inherent in format 3, found neither"),
        ({"inputs": {"history": None, "inherent": None}}, "in format 3, found neither"),
        ({"inputs": []}, r"'inputs': .*found \[\]"),
        ({"inputs": {"future": {}}}, "'inputs.future': Extra inputs"),
        (
            {"inputs": {"history": WINDOW | {"window": 0}}},
            "'inputs.history.window': .* found 0",
        ),
        ({"inputs": {"history": WINDOW | {"interval": -1}}}, "history.interval': .* found -1"),
        ({"inputs": {"history": WINDOW | {"parts": 0}}}, "history.parts': .* found 0"),
        ({"inputs": {"history": WINDOW | {"parts": 2.5}}}, "history.parts': .* found 2.5"),
        (
            {"inputs": {"history": WINDOW | {"parts": 7}}},
            "whole samples in each of its 7 parts",
        ),
        ({"inputs": {"history": WINDOW | {"interval": 40}}}, "found window 30 and interval 40"),
        ({"inputs": {"history": {"window": 30.0}}}, "no key 'inputs.history.interval'"),
        ({"inputs": {"history": WINDOW | {"force": 1}}}, "history.force': Extra inputs"),
        ({"inputs": {"inherent": {"force": 0}}}, "'inputs.inherent.force': .* found 0"),
        ({"inputs": {"inherent": {"force": "0,1"}}}, "'inputs.inherent.force': .* found '0,1'"),
    ],
)
def test_wrong_inputs_are_refused_by_their_key(changes, message, tmp_path):
    model = written(tmp_path / "m.pt", "history")
    wrong = with_metadata(model, tmp_path / "wrong.pt", lambda c: changed(c, **changes))
    with pytest.raises(ValueError, match=rf"wrong\.pt: metadata\.json: .*{message}"):
        Predictor(wrong)


def test_a_window_that_is_not_finite_is_refused(tmp_path):
    model = written(tmp_path / "m.pt", "history")
    wrong = with_metadata(
        model, tmp_path / "wrong.pt", lambda c: c.replace(b'"window": 30.0', b'"window": NaN')
    )
    with pytest.raises(ValueError, match=r"'inputs.history.window': .* finite"):
        Predictor(wrong)


def test_a_model_without_inputs_is_written_as_before():
    """Earlier versions of the plugin read it."""
    content = json.loads(read_metadata_of_shipped().to_json())
    assert content["format_version"] == 2
    assert "inputs" not in content


def read_metadata_of_shipped():
    return Predictor("ka-t044").metadata


def test_a_checkpoint_keeps_settings_and_inputs(tmp_path):
    before = checkpoint("both", width=7, weight=2.5)
    save_checkpoint(before, tmp_path / "m.ckpt")
    after = load_checkpoint(tmp_path / "m.ckpt")
    assert (after.architecture, after.physics) == ("sees", before.physics)
    assert after.model.settings == {"inputs": ["history", "inherent"], "width": 7}
    assert float(after.model.weight.detach()) == 2.5


def test_a_network_and_its_physics_see_the_same():
    model = Sees(["history"])
    with pytest.raises(ValueError, match="network sees history, but its physics say no inputs"):
        Checkpoint(model, physics())
    with pytest.raises(ValueError, match="sees history, but its physics say history, inherent"):
        Checkpoint(model, physics(inputs=SEES["both"]))
    for wrong in (["inherent", "history"], ["future"], ["history", "history"]):
        with pytest.raises(ValueError, match="some of history, inherent, in this order, found"):
            Network(rounds=1, n_species=2, inputs=wrong)


def test_networks_of_different_kinds_form_a_committee(tmp_path):
    """The linear network takes seven rounds and waits for none, the other one takes two."""
    torch.manual_seed(1)
    inputs = SEES["history"]
    linear = Linear(CUTOFF, inputs=inputs.names)
    linear.weights.normal_(0, 0.01)
    linear.pair_weights.normal_(0, 0.01)
    equivariant = Equivariant(cutoff=CUTOFF, rounds=2, width=8, features=4, inputs=inputs.names)
    stands_for = physics(cutoff=CUTOFF, inputs=inputs)
    members = [Checkpoint(network, stands_for, {}) for network in (linear, equivariant)]
    metadata = export(members, tmp_path / "m.pt")
    assert (metadata.rounds, metadata.architecture) == (7, "linear and equivariant")
    configuration, alone = seen(), []
    for k, member in enumerate(members):
        export(member, tmp_path / f"{k}.pt")
        alone.append(Predictor(tmp_path / f"{k}.pt").predict(configuration))
    first, second = alone
    found = Predictor(tmp_path / "m.pt").predict(configuration)
    assert np.abs(first.node - second.node).max() > 0.01
    for whole, one, two in (
        (found.node, first.node, second.node),
        (found.edge, first.edge, second.edge),
    ):
        np.testing.assert_allclose(whole[:, :1], (one + two) / 2, atol=FLOAT32)
        np.testing.assert_allclose(whole[:, 1:], np.abs(one - two) / 2**0.5, atol=FLOAT32)


def test_a_committee_sees_what_its_members_see(tmp_path):
    members = [checkpoint("both", weight=weight) for weight in (1.0, 2.0, 6.0)]
    metadata = export(members, tmp_path / "m.pt")
    assert (metadata.inputs, metadata.width, metadata.node_input) == (SEES["both"], 15, "one-hot")
    configuration = seen()
    prediction = Predictor(tmp_path / "m.pt").predict(configuration)
    node, _ = expected_outputs(configuration, "both", CUTOFF)
    atol = 10 * FLOAT32 * np.abs(node).max()
    np.testing.assert_allclose(prediction.node[:, 0], 3 * node, atol=atol)
    # of 1, 2 and 6: the mean is 3, the sum of squares about it 14
    np.testing.assert_allclose(prediction.node[:, 1], 7**0.5 * np.abs(node), atol=atol)
    np.testing.assert_allclose(prediction.edge[:, 1], 0, atol=1e-6)


def test_members_that_see_different_things_are_refused_by_name(tmp_path):
    several = [checkpoint("history"), checkpoint("both")]
    with pytest.raises(
        ValueError,
        match=r"numbers 1 and 2 differ in what they see: .*history \(t_w = 30, .*and .*inherent",
    ):
        export(several, tmp_path / "m.pt")
    longer = Inputs(history=HISTORY.model_copy(update={"window": 60.0}))
    other = Checkpoint(Sees(["history"]), physics(cutoff=CUTOFF, inputs=longer))
    with pytest.raises(ValueError, match=r"t_w = 30, .*t_w = 60"):
        export([checkpoint("history"), other], tmp_path / "m.pt")
    with pytest.raises(ValueError, match="need the same inputs, found"):
        make_committee([Sees(["history"]), Sees(["inherent"])])
    assert not (tmp_path / "m.pt").exists()


def test_a_network_with_inputs_in_two_dimensions_is_exported(tmp_path):
    """The trial of `export` has no displacement out of the plane."""
    model = Sees(SEES["both"].names, n_species=3)
    metadata = export(
        Checkpoint(model, physics(mixture=KA2D, inputs=SEES["both"])), tmp_path / "m.pt"
    )
    assert metadata.mixture == KA2D


class Twice(Sees):
    """An output for each of two lag times."""

    @torch.jit.export
    def decode(self, node: torch.Tensor, edge: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.cat([node[:, :1], 2 * node[:, :1]], dim=1), torch.cat([edge, edge], dim=1)


def test_outputs_for_several_lag_times_have_numbers(tmp_path):
    def of_two(*lag_times):
        known = physics(cutoff=CUTOFF, inputs=SEES["both"], lag_times=lag_times)
        return Checkpoint(Twice(SEES["both"].names), known)

    metadata = export(of_two(13.0, 4120.0), tmp_path / "m.pt")
    assert metadata.node_outputs == ["propensity", "propensity_2"]
    metadata = export([of_two(13.0, 4120.0)] * 2, tmp_path / "m.pt")
    assert metadata.node_outputs == [
        *("propensity", "propensity_2"),
        *("propensity_std", "propensity_std_2"),
    ]
    assert len(metadata.edge_outputs) == 4
    with pytest.raises(ValueError, match="have 1 lag times: expected the outputs propensity, fou"):
        export(of_two(13.0), tmp_path / "m.pt")


def test_a_model_file_of_another_network_is_no_checkpoint(tmp_path):
    printed = run("export", written(tmp_path / "m.pt", "both"), "-o", tmp_path / "n.pt", fails=True)
    words = " ".join(printed.split())
    assert "expected a network botan or nt-gnn, which can be written anew" in words
    assert "found 'sees': give its checkpoint" in words


def test_the_samples_of_a_window_are_counted():
    assert (HISTORY.samples, HISTORY.samples_per_part) == (150, 15)
    steps = [HISTORY.steps_per_sample(dt) for dt in (0.001, 0.004, 0.08, 0.3, 1.0)]
    assert steps == [200, 50, 3, 1, 1]


def test_the_exported_file_runs_without_the_package(tmp_path):
    """Its code is in the file: torch alone loads and runs it."""
    written(tmp_path / "m.pt", "history")
    with pytest.warns(DeprecationWarning, match="torch.jit.load"):
        module = torch.jit.load(tmp_path / "m.pt")
    none = torch.zeros(0, dtype=torch.int64)
    node, _, edge, _ = module.encode(
        torch.zeros(3, dtype=torch.int64),
        torch.zeros(0, 3),
        torch.zeros(3, 1, 3),
        torch.ones(3, 2),
        none,
        none,
        2,
    )
    assert node.tolist() == [[2.0, 0, 0, 0, 0]] * 2
    assert edge.shape == (0, 1)
