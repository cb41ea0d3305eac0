"""The one door through which Python loads a model file and scores a graph."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lammps_botan.graph import Floats, Graph
from lammps_botan.metadata import Metadata, read_metadata
from lammps_botan.models import find_model


@dataclass(frozen=True)
class Prediction:
    """What a model says of a graph.

    Attributes
    ----------
    node : float32 [n_particles, n_node_outputs]
        The first column is the propensity.
    edge : float32 [n_edges, n_edge_outputs]
        The first column, if any, is the pair-distance change.
    """

    node: Floats
    edge: Floats


class Scorer:
    """A loaded model.

    Parameters
    ----------
    model : str or Path
        A model file, or the name of a model that ships.
    device : str
        A device of torch, such as "cpu" or "cuda".

    Attributes
    ----------
    path : Path
        The model file.
    metadata : Metadata
        What the model file says of itself.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the file is not a model file, or the device is absent.
    """

    def __init__(self, model: str | Path, device: str = "cpu") -> None:
        self.path = find_model(model)
        self.metadata: Metadata = read_metadata(self.path)
        try:
            self._device = torch.device(device)
        except RuntimeError as error:
            raise ValueError(f"expected device cpu, cuda or cuda:N, found {device}") from error
        if self._device.type not in {"cpu", "cuda"}:
            raise ValueError(f"expected device cpu, cuda or cuda:N, found {device}")
        if self._device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"device {device} was asked for, but torch finds no CUDA device here; use 'cpu'"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as such
                self._module = torch.jit.load(self.path, map_location=self._device).eval()
        except RuntimeError as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"{self.path}: not a model file: {reason}") from error
        for method in ("encode", "step", "decode"):
            if not hasattr(self._module, method):
                raise ValueError(f"{self.path}: the model has no method {method}")

    def score(self, graph: Graph) -> Prediction:
        """Score a graph built with the cutoff of `metadata`.

        Parameters
        ----------
        graph : Graph

        Raises
        ------
        ValueError
            If the graph has species that the model does not know.
        """
        n_species = len(self.metadata.species)
        if graph.n_particles and int(graph.species.max()) >= n_species:
            raise ValueError(
                f"{self.path} knows {n_species} species ({', '.join(self.metadata.species)}), "
                f"found species number {graph.species.max()}"
            )
        tensors = (
            torch.from_numpy(graph.species),
            torch.from_numpy(graph.vectors.astype(np.float32)),
            torch.from_numpy(graph.center),
            torch.from_numpy(graph.neighbor),
        )
        with torch.inference_mode():
            node, edge = self._module(*(t.to(self._device) for t in tensors))
        return Prediction(node.cpu().numpy(), edge.cpu().numpy())
