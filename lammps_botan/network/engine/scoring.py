"""Networks on a CPU without torch, many times faster: the Python side of engine.cpp.

The engine computes what the network of a model file computes, up to rounding of float32, from its
plain weights. An engine finds out the instructions of the processor when it is made. The
environment variable LAMMPS_BOTAN_ENGINE chooses avx512, avx2 or portable code.
"""

import ctypes
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.network.engine.threads import available_threads
from lammps_botan.network.weights import NetworkWeights

Arrays = npt.NDArray[Any]
Singles = npt.NDArray[np.float32]


class _Setting(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_double)]


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("n_dimensions", ctypes.c_int64),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("numbers", ctypes.c_void_p),
    ]


class _Network(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_char_p),
        ("n_settings", ctypes.c_int64),
        ("settings", ctypes.POINTER(_Setting)),
        ("n_tensors", ctypes.c_int64),
        ("tensors", ctypes.POINTER(_Tensor)),
    ]


class _Sizes(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int64) for name in ("rounds", "width", "node_outputs", "edge_outputs")
    ]


class _Graph(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("threads", "n_local", "n_nodes", "n_edges")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "species",
                "first_edge",
                "neighbor",
                "vectors",
                "node_vectors",
                "node_scalars",
            )
        ),
        ("pair_range", ctypes.c_float),
    ]


@cache
def _library() -> ctypes.CDLL:
    path = Path(__file__).parent / "libbotan_engine.so"
    if not path.is_file():
        raise ImportError(
            f"{path} is missing: lammps-botan was installed without its compiled part; in its "
            "source folder type pip install --force-reinstall ."
        )
    library = ctypes.CDLL(str(path))
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    for name, result, arguments in (
        ("create", pointer, [size, pointer, ctypes.c_bool, pointer, pointer]),
        ("delete", None, [pointer]),
        ("sizes", None, [pointer, pointer]),
        ("find_instructions", ctypes.c_char_p, [pointer]),
        ("instructions", ctypes.c_char_p, [pointer]),
        ("memory_usage", ctypes.c_double, [pointer]),
        ("encode", ctypes.c_bool, [pointer, pointer]),
        ("step", ctypes.c_bool, [pointer, pointer, pointer]),
    ):
        function = getattr(library, f"botan_engine_{name}")
        function.restype, function.argtypes = result, arguments
    return library


def find_instructions() -> str:
    """Find the instructions that an engine of float32 takes here.

    Returns
    -------
    str
        The best that the processor has, or those that LAMMPS_BOTAN_ENGINE asks for: "avx512",
        "avx2" or "portable".

    Raises
    ------
    ImportError
        If the package was installed without its compiled part.
    ValueError
        If LAMMPS_BOTAN_ENGINE asks for others than there are.

    Examples
    --------
    >>> find_instructions() in {"avx512", "avx2", "portable"}
    True
    """
    message = ctypes.c_char_p()
    found = _library().botan_engine_find_instructions(ctypes.byref(message))
    if not found:
        raise ValueError((message.value or b"").decode())
    return str(found.decode())


class UnknownNetworkError(ValueError):
    """The engine does not know such a network; torch may compute it."""


class Engine:
    """One network, or several as a committee, ready to score.

    Parameters
    ----------
    networks : sequence of NetworkWeights
    bfloat16 : bool
        Numbers on edges are kept in bfloat16, half of the memory, and multiplied in it where the
        processor can; sums and nodes stay float32. For BOTAN only.

    Attributes
    ----------
    rounds, width, node_outputs, edge_outputs : int
        As in the metadata of a model file.

    Raises
    ------
    ImportError
        If the package was installed without its compiled part.
    UnknownNetworkError
        If the engine does not know such a network.
    ValueError
        If settings and weights do not fit, or processor or LAMMPS_BOTAN_ENGINE do not allow it.

    Examples
    --------
    >>> from lammps_botan.network.archive import Archive
    >>> from lammps_botan.network.metadata import read_metadata
    >>> from lammps_botan.network.shipped import find_model
    >>> from lammps_botan.network.weights import read_weights
    >>> archive = Archive(find_model("ka-t044"))
    >>> engine = Engine(read_weights(archive, read_metadata(archive)))
    >>> engine.instructions in {"avx512", "avx2", "portable"}
    True
    """

    def __init__(self, networks: Sequence[NetworkWeights], *, bfloat16: bool = False) -> None:
        library = _library()
        given = (_Network * len(networks))(*(_as_struct(network) for network in networks))
        known, message = ctypes.c_bool(), ctypes.c_char_p()
        self._at = library.botan_engine_create(
            len(networks), given, bfloat16, ctypes.byref(known), ctypes.byref(message)
        )
        if not self._at:
            kind = ValueError if known else UnknownNetworkError
            raise kind((message.value or b"").decode())
        self._library = library
        sizes = _Sizes()
        library.botan_engine_sizes(self._at, ctypes.byref(sizes))
        self.rounds, self.width = int(sizes.rounds), int(sizes.width)
        self.node_outputs, self.edge_outputs = int(sizes.node_outputs), int(sizes.edge_outputs)
        settings = networks[0].settings
        self._n_species = int(settings["n_species"])
        history, inherent = (bool(settings.get(name)) for name in ("history", "inherent"))
        self._inputs = (history + inherent, 2 * history + inherent)
        self._busy = threading.Lock()

    def __del__(self) -> None:
        if getattr(self, "_at", None):
            self._library.botan_engine_delete(self._at)

    @property
    def instructions(self) -> str:
        """Instructions of the engine.

        "avx512", "avx2" or "portable"; with "+bfloat16" where numbers on edges are kept in it, and
        "avx512_bf16" where they are multiplied in it too.
        """
        return str(self._library.botan_engine_instructions(self._at).decode())

    def memory_usage(self) -> float:
        """Bytes that are kept for the next graph."""
        return float(self._library.botan_engine_memory_usage(self._at))

    def score(
        self,
        species: Arrays,
        vectors: Arrays,
        *others: Arrays,
        pair_range: float = np.inf,
        threads: int | None = None,
    ) -> tuple[Singles, Singles]:
        """Compute what `forward` of the network gives.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
            Length unit.
        others
            For networks with inputs float32 node_vectors [n_nodes, V, 3] and node_scalars
            [n_nodes, K]; then int64 center and neighbor [n_edges], see
            `lammps_botan.structure.graph`.
        pair_range : float, optional
            Pairs at least so long may have NaN for their output: BOTAN saves the time for it.
        threads : int, optional
            By default `network.engine.threads.available_threads`.

        Returns
        -------
        node : float32 [n_nodes, node_outputs]
        edge : float32 [n_edges, edge_outputs]

        Raises
        ------
        ValueError
            If shapes do not agree, `center` does not ascend, or a number is out of range.
        MemoryError
            If there is not enough memory.
        """
        *inputs, center, neighbor = others
        self._check(species, vectors, inputs, center, neighbor)
        n_nodes, n_edges = len(species), len(center)
        arrays: list[Arrays] = [
            np.ascontiguousarray(species, np.int64),
            np.searchsorted(center, np.arange(n_nodes + 1)).astype(np.int64),
            np.ascontiguousarray(neighbor, np.int32),
            *(np.ascontiguousarray(one, np.float32) for one in (vectors, *inputs)),
        ]
        addresses: list[int | None] = [array.ctypes.data for array in arrays]
        if not inputs:
            addresses += [None, None]
        threads = available_threads() if threads is None else threads
        graph = _Graph(threads, n_nodes, n_nodes, n_edges, *addresses, pair_range)
        node = np.empty((n_nodes, self.node_outputs), np.float32)
        edge = np.empty((n_edges, self.edge_outputs), np.float32)
        with self._busy:  # the states of a graph are the engine's own
            if not self._library.botan_engine_encode(self._at, ctypes.byref(graph)):
                raise MemoryError(f"not enough memory to score {n_edges} edges")
            for _ in range(self.rounds):
                if not self._library.botan_engine_step(
                    self._at, node.ctypes.data, edge.ctypes.data
                ):
                    raise MemoryError("not enough memory to score")
        return node, edge

    def _check(
        self,
        species: Arrays,
        vectors: Arrays,
        inputs: Sequence[Arrays],
        center: Arrays,
        neighbor: Arrays,
    ) -> None:
        n_nodes, n_edges = len(species), len(center)
        if vectors.shape != (n_edges, 3) or neighbor.shape != (n_edges,):
            raise ValueError(
                f"{n_edges} edges need vectors of shape [{n_edges}, 3] and {n_edges} neighbors, "
                f"found {list(vectors.shape)} and {list(neighbor.shape)}"
            )
        n_vectors, n_scalars = self._inputs
        expected = [(n_nodes, n_vectors, 3), (n_nodes, n_scalars)] if n_vectors else []
        if [one.shape for one in inputs] != expected:
            raise ValueError(
                f"expected inputs of particles of shapes {expected}, found "
                f"{[one.shape for one in inputs]}"
            )
        if (center[1:] < center[:-1]).any():
            raise ValueError("edges must be grouped by center, in ascending order")
        for name, ends in (("center", center), ("neighbor", neighbor)):
            if n_edges and not (ends.min() >= 0 and ends.max() < n_nodes):
                raise ValueError(
                    f"{name} must hold numbers of particles, 0 to {n_nodes - 1}, found "
                    f"{ends.min()} to {ends.max()}"
                )
        if n_nodes and not 0 <= species.min() <= species.max() < self._n_species:
            raise ValueError(
                f"the network knows {self._n_species} species, numbered from 0, found species "
                f"{species.min()} to {species.max()}"
            )


def _as_struct(network: NetworkWeights) -> _Network:
    settings = (_Setting * len(network.settings))(
        *(_Setting(name.encode(), float(value)) for name, value in network.settings.items())
    )
    tensors = (_Tensor * len(network.tensors))(
        *(
            _Tensor(
                name.encode(),
                tensor.ndim,
                (ctypes.c_int64 * tensor.ndim)(*tensor.shape),
                tensor.ctypes.data,
            )
            for name, tensor in network.tensors.items()
        )
    )
    return _Network(network.kind.encode(), len(settings), settings, len(tensors), tensors)
