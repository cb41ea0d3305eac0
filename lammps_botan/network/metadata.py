"""Metadata of a model file, its `metadata.json` (docs/reference/model_file.md)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lammps_botan.network.archive import Archive
from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs
from lammps_botan.network.known_configurations import KnownConfiguration, known_in, merge_known
from lammps_botan.network.limits import LIMITS
from lammps_botan.network.strict_json import check_numbers_and_letters, parse_json
from lammps_botan.structure.mixture import Mixture

__all__ = ["HistoryInput", "InherentInput", "Inputs", "Metadata", "read_metadata"]

FORMAT = "lammps-botan"
FORMAT_VERSION = 2
FORMAT_VERSION_WITH_INPUTS = 3
LARGEST = 10**300  # of whole numbers, which are read as numbers of double precision
Names = Annotated[list[str], Field(max_length=LIMITS["outputs"])]
# strict, as the fix reads them: no number in quotation marks, and none that is true or false
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True, ge=-LARGEST, le=LARGEST)]
Flag = Annotated[bool, Field(strict=True)]
SmallLetters = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=LIMITS["letters"])]


class NetworkSettings(BaseModel):
    """Kind and settings of a network whose plain weights are in the file.

    Attributes
    ----------
    kind : str
        A key of `network.checkpoint.NETWORKS`.
    settings : dict
        Numbers and flags that make the network, besides species and inputs.

    Examples
    --------
    >>> NetworkSettings(kind="botan", settings={"rounds": 7, "width": 64}).kind
    'botan'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SmallLetters
    settings: Annotated[
        dict[SmallLetters, Flag | Whole | Number], Field(max_length=LIMITS["settings"])
    ]


class Metadata(BaseModel):
    """Metadata of a model file.

    Attributes
    ----------
    architecture : str
        Such as "botan".
    networks : list of NetworkSettings, or None
        The network, or the members of a committee, whose plain weights the compiled engine
        computes with; None where it does not know them.
    mixture : Mixture
        Species, units, bond lengths and dimension of the training data.
    inputs : Inputs
        Inputs of the model besides positions and species.
    seen : InputStatistics or None
        What it saw in training; None where this is not recorded.
    node_input : str
        Form of the species of a node: "number" (0, 1; at most two species), or "one-hot".
    cutoff : float
        Cutoff of the graph, length unit.
    rounds : int
        Number of calls of `step`.
    width : int
        Columns of the node state that ghosts receive between two steps.
    node_outputs, edge_outputs : list of str
        Names of the output columns; `edge_outputs` may be empty.
    lag_times : list of float, or None
        Lag times of the predictions, time unit.
    temperature, density : float, or None
        Temperature and density of the training data.
    provenance : dict
        Origin of the model. `configurations` is a list of
        `network.known_configurations.KnownConfiguration`.
    versions : dict
        Versions of the programs that wrote the file.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> metadata = read_metadata(find_model("ka-t044"))
    >>> metadata.architecture, metadata.temperature
    ('botan', 0.44)
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    architecture: str
    networks: Annotated[
        list[NetworkSettings] | None, Field(min_length=1, max_length=LIMITS["networks"])
    ] = None
    mixture: Mixture
    inputs: Inputs = Inputs()
    seen: InputStatistics | None = None
    node_input: Literal["number", "one-hot"]
    cutoff: Annotated[Number, Field(gt=0, le=LIMITS["cutoff"])]
    rounds: Annotated[int, Field(ge=1, le=LIMITS["rounds"], strict=True)]
    width: Annotated[int, Field(ge=1, le=LIMITS["width"], strict=True)]
    node_outputs: Annotated[Names, Field(min_length=1)]
    edge_outputs: Names
    lag_times: list[Number] | None
    temperature: Number | None
    density: Number | None
    provenance: dict[str, Any] = {}
    versions: dict[str, str] = {}

    @model_validator(mode="after")
    def _numbers_are_for_two_species(self) -> Self:
        if self.node_input == "number" and self.mixture.n_species > 2:
            raise ValueError(
                f"node_input must be 'one-hot' for {self.mixture.n_species} species, found 'number'"
            )
        return self

    @model_validator(mode="after")
    def _sizes_are_those_of_a_model(self) -> Self:
        n_species, most = self.mixture.n_species, LIMITS["species"]
        if n_species > most:
            raise ValueError(f"expected {most} species or less, found {n_species}")
        longest, most = max(map(max, self.mixture.bond_lengths)), LIMITS["cutoff_in_bonds"]
        if self.cutoff > most * longest:
            raise ValueError(
                f"'cutoff': expected {most} times the longest bond, {longest:g}, or less, found "
                f"{self.cutoff:g}"
            )
        return self

    @model_validator(mode="after")
    def _seen_is_of_the_inputs(self) -> Self:
        if self.seen is not None:
            try:
                self.seen.check(self.inputs, self.mixture.species)
            except ValueError as error:
                raise ValueError(f"'seen': {error}") from error
        return self

    @property
    def species(self) -> list[str]:
        """Names of the species in the order of their numbers."""
        return list(self.mixture.species)

    @property
    def units(self) -> str:
        """LAMMPS's name of the unit system."""
        return self.mixture.units

    @property
    def known(self) -> list[KnownConfiguration]:
        """The configurations that the model knows, each once.

        Those of all members of a committee.
        """
        members = self.provenance.get("committee", [self.provenance])
        return merge_known(one for member in members for one in known_in(member))

    @property
    def known_configurations(self) -> dict[str, str]:
        """The role of each configuration that the model knows, by SHA-256."""
        return {one.sha256: one.role for one in self.known}

    def to_json(self) -> str:
        """The text of `metadata.json`."""
        content = self.model_dump(mode="json")
        version = FORMAT_VERSION_WITH_INPUTS
        if not self.inputs.names:
            version = FORMAT_VERSION
            del content["inputs"]
        for key in ("networks", "seen"):
            if content[key] is None:
                del content[key]
        return json.dumps({"format": FORMAT, "format_version": version} | content, indent=2)


def read_metadata(path: Path | Archive) -> Metadata:
    """Read the metadata of a model file; no code of it is loaded.

    Parameters
    ----------
    path : Path or Archive

    Returns
    -------
    Metadata

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a model file, of another format version, or says something impossible.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> read_metadata(find_model("ka-t044")).lag_times
    [4120.0]
    """
    return parse_metadata(str(path), _text(path))


def parse_metadata(where: str, text: bytes) -> Metadata:
    """Parse the text of `metadata.json`, as plugin/model_metadata.cpp does.

    Parameters
    ----------
    where : str
        Name of the file, for messages.
    text : bytes

    Returns
    -------
    Metadata

    Raises
    ------
    ValueError
        If the text is not that of a model file, of another format version, or says something
        impossible.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> text = Archive(find_model("ka-t044")).extra_file("metadata.json")
    >>> parse_metadata("ka-t044.pt", text).units
    'lj'
    """
    content = _parse_content(where, text)
    version = content.get("format_version")
    if version not in (FORMAT_VERSION, FORMAT_VERSION_WITH_INPUTS) or not isinstance(version, int):
        raise ValueError(
            f"{where}: model file format {version}, this version of lammps-botan reads formats "
            f"{FORMAT_VERSION} and {FORMAT_VERSION_WITH_INPUTS}; export it again: `lammps-botan "
            f"export {where} -o new.pt`"
        )
    metadata = check_metadata(where, content)
    seen = metadata.inputs.names
    if bool(seen) != (version == FORMAT_VERSION_WITH_INPUTS):
        raise ValueError(
            f"{where}: metadata.json: 'inputs': expected "
            + (
                f"none in format {FORMAT_VERSION}, found {', '.join(seen)}"
                if seen
                else f"history or inherent in format {FORMAT_VERSION_WITH_INPUTS}, found neither"
            )
            + "; export the model again with the program that made it"
        )
    try:
        check_numbers_and_letters(content)  # of all keys, as the fix does
    except ValueError as error:
        raise ValueError(f"{where}: metadata.json: {error}") from error
    return metadata


def read_content(path: Path | Archive) -> dict[str, Any]:
    """Read the `metadata.json` of a model file of any version, without a check.

    Parameters
    ----------
    path : Path or Archive

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a model file.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> read_content(find_model("ka-t044"))["format"]
    'lammps-botan'
    """
    return _parse_content(str(path), _text(path))


def _text(path: Path | Archive) -> bytes:
    archive = path if isinstance(path, Archive) else Archive(Path(path))
    return archive.extra_file("metadata.json")


def _parse_content(where: str, text: bytes) -> dict[str, Any]:
    if len(text) > LIMITS["bytes"]:
        raise ValueError(
            f"{where}: not a model file: expected {LIMITS['bytes']} bytes of metadata.json or "
            f"less, found {len(text)}"
        )
    try:
        found = parse_json(text) if text else None
    except ValueError as error:
        raise ValueError(f"{where}: not a model file: metadata.json: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(
            f"{where}: not a model file of lammps-botan. From a checkpoint, make one with "
            f"`lammps-botan export {where} -o model.pt`"
        )
    return found


def check_metadata(where: str | Path, content: Mapping[str, Any]) -> Metadata:
    """Check the content of `metadata.json` of this format version.

    Parameters
    ----------
    where : str or Path
        Name of the file, for messages.
    content : dict

    Returns
    -------
    Metadata

    Raises
    ------
    ValueError
        If the content says something impossible; each problem is one line that names the key.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> content = read_content(find_model("ka-t044"))
    >>> check_metadata("ka-t044.pt", content).cutoff
    2.0
    """
    mixture = content.get("mixture")
    for key in ("dimension", "reference_species"):  # which are optional in a mixture of its own
        if isinstance(mixture, Mapping) and not mixture.get(key):
            raise ValueError(f"{where}: metadata.json: no key 'mixture.{key}'")
    try:
        return Metadata.model_validate(content)
    except ValidationError as error:
        raise ValueError(
            "\n".join(f"{where}: metadata.json: {_explain(e)}" for e in error.errors())
        ) from error


def _explain(error: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"no key '{key}'"
    if error["type"] == "value_error":
        return ": ".join([*([f"'{key}'"] if key else []), str(error["ctx"]["error"])])
    return f"'{key}': {error['msg']}, found {error['input']!r}"
