"""Pictures of several panels keep a size at which their labels can be read: class `wide`.

On a narrow window the style sheet lets a reader push such a picture sideways, as a wide table.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx

PANELS = 1.6  # width over height; a single panel with its color bar has 1.2


def mark(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Give the class to the pictures of a page that are much wider than high."""
    for picture in tree.findall(nodes.image):
        path = Path(app.srcdir, picture["uri"])
        if path.suffix == ".png" and path.is_file():
            with Image.open(path) as opened:
                width, height = opened.size
            if width > PANELS * height:
                picture["classes"].append("wide")


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at each page when the paths of its pictures are known."""
    app.connect("doctree-resolved", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
