"""The model inside a model file that predicts until the history is full."""

import math
from pathlib import Path

from lammps_botan.network.archive import Archive
from lammps_botan.network.metadata import Metadata, read_metadata

FALLBACK = "fallback.pt"  # of the extra files
SAME_CONDITION = 0.01  # relative difference up to which temperature and density are the same


def read_fallback(archive: Archive, metadata: Metadata) -> Archive | None:
    """Read the fallback of a model, and check it.

    Parameters
    ----------
    archive : Archive
        The model file.
    metadata : Metadata
        Metadata of the model.

    Returns
    -------
    Archive or None
        None where the model file has no fallback.

    Raises
    ------
    ValueError
        If the fallback is not a model file, or does not fit the model.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> archive = Archive(find_model("ka-t044"))
    >>> read_fallback(archive, read_metadata(archive)) is None
    True
    """
    content = archive.extra_file(FALLBACK)
    if not content:
        return None
    fallback = Archive(archive.path, content)
    check_fallback(metadata, fallback)
    return fallback


def check_fallback(metadata: Metadata, fallback: Archive) -> Metadata:
    """Check that a fallback fits the model.

    Parameters
    ----------
    metadata : Metadata
        Metadata of the model.
    fallback : Archive
        The model that is to predict until the history is full.

    Returns
    -------
    Metadata
        Metadata of the fallback.

    Raises
    ------
    ValueError
        If the model needs no fallback, or graph, outputs, lag times, temperature or density of the
        fallback are others.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> model = read_metadata(find_model("ka-t044-history"))
    >>> check_fallback(model, Archive(find_model("ka-t044"))).inputs.names
    []
    """
    own = read_metadata(fallback)
    if why := _difference(metadata, own):
        raise ValueError(f"{fallback}: {why}")
    if fallback.extra_file(FALLBACK):
        raise ValueError(f"{fallback}: has a fallback of its own: expected a model without one")
    return own


def fallback_content(metadata: Metadata, path: Path) -> bytes:
    """Read a model file that is to become the fallback of a model.

    Parameters
    ----------
    metadata : Metadata
        Metadata of the model.
    path : Path

    Returns
    -------
    bytes

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a model file, or does not fit the model.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> model = read_metadata(find_model("ka-t044-history"))
    >>> fallback_content(model, find_model("ka-t044"))[:2]
    b'PK'
    """
    archive = Archive(path)
    check_fallback(metadata, archive)
    return archive.content


def _difference(model: Metadata, fallback: Metadata) -> str:
    """Why a model cannot be the fallback of another one, in words; empty where it can."""
    if model.inputs.history is None:
        return (
            f"is to be a fallback until the history is full, and the model sees "
            f"{model.inputs.words}: expected a model that sees a history"
        )
    if fallback.inputs.names:
        return f"sees {fallback.inputs.words}: expected a fallback that sees positions and species"
    if why := model.mixture.difference(fallback.mixture):
        return f"expected a fallback for the mixture of the model; they differ in {why}"
    for key in ("cutoff", "node_outputs", "edge_outputs", "lag_times"):
        mine, theirs = getattr(model, key), getattr(fallback, key)
        if mine != theirs:
            name = key.replace("_", " ")
            return f"expected a fallback with the {name} of the model, {mine}, found {theirs}"
    for key in ("temperature", "density"):
        mine, theirs = getattr(model, key), getattr(fallback, key)
        if mine and theirs and not math.isclose(mine, theirs, rel_tol=SAME_CONDITION):
            return f"expected a fallback for the {key} of the model, {mine:g}, found {theirs:g}"
    return ""
