"""The archive that a model file is: a file, or part of another one as its fallback."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Archive:
    """A TorchScript archive. None of its code is loaded.

    Attributes
    ----------
    path : Path
        The file.
    content : bytes or None
        Of the archive, where it is not the file itself but inside it.
    """

    path: Path
    content: bytes | None = None

    def __str__(self) -> str:
        """The name for messages."""
        return str(self.path) if self.content is None else f"{self.path}: its fallback"

    def open(self) -> IO[bytes]:
        """A file object to read it from."""
        return self.path.open("rb") if self.content is None else io.BytesIO(self.content)

    def extra_file(self, name: str) -> bytes:
        """What one of the extra files holds; nothing where there is no such file.

        Raises
        ------
        zipfile.BadZipFile
            If this is no archive.
        """
        with self.open() as file, zipfile.ZipFile(file) as archive:
            for found in archive.namelist():
                if found.endswith(f"/extra/{name}"):
                    return archive.read(found)
        return b""
