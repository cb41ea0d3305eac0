"""Files that appear under their names when they are whole; every file is written this way."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SUFFIX = ".part"  # of the name of an unfinished file


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a name to write to, PATH.part, and rename that file to PATH at the end.

    A reader sees the old file or the whole new one, never a part. If the block fails, nothing of
    the new file is left, and an old file stays.

    Parameters
    ----------
    path : Path
        The folder must be there.

    Yields
    ------
    Path
        In the same folder. Its suffix is .part: functions that tell the format by the suffix must
        be told the format.

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
    part = _part(path)
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


def keep_apart(outputs: Sequence[Path], inputs: Iterable[str | Path]) -> None:
    """Refuse to write over a file that is read, or twice to one file.

    Two names of one file, such as links, are the same.

    Parameters
    ----------
    outputs : sequence of Path
        Files to write.
    inputs : iterable of Path
        Files that are read. Names that are no files, such as the name of a model, are ignored.

    Raises
    ------
    ValueError
        If an output is an input, or another output.

    Examples
    --------
    >>> keep_apart([Path("scored.dump")], ["run.dump", "ka-t044"])
    """
    read = [Path(path) for path in inputs]
    for k, output in enumerate(outputs):
        for written in (output, _part(output)):
            if any(_same(written, other) for other in read):
                raise ValueError(f"{written}: is read too; give the output another name")
        if any(_same(output, other) for other in outputs[:k]):
            raise ValueError(f"{output}: would be written twice; give the output another name")


def _part(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return os.path.realpath(one) == os.path.realpath(other)
