"""What a model saw in training stands in its checkpoint and its model file, and is checked."""

import json

import numpy as np
import pytest
import torch
from engines import physics
from seeing import SEES, Sees
from test_export import run, with_metadata
from test_input_statistics import NEAREST, SAW, checkpoint
from wrong_seen import WRONG_SEEN

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import (
    NETWORKS,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from lammps_botan.network.export import add_fallback, export
from lammps_botan.network.metadata import read_content, read_metadata
from lammps_botan.network.model_file import read_checkpoints
from lammps_botan.network.shipped import find_model

SEEING = ["ka-t044-history", "ka-t044-inherent", "ka-t044-long-history", "ka-t064-history"]


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(NETWORKS, "sees", Sees)


def test_a_checkpoint_keeps_what_its_network_saw(tmp_path):
    save_checkpoint(checkpoint(), tmp_path / "m.ckpt")
    assert load_checkpoint(tmp_path / "m.ckpt").seen == SAW


def test_a_checkpoint_from_before_says_nothing(tmp_path):
    save_checkpoint(checkpoint(), tmp_path / "m.ckpt")
    content = torch.load(tmp_path / "m.ckpt", weights_only=True)
    del content["seen"]
    torch.save(content, tmp_path / "m.ckpt")
    assert load_checkpoint(tmp_path / "m.ckpt").seen is None


def test_a_damaged_record_in_a_checkpoint_is_refused(tmp_path):
    save_checkpoint(checkpoint(), tmp_path / "m.ckpt")
    content = torch.load(tmp_path / "m.ckpt", weights_only=True)
    content["seen"]["mean"][0][0] = float("nan")
    torch.save(content, tmp_path / "m.ckpt")
    with pytest.raises(ValueError, match=r"m\.ckpt: a damaged checkpoint: .*mean\.0\.0.* finite"):
        load_checkpoint(tmp_path / "m.ckpt")


def test_what_a_network_saw_must_be_what_it_sees():
    with pytest.raises(ValueError, match=r"expected 2 species with 3 quantities .*, found 2 with"):
        Checkpoint(Sees(["inherent"]), physics(inputs=SEES["inherent"]), {}, SAW)
    with pytest.raises(ValueError, match=r"expected 2 species with 3 quantities .*, found 2 with"):
        Checkpoint(Botan(1, 4), physics(), {}, SAW)


def test_the_model_file_says_what_its_network_saw(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    assert read_metadata(tmp_path / "m.pt").seen == SAW
    assert read_content(tmp_path / "m.pt")["seen"] == SAW.model_dump(mode="json")


def test_a_committee_says_what_its_members_say(tmp_path):
    other = SAW.model_copy(update={"mean": ((0.1, 0.02, -6.0, 0.74), (0.2, 0.04, -5.5, 0.87))})
    export([checkpoint(), checkpoint(other), checkpoint(None)], tmp_path / "m.pt")
    seen = read_metadata(tmp_path / "m.pt").seen
    assert seen.mean[1][2] == -5.25
    assert seen.deviation[1][2] == pytest.approx(0.25 * np.sqrt(2))
    np.testing.assert_allclose(seen.deviation[0], SAW.deviation[0], rtol=1e-12)


def test_a_file_that_is_written_anew_says_the_same(tmp_path):
    """From its weights, and with a fallback."""
    network = Botan(2, 8, 2, inputs=["history"])
    export(Checkpoint(network, physics(inputs=SEES["history"]), {}, SAW), tmp_path / "m.pt")
    export(read_checkpoints(tmp_path / "m.pt"), tmp_path / "again.pt")
    assert read_metadata(tmp_path / "again.pt").seen == SAW
    export(Checkpoint(Botan(2, 8), physics()), tmp_path / "thermal.pt")
    add_fallback(tmp_path / "m.pt", tmp_path / "thermal.pt", tmp_path / "both.pt")
    assert read_metadata(tmp_path / "both.pt").seen == SAW
    assert "seen" not in read_content(tmp_path / "thermal.pt")


def saying(seen, source, target):
    return with_metadata(
        source, target, lambda text: json.dumps(json.loads(text) | {"seen": seen}).encode()
    )


def changed(tmp_path, seen):
    """A model file that says something else of what its model saw."""
    export(checkpoint(), tmp_path / "right.pt")
    return saying(seen, tmp_path / "right.pt", tmp_path / "m.pt")


@pytest.mark.parametrize("case", WRONG_SEEN)
def test_impossible_statistics_are_refused(tmp_path, case):
    seen, message, _ = WRONG_SEEN[case]
    with pytest.raises(ValueError, match=rf"m\.pt: metadata\.json: {message}"):
        read_metadata(changed(tmp_path, seen))


def test_nothing_is_said_by_null(tmp_path):
    assert read_metadata(changed(tmp_path, None)).seen is None


def test_statistics_of_inputs_that_a_model_does_not_see_are_refused(tmp_path):
    export(Checkpoint(Botan(1, 4), physics()), tmp_path / "thermal.pt")
    wrong = saying(SAW.model_dump(mode="json"), tmp_path / "thermal.pt", tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"'seen': expected 2 species with 3 quantities \(num"):
        read_metadata(wrong)


def test_info_says_what_the_model_saw(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    printed = run("info", tmp_path / "m.pt")
    assert "distance to the mean position: A 0.1 +- 0.05, B 0.2 +- 0.1" in printed
    assert "mean energy: A -6 +- 0.5, B -5 +- 0.25" in printed
    assert f"{NEAREST}: A 0.74 +- 0.02, B 0.87 +- 0.1" in " ".join(printed.split())
    export(checkpoint(None), tmp_path / "m.pt")
    assert "not recorded: nothing is compared with it" in " ".join(
        run("info", tmp_path / "m.pt").split()
    )


def test_the_models_that_ship_say_what_they_saw():
    for name in SEEING:
        metadata = read_metadata(find_model(name))
        # potential energies of A and B in the liquid, and below them in its inherent structures
        energies = [mean[-2] for mean in metadata.seen.mean]
        expected = {"ka-t044-inherent": [-7.08, -5.93], "ka-t064-history": [-5.97, -5.17]}
        assert energies == pytest.approx(expected.get(name, [-6.40, -5.44]), abs=0.01)
        # 1.35 sigma is a bond; particles hardly come closer than sigma
        for mean, deviation in zip(metadata.seen.mean, metadata.seen.deviation, strict=True):
            assert mean[-1] == pytest.approx(1.07 / 1.35, abs=0.025)
            assert deviation[-1] < 0.035
    for name in ("ka-t044", "ka-t044-equivariant", "ka-t064"):
        # a sphere of radius 2 at density 1.2 has 40.2 particles, four fifths of them A; one of them
        # is the particle itself, and what is beyond the first shells is a little more than that
        for mean in read_metadata(find_model(name)).seen.mean:
            assert sum(mean[:2]) == pytest.approx(40.2, rel=0.06)
            assert mean[0] / sum(mean[:2]) == pytest.approx(0.8, abs=0.02)
            assert mean[2] == pytest.approx(1.02 / 1.35, abs=0.03)
