"""Plain weights of a model file, which the compiled engine computes with (model_file.md).

They stand as `weights.safetensors` among the extra files of the archive. A tensor has the number of
its network in front of its name, `0.output.weight`; a committee has several networks. The kinds of
the networks and their settings stand in the metadata.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from lammps_botan.network.archive import Archive
from lammps_botan.network.inputs import VECTORS
from lammps_botan.network.metadata import Metadata, NetworkSettings

WEIGHTS = "weights.safetensors"  # of the extra files
SAME_LENGTH = 1e-6  # relative
Tensors = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class NetworkWeights:
    """Kind, settings and weights of one network.

    Attributes
    ----------
    kind : str
        A key of `network.checkpoint.NETWORKS`.
    settings : dict
        Numbers and flags that make the network, with its number of species; `history` and
        `inherent` are true where it sees them.
    tensors : dict
        float32 arrays, with names and shapes of `state_dict`.

    Examples
    --------
    >>> NetworkWeights("botan", {"rounds": 7}, {"output.bias": np.zeros(1, np.float32)}).kind
    'botan'
    """

    kind: str
    settings: Mapping[str, float]
    tensors: Tensors


def weights_content(networks: Sequence[NetworkWeights]) -> bytes:
    """Write the content of `weights.safetensors`.

    Parameters
    ----------
    networks : sequence of NetworkWeights

    Returns
    -------
    bytes

    Examples
    --------
    >>> bias = np.zeros(1, np.float32)
    >>> len(weights_content([NetworkWeights("botan", {}, {"output.bias": bias})]))
    84
    """
    return safetensors.numpy.save(
        {
            f"{k}.{name}": np.asarray(tensor, np.float32, order="C")
            for k, network in enumerate(networks)
            for name, tensor in network.tensors.items()
        }
    )


def read_weights(archive: Archive, metadata: Metadata) -> list[NetworkWeights]:
    """Read the plain weights of a model file.

    Parameters
    ----------
    archive : Archive
    metadata : Metadata
        Metadata of the model file.

    Returns
    -------
    list of NetworkWeights
        One network, or the members of a committee; empty where the engine does not know the
        network, and in files from before the plain weights.

    Raises
    ------
    ValueError
        If the metadata name networks whose weights are not in the file, or not float32, or which
        have another cutoff or diameter.

    Examples
    --------
    >>> from lammps_botan.network.metadata import read_metadata
    >>> from lammps_botan.network.shipped import find_model
    >>> archive = Archive(find_model("ka-t044"))
    >>> [network.kind for network in read_weights(archive, read_metadata(archive))]
    ['botan']
    """
    if not metadata.networks:
        return []
    content = archive.extra_file(WEIGHTS)
    if not content:
        raise ValueError(
            f"{archive}: metadata.json names networks, and the archive has no {WEIGHTS}; "
            "`lammps-botan export` of the checkpoint makes a whole file"
        )
    try:
        tensors = safetensors.numpy.load(content)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{archive}: not a model file: {WEIGHTS}: {error}") from error
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32:
            raise ValueError(
                f"{archive}: {WEIGHTS}: expected numbers of float32, found '{name}' of "
                f"{tensor.dtype}"
            )
    found: list[dict[str, npt.NDArray[np.float32]]] = [{} for _ in metadata.networks]
    for name, tensor in tensors.items():
        number, _, own = name.partition(".")
        if number not in map(str, range(len(found))):
            raise ValueError(
                f"{archive}: {WEIGHTS}: expected tensors of {len(found)} networks, found '{name}'"
            )
        found[int(number)][own] = tensor
    for network in metadata.networks:
        _check_lengths(archive, network, metadata)
    return [
        NetworkWeights(network.kind, _all_settings(network, metadata), own)
        for network, own in zip(metadata.networks, found, strict=True)
    ]


def _check_lengths(archive: Archive, network: NetworkSettings, metadata: Metadata) -> None:
    """A network has the lengths that it learned with."""
    lengths = {"cutoff": metadata.cutoff, "diameter": metadata.mixture.diameter}
    for name, expected in lengths.items():
        found = network.settings.get(name, expected)
        if not math.isclose(found, expected, rel_tol=SAME_LENGTH):
            raise ValueError(
                f"{archive}: the network '{network.kind}' has the {name} {found:g}, and "
                f"metadata.json says {expected:g}: the file was not made by `lammps-botan export`"
            )


def _all_settings(network: NetworkSettings, metadata: Metadata) -> dict[str, float]:
    """Settings, with what all networks of the file have in common."""
    inputs = {name: name in metadata.inputs.names for name in VECTORS}
    return network.settings | inputs | {"n_species": metadata.mixture.n_species}
