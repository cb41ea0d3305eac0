"""The largest memory that a process has had."""

import re
from pathlib import Path


def peak(status: str | None = None) -> int:
    """Bytes, of this process or of the text of a file /proc/PID/status.

    Linux counts in kB; getrusage would tell the peak of the parent as well.

    Raises
    ------
    ValueError
        If the text does not tell it.
    """
    text = Path("/proc/self/status").read_text() if status is None else status
    found = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"expected a line VmHWM, found {text[-500:]!r}")
    return int(found[1]) * 1024
