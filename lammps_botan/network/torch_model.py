"""The TorchScript network of a model file: for GPUs, and for networks that the engine lacks."""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from lammps_botan.network.archive import Archive
from lammps_botan.network.arrays import Arrays
from lammps_botan.network.engine.scoring import Engine, UnknownNetworkError
from lammps_botan.network.inputs import Singles
from lammps_botan.network.metadata import Metadata
from lammps_botan.network.module import load_module
from lammps_botan.network.network import call_rounds
from lammps_botan.network.transfer import send_together
from lammps_botan.network.weights import read_weights

TOLERANCE = 1e-4  # of the largest output, between two ways to compute it


@contextlib.contextmanager
def _exact_products() -> Iterator[None]:
    """Compute products in full float32, whatever the user allows a GPU."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class TorchModel:
    """The network of a model file, computed by torch.

    Parameters
    ----------
    archive : Archive
    metadata : Metadata
        Metadata of the model file.
    trial : list of arrays
        Arguments of `forward` to try the network out with.
    device : str
        "cpu", "cuda" or "cuda:N".
    trust : bool
        Whether to run code that may do more than compute (docs/notes/security.md).
    threads : int, optional
        Number of threads that torch takes from now on.

    Raises
    ------
    ValueError
        If the device is absent, the file has no such network, or its code may do more than compute.

    Examples
    --------
    >>> from lammps_botan.network.metadata import read_metadata
    >>> from lammps_botan.network.shipped import find_model
    >>> from lammps_botan.network.trial_configuration import trial_arrays
    >>> archive = Archive(find_model("ka-t044"))
    >>> metadata = read_metadata(archive)
    >>> trial = trial_arrays(metadata.mixture, metadata.cutoff, metadata.inputs)
    >>> node, _ = TorchModel(archive, metadata, trial, "cpu").score(*trial)
    >>> node.shape
    (32, 1)
    """

    def __init__(
        self,
        archive: Archive,
        metadata: Metadata,
        trial: Arrays,
        device: str,
        *,
        trust: bool = False,
        threads: int | None = None,
    ) -> None:
        self._device = torch.device(device)
        if self._device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"device {device} was asked for, but torch finds no CUDA device here; use 'cpu'"
            )
        if threads is not None:
            torch.set_num_threads(threads)
        self._module = load_module(archive, self._device, trust=trust)
        for method in ("encode", "step", "decode"):
            if not hasattr(self._module, method):
                raise ValueError(f"{archive}: the model has no method {method}")
        with _exact_products():
            self._check_rounds(archive, metadata.rounds, trial)

    def _check_rounds(self, archive: Archive, rounds: int, trial: Arrays) -> None:
        """The fix calls `step` as often as the metadata say, and Python calls `forward`."""
        arrays = send_together(trial, self._device)
        try:
            with torch.inference_mode():
                whole = self._module(*arrays)
                several = call_rounds(self._module, rounds, arrays)
        except (RuntimeError, torch.jit.Error):
            return  # `score` will say so
        if not all(torch.isfinite(one).all() for one in (*whole, *several)):
            return  # likewise
        for one, other in zip(whole, several, strict=True):
            scale = one.abs().max().item() if one.numel() else 0.0
            if one.shape != other.shape or not torch.allclose(one, other, 0.0, TOLERANCE * scale):
                raise ValueError(
                    f"{archive}: {rounds} rounds, as metadata.json has them, give other numbers "
                    "than the model itself: the file is damaged, or was not made by `lammps-botan "
                    "export`"
                )

    def score(self, *arrays: np.ndarray) -> tuple[Singles, Singles]:
        """Compute what `forward` of the network gives.

        Parameters
        ----------
        arrays
            See `network.arrays.forward_arrays`.

        Returns
        -------
        node : float32 [n_nodes, n_node_outputs]
        edge : float32 [n_edges, n_edge_outputs]

        Raises
        ------
        RuntimeError
            If the network fails.
        """
        with torch.inference_mode():
            try:
                node, edge = self._module(*send_together(list(arrays), self._device))
            except torch.jit.Error as error:
                raise RuntimeError(str(error)) from error
            both = torch.cat([node.flatten(), edge.flatten()]).cpu()
        of_nodes, of_edges = both[: node.numel()], both[node.numel() :]
        return of_nodes.view(node.shape).numpy(), of_edges.view(edge.shape).numpy()


def check_plain_weights(
    model: TorchModel, archive: Archive, metadata: Metadata, trial: Arrays
) -> None:
    """Check that TorchScript and plain weights of a file compute the same.

    Parameters
    ----------
    model : TorchModel
        That of the file.
    archive : Archive
    metadata : Metadata
        Metadata of the model file.
    trial : list of arrays
        Arguments of `forward`.

    Raises
    ------
    ValueError
        If they differ by more than 1e-4 of the largest output.

    Examples
    --------
    >>> from lammps_botan.network.metadata import read_metadata
    >>> from lammps_botan.network.shipped import find_model
    >>> from lammps_botan.network.trial_configuration import trial_arrays
    >>> archive = Archive(find_model("ka-t044"))
    >>> metadata = read_metadata(archive)
    >>> trial = trial_arrays(metadata.mixture, metadata.cutoff, metadata.inputs)
    >>> check_plain_weights(TorchModel(archive, metadata, trial, "cpu"), archive, metadata, trial)
    """
    networks = read_weights(archive, metadata)
    if not networks:
        return
    try:
        with _exact_products():
            outputs = zip(Engine(networks).score(*trial), model.score(*trial), strict=True)
    except (UnknownNetworkError, RuntimeError):
        return  # of a newer version; or a prediction will say so
    for ours, theirs in outputs:
        tolerance = TOLERANCE * np.abs(theirs).max(initial=0.0)
        same = ours.shape == theirs.shape and np.allclose(ours, theirs, 0.0, tolerance)
        if not same and np.isfinite(theirs).all():
            raise ValueError(
                f"{archive}: its plain weights and its TorchScript predict different numbers: the "
                "file was not made by `lammps-botan export`; do not use it"
            )
