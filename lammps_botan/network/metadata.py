"""The facts that a model file carries about itself, `metadata.json` (docs/model_file.md)."""

import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

FORMAT = "lammps-botan"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Metadata:
    """What a model file says of itself.

    Attributes
    ----------
    architecture : str
        Such as "botan".
    species : list of str
        Names in the order of their numbers.
    cutoff : float
        Of the graph, in `units`.
    rounds : int
        How often `step` is called.
    width : int
        Columns of the node state that ghosts receive between two steps.
    node_outputs, edge_outputs : list of str
        Names of the output columns; `edge_outputs` may be empty.
    units : str
        LAMMPS's name of the unit system, "lj".
    lag_times : list of float, or None
        Of the predictions.
    temperature, density : float, or None
        Of the training data.
    provenance, versions : dict
        Where the model came from and what wrote it.
    """

    architecture: str
    species: list[str]
    cutoff: float
    rounds: int
    width: int
    node_outputs: list[str]
    edge_outputs: list[str]
    lag_times: list[float] | None
    temperature: float | None
    density: float | None
    units: str = "lj"
    provenance: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text of `metadata.json`."""
        head = {"format": FORMAT, "format_version": FORMAT_VERSION}
        return json.dumps(head | asdict(self), indent=2)


def read_metadata(path: Path) -> Metadata:
    """Read the metadata of a model file; none of its code is loaded.

    Raises
    ------
    ValueError
        If the file is not a model file, or of another format version.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith("/extra/metadata.json")]
            content = json.loads(archive.read(names[0])) if names else None
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"{path}: not a model file: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(
            f"{path}: not a model file of lammps-botan. From a checkpoint, make one with "
            f"`lammps-botan export {path} -o model.pt`"
        )
    if content.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{path}: model file format {content.get('format_version')}, this version of "
            f"lammps-botan reads format {FORMAT_VERSION}; export the model again"
        )
    for key, expected, fits in _CONTRACT:
        if key not in content:
            raise ValueError(f"{path}: metadata.json has no key '{key}'")
        if not fits(content[key]):
            raise ValueError(
                f"{path}: metadata.json: '{key}' must be {expected}, found {content[key]!r}"
            )
    known = {f.name for f in fields(Metadata)}
    return Metadata(**{k: v for k, v in content.items() if k in known})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int) and value >= 1


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _are_species(value: Any) -> bool:
    return _are_names(value) and len(set(value)) == len(value) > 0 and "NULL" not in value


_CONTRACT: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ("architecture", "a string", lambda v: isinstance(v, str)),
    ("units", "'lj'", lambda v: v == "lj"),
    ("species", "a list of different names, none of them NULL", _are_species),
    ("cutoff", "a positive number", lambda v: _is_number(v) and v > 0),
    ("rounds", "a positive integer", _is_count),
    ("width", "a positive integer", _is_count),
    ("node_outputs", "a list of names", lambda v: _are_names(v) and len(v) > 0),
    ("edge_outputs", "a list of names, maybe empty", _are_names),
    (
        "lag_times",
        "a list of numbers, or null",
        lambda v: v is None or (isinstance(v, list) and all(map(_is_number, v))),
    ),
    ("temperature", "a number, or null", lambda v: v is None or _is_number(v)),
    ("density", "a number, or null", lambda v: v is None or _is_number(v)),
)
