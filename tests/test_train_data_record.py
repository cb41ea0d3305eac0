"""A run goes on with the data that it was begun with, or not at all."""

import hashlib
import json

import pytest
from liquids import configure, recipe, write_liquid, write_liquids, write_mixture

from lammps_botan.files.ensemble import read_start
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.known_configurations import known_in
from lammps_botan.training import train
from lammps_botan.training.config import read_config

LINEAR = recipe(5).replace('validation = ["validation.npz"]\n', "").split("[network]")[0]
LINEAR += '[network]\narchitecture = "linear"\n'
COPIES = recipe(5, data='copies = ["short_*.npz"]')


def write_copies(path, seed):
    """Ends of short runs from the second configuration for training."""
    start = read_start(path.with_name("train_2.npz")).positions
    ends = start[None] + 0.01 * seed
    return write_liquid(path, 1, initial_positions=start, positions=ends, time=0.02)


@pytest.fixture
def folder(tmp_path):
    write_liquids(tmp_path)
    write_liquid(tmp_path / "train_3.npz", 3)
    write_copies(tmp_path / "short_1.npz", 1)
    return tmp_path


def run(folder, text):
    return train(read_config(configure(folder, text)), folder)


CHANGES = {
    "moved": lambda folder: (folder / "train_3.npz").rename(folder / "test_3.npz"),
    "new": lambda folder: write_liquid(folder / "train_4.npz", 4),
    # the same start, another lag time: told by no configuration that the network knows
    "replaced": lambda folder: write_liquid(folder / "train_3.npz", 3, time=2.0),
    "validation": lambda folder: write_liquid(folder / "validation.npz", 7),
    "copies": lambda folder: write_copies(folder / "short_1.npz", 2),
}


@pytest.mark.parametrize(
    ("text", "change", "words"),
    [
        (recipe(5), "moved", r"gone in data\.train: train_3\.npz; give the former"),
        (recipe(5), "new", r"new in data\.train: train_4\.npz; give the former"),
        (recipe(5, recipe="seed = [1, 2]"), "replaced", r"changed in data\.train: train_3\.npz; "),
        (recipe(5), "validation", r"changed in data\.validation: validation\.npz; give"),
        (COPIES, "copies", r"changed in data\.copies: short_1\.npz; give the former"),
        (LINEAR, "moved", r"gone in data\.train: train_3\.npz; give the former"),
    ],
)
def test_other_files_under_the_same_patterns_are_refused(folder, text, change, words):
    paths = run(folder, text)
    before = [path.read_bytes() for path in paths]
    CHANGES[change](folder)
    with pytest.raises(ValueError, match=rf"a run of other files \(data\.json there\): {words}"):
        run(folder, text)
    assert [path.read_bytes() for path in paths] == before


def test_a_file_that_was_moved_away_is_still_known(folder):
    (path,) = run(folder, recipe(5))
    sha256 = read_start(folder / "train_3.npz").sha256
    CHANGES["moved"](folder)
    with pytest.raises(ValueError, match="gone in data"):
        run(folder, recipe(5))
    assert sha256 in {one.sha256 for one in known_in(load_checkpoint(path).provenance)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bond_lengths": [[1.3, 1.2], [1.2, 1.1]]}, "they differ in bond lengths"),
        ({"reference_species": "B"}, "they differ in reference_species"),
    ],
)
def test_another_content_of_the_mixture_file_is_refused(folder, changes, words):
    text = recipe(5, target='mixture = "own.toml"')
    write_mixture(folder / "own.toml")
    (path,) = run(folder, text)
    before = path.read_bytes()
    write_mixture(folder / "own.toml", **changes)
    with pytest.raises(ValueError, match=f"holds a run of another mixture or state .*{words}"):
        run(folder, text)
    assert path.read_bytes() == before


def test_the_same_files_go_on_from_anywhere(folder, monkeypatch):
    names = ["train_1.npz", f"{folder}/train_2.npz", f"../{folder.name}/train_3.npz"]
    run(folder, recipe(5, data=f"train = {json.dumps(names)}"))
    recorded = json.loads((folder / "out/data.json").read_text())["files"]
    assert list(recorded["data.train"]) == names
    for name, sha256 in recorded["data.train"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
    monkeypatch.chdir(folder)
    train(read_config(folder / "recipe.toml"), type(folder)("."))


def test_a_folder_of_an_earlier_version_goes_on(folder):
    run(folder, recipe(5))
    recorded = folder / "out/data.json"
    content = recorded.read_text()
    recorded.unlink()
    run(folder, recipe(5))
    assert recorded.read_text() == content


def test_a_damaged_record_is_named(folder):
    run(folder, recipe(5))
    (folder / "out/data.json").write_text('{"files": 3}')
    with pytest.raises(ValueError, match=r"out/data\.json: damaged \(.*\); put it right"):
        run(folder, recipe(5))
