"""The base of all networks: methods for a checkpoint, for the export and for LAMMPS."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lammps_botan.network.inputs import SCALARS, VECTORS

States = tuple[Tensor, Tensor, Tensor, Tensor]  # node, node_const, edge, edge_const
Outputs = tuple[Tensor, Tensor]


class Network(nn.Module):
    """A network with the methods of a model file (docs/reference/model_file.md).

    A subclass has `encode`, `step` and `decode`, each with `torch.jit.export`, and `forward` from
    `ThermalNetwork` or `NetworkWithInputs`. A new kind of network is a subclass and its line in
    `network.checkpoint.NETWORKS`.

    Parameters
    ----------
    rounds : int
        Number of calls of `step`.
    n_species : int
    inputs : sequence of str
        Inputs besides positions and species: "history", "inherent", or both in this
        order. With any of them `encode` and `forward` are those of "Models with inputs".

    Examples
    --------
    >>> Network(rounds=7, n_species=2, inputs=["history"]).n_scalars
    2
    """

    # TorchScript takes properties for code of the model
    __jit_unused_properties__ = ("n_vectors", "n_scalars", "node_input", "settings")
    __jit_ignored_attributes__ = ("inputs", *__jit_unused_properties__)

    encode: Callable[..., States]
    step: Callable[..., Outputs]
    decode: Callable[..., Outputs]

    def __init__(self, *, rounds: int, n_species: int, inputs: Sequence[str] = ()) -> None:
        super().__init__()
        if list(inputs) != [name for name in VECTORS if name in inputs]:
            raise ValueError(
                f"the inputs of a network are some of {', '.join(VECTORS)}, in this order, found "
                f"{', '.join(inputs)}"
            )
        self.rounds = rounds
        self.n_species = n_species
        self.inputs = list(inputs)

    @property
    def n_vectors(self) -> int:
        """Number of vectors of each node that `encode` takes."""
        return sum(len(VECTORS[name]) for name in self.inputs)

    @property
    def n_scalars(self) -> int:
        """Number of scalars of each node that `encode` takes."""
        return sum(len(SCALARS[name]) for name in self.inputs)

    @property
    def node_input(self) -> Literal["number", "one-hot"]:
        """Form of the species in `encode`: "number", or "one-hot" (a column for each species)."""
        return "one-hot"

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments that make a network of this kind again, but `n_species`: plain JSON values.

        A subclass with further arguments adds them here.
        """
        return {}


class ThermalNetwork(Network):
    """A network that sees positions and species only.

    Parameters
    ----------
    rounds, n_species, inputs
        As for `Network`, without inputs.

    Examples
    --------
    >>> ThermalNetwork(rounds=7, n_species=2).inputs
    []
    """

    def forward(
        self, species: Tensor, vectors: Tensor, center: Tensor, neighbor: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute the outputs on a periodic graph without ghosts.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
            r_center - r_neighbor, length unit.
        center, neighbor : int64 [n_edges]
            See `lammps_botan.structure.graph`.

        Returns
        -------
        node_out : [n_nodes, n_node_outputs]
        edge_out : [n_edges, n_edge_outputs]
        """
        n = len(species)
        node, node_const, edge, edge_const = self.encode(species, vectors)
        for round in range(self.rounds):
            node, edge = self.step(round, node, node_const, edge, edge_const, center, neighbor, n)
        return self.decode(node, edge)


class NetworkWithInputs(Network):
    """A network that sees history, inherent structure or both.

    Parameters
    ----------
    rounds, n_species, inputs
        As for `Network`, with inputs.

    Examples
    --------
    >>> NetworkWithInputs(rounds=7, n_species=2, inputs=["inherent"]).n_vectors
    1
    """

    def forward(
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Compute the outputs on a periodic graph without ghosts, as those of `ThermalNetwork`.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
        node_vectors : float32 [n_nodes, n_vectors, 3]
        node_scalars : float32 [n_nodes, n_scalars]
            See `network.inputs.node_inputs`.
        center, neighbor : int64 [n_edges]
        """
        n = len(species)
        node, node_const, edge, edge_const = self.encode(
            species, vectors, node_vectors, node_scalars, center, neighbor, n
        )
        for round in range(self.rounds):
            node, edge = self.step(round, node, node_const, edge, edge_const, center, neighbor, n)
        return self.decode(node, edge)


def call_rounds(
    network: Network | torch.jit.ScriptModule, rounds: int, given: Sequence[Tensor]
) -> Outputs:
    """Compute what `forward` gives with `encode`, `step` and `decode`, as an engine calls them.

    Parameters
    ----------
    network : Network or ScriptModule
        The latter of a model file.
    rounds : int
        Number of calls of `step`.
    given : sequence of Tensor
        As `network.arrays.forward_arrays`.

    Returns
    -------
    node_out : [n_nodes, n_node_outputs]
    edge_out : [n_edges, n_edge_outputs]

    Examples
    --------
    >>> from lammps_botan.network.botan import Botan
    >>> ends = torch.tensor([0, 1]), torch.tensor([1, 0])
    >>> given = torch.tensor([0, 1]), torch.tensor([[1.0, 0, 0], [-1, 0, 0]]), *ends
    >>> model = Botan(rounds=2, width=4)
    >>> bool(torch.equal(call_rounds(model, 2, given)[0], model(*given)[0]))
    True
    """
    species, vectors, *inputs, center, neighbor = given
    n = len(species)
    more = [*inputs, center, neighbor, n] if inputs else []
    node, node_const, edge, edge_const = network.encode(species, vectors, *more)
    for round in range(rounds):
        node, edge = network.step(round, node, node_const, edge, edge_const, center, neighbor, n)
    outputs: Outputs = network.decode(node, edge)
    return outputs


def states_without_nodes(network: Network) -> States:
    """Give the states of a graph without nodes, which have the columns of any graph.

    Parameters
    ----------
    network : Network

    Returns
    -------
    node, node_const, edge, edge_const : tensors
        Without rows.

    Examples
    --------
    >>> from lammps_botan.network.botan import Botan
    >>> [tuple(state.shape) for state in states_without_nodes(Botan(width=4))]
    [(0, 4), (0, 4), (0, 4), (0, 4)]
    """
    none = torch.zeros(0, dtype=torch.int64)
    given: list[Tensor | int] = [none, torch.zeros(0, 3)]
    if network.inputs:
        n_vectors, n_scalars = network.n_vectors, network.n_scalars
        given += [torch.zeros(0, n_vectors, 3), torch.zeros(0, n_scalars), none, none, 0]
    with torch.no_grad():
        return network.encode(*given)
