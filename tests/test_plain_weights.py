"""Plain weights of model files: what is written, what is refused, and what needs no torch."""

import json
import shutil
import struct
import sys

import numpy as np
import pytest
import safetensors.numpy
import torch
from engines import network, physics, random_graph, write
from lmp import GLASS, run_lmp
from model_archives import with_plain_weights

from lammps_botan import plugin
from lammps_botan.network.archive import Archive
from lammps_botan.network.botan import ThermalBotan
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.linear import Linear
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.model_file import read_checkpoints
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import find_model, shipped_models
from lammps_botan.network.weights import WEIGHTS, read_weights
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph

NAMES = [model.name for model in shipped_models()]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write(tmp_path_factory.mktemp("model") / "m.pt", network())


def test_the_weights_in_a_file_are_those_of_the_network_to_the_last_bit(tmp_path):
    members = [network(1), network(2)]
    archive = Archive(write(tmp_path / "m.pt", *members))
    found = read_weights(archive, read_metadata(archive))
    assert [one.kind for one in found] == ["botan", "botan"]
    for one, member in zip(found, members, strict=True):
        assert one.tensors.keys() == member.state_dict().keys()
        for name, tensor in member.state_dict().items():
            np.testing.assert_array_equal(one.tensors[name], tensor.numpy())


def test_weights_are_safetensors_as_others_read_them(model):
    """The first tensor of the file, by the format's own description."""
    content = Archive(model).extra_file(WEIGHTS)
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    place = header["0.output.bias"]
    first, last = place["data_offsets"]
    (value,) = struct.unpack("<f", content[8 + length :][first:last])
    assert place["dtype"] == "F32"
    assert value == network().output.bias.item()


@pytest.mark.parametrize("name", NAMES)
def test_every_model_that_ships_has_plain_weights(name):
    predictor = Predictor(name)
    assert predictor.engine != "torch"
    fallback = predictor.fallback
    assert fallback is None or fallback.engine != "torch"


def glass_of(kind):
    """600 particles anywhere; some at one point, or in a cell that is left-handed and tilted."""
    rng = np.random.default_rng(3)
    positions, length = rng.random((600, 3)) * 7.94, 7.94
    cell = np.diag([length] * 3)
    if kind == "overlap":
        positions[1], positions[3] = positions[0], positions[2] + 1e-9
    else:
        cell = np.array([[0, length, 0], [length, 0, 0], [1.5, 2.0, length]])
    species = (np.arange(600) % 5 == 0).astype(int)
    return Configuration(positions, species, Box(cell, (True, True, True)))


@pytest.mark.parametrize("kind", ["overlap", "left-handed"])
@pytest.mark.parametrize("name", NAMES)
def test_unusual_glasses_are_scored_as_torch_scores_them(name, kind):
    predictor, rng = Predictor(name), np.random.default_rng(4)
    graph = build_graph(glass_of(kind), predictor.metadata.cutoff)
    inputs, given = predictor.metadata.inputs, []
    if inputs.names:
        vectors, scalars = (600, inputs.n_vectors, 3), (600, inputs.n_scalars)
        given = [rng.normal(0, 0.1, vectors), rng.gamma(2.0, 0.01, scalars)]
    given = [array.astype(np.float32) for array in given]
    found, expected = (
        predictor.predict_graph(graph, *given),
        predictor.predict_by_torch(graph, *given),
    )
    for ours, theirs in ((found.node, expected.node), (found.edge, expected.edge)):
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())


def test_a_network_is_made_again_from_its_plain_weights(tmp_path):
    given = Linear(2.0, generations=2)
    given.weights += torch.linspace(-1, 1, given.weights.numel()).view_as(given.weights)
    export(Checkpoint(given, physics()), tmp_path / "m.pt")
    (again,) = read_checkpoints(tmp_path / "m.pt")
    assert again.model.settings == given.settings
    assert torch.equal(again.model.weights, given.weights)


def rounds(metadata):
    metadata["networks"][0]["settings"]["rounds"] = 2


def other_setting(metadata):
    metadata["networks"][0]["settings"]["residual"] = True


def ends_early(metadata):
    """A name that C would end at the sign 0."""
    metadata["networks"][0]["settings"]["n_species\0"] = 1


def flag_in_words(metadata):
    metadata["networks"][0]["settings"]["history"] = "true"


def fraction(metadata):
    metadata["networks"][0]["settings"]["rounds"] = 2.5


def huge(metadata):
    metadata["networks"][0]["settings"]["rounds"] = 1e9


def no_networks(metadata):
    metadata["networks"] = []


def cutoff(metadata):
    metadata["networks"][0]["settings"]["cutoff"] = 2.5


def words(metadata):
    metadata["networks"][0]["settings"]["rounds"] = "3"


def more(metadata):
    metadata["networks"] *= 2


def edit_header(change):
    def edit(content):
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        change(header)
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return edit


def drop(header):
    # the numbers stay, so that only the name is missing
    header["0.output.gain"] = header.pop("0.output.bias")


def half(header):
    header["0.output.bias"]["dtype"] = "F16"


def other_shape(header):
    header["0.output.weight"]["shape"] = [64, 1]


def outside(header):
    first, last = header["0.output.bias"]["data_offsets"]
    header["0.output.bias"]["data_offsets"] = [first + 2**40, last + 2**40]


def foreign(header):
    header["7.output.bias"] = header.pop("0.output.bias")


def another(content):
    tensors = safetensors.numpy.load(content)
    return safetensors.numpy.save(tensors | {"0.gain": np.ones(1, np.float32)})


def nan(content):
    return content[:-4] + struct.pack("<f", float("nan"))


WRONG = {
    "rounds": ({"change_metadata": rounds}, "have rounds 2, and metadata.json says 3"),
    "setting": ({"change_metadata": other_setting}, "does not know its setting 'residual'"),
    "name": ({"change_metadata": ends_early}, "'networks"),
    "flag": ({"change_metadata": flag_in_words}, "'networks"),
    "fraction": ({"change_metadata": fraction}, "whole number 1 to 1000 as its setting 'rounds'"),
    "huge": ({"change_metadata": huge}, "whole number 1 to 1000 as its setting 'rounds'"),
    "no networks": ({"change_metadata": no_networks}, "'networks'"),
    "cutoff": ({"change_metadata": cutoff}, "has the cutoff 2.5, and metadata.json says 2"),
    "words": ({"change_metadata": words}, "'networks"),
    "more": ({"change_metadata": more}, "expected the tensor"),
    "short": ({"change_weights": lambda content: content[:1000]}, "weights.safetensors: "),
    "none": ({"change_weights": lambda _: b""}, "the archive has no weights.safetensors"),
    "missing": ({"change_weights": edit_header(drop)}, "'output.bias' of shape [1], found none"),
    "half": ({"change_weights": edit_header(half)}, "weights.safetensors: "),
    "shape": ({"change_weights": edit_header(other_shape)}, "of shape [1, 64], found [64, 1]"),
    "outside": ({"change_weights": edit_header(outside)}, "weights.safetensors: "),
    "foreign": ({"change_weights": edit_header(foreign)}, "tensors of 1 networks, found '7.output"),
    "another": ({"change_weights": another}, "does not know its tensor 'gain'"),
    "not finite": ({"change_weights": nan}, "has numbers that are not finite"),
}


@pytest.mark.parametrize("case", WRONG)
def test_weights_that_do_not_fit_are_refused(model, tmp_path, case):
    changes, message = WRONG[case]
    wrong = with_plain_weights(model, tmp_path / "wrong.pt", **changes)
    with pytest.raises(ValueError, match=r"wrong\.pt: ") as refused:
        Predictor(wrong)
    assert message in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG)
def test_the_fix_refuses_weights_that_do_not_fit(model, tmp_path, case):
    changes, message = WRONG[case]
    with_plain_weights(model, tmp_path / "wrong.pt", **changes)
    run = run_lmp(GLASS + "fix mob all botan 10 wrong.pt A B", tmp_path, ranks=2, succeeds=False)
    assert "model file wrong.pt: " in run.error
    assert message in run.error


def larger(content):
    """The last tensor by name is another one."""
    numbers = np.frombuffer(content[-400:], np.float32) * 1.5
    return content[:-400] + numbers.tobytes()


def test_weights_and_torchscript_that_differ_are_refused_by_torch(model, tmp_path, monkeypatch):
    wrong = with_plain_weights(model, tmp_path / "wrong.pt", change_weights=larger)
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "torch")
    with pytest.raises(ValueError, match="plain weights and its TorchScript predict different"):
        Predictor(wrong)
    assert Predictor(model).engine == "torch"


@pytest.mark.slow
def test_the_fix_refuses_weights_and_torchscript_that_differ(model, tmp_path, monkeypatch):
    with_plain_weights(model, tmp_path / "wrong.pt", change_weights=larger)
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "torch")
    run = run_lmp(GLASS + "fix mob all botan 10 wrong.pt A B", tmp_path, succeeds=False)
    assert "its plain weights and its TorchScript predict different numbers" in run.error


def test_the_program_of_a_model_with_plain_weights_is_not_run(model, tmp_path, monkeypatch):
    line = b"\n    torch.save(species, 'written.pt')\n"

    def hostile(code):
        head, body = code.split(b"-> Tuple[Tensor, Tensor, Tensor, Tensor]:\n", 1)
        return head + b"-> Tuple[Tensor, Tensor, Tensor, Tensor]:" + line + body

    changed = with_plain_weights(
        model,
        tmp_path / "changed.pt",
        change_code=lambda code: hostile(code) if b"def encode(" in code else code,
    )
    graph = random_graph(60, 5.0)
    found, expected = (Predictor(path).predict_graph(graph) for path in (changed, model))
    np.testing.assert_array_equal(found.node, expected.node)
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "torch")
    with pytest.raises(ValueError, match="its code names save"):
        Predictor(changed)


def test_a_network_of_another_kind_asks_for_torch_by_name(tmp_path, monkeypatch):
    path = write(tmp_path / "m.pt", NtGnn(2))
    assert read_metadata(path).networks is None
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "lammps_botan.network.torch_model", raising=False)
    message = "torch computes this model here, and is not installed: type pip install 'lammps-botan"
    with pytest.raises(ValueError, match=message):
        Predictor(path)


def test_a_kind_of_a_newer_version_is_computed_by_torch(model, tmp_path):
    """TorchScript says what it computes."""

    def newer(metadata):
        metadata["networks"][0]["kind"] = "transformer"

    changed = with_plain_weights(model, tmp_path / "m.pt", change_metadata=newer)
    predictor = Predictor(changed)
    assert predictor.engine == "torch"
    graph = random_graph(60, 5.0)
    found, expected = predictor.predict_graph(graph), Predictor(model).predict_graph(graph)
    np.testing.assert_allclose(found.node, expected.node, atol=2e-5)


class Narrow(ThermalBotan):
    """A network of one's own that inherits from BOTAN and has another decoder."""

    def __init__(self) -> None:
        super().__init__(2, 64)
        self.decoder.fc1 = torch.nn.Linear(64, 32)
        self.decoder.fc2 = torch.nn.Linear(32, 64)


def test_a_network_with_other_layers_is_computed_by_torch(tmp_path):
    with pytest.warns(UserWarning, match="expected the tensor 'decoder.fc1.weight' of shape"):
        write(tmp_path / "m.pt", Narrow())
    assert Predictor(tmp_path / "m.pt").engine == "torch"


def test_a_network_with_another_cutoff_than_its_physics_is_not_exported(tmp_path):
    network = Linear(2.5)
    with pytest.raises(ValueError, match=r"has the cutoff 2.5, and its physics say 2"):
        export(Checkpoint(network, physics()), tmp_path / "m.pt")


@pytest.mark.slow
def test_the_fix_says_when_it_needs_torch(tmp_path):
    """A copy of the plugin without the library that speaks to torch."""
    copy = tmp_path / "lammps_botan" / "plugin"
    shutil.copytree(plugin.folder(), copy)
    (copy / "libbotan_model.so").unlink()
    shutil.copytree(find_model("ka-t064").parent, copy.parent / "network" / "shipped")
    write(tmp_path / "m.pt", NtGnn(2))
    script = GLASS + "plugin unload fix botan\nplugin load {}\nfix mob all botan 10 {} A B\nrun 0"
    plugin_file = copy / "botanplugin.so"
    good = run_lmp(script.format(plugin_file, "ka-t064"), tmp_path)
    assert "on cpu (" in good.output
    bad = run_lmp(script.format(plugin_file, "m.pt"), tmp_path, succeeds=False)
    assert (
        "m.pt is computed by torch here (the compiled engine does not know its network" in bad.error
    )
    assert "compiled without torch" in bad.error
