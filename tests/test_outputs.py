"""Commands never write over what they read, and a full disk leaves nothing and says so."""

import os
import resource
import shutil

import numpy as np
import pytest
from engines import network, physics
from fallbacks import save_all
from public_data import weights
from score_runs import dump_text, liquid_frames, run, start, toy

from lammps_botan.files.whole_file import keep_apart
from lammps_botan.network.checkpoint import Checkpoint, save_checkpoint
from lammps_botan.network.metadata import read_metadata

NAMES = {
    "the same name": lambda path: path,
    "another spelling": lambda path: f"{path.parent}/../{path.parent.name}/{path.name}",
    "a symbolic link": lambda path: link(os.symlink, path),
    "a hard link": lambda path: link(os.link, path),
}


def link(make, path):
    make(path, path.with_name(f"link{path.suffix}"))
    return path.with_name(f"link{path.suffix}")


def write_ensemble(path, n_particles=60):
    rng = np.random.default_rng(1)
    types = np.arange(n_particles) % 5 // 4
    box = (n_particles / 1.2) ** (1 / 3)
    initial = rng.random((n_particles, 3)) * box
    final = initial + rng.normal(size=(2, n_particles, 3)) / 10
    np.savez(path, types=types, initial_positions=initial, positions=final, box=box, time=1.0)
    return path


def write_scored(path):
    text = dump_text(*liquid_frames(1), columns="id type x y z")[0]
    head, rows = text.split("ITEM: ATOMS id type x y z \n")
    lines = [f"{row}0.5\n" for row in rows.splitlines()]
    path.write_text(head + "ITEM: ATOMS id type x y z d_propensity\n" + "".join(lines))
    return path


def write_checkpoint(path):
    save_checkpoint(Checkpoint(network(), physics()), path)
    return path


def write_dump(path):
    path.write_text("".join(dump_text(*liquid_frames(2), columns="id type xu yu zu")))
    return path


def write_bytes(path):
    path.write_bytes(b"never read")
    return path


# what writes the input, its name, and the command, whose output follows
COMMANDS = {
    "import-weights": (write_bytes, "w.pth", ["import-weights", "{}", "-o"]),
    "export": (write_checkpoint, "w.ckpt", ["export", "{}", "-o"]),
    "data-file": (write_ensemble, "c.npz", ["data-file", "{}", "-o"]),
    "targets": (write_dump, "run.npz", ["targets", "{}", "-o"]),
    "score": (write_dump, "run.dump", ["score", "{}", "-m", "{model}", "-o"]),
    "plot map": (write_scored, "s.png", ["plot", "map", "{}", "-o"]),
    "plot ablation": (write_bytes, "s.png", ["plot", "ablation", "{}", "-o"]),
    "plot anticorrelation": (write_ensemble, "s.png", ["plot", "anticorrelation", "{}", "-o"]),
    "plot correlation": (write_bytes, "s.png", ["plot", "correlation-vs-time", "{}", "-o"]),
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize(("write", "file", "words"), COMMANDS.values(), ids=COMMANDS)
def test_an_output_that_is_the_input_is_refused(write, file, words, name, tmp_path):
    path = tmp_path / file
    saved = write(path.with_suffix(".npz" if write is write_ensemble else path.suffix))
    saved.replace(path)
    before = path.read_bytes()
    model = toy(tmp_path) if "{model}" in words else None
    output = name(path)
    words = [word.format(path, model=model) for word in words]
    done = run(*words, output, fails=True)
    assert f"{output}: is read too; give the output another name" in done.stderr.replace("\n", "")
    assert path.read_bytes() == before


def test_all_that_a_command_reads_counts(tmp_path):
    ckpt, npz = write_checkpoint(tmp_path / "w.ckpt"), write_ensemble(tmp_path / "c.npz")
    save_all(tmp_path)
    for words, output in (
        (("export", ckpt, ckpt), ckpt),
        (("export", tmp_path / "plain.pt", "--fallback", tmp_path / "thermal.pt"), "thermal.pt"),
        (("export", tmp_path / "thermal.pt"), "thermal.pt"),
        (("plot", "map", npz, "-m", tmp_path / "s.png"), "s.png"),
        (("data-file", npz, "--mixture", tmp_path / "own.toml"), "own.toml"),
    ):
        done = run(*words, "-o", tmp_path / output, fails=True)
        assert "is read too; give the output another name" in done.stderr


def test_a_model_file_may_get_its_fallback_in_place(tmp_path):
    save_all(tmp_path)
    plain, thermal = tmp_path / "plain.pt", tmp_path / "thermal.pt"
    before = thermal.read_bytes()
    run("export", plain, "-o", plain, "--fallback", thermal)
    assert read_metadata(plain).provenance["fallback"] == "thermal"
    assert thermal.read_bytes() == before


def test_simulations_are_not_written_over_their_configurations(tmp_path):
    npz = write_ensemble(tmp_path / "c.npz")
    before = npz.read_bytes()
    for words in (("inherent",), ("history", "--window", 0.3, "--temperature", 1)):
        done = run("simulate", *words, npz, "-o", tmp_path, fails=True)
        assert "c.npz: is read too; give the output another name" in done.stderr
    (tmp_path / "t0.1").mkdir()
    npz = npz.rename(tmp_path / "t0.1" / "c.npz")
    words = ("simulate", "isoconfig", npz, "-o", tmp_path, "--temperature", 1, "--times", 0.1)
    assert "c.npz: is read too" in run(*words, fails=True).stderr
    assert npz.read_bytes() == before


def test_the_part_of_a_file_is_not_written_over_what_is_read(tmp_path):
    """A file is written as PATH.part first."""
    with pytest.raises(ValueError, match=r"a\.txt\.part: is read too"):
        keep_apart([tmp_path / "a.txt"], [tmp_path / "a.txt.part"])


def test_files_that_are_not_there_are_told_by_their_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a, b = tmp_path / "a", tmp_path / "b"
    keep_apart([a, b], ["c", "d"])
    with pytest.raises(ValueError, match="b: is read too"):
        keep_apart([a, b], ["./b"])
    with pytest.raises(ValueError, match="a: would be written twice"):
        keep_apart([b, a, a], [])


def full_disk() -> None:
    """Let no file of this process grow beyond 3000 bytes; Python ignores the signal of it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


FULL = {
    "export": (write_checkpoint, "w.ckpt", ["export"], "m.pt"),
    "data-file": (write_ensemble, "c.npz", ["data-file"], "c.data"),
    "targets": (write_dump, "run.dump", ["targets"], "t.npz"),
    "plot map": (write_scored, "s.dump", ["plot", "map"], "s.png"),
}


@pytest.mark.parametrize(("write", "file", "words", "output"), FULL.values(), ids=FULL)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(write, file, words, output, tmp_path):
    source = write(tmp_path / file)
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / output
    done = start(*words, source, "-o", path, preexec_fn=full_disk)
    printed, _ = done.communicate()
    assert done.returncode == 1, printed
    assert "Traceback" not in printed
    last = printed.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "File too large" in last
    assert str(path) in last
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.skipif(not weights(1).exists(), reason="no public weights")
def test_a_full_disk_leaves_the_checkpoint_that_was_there(tmp_path):
    path = tmp_path / "w.ckpt"
    path.write_bytes(b"before")
    shutil.copy(weights(1), tmp_path / "w.pth")
    done = start("import-weights", tmp_path / "w.pth", "-o", path, preexec_fn=full_disk)
    printed, _ = done.communicate()
    assert done.returncode == 1, printed
    assert printed.strip() == f"Error: [Errno 27] File too large: '{path}'"
    assert path.read_bytes() == b"before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["w.ckpt", "w.pth"]
