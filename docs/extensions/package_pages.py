"""What the generated pages of the package show: the front door and the rooms.

The template in `_templates/autosummary` receives what is computed here.
"""

import pkgutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import lammps_botan

PACKAGE = Path(lammps_botan.__file__).parent


def front_door() -> list[str]:
    """Where each name of `lammps_botan.__all__` is defined."""
    return [f"{lammps_botan._ROOMS[name]}.{name}" for name in lammps_botan.__all__]


def rooms() -> list[str]:
    """The packages beside the front door, without that of former addresses."""
    names = [module.name for module in pkgutil.iter_modules([str(PACKAGE)])]
    return [name for name in names if name != "former"]


def compiled() -> set[str]:
    """Libraries that look like modules of Python and are none."""
    return {file.name.split(".")[0] for file in PACKAGE.rglob("*.so")}


def setup(app: Sphinx) -> dict[str, Any]:
    """Hand the lists to the template."""
    app.config.autosummary_context = {
        "front_door": front_door(),
        "rooms": rooms(),
        "compiled": compiled(),
    }
    return {"parallel_read_safe": True, "parallel_write_safe": True}
