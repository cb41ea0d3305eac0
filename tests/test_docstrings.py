"""Docstrings of the public API: what a reader of the reference finds for each name.

Public is the front door with the public methods of its classes, and every function and class
without an underscore that a module of the rooms below defines; in a folder of a room whose
`__init__` has an `__all__`, the names of that list.
"""

import dataclasses
import importlib
import inspect
import re
from pathlib import Path

import pytest

import lammps_botan

ROOMS = ("structure", "files", "analysis", "network", "evaluation", "prediction", "training")
PACKAGE = Path(lammps_botan.__path__[0])
SECTION = re.compile(r"^(\w[\w ]*)\n-+$", flags=re.MULTILINE)


def modules():
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
            yield importlib.import_module(".".join(parts).removesuffix(".__init__"))


def offers(module, name: str) -> bool:
    """Whether a module, or its folder inside of a room, offers a name to users."""
    parts = module.__name__.split(".")
    if len(parts) <= len(["lammps_botan", "room", "module"]):
        return True
    folder = importlib.import_module(".".join(parts[:-1]))
    return name in getattr(folder, "__all__", [name])


def is_plain(thing) -> bool:
    """Whether a class has no parameters of its own: exceptions, protocols and tuples of names."""
    return inspect.isclass(thing) and (
        issubclass(thing, BaseException) or getattr(thing, "_is_protocol", False)
    )


def public_names():
    """Names and objects: of the rooms, and the public methods of the front door's classes."""
    found = {}
    for module in modules():
        for name, thing in vars(module).items():
            if name.startswith("_") or not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            own = thing.__module__ == module.__name__ and offers(module, name)
            if own and not is_plain(thing):
                found[f"{module.__name__}.{name}"] = thing
    for name in lammps_botan.__all__:
        thing = getattr(lammps_botan, name)
        if inspect.isclass(thing):
            for part, member in vars(thing).items():
                member = getattr(member, "__func__", member)
                if not part.startswith("_") and inspect.isfunction(member):
                    found[f"{thing.__module__}.{name}.{part}"] = member
    return found


PUBLIC = public_names()


def sections(thing) -> dict[str, str]:
    """The sections of a numpy docstring by title; what comes before them is called Summary."""
    parts = SECTION.split(inspect.getdoc(thing) or "")
    return {"Summary": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def documented(section: str) -> list[str]:
    """The names that a section of parameters explains, in order."""
    names = re.findall(r"^([*\w][*\w, ]*?)(?: : .*)?$", section, flags=re.MULTILINE)
    return [name.strip().lstrip("*") for line in names for name in line.split(",")]


def parameters(thing) -> list[str]:
    made = inspect.isclass(thing) and not is_data(thing) and inspect.isfunction(thing.__init__)
    names = inspect.signature(thing.__init__ if made else thing).parameters
    return [name for name in names if name not in {"self", "cls"} and not name.startswith("_")]


def is_data(thing) -> bool:
    """Whether a class holds data: its fields are its parameters, and may be called attributes."""
    return dataclasses.is_dataclass(thing) or hasattr(thing, "model_fields")


@pytest.mark.parametrize("name", PUBLIC)
def test_a_docstring_says_what_it_does_takes_and_gives(name):
    thing, found = PUBLIC[name], sections(PUBLIC[name])
    first = found["Summary"].split("\n")[0]
    assert first.endswith((".", ":")), f"{name}: the first line is no sentence"
    explained = documented(found.get("Parameters", ""))
    if is_data(thing):
        explained = list(dict.fromkeys(explained + documented(found.get("Attributes", ""))))
    assert sorted(explained) == sorted(parameters(thing)), f"{name}: Parameters"
    if inspect.isfunction(thing) and inspect.signature(thing).return_annotation not in {
        None,
        "None",
    }:
        assert {"Returns", "Yields"} & found.keys(), f"{name}: Returns or Yields"


@pytest.mark.parametrize("name", PUBLIC)
def test_a_docstring_has_an_example(name):
    """An example that runs (test_docs.py runs it); one of a class is one of its methods too."""
    owner = name.rsplit(".", 1)[0]
    texts = [inspect.getdoc(PUBLIC[n]) or "" for n in (name, owner) if n in PUBLIC]
    assert any(">>> " in text for text in texts), f"{name}: no example"
