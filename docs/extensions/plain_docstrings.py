"""Docstrings as people read them in an editor, told to docutils.

They have three signs of Markdown: code between backticks, code that is indented after an empty
line, with or without `::` before it, and tables between bars. Everything else is text: |x| is a
modulus, and r_ is a name.
"""

import re
from itertools import groupby
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"`([^`]+)`")
MARKUP = re.compile(r"[|\\]|(?<=[^\n])\*(?=\w)|(?<=\w)_(?!\w)")


def marked_up(lines: list[str]) -> list[str]:
    """The docstring in the markup of docutils, paragraph by paragraph."""
    found: list[str] = []
    above = 0  # where the text above begins
    for empty, group in groupby(lines, key=lambda line: not line.strip()):
        paragraph = list(group)
        if empty:
            found += paragraph
            continue
        here = indentation(paragraph[0])
        if paragraph[0].lstrip().startswith(">>>"):
            found += paragraph
        elif found and here > above:
            said = next(line for line in reversed(found) if line.strip()).endswith("::")
            found += [*([] if said else [f"{' ' * above}::", ""]), *paragraph]
        else:
            found += table(paragraph) if paragraph[0].lstrip().startswith("|") else text(paragraph)
            above = indentation(paragraph[-1])
    return found


def indentation(line: str) -> int:
    """The number of spaces before the text."""
    return len(line) - len(line.lstrip())


def text(paragraph: list[str]) -> list[str]:
    """The paragraph with a backslash before what looks like markup and is none."""
    first = next((k for k, line in enumerate(paragraph) if line.lstrip().startswith(">>>")), None)
    parts = CODE.split("\n".join(paragraph[:first]))
    for k, part in enumerate(parts):
        if k % 2:
            attached = re.match(r"[\w(\[]", parts[k + 1])  # docutils wants a sign between
            parts[k] = f"``{part}``" + "\\ " * bool(attached)
        else:
            parts[k] = MARKUP.sub(r"\\\g<0>", part)
    return "".join(parts).split("\n") + (paragraph[first:] if first else [])


def table(paragraph: list[str]) -> list[str]:
    """A table of docutils; the second line, of dashes, says that the first one is the head."""
    margin = " " * indentation(paragraph[0])
    found = [f"{margin}.. list-table::", f"{margin}   :header-rows: 1", ""]
    for line in [paragraph[0], *paragraph[2:]]:
        cells = text([cell.strip() for cell in line.strip()[1:-1].split("|")])
        found += [f"{margin}   {'  -' if k else '* -'} {cell}" for k, cell in enumerate(cells)]
    return found


def process(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Change the lines of a docstring in place, before numpydoc reads its sections.

    Names that a module imports from other packages come this way too, before they are left out.
    """
    ours = (getattr(thing, "__module__", None) or "lammps_botan").startswith("lammps_botan")
    lines[:] = marked_up(lines) if ours else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Run before numpydoc does, which need not look for signatures in docstrings of others."""
    app.connect("autodoc-process-docstring", process, priority=100)
    for listener in list(app.events.listeners["autodoc-process-signature"]):
        if listener.handler.__module__.startswith("numpydoc"):
            app.disconnect(listener.id)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
