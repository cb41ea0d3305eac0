"""Model files with a fallback: written, described and loaded by Python."""

import json
import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from fallbacks import remembers, save_all, save_remembering, save_thermal
from liquids import NO_GLASS
from model_archives import with_extra_file
from seeing import Sees, seen
from test_export import run, with_metadata
from toy_inputs import save_inherent
from toy_models import Walks, save_model

from lammps_botan.network.checkpoint import NETWORKS, save_checkpoint
from lammps_botan.network.export import add_fallback
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.module import load_module
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import find_model
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KOB_ANDERSEN

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    save_all(tmp_path)
    return tmp_path


def with_history() -> Configuration:
    """Energies are negative, and so the propensities of `remembers` positive."""
    known = seen()
    return replace(known, history=replace(known.history, window=0.15))


# --- what the file is -----------------------------------------------------------------------------


def test_the_fallback_is_the_whole_model_file(folder):
    with zipfile.ZipFile(folder / "m.pt") as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("/extra/fallback.pt"))
        assert archive.read(name) == (folder / "thermal.pt").read_bytes()


def test_a_reader_that_does_not_know_of_fallbacks_reads_the_file(folder):
    """The format is that of models with inputs, and the model is the same."""
    metadata, plain = (read_metadata(folder / name) for name in ("m.pt", "plain.pt"))
    assert json.loads(metadata.to_json())["format_version"] == 3
    assert metadata.provenance == {"seed": 1, "fallback": "thermal"}
    assert metadata.model_copy(update={"provenance": plain.provenance}) == plain
    without = with_extra_file(folder / "m.pt", folder / "without.pt", "fallback.pt", None)
    here, there = (
        Predictor(folder / name).predict(with_history()) for name in ("plain.pt", without)
    )
    np.testing.assert_array_equal(here.node, there.node)


def test_info_names_the_fallback(folder):
    assert "thermal (botan), until the history is full" in run("info", folder / "m.pt")
    assert "until the history is full" not in run("info", folder / "plain.pt")
    content = json.loads(run("info", "--json", folder / "m.pt"))
    assert content["fallback"]["architecture"] == "botan"
    assert content["fallback"]["format_version"] == 2
    assert "fallback" not in json.loads(run("info", "--json", folder / "plain.pt"))


# --- what predicts --------------------------------------------------------------------------------


def test_the_model_predicts_as_without_its_fallback(folder):
    here, there = (
        Predictor(folder / name).predict(with_history()) for name in ("m.pt", "plain.pt")
    )
    np.testing.assert_array_equal(here.node, there.node)
    np.testing.assert_array_equal(here.edge, there.edge)
    assert here.node.min() > 0


def test_the_fallback_predicts_what_its_file_predicts(folder):
    fallback = Predictor(folder / "m.pt").fallback
    alone = Predictor(folder / "thermal.pt")
    configuration = replace(seen(), history=None)
    here, there = fallback.predict(configuration), alone.predict(configuration)
    np.testing.assert_array_equal(here.node, there.node)
    np.testing.assert_array_equal(here.edge, there.edge)
    assert np.ptp(here.node) > 0.01
    assert (fallback.engine, fallback.metadata) == (alone.engine, alone.metadata)
    assert fallback.fallback is None
    assert Predictor(folder / "plain.pt").fallback is None


def test_the_fallback_never_stands_in_for_the_model_in_silence(folder):
    configuration = replace(seen(), history=None)
    ours = r"has no history.*; or take thermal, the fallback .*\(predictor\.fallback in Python\)"
    with pytest.raises(ValueError, match=ours):
        Predictor(folder / "m.pt").predict(configuration)
    with pytest.raises(ValueError, match="has no history") as caught:
        Predictor(folder / "plain.pt").predict(configuration)
    assert "fallback" not in str(caught.value)
    # a history over another window is a mistake, not a history that is not there yet
    with pytest.raises(ValueError, match="found a history with t_w = 30") as caught:
        Predictor(folder / "m.pt").predict(seen())
    assert "fallback" not in str(caught.value)


# --- how it gets in -------------------------------------------------------------------------------


def test_export_takes_the_fallback_of_a_checkpoint(folder, monkeypatch):
    monkeypatch.setitem(NETWORKS, "sees", Sees)
    save_checkpoint(remembers(), folder / "m.ckpt")
    words = ("--fallback", folder / "thermal.pt", "-o", folder / "new.pt")
    assert "fix ID all botan 1000" in run("export", folder / "m.ckpt", *words)
    assert Predictor(folder / "new.pt").fallback is not None
    here, there = (Predictor(folder / f"{n}.pt").predict(with_history()) for n in ("new", "m"))
    np.testing.assert_array_equal(here.node, there.node)


def test_a_model_file_of_any_network_gets_a_fallback_and_keeps_its_weights(folder):
    """Also in place; what else its metadata say stays, a fallback that it has is replaced."""
    save_thermal(folder / "other.pt", temperature=0.442)
    known = with_metadata(
        folder / "plain.pt",
        folder / "new.pt",
        lambda content: json.dumps(json.loads(content) | {"later": [1, 2]}).encode(),
    )
    for name in ("thermal", "other"):
        run("export", known, "--fallback", folder / f"{name}.pt", "-o", known)
        after = Predictor(known)
        assert after.metadata.provenance == {"seed": 1, "fallback": name}
        assert after.fallback.metadata == read_metadata(folder / f"{name}.pt")
    with zipfile.ZipFile(known) as archive:
        names = archive.namelist()
        assert sum(n.endswith("/extra/fallback.pt") for n in names) == 1
        (content,) = (archive.read(n) for n in names if n.endswith("/extra/metadata.json"))
    assert json.loads(content)["later"] == [1, 2]
    before = load_module(folder / "plain.pt", CPU).state_dict()
    for key, weights in load_module(known, CPU).state_dict().items():
        assert torch.equal(weights, before[key]), key


@pytest.mark.filterwarnings(NO_GLASS)
def test_the_fallback_that_ships_is_the_thermal_model():
    ours = Predictor("ka-t044-history")
    assert ours.metadata.provenance["fallback"] == "ka-t044"
    assert ours.fallback.metadata == read_metadata(find_model("ka-t044"))
    thermal = replace(seen(length=7.0), history=None)
    np.testing.assert_array_equal(
        ours.fallback.predict(thermal).node, Predictor("ka-t044").predict(thermal).node
    )


# --- what is refused ------------------------------------------------------------------------------


WIDER = KOB_ANDERSEN.model_copy(update={"bond_lengths": ((1.4, 1.08), (1.08, 1.188))})
OTHERS = {
    "cutoff": ({"cutoff": 1.5}, r"fallback with the cutoff of the model, 2\.0, found 1\.5"),
    "lag time": (
        {"lag_times": (130.0,)},
        r"the lag times of the model, \[4120\.0\], found \[130\.0\]",
    ),
    "quantity": (
        {"node": "R"},
        r"the node outputs of the model, \['propensity'\], found \['R'\]",
    ),
    "bond lengths": (
        {"mixture": WIDER},
        r"for the mixture of the model; they differ in bond lengths .*1\.35.* and .*1\.4",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_fallback_for_something_else_is_refused(case, folder):
    """When it is exported, and when a file with it is loaded."""
    changes, message = OTHERS[case]
    other = save_thermal(folder / "other.pt", **changes)
    with pytest.raises(ValueError, match=rf"other\.pt: expected a {message}|{message}"):
        save_remembering(folder / "new.pt", other)
    with pytest.raises(ValueError, match=message):
        add_fallback(folder / "plain.pt", other, folder / "new.pt")
    assert not (folder / "new.pt").exists()
    wrong = with_extra_file(folder / "m.pt", folder / "w.pt", "fallback.pt", other.read_bytes())
    with pytest.raises(ValueError, match=rf"w\.pt: its fallback: .*{message}"):
        Predictor(wrong)


@pytest.mark.parametrize("key", ["temperature", "density"])
def test_a_fallback_for_another_condition_is_refused(key, folder):
    other = save_thermal(folder / "other.pt", **{key: 0.44})

    def at(content):
        return json.dumps(json.loads(content) | {key: 0.64}).encode()

    model = with_metadata(folder / "plain.pt", folder / "warm.pt", at)
    with pytest.raises(ValueError, match=f"for the {key} of the model, 0.64, found 0.44"):
        add_fallback(model, other, folder / "new.pt")
    assert not (folder / "new.pt").exists()


def test_a_fallback_without_edge_outputs_is_refused(folder):
    """The order and the names of outputs are those of the columns of the fix."""
    mixture = KOB_ANDERSEN.model_dump(mode="json")
    names = {"node_outputs": ["propensity"], "lag_times": [4120.0], "edge_outputs": []}
    save_model(folder / "other.pt", Walks(edge_outputs=0), mixture=mixture, **names)
    with pytest.raises(
        ValueError, match=r"edge outputs of the model, \['pair_distance_change'\], found \[\]"
    ):
        add_fallback(folder / "plain.pt", folder / "other.pt", folder / "new.pt")


def test_a_fallback_that_sees_more_than_positions_is_refused(folder):
    inherent = save_inherent(folder / "i.pt", 0.1)
    for other, words in ((inherent, "inherent structure"), (folder / "m.pt", "history")):
        with pytest.raises(ValueError, match=rf"sees positions, species, {words} .*: expected a"):
            add_fallback(folder / "plain.pt", other, folder / "new.pt")


def test_a_model_without_a_history_has_no_fallback(folder):
    message = "the model sees positions, species: expected a model that sees a history"
    with pytest.raises(ValueError, match=message):
        add_fallback(folder / "thermal.pt", folder / "thermal.pt", folder / "new.pt")
    content = (folder / "thermal.pt").read_bytes()
    wrong = with_extra_file(folder / "thermal.pt", folder / "w.pt", "fallback.pt", content)
    with pytest.raises(ValueError, match=rf"w\.pt: its fallback: .*{message}"):
        Predictor(wrong)


def test_a_fallback_has_none_of_its_own(folder):
    content = (folder / "thermal.pt").read_bytes()
    double = with_extra_file(folder / "thermal.pt", folder / "d.pt", "fallback.pt", content)
    with pytest.raises(ValueError, match=r"d\.pt: has a fallback of its own"):
        add_fallback(folder / "plain.pt", double, folder / "new.pt")


def test_what_is_no_model_file_is_no_fallback(folder, monkeypatch):
    """None of its code is loaded."""
    for name, content in (("text", b"hello"), ("archive", b"PK\5\6" + bytes(18))):
        wrong = with_extra_file(folder / "m.pt", folder / f"{name}.pt", "fallback.pt", content)
        with pytest.raises(ValueError, match=rf"{name}\.pt: its fallback: not a model file"):
            Predictor(wrong)
    old = with_metadata(
        folder / "thermal.pt",
        folder / "old.pt",
        lambda c: json.dumps(json.loads(c) | {"format_version": 1}).encode(),
    )
    loaded = []
    monkeypatch.setattr(torch.jit, "load", lambda *given, **more: loaded.append(given))
    with pytest.raises(ValueError, match=re.escape("old.pt: model file format 1, this version")):
        add_fallback(folder / "plain.pt", old, folder / "new.pt")
    assert not loaded
