"""What the sources say to a user: texts of errors and warnings, `...` for what is inserted."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "lammps_botan"
HOLE = "..."
LITERALS = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
PLACE = re.compile(r"\{[^{}]*\}")


def messages(room: str = ".") -> set[str]:
    """All texts of the package, or of one of its rooms, that may be part of a message."""
    texts = [*_in_python(ROOT / room), *_in_cpp(ROOT / room)]
    return {" ".join(text.split()) for text in texts}


def _in_python(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield PLACE.sub(HOLE, node.value)
            elif isinstance(node, ast.JoinedStr):
                yield "".join(map(_text, node.values))


def _text(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else HOLE


def _in_cpp(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*.cpp"):
        for several in LITERALS.findall(file.read_text()):
            text = "".join(LITERAL.findall(several))
            yield PLACE.sub(HOLE, text.replace("\\n", " ").replace("{{", "{").replace("}}", "}"))


def is_said(shown: str, said: set[str]) -> bool:
    """Whether a message on a page is the beginning, or a part, of one in the sources."""
    pieces = [re.escape(piece) for piece in " ".join(shown.split()).split(HOLE)]
    pattern = re.compile(".+".join(pieces))
    return any(pattern.search(text) for text in said)
