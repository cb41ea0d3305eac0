"""Model files: the network survives the export, and Python refuses what is no model file."""

import json
import zipfile

import numpy as np
import pytest
import torch
from public_data import CONFIGURATION_401, needs_public_data, reference_outputs, weights

from lammps_botan.analysis.sample import read_sample
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import (
    Checkpoint,
    Physics,
    import_public_weights,
    save_checkpoint,
)
from lammps_botan.network.export import export
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.predictor import Scorer
from lammps_botan.structure.graph import build_graph


@pytest.fixture
def model_file(tmp_path):
    torch.manual_seed(3)
    physics = Physics(species=("A", "B"), cutoff=1.5, lag_times=(13.0,), temperature=0.5)
    export(Checkpoint(Botan(3, 16), physics, {"seed": 3}), tmp_path / "m.pt")
    return tmp_path / "m.pt"


def with_metadata(source, target, change):
    """A copy of a model file with other metadata."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename.endswith("extra/metadata.json"):
                content = change(content)
            if content is not None:
                new.writestr(item, content)
    return target


@needs_public_data
def test_an_exported_model_gives_the_public_outputs(tmp_path):
    export(import_public_weights(weights(2), Physics()), tmp_path / "model2.pt")
    prediction = Scorer(tmp_path / "model2.pt").score(read_sample(CONFIGURATION_401).graph)
    for ours, theirs in zip((prediction.node, prediction.edge), reference_outputs(2), strict=True):
        np.testing.assert_allclose(ours[:, 0], theirs, atol=2e-5)


def test_the_file_says_what_it_is(model_file):
    metadata = read_metadata(model_file)
    assert metadata.species == ["A", "B"]
    assert (metadata.cutoff, metadata.rounds, metadata.width) == (1.5, 3, 16)
    assert (metadata.lag_times, metadata.temperature, metadata.units) == ([13.0], 0.5, "lj")
    assert metadata.node_outputs == ["propensity"]
    assert metadata.edge_outputs == ["pair_distance_change"]
    assert metadata.provenance == {"seed": 3}
    assert metadata.versions["torch"] == str(torch.__version__)


def test_an_exported_model_scores_like_the_network(model_file, tmp_path):
    rng = np.random.default_rng(8)
    graph = build_graph(rng.random((80, 3)) * 4, 4.0, rng.integers(2, size=80), cutoff=1.5)
    prediction = Scorer(model_file).score(graph)
    torch.manual_seed(3)
    with torch.inference_mode():
        node, edge = Botan(3, 16)(
            torch.from_numpy(graph.species),
            torch.from_numpy(graph.vectors).float(),
            torch.from_numpy(graph.center),
            torch.from_numpy(graph.neighbor),
        )
    np.testing.assert_allclose(prediction.node, node, atol=1e-6)
    np.testing.assert_allclose(prediction.edge, edge, atol=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["m.pt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: None, "lammps-botan export"),
        (lambda _: b"{", "not a model file"),
        (lambda _: b"[]", "not a model file of lammps-botan"),
        (lambda c: json.dumps(json.loads(c) | {"format_version": 2}).encode(), "format 2, this"),
        (
            lambda c: json.dumps(
                {k: v for k, v in json.loads(c).items() if k != "cutoff"}
            ).encode(),
            "metadata.json has no key 'cutoff'",
        ),
        (
            lambda c: json.dumps(json.loads(c) | {"rounds": 0}).encode(),
            "'rounds' must be a positive integer, found 0",
        ),
        (
            lambda c: c.replace(b'"rounds": 3', b'"rounds": Infinity'),
            "'rounds' must be a positive integer, found inf",
        ),
        (
            lambda c: json.dumps(json.loads(c) | {"species": ["A", "A"]}).encode(),
            "'species' must be a list of different names",
        ),
    ],
)
def test_wrong_metadata_is_refused(model_file, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        Scorer(with_metadata(model_file, tmp_path / "wrong.pt", change))


def test_what_is_no_model_file_is_refused(tmp_path):
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.pt: not a model file"):
        Scorer(tmp_path / "text.pt")
    save_checkpoint(Checkpoint(Botan(1, 4), Physics()), tmp_path / "m.ckpt")
    with pytest.raises(ValueError, match=r"lammps-botan export .*m\.ckpt -o model\.pt"):
        Scorer(tmp_path / "m.ckpt")
    with pytest.raises(FileNotFoundError, match="no model that ships has this name"):
        Scorer("nothing-like-this")


def test_a_species_the_model_does_not_know_is_refused(model_file):
    graph = build_graph(np.zeros((1, 3)), 9.0, [2])
    with pytest.raises(ValueError, match=r"knows 2 species .A, B., found species number 2"):
        Scorer(model_file).score(graph)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_named(model_file):
    with pytest.raises(ValueError, match="torch finds no CUDA device here; use 'cpu'"):
        Scorer(model_file, device="cuda")
