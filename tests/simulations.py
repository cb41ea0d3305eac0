"""Commands of `lammps-botan simulate`, and the files that they write."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from lmp import BIN

N = 200
# of histories
T = 0.8
HOT = {"temperature": T, "melt_time": 0.5, "cooling_time": 0.5, "time": 1.0}
SHORT = {"temperature": T, "times": [0.2], "runs": 3}
HISTORIES = {"window": 0.4, "interval": 0.02, "velocities": 2, "ends": 3}
LONG = {"temperature": 1.0, "times": [0.02, 1.3, 41.0], "runs": 3}


def command(*arguments: object) -> list[str | Path]:
    """`lammps-botan simulate`, as a user types it."""
    return [BIN / "lammps-botan", "simulate", *map(str, arguments)]


def start(*arguments: object) -> subprocess.Popen[bytes]:
    """A command in its own session."""
    return subprocess.Popen(command(*arguments), stderr=subprocess.DEVNULL, start_new_session=True)


def wait_for(
    condition: Callable[[], object], process: subprocess.Popen[Any], seconds: float = 120
) -> None:
    """Wait for what a process does while it goes on."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)


def arrays(path: Path) -> dict[str, np.ndarray]:
    """What an npz file holds."""
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
