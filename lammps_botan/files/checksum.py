"""The checksum of a zip archive: SHA-256 in its comment.

Neither torch nor libtorch compares the checksums that a zip archive has of its own, so a damaged
file of weights is read without a word. The comment of an archive stands at its end, and readers
that do not know the checksum ignore it. It is `lammps-botan sha256`, a space and 64 hexadecimal
digits: the SHA-256 of all bytes before the comment. plugin/checksum.cpp is the same for the fix.
"""

import hashlib
import struct

TAG = b"lammps-botan sha256 "
LENGTH = len(TAG) + 64
END = b"PK\x05\x06"  # of the record at the end of an archive, 22 bytes with no comment


def add_checksum(archive: bytes) -> bytes:
    """The archive with its checksum.

    Parameters
    ----------
    archive : bytes
        A zip archive without a comment.

    Raises
    ------
    ValueError
        If it is no archive, or has a comment.

    Examples
    --------
    >>> empty = b"PK" + bytes([5, 6]) + bytes(18)
    >>> has_checksum(add_checksum(empty), "m.pt")
    True
    """
    if archive[-22:-18] != END or archive[-2:] != b"\0\0":
        raise ValueError("expected a zip archive without a comment")
    covered = archive[:-2] + struct.pack("<H", LENGTH)
    return covered + TAG + hashlib.sha256(covered).hexdigest().encode()


def has_checksum(archive: bytes, name: str) -> bool:
    """Whether an archive has a checksum; if it has one, it is right.

    Parameters
    ----------
    archive : bytes
        The content of a file.
    name : str
        Of the file, for the message.

    Raises
    ------
    ValueError
        If the checksum is another one than that of the content.
    """
    covered, comment = archive[:-LENGTH], archive[-LENGTH:]
    if not comment.startswith(TAG):
        return False
    found = hashlib.sha256(covered).hexdigest()
    expected = comment.removeprefix(TAG).decode(errors="replace")
    if found != expected:
        raise ValueError(
            f"{name}: the file is damaged: its SHA-256 is {found[:16]}..., and it was written with "
            f"{expected[:16]}...; copy it again from where it came from"
        )
    return True
