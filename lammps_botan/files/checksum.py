"""The checksum of a zip archive: SHA-256 in its comment.

Neither torch nor libtorch compares the checksums that a zip archive has of its own, so a damaged
file of weights is read without a message. The comment stands at the end of an archive, and other
readers ignore it. The comment is `lammps-botan sha256` with a space and 64 hexadecimal digits: the
SHA-256 of all bytes before the comment. plugin/checksum.cpp does the same for the fix.
"""

import hashlib
import struct

TAG = b"lammps-botan sha256 "
LENGTH = len(TAG) + 64
END = b"PK\x05\x06"  # of the record at the end of an archive, 22 bytes with no comment


def add_checksum(archive: bytes) -> bytes:
    """Add the checksum to an archive.

    Parameters
    ----------
    archive : bytes
        A zip archive without a comment.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If the bytes are no archive, or the archive has a comment.

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
    """Whether an archive has a checksum; a wrong checksum is refused.

    Parameters
    ----------
    archive : bytes
        Content of a file.
    name : str
        Name of the file, for the message.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If the checksum is not that of the content.

    Examples
    --------
    >>> has_checksum(b"PK" + bytes([5, 6]) + bytes(18), "m.pt")
    False
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
