"""Pages of docs/ that tests type: their commands run in order, in one folder."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lmp import BIN

DOCS = Path(__file__).resolve().parents[1] / "docs"
FENCE = re.compile(
    r"(?:<!-- fragment(|: [^\n]+) -->\n)?^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE
)
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|\bnan\b")
# shells and programs that a page starts see the environment that the tests run in, and no other
PATH = f"{BIN}{os.pathsep}{os.environ['PATH']}"


@dataclass(frozen=True)
class Block:
    """Code between two fences; that of a fragment is not run, for a reason that it may say."""

    language: str
    code: str
    is_fragment: bool
    reason: str


def blocks_of(page: Path) -> list[Block]:
    """The fenced code of a page, in order."""
    return [
        Block(found[2], found[3], found[1] is not None, (found[1] or "").removeprefix(": "))
        for found in FENCE.finditer(page.read_text())
    ]


def type_page(page: Path, folder: Path) -> str:
    """What the `sh` blocks of a page print, run in a folder.

    A `text` block behind a command shows what the command prints. Its lines must be printed in this
    order. Their numbers may differ, since processors round differently and liquids are chaotic.
    """
    printed: list[str] = []
    for block in blocks_of(page):
        if block.language == "sh" and not block.is_fragment:
            printed.append(_run(block.code, folder))
        elif block.language == "text" and not block.is_fragment:
            assert printed, f"{page.name}: nothing was typed before\n{block.code}"
            _find(block.code, printed[-1], page)
    return "\n".join(printed)


def _run(code: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-eu", "-c", code],
        cwd=folder,
        env=os.environ | {"PATH": PATH, "COLUMNS": "80", "MPLBACKEND": "agg"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}"
    return done.stdout


def _find(shown: str, printed: str, page: Path) -> None:
    """Each line shown must be among those printed, behind the line shown before it."""
    lines = _words(printed)
    for line in _words(shown):
        if line != "...":
            pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
            found = any(pattern.fullmatch(candidate) for candidate in lines)
            assert found, f"{page.name}: is not printed, or not behind the line before:\n{line}"


def _words(text: str) -> Iterator[str]:
    """Lines without their numbers, and with one blank between words."""
    for line in text.splitlines():
        if words := NUMBER.sub("0", line).split():
            yield " ".join(words)
