"""Files that appear under their names when they are whole: the one writer of all files."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a name to write to, PATH.part, and rename that file to PATH at the end.

    A reader sees the file before or the whole new one, never half of one. Where the block fails
    nothing is left of the new file, and a file that was there before stays.

    Parameters
    ----------
    path : Path
        The folder must be there.

    Yields
    ------
    Path
        In the same folder. Its suffix is .part, so say the format to what tells it by the suffix.

    Raises
    ------
    OSError
        As the block raises it, with `path` in the message.

    Examples
    --------
    >>> with whole_file("numbers.txt") as part:
    ...     _ = part.write_text("1 2 3")
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
