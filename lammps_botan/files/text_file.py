"""Text files, compressed or not, as bytes.

What a file is compressed with is told by its first bytes, never by its name.
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

# what reading a damaged file may raise
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ARCHIVES: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_ZSTD = b"\x28\xb5\x2f\xfd"
_UNPACK = {  # what unpacks the archives that are not read here
    b"\x1f\x9d": "uncompress",
    b"\x04\x22\x4d\x18": "lz4 -d",
    b"PK\x03\x04": "unzip",
    b"7z\xbc\xaf\x27\x1c": "7z x",
}


def open_text(path: Path) -> io.BufferedReader:
    """Open a text file for reading bytes: plain, or packed by gzip, bzip2, xz or zstd.

    A byte-order mark of UTF-8 is left out. What comes before damage is read before the damage is
    raised.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it must be unpacked first, or is text of two bytes a letter.
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
    # archives alone hand out lines slowly
    file: io.BufferedReader = raw
    if unpack is not None:
        file = io.BufferedReader(_Archive(raw, unpack), 1 << 20)
    with contextlib.suppress(*DAMAGE):  # who reads on meets it again, and names the frame
        if file.peek(3)[:3] == _BYTE_ORDER_MARK:
            file.read(3)
    return file


def place_in_file(file: io.BufferedReader) -> int:
    """How many bytes of the file have been read, which may be packed."""
    return file.raw.place if isinstance(file.raw, _Archive) else file.tell()


def is_archive(file: io.BufferedReader) -> bool:
    """Whether the file is packed, so that going back in it is slow."""
    return isinstance(file.raw, _Archive)


def damage(error: Exception) -> str:
    """What is wrong with a file, from an error of `DAMAGE`."""
    if isinstance(error, EOFError):
        return (
            "damaged file: the archive is cut short; wait until LAMMPS has closed it, or go on "
            "with the frames before this one"
        )
    return f"damaged file: {error}"


def skip_blank(file: io.BufferedReader) -> bool:
    """Go on to the next line that is neither blank nor a comment; False at the end of the file."""
    while start := file.peek(80)[:80]:
        content = start.partition(b"\n")[0].strip()
        if content and not content.startswith(b"#"):
            return True
        file.readline()
    return False


def _unpacker(path: Path, start: bytes) -> Callable[[IO[bytes]], Any] | None:
    """What unpacks a file that starts so; None for plain text."""
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
    """The content of a packed file."""

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
