"""Mixtures by name, or from TOML files (docs/how_to/own_mixture.md)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from lammps_botan.structure.mixture import SHIPPED, Interactions, Mixture

SUFFIX = ".toml"


def find_mixture(name_or_path: str | Path) -> Mixture:
    """Find a shipped mixture by its name, or read the mixture of a TOML file.

    Parameters
    ----------
    name_or_path : str or Path
        A name of `structure.mixture.SHIPPED`, or a file whose name ends in .toml.

    Returns
    -------
    Mixture

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there is no such mixture, or the file is not TOML, lacks a key, has an unknown one, or a
        value of a wrong type.

    Examples
    --------
    >>> find_mixture("kob-andersen").bond_lengths[0][1]
    1.08
    """
    if str(name_or_path) in SHIPPED:
        return SHIPPED[str(name_or_path)]
    path = Path(name_or_path)
    if path.suffix != SUFFIX:
        raise ValueError(
            f"there is no mixture '{name_or_path}'; expected {', '.join(SHIPPED)} or a file whose "
            f"name ends in {SUFFIX} (docs/how_to/own_mixture.md)"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        content = tomllib.loads(path.read_text())
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise ValueError(f"{path}: not a TOML file: {error}") from error
    return parse_mixture(content, str(path))


def parse_mixture(content: Mapping[str, Any] | str, where: str) -> Mixture:
    """Make the mixture that the content of a file describes.

    Parameters
    ----------
    content : dict, or str
        Content of a TOML file, or JSON text.
    where : str
        The file, for messages.

    Returns
    -------
    Mixture

    Raises
    ------
    ValueError
        If the content is no mixture; each problem is one line that names the key.

    Examples
    --------
    >>> content = {"name": "argon", "units": "real", "species": ["Ar"], "masses": [39.948]}
    >>> content |= {"fractions": [1.0], "bond_lengths": {"Ar-Ar": 5.0}, "diameter": 3.4}
    >>> parse_mixture(content, "argon.toml").longest_bond
    5.0
    """
    try:
        if isinstance(content, str):
            return Mixture.model_validate_json(content)
        return Mixture.model_validate(content)
    except ValidationError as error:
        raise ValueError("\n".join(_explain(where, e) for e in error.errors())) from error


def _explain(where: str, error: Mapping[str, Any]) -> str:
    key = ".".join(str(place) for place in error["loc"])
    if error["type"] == "value_error":
        return ": ".join([where, *([key] if key else []), str(error["ctx"]["error"])])
    if error["type"] == "missing":
        return f"{where}: lacks the key {key}"
    if error["type"] == "extra_forbidden":
        section: type[BaseModel] = Interactions if len(error["loc"]) > 1 else Mixture
        return f"{where}: unknown key {key}; expected one of {', '.join(section.model_fields)}"
    place = f"{key}: " if key else ""
    return f"{where}: {place}{_sentence(str(error['msg']))}, found {error['input']!r}"


def _sentence(message: str) -> str:
    """Message of pydantic in our words: 'Input should be X' becomes 'expected X'."""
    return message.replace("Input should be", "expected")
