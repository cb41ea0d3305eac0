"""Model files: the network survives the export, and Python refuses what is no model file."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from engines import Doubled, network, physics, random_graph, tensors
from public_data import CONFIGURATION_401, needs_public_data, reference_outputs, weights

from lammps_botan.cli import main
from lammps_botan.files.ensemble import read_start
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, save_checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.public_weights import import_public_weights
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN


@pytest.fixture
def model_file(tmp_path):
    torch.manual_seed(3)
    stands_for = physics(cutoff=1.5, lag_times=(13.0,), temperature=0.5)
    export(Checkpoint(Botan(3, 16), stands_for, {"seed": 3}), tmp_path / "m.pt")
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
    export(import_public_weights(weights(2), physics()), tmp_path / "model2.pt")
    prediction = Predictor(tmp_path / "model2.pt").predict(read_start(CONFIGURATION_401))
    for ours, theirs in zip((prediction.node, prediction.edge), reference_outputs(2), strict=True):
        np.testing.assert_allclose(ours[:, 0], theirs, atol=2e-5)


def test_the_file_says_what_it_is(model_file):
    metadata = read_metadata(model_file)
    assert metadata.species == ["A", "B"]
    assert (metadata.mixture, metadata.node_input) == (KOB_ANDERSEN, "number")
    assert (metadata.cutoff, metadata.rounds, metadata.width) == (1.5, 3, 16)
    assert (metadata.lag_times, metadata.temperature, metadata.units) == ([13.0], 0.5, "lj")
    assert metadata.node_outputs == ["propensity"]
    assert metadata.edge_outputs == ["pair_distance_change"]
    assert metadata.provenance == {"seed": 3}
    assert metadata.versions["torch"] == str(torch.__version__)


def test_an_exported_model_scores_like_the_network(model_file, tmp_path):
    graph = random_graph(80, 4.0, cutoff=1.5, seed=8)
    prediction = Predictor(model_file).predict_graph(graph)
    torch.manual_seed(3)
    with torch.inference_mode():
        node, edge = Botan(3, 16)(*tensors(graph))
    np.testing.assert_allclose(prediction.node, node, atol=1e-6)
    np.testing.assert_allclose(prediction.edge, edge, atol=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["m.pt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: None, "lammps-botan export"),
        (lambda _: b"{", "not a model file"),
        (lambda _: b"[]", "not a model file of lammps-botan"),
        (lambda c: json.dumps(json.loads(c) | {"format_version": 4}).encode(), "format 4, this"),
        (
            lambda c: json.dumps(
                {k: v for k, v in json.loads(c).items() if k != "cutoff"}
            ).encode(),
            "metadata.json: no key 'cutoff'",
        ),
        (
            lambda c: json.dumps(json.loads(c) | {"rounds": 0}).encode(),
            "'rounds': .* greater than or equal to 1, found 0",
        ),
        (
            lambda c: c.replace(b'"rounds": 3', b'"rounds": Infinity'),
            "'rounds': .* valid integer, found inf",
        ),
        (
            lambda c: c.replace(b'"B"', b'"A"'),
            "'mixture.species': must be different names",
        ),
        (
            lambda c: c.replace(b'"rounds": 3', b'"rounds": 2'),
            "2 rounds, as metadata.json has them, give other numbers than the model itself",
        ),
        (
            lambda c: c.replace(b'"rounds": 3', b'"rounds": 2147483647'),
            "'rounds': .* less than or equal to 1000, found 2147483647",
        ),
        (
            lambda c: c.replace(b'"width": 16', b'"width": 65537'),
            "'width': .* less than or equal to 65536",
        ),
        (
            lambda c: json.dumps(json.loads(c) | {"cutoff": 1e300}).encode(),
            "'cutoff': .* less than or equal to 1000000",
        ),
        (
            lambda c: json.dumps(json.loads(c) | {"cutoff": 28.0}).encode(),
            "'cutoff': expected 20 times the longest bond, 1.35, or less, found 28",
        ),
        (
            lambda c: json.dumps(json.loads(c) | {"edge_outputs": ["a"] * 1001}).encode(),
            "'edge_outputs': .* at most 1000 items",
        ),
        (lambda _: b"[" * 80000, "not a model file"),
        (lambda _: b"{" + b" " * 2**24 + b"}", "16777216 bytes of metadata.json or less, found"),
    ],
)
def test_wrong_metadata_is_refused(model_file, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        Predictor(with_metadata(model_file, tmp_path / "wrong.pt", change))


def test_what_is_no_model_file_is_refused(tmp_path):
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.pt: not a model file"):
        Predictor(tmp_path / "text.pt")
    save_checkpoint(Checkpoint(Botan(1, 4), physics()), tmp_path / "m.ckpt")
    with pytest.raises(ValueError, match=r"lammps-botan export .*m\.ckpt -o model\.pt"):
        Predictor(tmp_path / "m.ckpt")
    with pytest.raises(FileNotFoundError, match="no model that ships has this name"):
        Predictor("nothing-like-this")


def test_a_species_the_model_does_not_know_is_refused(model_file):
    for wrong in (2, -1):
        graph = replace(random_graph(1, 9.0, cutoff=1.5), species=np.array([wrong]))
        for predict in ("predict_graph", "predict_by_torch"):
            with pytest.raises(
                ValueError, match=rf"2 species .A, B., found species number {wrong}"
            ):
                getattr(Predictor(model_file), predict)(graph)


def test_a_mixture_with_other_bonds_is_named_in_a_warning(model_file):
    """The numbers are those of the model all the same: a graph has no bond lengths."""
    rng = np.random.default_rng(0)
    arrays = {"positions": rng.random((40, 3)) * 5, "species": rng.integers(2, size=40)}
    lengths = {"bond_lengths": ((1.5, 1.2), (1.2, 1.3)), "name": "wide"}
    predictor, box = Predictor(model_file), Box(5.0, (True, True, True))
    plain = predictor.predict(Configuration(**arrays, box=box, mixture=KOB_ANDERSEN))
    other = Configuration(**arrays, box=box, mixture=KOB_ANDERSEN.model_copy(update=lengths))
    with pytest.warns(UserWarning, match="is wide, but .* on kob-andersen; .* differ in bond len"):
        warned = predictor.predict(other)
    np.testing.assert_array_equal(warned.node, plain.node)


def test_a_plane_that_is_stacked_along_z_is_refused(model_file):
    """Two dimensions, of which somebody forgot that they have no images along z."""
    positions = np.random.default_rng(0).random((40, 3)) * [5, 5, 0]
    box = Box([5.0, 5.0, 1.0], (True, True, True))
    plane = Configuration(positions=positions, species=np.zeros(40, int), box=box)
    with pytest.raises(ValueError, match=r"in one plane, .* every 1 along z, .*True, True, False"):
        Predictor(model_file).predict(plane)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_named(model_file):
    with pytest.raises(ValueError, match="torch finds no CUDA device here; use 'cpu'"):
        Predictor(model_file, device="cuda")


@pytest.mark.parametrize("kind", [Botan, NtGnn])
def test_a_network_of_three_species_in_two_dimensions_is_exported(kind, tmp_path):
    torch.manual_seed(5)
    model = kind(2, 16, n_species=3)
    metadata = export(Checkpoint(model, physics(mixture=KA2D)), tmp_path / "m.pt")
    assert (metadata.mixture, metadata.node_input) == (KA2D, "one-hot")
    rng = np.random.default_rng(6)
    flat = Configuration(
        positions=rng.random((70, 2)) * 6,
        species=rng.integers(3, size=70),
        box=Box([6.0, 6.0], (True, True, False)),
    )
    predictor = Predictor(tmp_path / "m.pt")
    prediction = predictor.predict(flat)
    assert predictor.engine == "torch"
    with torch.inference_mode():
        node, edge = model(*tensors(prediction.graph))
    np.testing.assert_allclose(prediction.node, node, atol=1e-6)
    np.testing.assert_allclose(prediction.edge, edge, atol=1e-6)


def to_version_1(content):
    """Metadata as they were before mixtures."""
    after = json.loads(content)
    mixture = after.pop("mixture")
    del after["node_input"]
    provenance = after["provenance"]
    if "committee" in provenance:
        provenance = {"ensemble": provenance["committee"]}
    then = {"format_version": 1, "species": mixture["species"], "units": "lj"}
    return json.dumps(after | then | {"provenance": provenance}).encode()


def run(*words, fails=False):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert (result.exit_code != 0) == fails, result.output
    return result.output


@pytest.mark.parametrize(
    "models",
    [[Botan(2, 16)], [network()], [network(1), network(2)], [NtGnn(2, 8)]],
    ids=["small", "usual", "committee", "nt-gnn"],
)
def test_a_model_file_of_version_1_is_written_anew(models, tmp_path):
    checkpoints = [Checkpoint(m, physics(), {"seed": k}) for k, m in enumerate(models)]
    expected = export(checkpoints, tmp_path / "new.pt")
    old = with_metadata(tmp_path / "new.pt", tmp_path / "old.pt", to_version_1)
    with pytest.raises(ValueError, match=r"export it again: `lammps-botan export .*old\.pt -o new"):
        Predictor(old)
    run("export", old, "-o", tmp_path / "again.pt")
    assert read_metadata(tmp_path / "again.pt") == expected
    graph = random_graph(60, 5.0)
    again, new = (Predictor(tmp_path / f"{n}.pt").predict_graph(graph) for n in ("again", "new"))
    np.testing.assert_array_equal(again.node, new.node)
    np.testing.assert_array_equal(again.edge, new.edge)


def test_a_file_with_the_weights_but_another_formula_is_not_written_anew(tmp_path):
    model = Doubled(3, 64)
    model.load_state_dict(network().state_dict())
    with pytest.warns(UserWarning, match="Doubled computes something else"):
        export(Checkpoint(model, physics()), tmp_path / "new.pt")
    old = with_metadata(tmp_path / "new.pt", tmp_path / "old.pt", to_version_1)
    printed = " ".join(run("export", old, "-o", tmp_path / "again.pt", fails=True).split())
    assert "does not compute what the network 'botan' computes" in printed
    assert not (tmp_path / "again.pt").exists()


def test_a_model_file_of_version_1_with_other_species_is_refused(tmp_path):
    export(Checkpoint(Botan(1, 4), physics()), tmp_path / "new.pt")
    old = with_metadata(
        tmp_path / "new.pt",
        tmp_path / "old.pt",
        lambda c: to_version_1(c).replace(b'["A", "B"]', b'["Cu", "Zr"]'),
    )
    printed = " ".join(run("export", old, "-o", tmp_path / "again.pt", fails=True).split())
    assert "does not say what the species Cu Zr are: expected A B" in printed
