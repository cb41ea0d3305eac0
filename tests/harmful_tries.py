"""Tries that do what a process does not survive."""

import os
import time
from pathlib import Path

from fault import RIGHT


class Harmful:
    """Tries that end the process, take all time or memory, or raise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, seed: int) -> tuple[str, str]:
        if seed == 0:
            os.abort()
        if seed == 1:
            time.sleep(1000)
        if seed == 2:
            bytearray(1 << 50)
        if seed == 3:
            raise KeyError("key")
        return RIGHT, str(seed)
