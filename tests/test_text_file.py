"""Text files are opened by what they hold, whatever their names."""

import bz2
import gzip
import lzma

import numpy as np
import pytest
from dumps import ORTHOGONAL, frame

from lammps_botan.files.bond_dump import read_bonds
from lammps_botan.files.text_file import open_text
from lammps_botan.files.trajectory import open_dump, open_frames

POINTS = np.random.default_rng(3).random((5, 3))
DUMP = (frame(POINTS, ORTHOGONAL) + frame(POINTS + 1, ORTHOGONAL, step=7)).encode()
MARK = b"\xef\xbb\xbf"


def steps_and_positions(path):
    return [(f.step, f.positions.tolist()) for f in open_frames(path)]


EXPECTED = [(0, POINTS.tolist()), (7, (POINTS + 1).tolist())]


@pytest.mark.parametrize(
    "content",
    [DUMP, gzip.compress(DUMP), bz2.compress(DUMP), lzma.compress(DUMP), MARK + DUMP,
     gzip.compress(MARK + DUMP)],
    ids=["plain", "gzip", "bzip2", "xz", "byte-order mark", "byte-order mark in gzip"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["run.dump", "run.gz", "run.bz2", "run.xz", "run"])
def test_a_dump_is_unpacked_by_its_first_bytes(content, name, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert steps_and_positions(tmp_path / name) == EXPECTED
    trajectory = open_dump(tmp_path / name).trajectory
    assert [ts.positions.tolist() for ts in trajectory] == [x for _, x in EXPECTED]
    trajectory[0]  # back to an offset
    assert trajectory.ts.positions.tolist() == EXPECTED[0][1]


@pytest.mark.parametrize("between", ["\n", "\r\n", "# a comment\n", " \t\n\n", "  # two\n#\n"])
def test_blank_lines_and_comments_may_stand_between_frames(between, tmp_path):
    first = frame(POINTS, ORTHOGONAL)
    second = frame(POINTS + 1, ORTHOGONAL, step=7)
    (tmp_path / "run.dump").write_text(between + first + between + second + between, newline="")
    assert steps_and_positions(tmp_path / "run.dump") == EXPECTED
    assert len(open_dump(tmp_path / "run.dump").trajectory) == 2


def test_lines_may_end_as_windows_ends_them(tmp_path):
    (tmp_path / "run.dump").write_bytes(DUMP.replace(b"\n", b"\r\n"))
    assert steps_and_positions(tmp_path / "run.dump") == EXPECTED


def test_blank_lines_between_bonds_do_too(tmp_path):
    text = (
        "ITEM: TIMESTEP\n{}\nITEM: NUMBER OF BONDS\n1\nITEM: BOX BOUNDS pp pp pp\n0 1\n0 1\n0 1\n"
        "ITEM: BONDS id_center id_neighbor distance pair_distance_change\n1 2 0.5 0.25\n"
    )
    (tmp_path / "b").write_text(text.format(0) + "\n" + text.format(10))
    assert read_bonds(tmp_path / "b", 10).changes.tolist() == [0.25]


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\x28\xb5\x2f\xfd", "packed by zstd; unpack it first: zstd -d"),
        (b"PK\x03\x04", "an archive; unpack it first: unzip"),
        (b"\x1f\x9d", "an archive; unpack it first: uncompress"),
        (b"\x04\x22\x4d\x18", "an archive; unpack it first: lz4 -d"),
        (b"\xff\xfe", "text in UTF-16; write it as UTF-8 first: iconv"),
    ],
)
def test_what_cannot_be_unpacked_says_how(start, message, tmp_path):
    path = tmp_path / "run.dump"
    path.write_bytes(start + bytes(20))
    for read in (open_text, open_frames, open_dump):
        with pytest.raises(ValueError, match=rf"run\.dump: {message}"):
            read(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_truncated_archive_gives_the_frames_before_and_is_named(pack, tmp_path):
    points = np.random.default_rng(4).random((500, 3))
    frames = [frame(points + k, ORTHOGONAL, step=k).encode() for k in range(9)]
    path = tmp_path / "run.dump"
    # xz and bzip2 give nothing of a block that is cut: members of an archive may follow each other
    path.write_bytes(b"".join(map(pack, frames))[:-200])
    steps = []  # a list keeps what came before the error
    with pytest.raises(ValueError, match=r"run\.dump: frame 8.*: damaged file: the archive is cut"):
        steps.extend(f.step for f in open_frames(path))
    assert steps == list(range(8))
