"""A training step of BOTAN on the CPU, several times faster than torch's operations one by one.

The edges go through compiled kernels (training.cpp), forward and backward, tile by tile in the
cache; the nodes, forty times fewer, stay in torch. The kernels are for 64 features.

In float32 the kernels need the instructions AVX-512, or AVX2 and FMA; the environment variable
LAMMPS_BOTAN_ENGINE chooses them as it does for scoring (scoring.py). In bfloat16 the kernels need
AVX-512 BF16 (Intel Sapphire Rapids, AMD Zen 4, and newer). Products are then rounded as those of
torch's bfloat16 autocast, but inputs of the encoders and sums are float32: gradients are closer to
the exact ones.
"""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from lammps_botan.network.botan import Botan, Mlp
from lammps_botan.network.engine.scoring import find_instructions

WIDTH = 64
EDGES_OF_A_THREAD = 1024  # at least

Precision = Literal["float32", "bfloat16"]


class _Kernels:
    """The library of one set of instructions, called with tensors."""

    def __init__(self, instructions: str) -> None:
        self.type = torch.bfloat16 if instructions == "avx512_bf16" else torch.float32
        self._library = ctypes.CDLL(str(_path(instructions)))

    def __call__(self, name: str, n_edges: int, *arguments: Tensor | int | None) -> None:
        # tensors by address; all are contiguous, or blocks of matrices with their stride given
        plain = [
            ctypes.c_void_p(a.data_ptr())
            if isinstance(a, Tensor)
            else (a if a is None else ctypes.c_long(a))
            for a in (_n_threads(n_edges), n_edges, *arguments)
        ]
        getattr(self._library, f"botan_{name}")(*plain)


_kernels = cache(_Kernels)


def _path(instructions: str) -> Path:
    return Path(__file__).parent / f"libbotan_training_{instructions}.so"


def _instructions(precision: Precision) -> str | None:
    # None: torch's operations
    if os.environ.get("LAMMPS_BOTAN_ENGINE") == "torch":
        return None
    if precision == "float32":
        found = find_instructions()
    else:
        found = "avx512_bf16" if torch.cpu._is_avx512_bf16_supported() else "portable"
    return found if _path(found).is_file() else None


def available(model: torch.nn.Module, precision: Precision = "float32") -> bool:
    """Whether `forward` can run this network here.

    Parameters
    ----------
    model : torch.nn.Module
    precision : str
        "float32" or "bfloat16".

    Returns
    -------
    bool
        False where the environment variable LAMMPS_BOTAN_ENGINE is torch or portable.

    Raises
    ------
    ValueError
        If LAMMPS_BOTAN_ENGINE asks for instructions that the processor does not have.

    Examples
    --------
    >>> available(Botan(width=32))  # for 64 features only
    False
    """
    return (
        isinstance(model, Botan)
        and model.width == WIDTH
        and all(p.device.type == "cpu" and p.dtype == torch.float32 for p in model.parameters())
        and _instructions(precision) is not None
    )


def forward(
    model: Botan, *given: Tensor, precision: Precision = "float32"
) -> tuple[Tensor, Tensor]:
    """Compute `model(*given)` up to rounding, with gradients of the weights.

    Parameters
    ----------
    model : Botan
        For which `available` holds.
    *given : tensors
        Species and vectors; of a network with inputs node vectors and node scalars; centers and
        neighbors.
    precision : str
        "float32"; or "bfloat16", for products on edges and what is kept of edges.

    Returns
    -------
    propensity : float32 [n_nodes, 1]
    pair_distance_change : float32 [n_edges, 1]

    Raises
    ------
    ValueError
        If `center` does not ascend.

    Examples
    --------
    >>> model, ends = Botan(rounds=1), (torch.tensor([0, 1]), torch.tensor([1, 0]))
    >>> given = torch.tensor([0, 1]), torch.tensor([[1.0, 0, 0], [-1, 0, 0]]), *ends
    >>> node, edge = forward(model, *given) if available(model) else model(*given)
    >>> node.shape, edge.shape
    (torch.Size([2, 1]), torch.Size([2, 1]))
    """
    species, _, *inputs, center, neighbor = given
    if not bool((center[1:] >= center[:-1]).all()):
        raise ValueError("edges must be grouped by center, in ascending order")
    instructions = _instructions(precision)
    assert instructions is not None
    kernels = _kernels(instructions)
    ends = (center.int().contiguous(), neighbor.int().contiguous())
    edges = _Edges(kernels, *ends, len(species), model.rounds)
    with torch.autocast("cpu", enabled=False):  # its own rounding replaces that of autocast
        if inputs:
            of_nodes, of_edges = model.describe(*given, len(species))
        else:
            of_nodes, of_edges = model.describe(*given[:2])
        return _forward(model, of_nodes, of_edges.float().contiguous(), edges)


def _forward(
    model: Botan, given_nodes: Tensor, given_edges: Tensor, edges: "_Edges"
) -> tuple[Tensor, Tensor]:
    w = model.width
    of_nodes, of_edges, decoder = model.node_model, model.edge_model, model.decoder
    first = of_edges.fc1.weight
    bias = of_edges.fc1.bias
    edge, constant = _Encode.apply(
        edges.kernels, given_edges, *_both(model.edge_encoder), first, bias
    )
    node = model.node_encoder(given_nodes)
    node_const = linear(node, of_nodes.fc1.weight[:, w : 2 * w], of_nodes.fc1.bias)
    from_neighbor, from_center = first[:, :w], first[:, w : 2 * w]
    from_node, from_edges = of_nodes.fc1.weight[:, :w], of_nodes.fc1.weight[:, 2 * w :]
    weights = (first, of_edges.fc2.weight, of_edges.fc2.bias)
    for round in range(model.rounds):
        sent = (linear(node, from_neighbor), linear(node, from_center))
        edge, received = _Update.apply(edges, round, edge, constant, *sent, *weights)
        x = torch.addmm(node_const, node, from_node.t())
        node = of_nodes.second(torch.addmm(x, received, from_edges.t()))
    output = model.output
    change = _Decode.apply(edges.kernels, edge, *_both(decoder), output.weight, output.bias)
    return model.output(decoder(node)), change


def _both(mlp: Mlp) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return mlp.fc1.weight, mlp.fc1.bias, mlp.fc2.weight, mlp.fc2.bias


class _Edges:
    """What all rounds of a step share."""

    def __init__(
        self, kernels: _Kernels, center: Tensor, neighbor: Tensor, n_nodes: int, rounds: int
    ) -> None:
        self.kernels = kernels
        self.center = center
        self.neighbor = neighbor
        self.n_nodes = n_nodes
        self.rounds = rounds
        self.g_constant: Tensor | None = None  # summed over the rounds


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, kernels: _Kernels, inputs: Tensor, *weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        w1, b1, w2, b2, first, b3 = weights
        edge = torch.empty(len(inputs), WIDTH, dtype=kernels.type)
        constant = torch.empty_like(edge)
        block = first[:, 3 * WIDTH :]
        layers = (w1, b1, w2, b2, block, block.stride(0), b3)
        kernels("encode", *inputs.shape, inputs, *layers, edge, constant)
        ctx.kernels = kernels
        ctx.save_for_backward(inputs, *weights, edge)
        return edge, constant

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_edge: Tensor, g_constant: Tensor) -> tuple[Tensor | None, ...]:
        inputs, *weights, edge = ctx.saved_tensors
        w1, b1, w2, _, first, _ = weights
        gradients = [torch.zeros_like(weight) for weight in weights]
        g_w1, g_b1, g_w2, g_b2, g_first, g_b3 = gradients
        block, g_block = first[:, 3 * WIDTH :], g_first[:, 3 * WIDTH :]
        given = (inputs, w1, b1, w2, block, block.stride(0), edge, g_edge, g_constant)
        results = (g_w1, g_b1, g_w2, g_b2, g_block, g_b3)
        ctx.kernels("encode_backward", *inputs.shape, *given, *results)
        return None, None, *gradients


class _Update(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        edges: _Edges,
        round: int,
        edge: Tensor,
        constant: Tensor,
        from_neighbor: Tensor,
        from_center: Tensor,
        first: Tensor,
        second: Tensor,
        bias: Tensor,
    ) -> tuple[Tensor, Tensor]:
        hidden, after = torch.empty_like(edge), torch.empty_like(edge)
        received = torch.zeros(edges.n_nodes, WIDTH)
        block = first[:, 2 * WIDTH : 3 * WIDTH]
        given = (
            len(edge),
            edges.center,
            edges.neighbor,
            edge,
            constant,
            from_neighbor,
            from_center,
        )
        weights = (block, block.stride(0), second, bias)
        edges.kernels("update", *given, *weights, hidden, after, received)
        ctx.save_for_backward(edge, hidden, after, first, second)
        ctx.edges, ctx.round = edges, round
        ctx.set_materialize_grads(False)
        return after, received

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, g_after: Tensor | None, g_received: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        edge, hidden, after, first, second = ctx.saved_tensors
        edges = ctx.edges
        if g_received is None:  # the loss asks for edges only
            g_received = torch.zeros(edges.n_nodes, WIDTH)
        # backward goes through the rounds from the last, and nobody else uses these two
        g_edge = torch.empty_like(edge) if g_after is None else g_after
        # a former backward may have ended before round 0
        begun = ctx.round < edges.rounds - 1
        if not begun:
            edges.g_constant = torch.empty_like(edge)
        g_neighbor = torch.zeros(_n_threads(len(edge)), edges.n_nodes, WIDTH)
        g_center = torch.zeros(edges.n_nodes, WIDTH)
        g_first, g_second = torch.zeros_like(first), torch.zeros_like(second)
        g_bias = torch.zeros(WIDTH)
        block = slice(2 * WIDTH, 3 * WIDTH)
        graph = (len(edge), edges.n_nodes, edges.center, edges.neighbor)
        states = (edge, hidden, after, g_received.contiguous())
        weights = (first[:, block], first.stride(0), second)
        results = (g_neighbor, g_center, g_first[:, block], g_second, g_bias)
        edges.kernels(
            "update_backward",
            *graph,
            *states,
            *weights,
            *(g_after, g_edge, edges.g_constant, begun),
            *results,
        )
        g_constant = None
        if ctx.round == 0:
            g_constant, edges.g_constant = edges.g_constant, None
        return (
            *(None, None, g_edge, g_constant, g_neighbor.sum(0), g_center),
            *(g_first, g_second, g_bias),
        )


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernels: _Kernels, edge: Tensor, *weights: Tensor) -> Tensor:
        output = torch.empty(len(edge), 1)
        kernels("decode", len(edge), edge, *weights, output)
        ctx.kernels = kernels
        ctx.save_for_backward(edge, *weights)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_output: Tensor) -> tuple[Tensor | None, ...]:
        edge, *weights = ctx.saved_tensors
        g_edge = torch.empty_like(edge)
        gradients = [torch.zeros_like(weight) for weight in weights]
        given = (len(edge), edge, *weights[:5], g_output.contiguous())
        ctx.kernels("decode_backward", *given, g_edge, *gradients)
        return None, g_edge, *gradients


def _n_threads(n_edges: int) -> int:
    # fewer for small graphs: each has sums of its own over all nodes
    return max(1, min(torch.get_num_threads(), n_edges // EDGES_OF_A_THREAD))
