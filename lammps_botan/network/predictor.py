"""The one door through which Python loads a model file and scores a graph."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from lammps_botan.network.engine import scoring
from lammps_botan.network.metadata import Metadata, read_metadata
from lammps_botan.network.shipped import find_model
from lammps_botan.structure.graph import Graph, Ints, build_graph

Singles = npt.NDArray[np.float32]
TOLERANCE = 1e-4  # of the largest output, between engine and model file; other equations differ


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

    node: Singles
    edge: Singles


class Scorer:
    """A loaded model.

    Parameters
    ----------
    model : str or Path
        A model file, or the name of a model that ships.
    device : str
        A device of torch, such as "cpu" or "cuda".
    precision : str
        "float32"; or "bfloat16" for numbers of 8 significant bits on edges, which costs about half
        on processors with AVX-512 BF16; docs/performance.md has its error.

    Attributes
    ----------
    path : Path
        The model file.
    metadata : Metadata
        What the model file says of itself.
    engine : str
        What computes: the instructions of the compiled engine, such as "avx512", or "torch" where
        the network is not BOTAN with 64 features, or not on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the file is not a model file, or the device is absent or cannot do the precision.
    """

    def __init__(self, model: str | Path, device: str = "cpu", precision: str = "float32") -> None:
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
        if precision not in {"float32", "bfloat16"}:
            raise ValueError(f"expected precision float32 or bfloat16, found {precision}")
        self._engine = self._make_engine(bfloat16=precision == "bfloat16")
        self.engine = self._engine.instructions if self._engine else "torch"

    def _make_engine(self, *, bfloat16: bool) -> scoring.Engine | None:
        parameters = dict(self._module.named_parameters())
        engine = scoring.make_engine(parameters, self.metadata.rounds)
        if engine and not self._computes_the_same(engine):
            engine = None
        if not bfloat16:
            return engine
        if engine is None:
            raise ValueError(
                "precision bfloat16 is for BOTAN with 64 features on device cpu, by the compiled "
                f"engine; {self.path} is scored by torch here: use precision float32"
            )
        return scoring.make_engine(parameters, self.metadata.rounds, bfloat16=True)

    def _computes_the_same(self, engine: scoring.Engine) -> bool:
        """The names and shapes of weights fit; the file itself says whether the equations do."""
        cutoff = self.metadata.cutoff
        rng = np.random.default_rng(0)
        species = rng.integers(len(self.metadata.species), size=16)
        graph = build_graph(rng.random((16, 3)) * cutoff, 2 * cutoff, species, cutoff=cutoff)
        ours, theirs = engine.score(*_arrays(graph)), self.score_by_torch(graph)
        return all(
            a.shape == b.shape
            and np.allclose(a, b, rtol=0, atol=TOLERANCE * np.abs(b).max(initial=0.0))
            for a, b in zip(ours, (theirs.node, theirs.edge), strict=True)
        )

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
        self._check(graph)
        if self._engine:
            return Prediction(*self._engine.score(*_arrays(graph)))
        return self.score_by_torch(graph)

    def score_by_torch(self, graph: Graph) -> Prediction:
        """The same by the code in the model file, also where the compiled engine could do it."""
        self._check(graph)
        with torch.inference_mode():
            species, center, neighbor, vectors = _send_together(graph, self._device)
            node, edge = self._module(species, vectors, center, neighbor)
            both = torch.cat([node.flatten(), edge.flatten()]).cpu()
        of_nodes, of_edges = both[: node.numel()], both[node.numel() :]
        return Prediction(of_nodes.view(node.shape).numpy(), of_edges.view(edge.shape).numpy())

    def _check(self, graph: Graph) -> None:
        n_species = len(self.metadata.species)
        if graph.n_particles and int(graph.species.max()) >= n_species:
            raise ValueError(
                f"{self.path} knows {n_species} species ({', '.join(self.metadata.species)}), "
                f"found species number {graph.species.max()}"
            )


def _arrays(graph: Graph) -> tuple[Ints, Singles, Ints, Ints]:
    """What the network is given."""
    return graph.species, graph.vectors.astype(np.float32), graph.center, graph.neighbor


def _send_together(graph: Graph, device: torch.device) -> list[torch.Tensor]:
    """Species, center, neighbor and vectors in one transfer, of page-locked memory to a GPU."""
    arrays = (graph.species, graph.center, graph.neighbor, graph.vectors)
    types = (torch.int64, torch.int64, torch.int64, torch.float32)  # the larger first: all aligned
    sizes = [a.size * t.itemsize for a, t in zip(arrays, types, strict=True)]
    shapes = [a.shape for a in arrays]

    def parts(together: torch.Tensor) -> list[torch.Tensor]:
        cut = zip(together.split(sizes), types, shapes, strict=True)
        return [part.view(number).view(shape) for part, number, shape in cut]

    here = torch.empty(sum(sizes), dtype=torch.uint8, pin_memory=device.type == "cuda")
    for part, array in zip(parts(here), arrays, strict=True):
        np.copyto(part.numpy(), array, casting="same_kind")
    return parts(here.to(device))
