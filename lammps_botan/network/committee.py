"""Committees: the mean of the outputs of several networks, and their standard deviation.

The networks are evaluated side by side; their states stand in neighboring columns. The networks may
be of different kinds: a network with fewer rounds waits for the others. The outputs are the means
over the networks, followed by the standard deviations between them (with n - 1). The standard
deviation is large for structures unlike the training data.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lammps_botan.network.network import (
    Network,
    NetworkWithInputs,
    States,
    ThermalNetwork,
    states_without_nodes,
)


def side_by_side(states: list[tuple[Tensor, Tensor, Tensor, Tensor]]) -> States:
    """Join the states of several networks to those of one, column by column.

    Parameters
    ----------
    states : list of four tensors
        node, node_const, edge and edge_const of each network.

    Returns
    -------
    node, node_const, edge, edge_const : tensors
        With the columns of all networks.

    Examples
    --------
    >>> one = (torch.zeros(2, 3),) * 4
    >>> side_by_side([one, one])[0].shape
    torch.Size([2, 6])
    """
    node = torch.cat([one[0] for one in states], dim=1)
    node_const = torch.cat([one[1] for one in states], dim=1)
    edge = torch.cat([one[2] for one in states], dim=1)
    edge_const = torch.cat([one[3] for one in states], dim=1)
    return node, node_const, edge, edge_const


def mean_and_deviation(outputs: list[Tensor]) -> Tensor:
    """Compute means over the list, then standard deviations.

    Parameters
    ----------
    outputs : list of tensor [n, n_outputs]

    Returns
    -------
    tensor [n, 2 n_outputs]

    Examples
    --------
    >>> mean_and_deviation([torch.tensor([[1.0]]), torch.tensor([[3.0]])]).round(decimals=3)
    tensor([[2.0000, 1.4140]])
    """
    stacked = torch.stack(outputs)
    mean = stacked.mean(0)
    # not std(), which warns where there are no particles or edges
    deviation = ((stacked - mean).square().sum(0) / (len(outputs) - 1)).sqrt()
    return torch.cat([mean, deviation], dim=1)


class _Members(Network):
    """Networks side by side, but for `encode` and `forward`."""

    def __init__(self, members: Sequence[Network]) -> None:
        if len(members) < 2:
            raise ValueError(f"a committee needs two networks or more, found {len(members)}")
        for name in ("n_species", "inputs"):
            found = [getattr(member, name) for member in members]
            if any(one != found[0] for one in found):
                raise ValueError(f"the networks of a committee need the same {name}, found {found}")
        first = members[0]
        rounds = max(member.rounds for member in members)
        super().__init__(rounds=rounds, n_species=first.n_species, inputs=first.inputs)
        self.members = nn.ModuleList(members)
        columns, outputs = [], set()
        for member in members:
            states = states_without_nodes(member)
            columns.append([state.shape[1] for state in states])
            with torch.no_grad():
                node, edge = member.decode(states[0], states[2])
            outputs.add((node.shape[1], edge.shape[1]))
        self.columns = columns  # of node, node_const, edge and edge_const
        if len(outputs) > 1:
            raise ValueError(
                "the networks of a committee need the same outputs, found "
                f"{sorted(outputs)} for (particles, edges)"
            )

    @property
    def node_input(self) -> Literal["number", "one-hot"]:
        """That of the first member."""
        first: Network = self.members[0]  # type: ignore[assignment]
        return first.node_input

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the members."""
        return {"members": [member.settings for member in self.members]}

    @torch.jit.export
    def step(
        self,
        round: int,
        node: Tensor,
        node_const: Tensor,
        edge: Tensor,
        edge_const: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> tuple[Tensor, Tensor]:
        """One round of all members, see `lammps_botan.network.botan.Botan.step`."""
        nodes: list[Tensor] = []
        edges: list[Tensor] = []
        at = [0, 0, 0, 0]
        for k, member in enumerate(self.members):
            to = [at[j] + self.columns[k][j] for j in range(4)]
            own, of_edges = node[:, at[0] : to[0]], edge[:, at[2] : to[2]]
            if round < member.rounds:  # type: ignore[operator]
                own, of_edges = member.step(  # type: ignore[operator]
                    round,
                    own,
                    node_const[:, at[1] : to[1]],
                    of_edges,
                    edge_const[:, at[3] : to[3]],
                    center,
                    neighbor,
                    n_local,
                )
            nodes.append(own[:n_local])
            edges.append(of_edges)
            at = to
        return torch.cat(nodes, dim=1), torch.cat(edges, dim=1)

    @torch.jit.export
    def decode(self, node: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        """Means, then standard deviations: [n_local, 2 H] and [n_edges, 2 H]."""
        nodes: list[Tensor] = []
        edges: list[Tensor] = []
        at = [0, 0]
        for k, member in enumerate(self.members):
            to = [at[0] + self.columns[k][0], at[1] + self.columns[k][2]]
            own = node[:, at[0] : to[0]], edge[:, at[1] : to[1]]
            n, e = member.decode(own[0], own[1])  # type: ignore[operator]
            nodes.append(n)
            edges.append(e)
            at = to
        return mean_and_deviation(nodes), mean_and_deviation(edges)


class Committee(_Members, ThermalNetwork):
    """Networks with the same inputs and the same outputs.

    Parameters
    ----------
    members : sequence of Network
        At least two, without inputs.

    Raises
    ------
    ValueError
        If there are fewer, or they differ in species, inputs or outputs.

    Examples
    --------
    >>> from lammps_botan.network.botan import Botan
    >>> Committee([Botan(rounds=3), Botan(rounds=7)]).rounds
    7
    """

    @torch.jit.export
    def encode(self, species: Tensor, vectors: Tensor) -> States:
        """The states of all members, see `lammps_botan.network.botan.Botan.encode`."""
        return side_by_side(
            [member.encode(species, vectors) for member in self.members]  # type: ignore[operator]
        )


class CommitteeWithInputs(_Members, NetworkWithInputs):
    """Networks as of `Committee`, with inputs besides positions and species.

    Parameters
    ----------
    members : sequence of Network
        At least two, with the same inputs.

    Examples
    --------
    >>> from lammps_botan.network.botan import Botan
    >>> CommitteeWithInputs([Botan(inputs=["history"])] * 2).inputs
    ['history']
    """

    @torch.jit.export
    def encode(
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> States:
        """The states of all members (docs/reference/model_file.md, "Models with inputs")."""
        return side_by_side(
            [
                member.encode(  # type: ignore[operator]
                    species, vectors, node_vectors, node_scalars, center, neighbor, n_local
                )
                for member in self.members
            ]
        )


def make_committee(members: Sequence[Network]) -> Committee | CommitteeWithInputs:
    """Make the committee of these networks; see `Committee` for what they must have in common.

    Parameters
    ----------
    members : sequence of Network

    Returns
    -------
    Committee or CommitteeWithInputs

    Raises
    ------
    ValueError
        As `Committee`.

    Examples
    --------
    >>> from lammps_botan.network.botan import Botan
    >>> type(make_committee([Botan(), Botan()])).__name__
    'Committee'
    """
    seeing = any(member.inputs for member in members)
    return CommitteeWithInputs(members) if seeing else Committee(members)
