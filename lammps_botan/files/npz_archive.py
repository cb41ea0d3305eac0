"""Check of the memory that an npz file asks for, before the memory is taken."""

import math
import zipfile
from typing import IO

import numpy as np

MAX_MEMBERS = 1000
SMALL = 64 << 20  # bytes that any file may unpack to
RATIO = 100  # only repetitions are packed more tightly


def check_archive(file: IO[bytes]) -> None:
    """Refuse an npz file that unpacks to much more than its size; go back to its start.

    Parameters
    ----------
    file : binary file

    Raises
    ------
    ValueError
        If the file has too many arrays, is too large unpacked, or holds a member that is no whole
        array.
    zipfile.BadZipFile
        If the file is no archive.

    Examples
    --------
    >>> np.savez("small.npz", numbers=np.arange(3))
    >>> with open("small.npz", "rb") as file:
    ...     check_archive(file)
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
