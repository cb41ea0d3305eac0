"""Small files that ask for much memory or time are refused before they get it."""

import itertools
import pickle
import struct
import zipfile

import numpy as np
import pytest
from test_bapst_data import content

from lammps_botan.files.ensemble import read_start
from lammps_botan.files.npz_archive import MAX_MEMBERS, check_archive
from lammps_botan.files.pickle_size import check_pickle


def doubled(empty, join, depth=200):
    """A value that holds one below it twice, and so on."""
    value = empty
    for _ in range(depth):
        value = join(value)
    return value


def tops_first(depth=200):
    """Lists of which each holds the next one twice, filled when they were in their places."""
    lists = [[] for _ in range(depth)]
    for above, below in itertools.pairwise(lists):
        above += [below, below]
    return lists[0]


def key_of_tuples() -> bytes:
    """A dict whose key is tuples in tuples, which has to be hashed."""
    memo = b"".join(b"\x94h" + bytes([k]) + b"\x86" for k in range(200))
    return b"\x80\x04})" + memo + b"\x8c\x01as."


SMALL = {
    "tuples in tuples": pickle.dumps({"a": doubled((), lambda x: (x, x))}),
    "tuples as a key": key_of_tuples(),
    "lists in lists": pickle.dumps({"a": doubled([], lambda x: [x, x])}),
    "lists filled late": pickle.dumps({"a": tops_first()}),
    "bytes of 4 GB": b"\x80\x03B" + struct.pack("<I", 2**32 - 1) + b".",
    "bytes of 16 EB": b"\x80\x04\x8e" + struct.pack("<Q", 2**63 - 1) + b".",
    "a bytearray of 1 TB": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
    "text of 1 TB": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b".",
    "a number of 2 GB": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b".",
    "a memo of 4 billion": b"\x80\x02Nr" + struct.pack("<I", 2**32 - 2) + b".",
    "a memo of text": b"Np4000000000\n.",
    "a frame of 1 TB": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",
    "lists 100,000 deep": b"]" * 100_000 + b"a" * 99_999 + b".",
}


@pytest.mark.parametrize("text", SMALL.values(), ids=SMALL)
def test_a_pickle_that_stands_for_more_than_it_is_is_refused(text, tmp_path):
    (tmp_path / "a.pickle").write_bytes(text)
    with pytest.raises(ValueError, match=r"a\.pickle: expected a "):
        read_start(tmp_path / "a.pickle")


def test_a_flipped_bit_never_makes_a_pickle_large(tmp_path):
    """Each byte before the data, with its highest bit flipped, is refused or read as usual."""
    path, whole, refused = tmp_path / "a.pickle", pickle.dumps(content(), 4), []
    for place in range(600):
        text = bytearray(whole)
        text[place] ^= 0x80
        path.write_bytes(text)
        try:
            read_start(path)
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert all(message.startswith(f"{path}: ") for message in refused)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_is_shared_a_few_times_is_read(protocol):
    shape = (3, 3)
    check_pickle(pickle.dumps({"a": [shape] * 10_000, "b": [np.zeros(shape)] * 5}, protocol))


def test_a_number_that_is_too_large_is_named(tmp_path):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(content(box=[10**400, 1, 1])))
    with pytest.raises(ValueError, match=r"a\.pickle: box must be numbers of shape \[3\]"):
        read_start(tmp_path / "a.pickle")


def save(path, **changes):
    arrays = {"types": np.array([0, 1]), "initial_positions": np.zeros((2, 3))}
    np.savez_compressed(path, **(arrays | {"positions": np.zeros((1, 2, 3))} | changes))
    return path


def test_an_npz_file_that_unpacks_to_much_more_is_refused(tmp_path):
    path = save(tmp_path / "a.npz", positions=np.zeros(100 << 20, np.int8))
    assert path.stat().st_size < 200_000
    with pytest.raises(ValueError, match=r"a\.npz: .* bytes that unpack to 1048.*numpy\.savez"):
        read_start(path)


def test_an_array_that_is_said_to_be_larger_than_it_is_is_refused(tmp_path):
    with zipfile.ZipFile(save(tmp_path / "a.npz"), "a") as archive, archive.open("b.npy", "w") as b:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)}
        np.lib.format.write_array_header_1_0(b, header)
    with pytest.raises(ValueError, match=r"b\.npy says it has shape \[1000000000000, 3\], 2400"):
        read_start(tmp_path / "a.npz")


def test_an_npz_file_of_very_many_arrays_is_refused(tmp_path):
    many = {f"a{k}": np.zeros(0) for k in range(MAX_MEMBERS)}
    with pytest.raises(ValueError, match="1003 arrays, expected at most 1000"):
        read_start(save(tmp_path / "a.npz", **many))


def test_what_is_no_array_in_an_npz_file_is_refused(tmp_path):
    with zipfile.ZipFile(save(tmp_path / "a.npz"), "a") as archive:
        archive.writestr("box.npy", b"text in place of an array")
    with pytest.raises(ValueError, match=r"a\.npz: .*magic string is not correct"):
        read_start(tmp_path / "a.npz")


def test_arrays_of_repetitions_are_read(tmp_path):
    """Types of a large system compress well."""
    path = save(tmp_path / "a.npz", types=np.zeros(1 << 20, np.int8))
    with path.open("rb") as file:
        check_archive(file)
        assert file.tell() == 0
