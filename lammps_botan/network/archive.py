"""The archive of a model file: a file of its own, or part of another one as its fallback."""

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lammps_botan.files.checksum import has_checksum

LARGEST = 1 << 28  # bytes of an extra file: a small archive could hold one that fills the memory


@dataclass(frozen=True)
class Archive:
    """A TorchScript archive. No code of it is loaded.

    Attributes
    ----------
    path : Path
        The file.
    inside : bytes or None
        Content of the archive, where it lies inside of the file.

    Raises
    ------
    FileNotFoundError
        When the content is read, if there is no such file.
    ValueError
        When the content is read, if the file is damaged.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> archive = Archive(find_model("ka-t044"))
    >>> archive.has_checksum, archive.extra_file("metadata.json")[:1]
    (True, b'{')
    """

    path: Path
    inside: bytes | None = None

    def __str__(self) -> str:
        """The name for messages."""
        return str(self.path) if self.inside is None else f"{self.path}: its fallback"

    @cached_property
    def content(self) -> bytes:
        """All bytes of the archive, read once; a wrong checksum is refused."""
        if self.inside is None and not self.path.is_file():
            raise FileNotFoundError(f"{self.path}: no such file")
        content = self.path.read_bytes() if self.inside is None else self.inside
        has_checksum(content, str(self))
        return content

    @property
    def has_checksum(self) -> bool:
        """Whether the archive has a checksum, which older files lack."""
        return has_checksum(self.content, str(self))

    def buffer(self) -> io.BytesIO:
        """Give a file object to read the archive from."""
        return io.BytesIO(self.content)

    def extra_file(self, name: str) -> bytes:
        """Read one of the extra files; empty where there is no such file.

        Raises
        ------
        ValueError
            If this is no archive, or a damaged one without a checksum, or the extra file is larger
            than any that `export` writes.
        """
        try:
            with zipfile.ZipFile(self.buffer()) as archive:
                for found in archive.infolist():
                    if found.filename.endswith(f"/extra/{name}"):
                        if found.file_size > LARGEST:
                            raise ValueError(f"{name} has {found.file_size} bytes")
                        return archive.read(found)
        except Exception as error:  # zipfile fails in many ways on a damaged archive
            raise ValueError(f"{self}: not a model file: {error}") from error
        return b""
