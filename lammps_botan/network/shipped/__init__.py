"""The trained models that ship, each a model file NAME.pt with a card NAME.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ShippedModel:
    """A model that ships with the package.

    Attributes
    ----------
    name : str
        As it may be given wherever a model is expected.
    path : Path
        The model file.
    card : dict
        What the card says: data, recipe, correlations, limits.
    """

    name: str
    path: Path
    card: dict[str, Any]


def shipped_models() -> list[ShippedModel]:
    """All models that ship, by name."""
    return [
        ShippedModel(path.stem, path, tomllib.loads(path.with_suffix(".toml").read_text()))
        for path in sorted(FOLDER.glob("*.pt"))
    ]


def find_model(name_or_path: str | Path) -> Path:
    """The model file of a path, or of the name of a model that ships; a path comes first.

    Raises
    ------
    FileNotFoundError
        If it is neither; lists the names.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    for model in shipped_models():
        if model.name == str(name_or_path):
            return model.path
    names = ", ".join(model.name for model in shipped_models()) or "none"
    raise FileNotFoundError(
        f"{name_or_path}: no such file, and no model that ships has this name ({names})"
    )
