"""Output files that hold whole frames only."""

import contextlib
import os
import stat
from pathlib import Path
from types import TracebackType


class WholeFrames:
    r"""Files that grow by whole frames, together, and can be read at any time.

    Each frame is written in one piece. If that fails or is interrupted, all files are cut back to
    the frames before. A file that is already there is replaced when the first frame is written, not
    earlier.

    Parameters
    ----------
    *paths : Path

    Attributes
    ----------
    n_frames : int
        Frames written.

    Raises
    ------
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> with WholeFrames(Path("scored.dump")) as files:
    ...     files.append(b"ITEM: TIMESTEP\n")
    ...     print(files.n_frames)
    1
    """

    def __init__(self, *paths: Path) -> None:
        self.n_frames = 0
        self._files: list[_WholeFile] = []
        try:
            for path in paths:
                self._files.append(_WholeFile(path))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "WholeFrames":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, *texts: bytes) -> None:
        """Write one frame to each file.

        Parameters
        ----------
        *texts : bytes
            One for each file.

        Raises
        ------
        OSError
            If a frame cannot be written, for example because the disk is full.
        """
        try:
            for file, text in zip(self._files, texts, strict=True):
                file.write(text, first=self.n_frames == 0)
        except BaseException:
            for file in self._files:
                file.cut_back()
            raise
        for file in self._files:
            file.keep()
        self.n_frames += 1

    def close(self) -> None:
        """Close the files; remove new files without a frame."""
        for file in self._files:
            file.close(used=self.n_frames > 0)


class _WholeFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._new = not path.exists()
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise OSError(f"{path}: cannot be written: {error.strerror}") from error
        # a device or a pipe cannot be cut
        self._regular = stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
        self._whole: int | None = None  # bytes of whole frames; none yet

    def write(self, text: bytes, *, first: bool) -> None:
        try:
            if first and self._regular:
                self._file.truncate(0)
                self._whole = 0
            left = memoryview(text)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise OSError(
                f"{self.path}: cannot write a frame: {error.strerror}; make room, or write to "
                "another disk"
            ) from error

    def keep(self) -> None:
        if self._regular:
            self._whole = os.fstat(self._file.fileno()).st_size

    def cut_back(self) -> None:
        if self._whole is not None:
            self._file.truncate(self._whole)

    def close(self, *, used: bool) -> None:
        self._file.close()
        if self._new and not used and self._regular:
            with contextlib.suppress(OSError):
                self.path.unlink()
