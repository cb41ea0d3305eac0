"""SHA-256 of files, which tells later that they are still the same."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Compute the SHA-256 of the bytes of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> _ = Path("empty").write_bytes(b"")
    >>> sha256_of(Path("empty"))[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
