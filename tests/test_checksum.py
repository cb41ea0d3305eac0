"""A file of weights in which one bit differs is refused, in Python and in the fix."""

import contextlib
import hashlib
import random
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from engines import physics, random_graph
from lmp import check_fails, liquid, run_lmp
from model_archives import rewrite, with_other_bit

from lammps_botan.cli import installation, main
from lammps_botan.cli.installation import check
from lammps_botan.files.checksum import add_checksum, has_checksum
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import find_model, shipped_models

FIX = liquid("4 4 4") + "fix g all botan 5 {model} A B\nrun 0\n"


@pytest.fixture
def files(tmp_path):
    torch.manual_seed(3)
    checkpoint = Checkpoint(Botan(2, 8), physics())
    save_checkpoint(checkpoint, tmp_path / "m.ckpt")
    export(checkpoint, tmp_path / "m.pt")
    return tmp_path


def without_checksum(source, target):
    content = source.read_bytes()
    assert has_checksum(content, "m.pt")
    target.write_bytes(content[: -84 - 2] + b"\0\0")
    return target


def test_the_checksum_is_that_of_everything_before_it(files):
    content = (files / "m.pt").read_bytes()
    with zipfile.ZipFile(files / "m.pt") as archive:
        assert archive.testzip() is None
        tag, kind, digits = archive.comment.decode().split()
    assert (tag, kind) == ("lammps-botan", "sha256")
    assert digits == hashlib.sha256(content[: -len(archive.comment)]).hexdigest()


@pytest.mark.parametrize("model", [model.name for model in shipped_models()])
def test_every_shipped_model_has_a_checksum(model):
    assert has_checksum(find_model(model).read_bytes(), model)


def test_one_bit_anywhere_in_a_model_file_is_seen(files):
    content = (files / "m.pt").read_bytes()
    rng = random.Random(1)
    # in the last 106 bytes, the end of the archive, a bit may take the checksum away, not change it
    for bit in rng.sample(range(8 * (len(content) - 106)), 300):
        damaged = with_other_bit(files / "m.pt", files / "d.pt", bit)
        with pytest.raises(ValueError, match=r"d\.pt: the file is damaged: its SHA-256 is"):
            Predictor(damaged)


@pytest.mark.slow
@pytest.mark.long
def test_a_bit_in_the_end_of_a_model_file_changes_no_prediction(files):
    graph = random_graph(20, 4.0)
    expected = Predictor(files / "m.pt").predict_graph(graph)
    n_bits = 8 * len((files / "m.pt").read_bytes())
    for bit in range(n_bits - 8 * 106, n_bits):
        damaged = with_other_bit(files / "m.pt", files / "d.pt", bit)
        try:
            found = Predictor(damaged).predict_graph(graph)
        except ValueError:
            continue
        np.testing.assert_array_equal(found.node, expected.node)
        np.testing.assert_array_equal(found.edge, expected.edge)


def test_one_bit_in_a_checkpoint_is_seen(files):
    content = (files / "m.ckpt").read_bytes()
    for bit in random.Random(2).sample(range(8 * (len(content) - 106)), 300):
        damaged = with_other_bit(files / "m.ckpt", files / "d.ckpt", bit)
        with pytest.raises(ValueError, match=r"d\.ckpt: the file is damaged"):
            load_checkpoint(damaged)


def test_damage_to_a_file_without_a_checksum_ends_in_a_sentence_or_in_a_model(files):
    """Such files are from older versions: what was damaged may go unseen, but nothing crashes."""
    rng = random.Random(3)
    for name, read in (("m.pt", Predictor), ("m.ckpt", load_checkpoint)):
        bare = without_checksum(files / name, files / f"bare-{name}")
        read(bare)
        for bit in rng.sample(range(8 * len(bare.read_bytes())), 150):
            damaged = with_other_bit(bare, files / f"d-{name}", bit)
            with contextlib.suppress(ValueError):
                read(damaged)


def test_info_says_whether_there_is_a_checksum(files):
    def row(path):
        result = CliRunner().invoke(main, ["info", str(path)], env={"COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        (line,) = (one for one in result.output.splitlines() if "checksum" in one)
        return " ".join(line.split())

    assert row(files / "m.pt") == "checksum right"
    bare = without_checksum(files / "m.pt", files / "bare.pt")
    assert row(bare) == "checksum none, so that damage goes unseen"


def test_a_damaged_file_is_a_sentence_of_every_command(files):
    damaged = str(with_other_bit(files / "m.pt", files / "d.pt", 8000))
    for command in (["info", damaged], ["export", damaged, "-o", str(files / "new.pt")]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code != 0
        assert "the file is damaged" in result.output
    assert not (files / "new.pt").exists()


def test_check_finds_a_damaged_model(monkeypatch, files):
    assert not [p for p in check().problems if "damaged" in p]
    damaged = with_other_bit(find_model("ka-t064"), files / "ka-t064.pt", 10**5)
    (one,) = (model for model in shipped_models() if model.name == "ka-t064")
    monkeypatch.setattr(installation, "shipped_models", lambda: [replace(one, path=damaged)])
    assert [p for p in check().problems if "ka-t064.pt: the file is damaged" in p]


def test_an_archive_gets_one_checksum(files):
    with pytest.raises(ValueError, match="a zip archive without a comment"):
        add_checksum((files / "m.pt").read_bytes())
    with pytest.raises(ValueError, match="a zip archive without a comment"):
        add_checksum(b"text")


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_fix_refuses_a_damaged_file(files, ranks):
    with_other_bit(files / "m.pt", files / "d.pt", 8000)
    check_fails(
        files, FIX.format(model="d.pt"), "model file d.pt: the file is damaged: its", ranks=ranks
    )
    assert "checksum" not in run_lmp(FIX.format(model="m.pt"), files, ranks=ranks).output


def test_the_fix_says_where_there_is_no_checksum(files):
    without_checksum(files / "m.pt", files / "bare.pt")
    run = run_lmp(FIX.format(model="bare.pt"), files)
    assert run.output.count("model file bare.pt has no checksum, so that damage goes unseen") == 1


def test_the_fix_finds_the_checksum_of_files_of_any_length(files):
    """Blocks of SHA-256 have 64 bytes, and the last one has 1 to 64 of the file."""
    content = (files / "m.pt").read_bytes()
    bare = content[: -84 - 2] + b"\0\0"
    for n in range(0, 64, 9):
        # bytes before an archive shift it as a whole, which the zip format allows
        (files / "n.pt").write_bytes(add_checksum(bytes(n) + bare))
        metadata = read_metadata(files / "n.pt")
        assert metadata.rounds == 2
        run = run_lmp(FIX.format(model="n.pt"), files, succeeds=False)
        assert "damaged" not in run.output


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_message_has_no_byte_that_python_cannot_read(ranks, tmp_path):
    """Here the first letter of the metadata is half of one; LAMMPS's Python module reads UTF-8."""
    rewrite(
        tmp_path / "m.pt",
        lambda name, content: b"\xd6" + content if name == "extra/metadata.json" else content,
    )
    script = FIX.format(model="m.pt")
    output = run_lmp(script, tmp_path, ranks=ranks, succeeds=False).output
    assert "ERROR: Fix botan: model file m.pt: metadata.json: " in output
    assert r"last read: '\xd6" in output
