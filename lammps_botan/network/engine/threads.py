"""Number of threads of the compiled engine."""

import os


def available_threads() -> int:
    """Give the number of threads that a process takes by default.

    Returns
    -------
    int
        That of the environment variable OMP_NUM_THREADS, or the number of cores that the process
        may use.

    Examples
    --------
    >>> available_threads() >= 1
    True
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
