"""Files that hold whole frames only."""

import contextlib
import os
import stat
from pathlib import Path
from types import TracebackType


class WholeFrames:
    """Files that grow by whole frames, together; what they hold can be read at any time.

    A frame is written in one piece; when that fails or is interrupted, all files are cut back to
    the frames before. Files that are there are replaced when the first frame is written, and not
    before.

    Parameters
    ----------
    paths : sequence of Path

    Attributes
    ----------
    n_frames : int
        Frames written.

    Raises
    ------
    OSError
        If a file cannot be written.
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

        Raises
        ------
        OSError
            If a frame cannot be written, for example since the disk is full.
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
        """Close the files; those that were made for nothing are removed."""
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
