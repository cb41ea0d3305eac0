"""How much memory an npz file asks for, before any of it is taken."""

import math
import zipfile
from typing import IO

import numpy as np

MAX_MEMBERS = 1000
SMALL = 64 << 20  # bytes that any file may unpack to
RATIO = 100  # more come of what is compressed only where it holds nothing but repetitions


def check_archive(file: IO[bytes]) -> None:
    """Refuse an npz file that unpacks to much more than it is; it is read from the start again.

    Raises
    ------
    ValueError
        If it has too many arrays, is too large unpacked, or holds what is no array or a part of
        one.
    zipfile.BadZipFile
        If it is no archive.
    """
    size = file.seek(0, 2)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise ValueError(f"{len(members)} arrays, expected at most {MAX_MEMBERS}")
        unpacked, limit = sum(member.file_size for member in members), SMALL + RATIO * size
        if unpacked > limit:
            raise ValueError(
                f"{size} bytes that unpack to {unpacked}, expected at most {limit}; write it by "
                "numpy.savez, without compression, if it is meant so"
            )
        for member in members:
            with archive.open(member) as content:
                _check_array(content, member)
    file.seek(0)


def _check_array(content: IO[bytes], member: zipfile.ZipInfo) -> None:
    read = np.lib.format.read_array_header_2_0
    if np.lib.format.read_magic(content) == (1, 0):
        read = np.lib.format.read_array_header_1_0
    shape, _, kind = read(content)
    needed = math.prod(shape) * kind.itemsize
    if needed > member.file_size:
        raise ValueError(
            f"{member.filename} says it has shape {list(shape)}, {needed} bytes, found "
            f"{member.file_size}"
        )
