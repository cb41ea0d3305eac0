"""The archive that a model file is: a file, or part of another one as its fallback."""

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lammps_botan.files.checksum import has_checksum

LARGEST = 1 << 28  # bytes of an extra file: a small archive could hold one that fills the memory


@dataclass(frozen=True)
class Archive:
    """A TorchScript archive. None of its code is loaded.

    Attributes
    ----------
    path : Path
        The file.
    inside : bytes or None
        The content of the archive, where it is not the file itself but inside it.

    Raises
    ------
    FileNotFoundError
        By all but its name, if there is no such file.
    ValueError
        By all but its name, if the file is damaged.
    """

    path: Path
    inside: bytes | None = None

    def __str__(self) -> str:
        """The name for messages."""
        return str(self.path) if self.inside is None else f"{self.path}: its fallback"

    @cached_property
    def content(self) -> bytes:
        """All of it, read once; where it has a checksum, the checksum is right."""
        if self.inside is None and not self.path.is_file():
            raise FileNotFoundError(f"{self.path}: no such file")
        content = self.path.read_bytes() if self.inside is None else self.inside
        has_checksum(content, str(self))
        return content

    @property
    def has_checksum(self) -> bool:
        """Whether damage would be seen: files from before checksums have none."""
        return has_checksum(self.content, str(self))

    def buffer(self) -> io.BytesIO:
        """A file object to read it from."""
        return io.BytesIO(self.content)

    def extra_file(self, name: str) -> bytes:
        """What one of the extra files holds; nothing where there is no such file.

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
