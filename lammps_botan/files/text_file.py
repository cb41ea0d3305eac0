"""Text files, compressed or plain, as bytes.

The first bytes of a file tell its compression; its name does not matter.
"""

import bz2
import contextlib
import gzip
import importlib
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

# errors of reading a damaged file
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ARCHIVES: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_ZSTD = b"\x28\xb5\x2f\xfd"
_UNPACK = {  # commands that unpack the archives that are not read here
    b"\x1f\x9d": "uncompress",
    b"\x04\x22\x4d\x18": "lz4 -d",
    b"PK\x03\x04": "unzip",
    b"7z\xbc\xaf\x27\x1c": "7z x",
}


def open_text(path: Path) -> io.BufferedReader:
    r"""Open a text file for reading bytes: plain, or packed by gzip, bzip2, xz or zstd.

    A byte-order mark of UTF-8 is left out. The text before damage is read before the damage is
    raised.

    Parameters
    ----------
    path : Path

    Returns
    -------
    binary file

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file must be unpacked first, or is text of two bytes a letter.

    Examples
    --------
    >>> _ = Path("run.dump.gz").write_bytes(gzip.compress(b"ITEM: TIMESTEP\n"))
    >>> with open_text(Path("run.dump.gz")) as file:
    ...     print(file.readline())
    b'ITEM: TIMESTEP\n'
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    raw = path.open("rb")
    try:
        start = raw.read(8)
        raw.seek(0)
        unpack = _unpacker(path, start)
    except BaseException:
        raw.close()
        raise
    # without a buffer, archives give lines slowly
    file: io.BufferedReader = raw
    if unpack is not None:
        file = io.BufferedReader(_Archive(raw, unpack), 1 << 20)
    with contextlib.suppress(*DAMAGE):  # raised again at the next reading, which names the frame
        if file.peek(3)[:3] == _BYTE_ORDER_MARK:
            file.read(3)
    return file


def place_in_file(file: io.BufferedReader) -> int:
    r"""Give the number of bytes that have been read of a file; packed bytes of a packed file.

    Parameters
    ----------
    file : binary file
        Of `open_text`.

    Returns
    -------
    int

    Examples
    --------
    >>> _ = Path("run.dump").write_bytes(b"ITEM: TIMESTEP\n0\n")
    >>> with open_text(Path("run.dump")) as file:
    ...     _ = file.readline()
    ...     print(place_in_file(file))
    15
    """
    return file.raw.place if isinstance(file.raw, _Archive) else file.tell()


def is_archive(file: io.BufferedReader) -> bool:
    r"""Whether the file is packed: going back in such a file is slow.

    Parameters
    ----------
    file : binary file
        Of `open_text`.

    Returns
    -------
    bool

    Examples
    --------
    >>> _ = Path("run.dump").write_bytes(b"ITEM: TIMESTEP\n0\n")
    >>> with open_text(Path("run.dump")) as file:
    ...     print(is_archive(file))
    False
    """
    return isinstance(file.raw, _Archive)


def damage(error: Exception) -> str:
    """Say what is wrong with a file.

    Parameters
    ----------
    error : Exception
        One of `DAMAGE`.

    Returns
    -------
    str

    Examples
    --------
    >>> damage(OSError("input/output error"))
    'damaged file: input/output error'
    """
    if isinstance(error, EOFError):
        return (
            "damaged file: the archive is cut short; wait until LAMMPS has closed it, or go on "
            "with the frames before this one"
        )
    return f"damaged file: {error}"


def skip_blank(file: io.BufferedReader) -> bool:
    r"""Go on to the next line that is neither blank nor a comment.

    Parameters
    ----------
    file : binary file
        Of `open_text`.

    Returns
    -------
    bool
        False at the end of the file.

    Examples
    --------
    >>> file = io.BufferedReader(io.BytesIO(b"\n# made by hand\nITEM: TIMESTEP\n"))
    >>> skip_blank(file), file.readline()
    (True, b'ITEM: TIMESTEP\n')
    """
    while start := file.peek(80)[:80]:
        content = start.partition(b"\n")[0].strip()
        if content and not content.startswith(b"#"):
            return True
        file.readline()
    return False


def _unpacker(path: Path, start: bytes) -> Callable[[IO[bytes]], Any] | None:
    """Function that unpacks a file with these first bytes; None for plain text."""
    for magic, unpack in _ARCHIVES.items():
        if start.startswith(magic):
            return unpack
    if start.startswith(_ZSTD):
        try:  # since Python 3.14
            zstd = importlib.import_module("compression.zstd")
        except ImportError:
            raise ValueError(f"{path}: packed by zstd; unpack it first: zstd -d {path}") from None
        return lambda file: zstd.ZstdFile(file)
    for magic, command in _UNPACK.items():
        if start.startswith(magic):
            raise ValueError(f"{path}: an archive; unpack it first: {command} {path}")
    if start.startswith(_UTF_16):
        raise ValueError(
            f"{path}: text in UTF-16; write it as UTF-8 first: iconv -f UTF-16 -t UTF-8 {path}"
        )
    return None


class _Archive(io.RawIOBase):
    """Content of a packed file."""

    def __init__(self, raw: io.BufferedReader, unpack: Callable[[IO[bytes]], Any]) -> None:
        self._raw = raw
        self._content = unpack(raw)

    @property
    def place(self) -> int:
        return self._raw.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return int(self._content.seek(offset, whence))

    def readinto(self, buffer: Any, /) -> int:
        part = self._content.read1(len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._raw.close()
        super().close()
