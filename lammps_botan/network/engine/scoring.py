"""The network on a CPU without torch, many times faster: Python's side of engine.cpp.

It computes what a model file of BOTAN does, in float32 up to rounding, edge by edge in the cache.
The processor's instructions are found out when an engine is made; the environment variable
LAMMPS_BOTAN_ENGINE asks for avx512, avx2 or portable code, or for torch, which is none of it.
"""

import ctypes
import os
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

WIDTH = 64
_MLPS = {"node_encoder": 1, "edge_encoder": 3, "node_model": 192, "edge_model": 256, "decoder": 64}
SHAPES: dict[str, tuple[int, ...]] = {}
for _name, _inputs in _MLPS.items():
    SHAPES[f"{_name}.fc1.weight"] = (WIDTH, _inputs)
    SHAPES[f"{_name}.fc1.bias"] = (WIDTH,)
    SHAPES[f"{_name}.fc2.weight"] = (WIDTH, WIDTH)
    SHAPES[f"{_name}.fc2.bias"] = (WIDTH,)
SHAPES |= {"output.weight": (1, WIDTH), "output.bias": (1,)}  # in the order of engine.h
MOST_SPECIES = 16
_SPECIES = "node_encoder.fc1.weight"  # has 1 column, or one for each species


@cache
def _library() -> ctypes.CDLL | None:
    path = Path(__file__).parent / "libbotan_engine.so"
    if not path.is_file():
        return None
    library = ctypes.CDLL(str(path))
    pointer, size = ctypes.c_void_p, ctypes.c_long
    library.botan_engine_create.restype = pointer
    library.botan_engine_create.argtypes = [size, size, pointer, size, size, pointer]
    library.botan_engine_instructions.restype = ctypes.c_char_p
    library.botan_engine_instructions.argtypes = [pointer]
    library.botan_engine_encode.restype = ctypes.c_bool
    library.botan_engine_encode.argtypes = [pointer, *[size] * 3, *[pointer] * 6]
    library.botan_engine_step.argtypes = library.botan_engine_delete.argtypes = [pointer]
    return library


class Engine:
    """One network, or several as a committee, ready to score.

    Parameters
    ----------
    networks : list of lists of float32 tensors
        Weights of each, in the order and with the shapes of `SHAPES`; the first may have several
        columns, one for each species.
    rounds : int
    bfloat16 : bool
        Products of bfloat16 numbers for edges; sums and nodes stay float32.

    Raises
    ------
    ValueError
        If the processor or LAMMPS_BOTAN_ENGINE stands against it.
    """

    def __init__(
        self, networks: Sequence[Sequence[Tensor]], rounds: int, *, bfloat16: bool
    ) -> None:
        library = _library()
        assert library is not None
        weights = [weight.detach().contiguous() for network in networks for weight in network]
        addresses = (ctypes.c_void_p * len(weights))(*(w.data_ptr() for w in weights))
        message = ctypes.c_char_p()
        self._inputs = networks[0][0].shape[1]
        self._at = library.botan_engine_create(
            len(networks), self._inputs, addresses, rounds, bfloat16, ctypes.byref(message)
        )
        if not self._at:
            raise ValueError((message.value or b"").decode())
        self._library = library
        self._rounds = rounds
        self._outputs = min(len(networks), 2)
        self._busy = threading.Lock()

    def __del__(self) -> None:
        if getattr(self, "_at", None):
            self._library.botan_engine_delete(self._at)

    @property
    def instructions(self) -> str:
        """avx512_bf16, avx512, avx2 or portable."""
        return str(self._library.botan_engine_instructions(self._at).decode())

    def score(
        self,
        species: npt.NDArray[np.int64],
        vectors: npt.NDArray[np.float32],
        center: npt.NDArray[np.int64],
        neighbor: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """As `lammps_botan.network.botan.Botan.forward`, in as many threads as torch takes.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
        center, neighbor : int64 [n_edges]
            See `lammps_botan.structure.graph`.

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
        if n_nodes and 1 < self._inputs <= species.max():
            raise ValueError(
                f"the network knows {self._inputs} species, numbered from 0, found {species.max()}"
            )
        node = np.empty((n_nodes, self._outputs), np.float32)
        edge = np.empty((n_edges, self._outputs), np.float32)
        first_edge = np.searchsorted(center, np.arange(n_nodes + 1))
        arrays = (
            np.ascontiguousarray(species, np.int64),
            np.ascontiguousarray(first_edge, np.int64),
            np.ascontiguousarray(neighbor, np.int32),
            np.ascontiguousarray(vectors, np.float32),
            node,
            edge,
        )
        with self._busy:  # the states of a graph are the engine's own
            threads = torch.get_num_threads()
            addresses = (array.ctypes.data for array in arrays)
            if not self._library.botan_engine_encode(
                self._at, threads, n_nodes, n_nodes, *addresses
            ):
                raise MemoryError(f"not enough memory to score {n_edges} edges")
            for _ in range(self._rounds):
                self._library.botan_engine_step(self._at)
        return node, edge


def make_engine(
    parameters: Mapping[str, Tensor], rounds: int, *, bfloat16: bool = False
) -> Engine | None:
    """An engine for a model file of BOTAN, or of a committee of several.

    Parameters
    ----------
    parameters : mapping of names to tensors
        Of the model file.
    rounds : int
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
    """
    networks = _networks(parameters)
    if not networks or _library() is None or os.environ.get("LAMMPS_BOTAN_ENGINE") == "torch":
        return None
    return Engine(networks, rounds, bfloat16=bfloat16)


def _networks(parameters: Mapping[str, Tensor]) -> list[list[Tensor]]:
    """The weights of BOTAN, or of each member of a committee; empty if it is another network."""
    members = len(parameters) // len(SHAPES)
    for prefixes in ([""], [f"members.{k}." for k in range(members)]):
        shapes = {prefix + name: shape for prefix in prefixes for name, shape in SHAPES.items()}
        first = parameters.get(prefixes[0] + _SPECIES) if prefixes else None
        if first is not None and first.ndim == 2 and 1 <= first.shape[1] <= MOST_SPECIES:
            shapes |= {prefix + _SPECIES: (WIDTH, first.shape[1]) for prefix in prefixes}
        if shapes.keys() == parameters.keys() and all(
            weight.shape == shapes[name]
            and weight.device.type == "cpu"
            and weight.dtype == torch.float32
            for name, weight in parameters.items()
        ):
            return [[parameters[prefix + name] for name in SHAPES] for prefix in prefixes]
    return []
