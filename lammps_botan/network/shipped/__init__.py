"""Trained models that ship, each a model file NAME.pt with a card NAME.toml."""

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
        The name stands for the model wherever a model file is expected.
    path : Path
        The model file.
    card : dict
        Data, recipe, correlations and limits of the model.

    Examples
    --------
    >>> model = shipped_models()[0]
    >>> model.path.name == f"{model.name}.pt"
    True
    """

    name: str
    path: Path
    card: dict[str, Any]


def shipped_models() -> list[ShippedModel]:
    """Give all models that ship, by name.

    Returns
    -------
    list of ShippedModel

    Examples
    --------
    >>> "ka-t044" in [model.name for model in shipped_models()]
    True
    """
    return [
        ShippedModel(path.stem, path, tomllib.loads(path.with_suffix(".toml").read_text()))
        for path in sorted(FOLDER.glob("*.pt"))
    ]


def find_model(name_or_path: str | Path) -> Path:
    """Find the model file of a path, or of the name of a model that ships; a path comes first.

    Parameters
    ----------
    name_or_path : str or Path

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError
        If it is neither; lists the names.

    Examples
    --------
    >>> find_model("ka-t044").name
    'ka-t044.pt'
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
