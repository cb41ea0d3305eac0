"""The course of a measurement, on the error output."""

import re
import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
LINE = re.compile(r"step (\d+) of (\d+)")


def steps(items: Sequence[T], name: str) -> Iterator[T]:
    """The items in turn, with a bar and the time left; without a terminal, with a line for each."""
    if sys.stderr.isatty():
        yield from track(items, name, console=Console(stderr=True), transient=True)
        return
    for k, item in enumerate(items, 1):
        yield item
        print(f"{name}: step {k} of {len(items)}", file=sys.stderr, flush=True)


def read_step(line: str) -> float | None:
    """The share that is done, of a line of `steps`; None of another line."""
    found = LINE.search(line)
    return int(found[1]) / int(found[2]) if found else None
