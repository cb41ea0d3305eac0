"""Plain weights of model files: what is written, what is refused, and what needs no torch."""

import json
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch
from engines import network, physics, random_graph, write
from lmp import GLASS, run_lmp
from model_archives import with_plain_weights

from lammps_botan import plugin
from lammps_botan.network.archive import Archive
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.linear import Linear
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.model_file import read_checkpoints
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import find_model, shipped_models
from lammps_botan.network.weights import WEIGHTS, read_weights

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


def test_a_network_is_made_again_from_its_plain_weights(tmp_path):
    given = Linear(2.0, generations=2)
    given.weights += torch.linspace(-1, 1, given.weights.numel()).view_as(given.weights)
    export(Checkpoint(given, physics()), tmp_path / "m.pt")
    (again,) = read_checkpoints(tmp_path / "m.pt")
    assert again.model.settings == given.settings
    assert torch.equal(again.model.weights, given.weights)


def rounds(metadata):
    metadata["networks"][0]["settings"]["rounds"] = 2


def other_kind(metadata):
    metadata["networks"][0]["kind"] = "transformer"


def fraction(metadata):
    metadata["networks"][0]["settings"]["rounds"] = 2.5


def huge(metadata):
    metadata["networks"][0]["settings"]["rounds"] = 1e9


def no_networks(metadata):
    metadata["networks"] = []


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


def nan(content):
    return content[:-4] + struct.pack("<f", float("nan"))


WRONG = {
    "rounds": ({"change_metadata": rounds}, "have rounds 2, and metadata.json says 3"),
    "kind": ({"change_metadata": other_kind}, "does not know the network 'transformer'"),
    "fraction": ({"change_metadata": fraction}, "whole number 1 to 1000 as its setting 'rounds'"),
    "huge": ({"change_metadata": huge}, "whole number 1 to 1000 as its setting 'rounds'"),
    "no networks": ({"change_metadata": no_networks}, "'networks'"),
    "words": ({"change_metadata": words}, "'networks"),
    "more": ({"change_metadata": more}, "expected the tensor"),
    "empty": ({"change_weights": lambda _: b""}, "weights.safetensors: "),
    "short": ({"change_weights": lambda content: content[:1000]}, "weights.safetensors: "),
    "missing": ({"change_weights": edit_header(drop)}, "'output.bias' of shape [1], found none"),
    "half": ({"change_weights": edit_header(half)}, "weights.safetensors: "),
    "shape": ({"change_weights": edit_header(other_shape)}, "of shape [1, 64], found [64, 1]"),
    "outside": ({"change_weights": edit_header(outside)}, "weights.safetensors: "),
    "foreign": ({"change_weights": edit_header(foreign)}, "tensors of 1 networks, found '7.output"),
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


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # its import fails
"""


def without_torch(code, **options):
    command = [sys.executable, "-P", "-c", WITHOUT_TORCH + code]
    return subprocess.run(command, capture_output=True, text=True, **options)


def test_models_that_ship_are_scored_without_torch(tmp_path):
    code = f"""
import numpy as np
from lammps_botan import Box, Configuration, Predictor
from lammps_botan.structure.history import History
sites = 0.941 * np.indices((6, 6, 6)).reshape(3, -1).T
species = np.repeat([0, 1], [173, 43])
n = len(sites)
rng = np.random.default_rng(1)
for name in {NAMES}:
    predictor = Predictor(name)
    seen = predictor.metadata.inputs.history
    history = None if seen is None else History(
        window=seen.window, displacement=rng.normal(0, 0.1, (n, 3)), variance=np.full(n, 0.02),
        energy=np.full(n, -6.0),
    )
    crystal = Configuration(
        sites, species, Box(5.646, (True, True, True)), history=history,
        inherent_positions=sites, inherent_energies=np.full(n, -7.0),
    )
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a crystal is unlike a glass
        node = predictor.predict(crystal).node
    assert np.isfinite(node).all() and node.std() > 0, name
    print(name, predictor.engine)
"""
    done = without_torch(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == NAMES
    assert "torch" not in done.stdout


@pytest.mark.parametrize(
    "words", [["info", "ka-t064"], ["models"], ["--help"], ["score", "--help"]]
)
def test_commands_work_without_torch(words, tmp_path):
    code = f"from lammps_botan.cli import main\nmain({words})"
    done = without_torch(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_network_of_another_kind_asks_for_torch_by_name(tmp_path):
    path = write(tmp_path / "m.pt", NtGnn(2))
    assert read_metadata(path).networks is None
    done = without_torch(f"from lammps_botan import Predictor\nPredictor({str(path)!r})")
    line = done.stderr.strip().splitlines()[-1]
    assert "torch computes this model here, and is not installed" in line
    assert "pip install 'lammps-botan[torch]'" in line


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_lammps_does_not_open_torch_for_a_model_that_ships(name, tmp_path):
    script = GLASS + f"fix mob all botan 10 {name} A B\nrun 0\n"
    (tmp_path / "in.glass").write_text(script)
    code = """
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
lmp.file("in.glass")
maps = open("/proc/self/maps").read()
assert "botanplugin.so" in maps
print([line.split()[-1] for line in maps.splitlines() if "libtorch" in line or "libc10" in line])
"""
    done = without_torch(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")


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
    assert "m.pt is computed by torch here (the file has no plain weights" in bad.error
    assert "compiled without torch" in bad.error
