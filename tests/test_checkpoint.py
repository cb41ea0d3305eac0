"""Checkpoints: what goes in comes out, and nothing in a file is ever run."""

import os
from pathlib import Path

import pytest
import torch
from engines import physics
from public_data import needs_public_data, weights

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lammps_botan.network.public_weights import import_public_weights
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN


class Harmful:
    """Unpickling this would make a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    stands_for = physics(mixture=KA2D, cutoff=1.5, lag_times=(1.0,), temperature=0.5, density=None)
    before = Checkpoint(Botan(3, 8, n_species=3), stands_for, {"seed": 4})
    save_checkpoint(before, tmp_path / "m.ckpt")
    after = load_checkpoint(tmp_path / "m.ckpt")
    assert (after.physics, after.provenance) == (before.physics, before.provenance)
    assert (after.model.rounds, after.model.width) == (3, 8)
    for name, tensor in before.model.state_dict().items():
        assert torch.equal(after.model.state_dict()[name], tensor)
    assert [p.name for p in tmp_path.iterdir()] == ["m.ckpt"]


@pytest.mark.parametrize("read", [load_checkpoint, lambda p: import_public_weights(p, physics())])
def test_code_in_a_file_is_refused_and_not_run(tmp_path, read):
    torch.save({"weights": Harmful(tmp_path / "harm")}, tmp_path / "bad.ckpt")
    with pytest.raises(ValueError, match="not a file of plain weights"):
        read(tmp_path / "bad.ckpt")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [b"", b"nonsense" * 100])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "x.ckpt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.ckpt: not a file of plain weights"):
        load_checkpoint(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.ckpt: no such file"):
        load_checkpoint(tmp_path / "none.ckpt")


def test_a_checkpoint_of_another_version_is_refused(tmp_path):
    path = tmp_path / "m.ckpt"
    save_checkpoint(Checkpoint(Botan(1, 4), physics()), path)
    content = torch.load(path, weights_only=True)
    torch.save(content | {"format_version": 99}, path)
    with pytest.raises(ValueError, match=r"checkpoint format 99, this version .* reads format 2"):
        load_checkpoint(path)


def of_version_1(path, **physics_then):
    """A checkpoint as it was written before mixtures."""
    save_checkpoint(Checkpoint(Botan(1, 4), physics()), path)
    content = torch.load(path, weights_only=True)
    then = {"species": ["A", "B"], "cutoff": 1.5, "lag_times": (13.0,), "temperature": 0.5}
    then |= {"density": 1.1, "node": "R"}
    torch.save(content | {"format_version": 1, "physics": then | physics_then}, path)
    return path


def test_a_checkpoint_of_version_1_is_the_kob_andersen_mixture(tmp_path):
    after = load_checkpoint(of_version_1(tmp_path / "m.ckpt"))
    assert after.physics == physics(
        cutoff=1.5, lag_times=(13.0,), temperature=0.5, density=1.1, node="R"
    )
    assert after.physics.mixture == KOB_ANDERSEN


def test_a_checkpoint_of_version_1_with_other_species_is_refused(tmp_path):
    path = of_version_1(tmp_path / "m.ckpt", species=["Cu", "Zr"])
    with pytest.raises(ValueError, match=r"what the species Cu Zr are: expected A B"):
        load_checkpoint(path)


def test_a_network_for_another_number_of_species_is_refused():
    with pytest.raises(ValueError, match="ka2d has 3 species, but the network is for 2"):
        Checkpoint(Botan(1, 4), physics(mixture=KA2D))


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "m.ckpt"
    save_checkpoint(Checkpoint(Botan(1, 4), physics()), path)
    content = torch.load(path, weights_only=True)
    del content["weights"]["output.bias"]
    torch.save(content, path)
    with pytest.raises(ValueError, match=r"a damaged checkpoint: .*output.bias"):
        load_checkpoint(path)


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"unexpected entry 'conv.weight'; expected layers named"):
        import_public_weights(tmp_path / "other.pth", physics())


@needs_public_data
def test_public_weights_are_no_checkpoint_yet_and_the_message_says_what_to_type():
    with pytest.raises(ValueError, match=r"lammps-botan import-weights .*model1.pth -o model.ckpt"):
        load_checkpoint(Path(weights(1)))


# what a checkpoint may say in place of what it says, and the words of the refusal
WRONG = {
    "rounds are a word": (("architecture", "rounds"), "x", "valid integer"),
    "rounds are a fraction": (("architecture", "rounds"), 7.5, "valid integer"),
    "rounds without end": (("architecture", "rounds"), 2**31, "rounds between 0 and 1000"),
    "no width": (("architecture", "width"), -4, "width between 0 and 65536"),
    "a width that would fill the memory": (("architecture", "width"), 65536, "of size"),
    "a setting of another network": (("architecture", "features"), 8, "no .* setting 'features'"),
    "a key that is no word": (("architecture", 7), 8, "no .* setting '7'"),
    "no architecture": (("architecture",), None, ""),
    "architecture a list": (("architecture",), [1, 2], ""),
    "cutoff a word": (("physics", "cutoff"), "x", "cutoff"),
    "cutoff not a number": (("physics", "cutoff"), float("nan"), "cutoff"),
    "five species": (("physics", "mixture", "species"), 5, "species"),
    "weights a list": (("weights",), [1.0], ""),
    "weights that are no tensors": (("weights", "output.bias"), "zero", ""),
    "a weight without a name": (("weights", 3), torch.zeros(1), "weights of this network"),
    "weights of another size": (("weights", "output.bias"), torch.zeros(9), r"found \(9,\)"),
    "a weight that is not a number": (
        ("weights", "output.bias"),
        torch.tensor([float("nan")]),
        "output.bias have numbers that are not finite",
    ),
    "provenance a tensor": (("provenance", "seed"), torch.zeros(1), "not JSON serializable"),
    "provenance a word": (("provenance",), "me", ""),
    "seen a word": (("seen",), "all", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_checkpoint_that_says_something_impossible_is_a_sentence(tmp_path, case):
    (*keys, last), value, words = WRONG[case]
    path = tmp_path / "m.ckpt"
    save_checkpoint(Checkpoint(Botan(1, 4), physics()), path)
    content = torch.load(path, weights_only=True)
    inner = content
    for key in keys:
        inner = inner[key]
    inner[last] = value
    torch.save(content, path)
    with pytest.raises(ValueError, match=rf"m\.ckpt: a damaged checkpoint: .*{words}"):
        load_checkpoint(path)
