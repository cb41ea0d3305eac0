"""The network on a CPU without torch, many times faster: the Python side of engine.cpp.

The engine computes the outputs of a model file of BOTAN in float32 up to rounding, edge by edge in
the cache. The method `describe` of the file makes the inputs of the encoders besides species and
vectors. An engine finds out the instructions of the processor when it is made. The environment
variable LAMMPS_BOTAN_ENGINE chooses avx512, avx2 or portable code, or torch, which is no engine.
"""

import ctypes
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from lammps_botan.network.transfer import send_together

WIDTH = 64
_MLPS = {"node_encoder": 1, "edge_encoder": 3, "node_model": 192, "edge_model": 256, "decoder": 64}
SHAPES: dict[str, tuple[int, ...]] = {}
for _name, _inputs in _MLPS.items():
    SHAPES[f"{_name}.fc1.weight"] = (WIDTH, _inputs)
    SHAPES[f"{_name}.fc1.bias"] = (WIDTH,)
    SHAPES[f"{_name}.fc2.weight"] = (WIDTH, WIDTH)
    SHAPES[f"{_name}.fc2.bias"] = (WIDTH,)
SHAPES |= {"output.weight": (1, WIDTH), "output.bias": (1,)}  # in the order of engine.h
# they have as many columns as their encoders are given
_OF_NODES, _OF_EDGES = "node_encoder.fc1.weight", "edge_encoder.fc1.weight"

Describe = Callable[..., tuple[Tensor, Tensor]]
Arrays = npt.NDArray[Any]


@cache
def _library() -> ctypes.CDLL | None:
    path = Path(__file__).parent / "libbotan_engine.so"
    if not path.is_file():
        return None
    library = ctypes.CDLL(str(path))
    pointer, size = ctypes.c_void_p, ctypes.c_long
    library.botan_engine_create.restype = pointer
    library.botan_engine_create.argtypes = [*[size] * 3, pointer, size, size, pointer]
    library.botan_engine_instructions.restype = ctypes.c_char_p
    library.botan_engine_instructions.argtypes = [pointer]
    library.botan_engine_encode.restype = ctypes.c_bool
    library.botan_engine_encode.argtypes = [pointer, *[size] * 3, *[pointer] * 7]
    library.botan_engine_step.argtypes = library.botan_engine_delete.argtypes = [pointer]
    return library


class Engine:
    """One network, or several as a committee, ready to score.

    Parameters
    ----------
    networks : list of lists of float32 tensors
        Weights of each, in the order and with the shapes of `SHAPES`; the first ones of the
        encoders have as many columns as their inputs.
    rounds : int
    bfloat16 : bool
        Products of bfloat16 numbers for edges; sums and nodes stay float32.
    describe : list of callables
        The method `describe` of each network, where they have inputs.

    Raises
    ------
    ValueError
        If the processor or LAMMPS_BOTAN_ENGINE does not allow it.

    Examples
    --------
    >>> from lammps_botan.network.botan import Botan
    >>> engine = make_engine(Botan(), rounds=7)
    >>> engine.instructions in {"avx512_bf16", "avx512", "avx2", "portable"}
    True
    """

    def __init__(
        self,
        networks: Sequence[Sequence[Tensor]],
        rounds: int,
        *,
        bfloat16: bool,
        describe: Sequence[Describe] = (),
    ) -> None:
        library = _library()
        assert library is not None
        weights = [weight.detach().contiguous() for network in networks for weight in network]
        addresses = (ctypes.c_void_p * len(weights))(*(w.data_ptr() for w in weights))
        message = ctypes.c_char_p()
        self._columns = tuple(
            networks[0][list(SHAPES).index(name)].shape[1] for name in (_OF_NODES, _OF_EDGES)
        )
        self._at = library.botan_engine_create(
            len(networks), *self._columns, addresses, rounds, bfloat16, ctypes.byref(message)
        )
        if not self._at:
            raise ValueError((message.value or b"").decode())
        self._library = library
        self._rounds = rounds
        self._networks = len(networks)
        self._describe = describe
        self._busy = threading.Lock()

    def __del__(self) -> None:
        if getattr(self, "_at", None):
            self._library.botan_engine_delete(self._at)

    @property
    def instructions(self) -> str:
        """Instructions of the engine: avx512_bf16, avx512, avx2 or portable."""
        return str(self._library.botan_engine_instructions(self._at).decode())

    def score(
        self, species: Arrays, vectors: Arrays, *others: Arrays
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Compute what `forward` of the network gives, in as many threads as torch takes.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
            Length unit.
        others
            For networks with inputs float32 node_vectors [n_nodes, V, 3] and node_scalars
            [n_nodes, K]; then int64 center and neighbor [n_edges], see
            `lammps_botan.structure.graph`.

        Returns
        -------
        node : float32 [n_nodes, 1], or [n_nodes, 2] of a committee
        edge : float32 [n_edges, 1] or [n_edges, 2]

        Raises
        ------
        ValueError
            If shapes do not agree, `center` does not ascend, or a number is out of range.
        MemoryError
            If there is not enough memory.
        """
        *inputs, center, neighbor = others
        self._check(species, vectors, center, neighbor)
        n_nodes, n_edges = len(species), len(center)
        n_outputs = min(self._networks, 2)
        node = np.empty((n_nodes, n_outputs), np.float32)
        edge = np.empty((n_edges, n_outputs), np.float32)
        arrays = (
            np.ascontiguousarray(species, np.int64),
            np.searchsorted(center, np.arange(n_nodes + 1)).astype(np.int64),
            np.ascontiguousarray(neighbor, np.int32),
        )
        described = self._described(species, vectors, inputs, center, neighbor)
        of_edges = _addresses([edges for _, edges in described])
        of_nodes = _addresses([nodes for nodes, _ in described]) if inputs else None
        with self._busy:  # the states of a graph are the engine's own
            threads = torch.get_num_threads()
            addresses = (array.ctypes.data for array in arrays)
            outputs = (node.ctypes.data, edge.ctypes.data)
            if not self._library.botan_engine_encode(
                self._at, threads, n_nodes, n_nodes, *addresses, of_edges, of_nodes, *outputs
            ):
                raise MemoryError(f"not enough memory to score {n_edges} edges")
            for _ in range(self._rounds):
                self._library.botan_engine_step(self._at)
        return node, edge

    def _check(self, species: Arrays, vectors: Arrays, center: Arrays, neighbor: Arrays) -> None:
        n_nodes, n_edges = len(species), len(center)
        if vectors.shape != (n_edges, 3) or neighbor.shape != (n_edges,):
            raise ValueError(
                f"{n_edges} edges need vectors of shape [{n_edges}, 3] and {n_edges} neighbors, "
                f"found {list(vectors.shape)} and {list(neighbor.shape)}"
            )
        if (center[1:] < center[:-1]).any():
            raise ValueError("edges must be grouped by center, in ascending order")
        for name, ends in (("center", center), ("neighbor", neighbor)):
            if n_edges and not (ends.min() >= 0 and ends.max() < n_nodes):
                raise ValueError(
                    f"{name} must hold numbers of particles, 0 to {n_nodes - 1}, found "
                    f"{ends.min()} to {ends.max()}"
                )
        if n_nodes and species.min() < 0:
            raise ValueError(f"species are numbered from 0, found {species.min()}")
        n_species = self._columns[0]
        if n_nodes and not self._describe and 1 < n_species <= species.max():
            raise ValueError(
                f"the network knows {n_species} species, numbered from 0, found {species.max()}"
            )

    def _described(
        self,
        species: Arrays,
        vectors: Arrays,
        inputs: Sequence[Arrays],
        center: Arrays,
        neighbor: Arrays,
    ) -> list[tuple[Arrays, Arrays]]:
        """Inputs of the encoders of each network; none of nodes where it is the species."""
        if not inputs:
            none = np.zeros((0, 0), np.float32)
            return [(none, np.ascontiguousarray(vectors, np.float32))] * self._networks
        arrays = [species, vectors, *inputs, center, neighbor]
        given = send_together(arrays, torch.device("cpu"))
        found = []
        with torch.inference_mode():
            for describe in self._describe:
                nodes, edges = (one.contiguous().numpy() for one in describe(*given, len(species)))
                shapes = (len(species), self._columns[0]), (len(vectors), self._columns[1])
                if (nodes.shape, edges.shape) != shapes:
                    raise ValueError(
                        f"expected arrays {shapes} for the encoders, found {nodes.shape} and "
                        f"{edges.shape}"
                    )
                found.append((nodes, edges))
        return found


def _addresses(arrays: Sequence[Arrays]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


def make_engine(
    model: nn.Module, rounds: int, *, inputs: bool = False, bfloat16: bool = False
) -> Engine | None:
    """Make an engine for a model file of BOTAN, or of a committee of several.

    Parameters
    ----------
    model : nn.Module
        The network, or the module of the model file.
    rounds : int
    inputs : bool
        Whether it sees more than positions and species.
    bfloat16 : bool
        See `Engine`.

    Returns
    -------
    Engine or None
        None if the network is another one, is not on the CPU, the package was not compiled, or
        LAMMPS_BOTAN_ENGINE is torch.

    Raises
    ------
    ValueError
        As `Engine`.

    Examples
    --------
    >>> from lammps_botan.network.botan import Botan
    >>> make_engine(Botan(width=32), rounds=7) is None  # for 64 features only
    True
    """
    networks = _networks(dict(model.named_parameters()), inputs=inputs)
    if not networks or _library() is None or os.environ.get("LAMMPS_BOTAN_ENGINE") == "torch":
        return None
    describe: list[Describe] = []
    if inputs:
        members = [model]
        if len(networks) > 1:
            members = list(model.members.children())  # type: ignore[union-attr]
        if not all(hasattr(member, "describe") for member in members):
            return None
        describe = [member.describe for member in members]  # type: ignore[misc]
    return Engine(networks, rounds, bfloat16=bfloat16, describe=describe)


def _networks(parameters: Mapping[str, Tensor], *, inputs: bool) -> list[list[Tensor]]:
    """The weights of BOTAN, or of each member of a committee; empty if it is another network."""
    members = len(parameters) // len(SHAPES)
    for prefixes in ([""], [f"members.{k}." for k in range(members)]):
        shapes = {prefix + name: shape for prefix in prefixes for name, shape in SHAPES.items()}
        for name in (_OF_NODES, _OF_EDGES) if inputs else (_OF_NODES,):
            first = parameters.get(prefixes[0] + name) if prefixes else None
            if first is not None and first.ndim == 2 and first.shape[1] >= 1:
                shapes |= {prefix + name: (WIDTH, first.shape[1]) for prefix in prefixes}
        if shapes.keys() == parameters.keys() and all(
            weight.shape == shapes[name]
            and weight.device.type == "cpu"
            and weight.dtype == torch.float32
            for name, weight in parameters.items()
        ):
            return [[parameters[prefix + name] for name in SHAPES] for prefix in prefixes]
    return []
