"""Several networks as one: the mean of their outputs, and how far they disagree.

The networks are evaluated side by side; their states stand in neighboring columns. The outputs are
those of the networks averaged, followed by the standard deviation between them (with n - 1), which
grows where a network has not seen the like.
"""

import torch
from torch import Tensor, nn

from lammps_botan.network.botan import Botan
from lammps_botan.network.nt_gnn import NtGnn


def mean_and_deviation(outputs: list[Tensor]) -> Tensor:
    """Means over the list, then standard deviations: [n, 2 H] from several [n, H]."""
    stacked = torch.stack(outputs)
    mean = stacked.mean(0)
    # not std(), which warns where there are no particles or edges
    deviation = ((stacked - mean).square().sum(0) / (len(outputs) - 1)).sqrt()
    return torch.cat([mean, deviation], dim=1)


class Committee(nn.Module):
    """Networks with the same number of rounds and the same outputs.

    Parameters
    ----------
    members : list of Botan or NtGnn
        At least two.

    Raises
    ------
    ValueError
        If there are fewer, or they differ in rounds or outputs.
    """

    def __init__(self, members: list[Botan | NtGnn]) -> None:
        super().__init__()
        if len(members) < 2:
            raise ValueError(f"a committee needs two networks or more, found {len(members)}")
        rounds = [member.rounds for member in members]
        if len(set(rounds)) > 1:
            raise ValueError(f"the networks of a committee need the same rounds, found {rounds}")
        self.rounds = rounds[0]
        self.members = nn.ModuleList(members)
        columns, outputs = [], set()
        with torch.no_grad():
            for member in members:
                states = member.encode(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 3))
                columns.append([state.shape[1] for state in states])
                node, edge = member.decode(states[0], states[2])
                outputs.add((node.shape[1], edge.shape[1]))
        self.columns = columns  # of node, node_const, edge and edge_const
        if len(outputs) > 1:
            raise ValueError(
                "the networks of a committee need the same outputs, found "
                f"{sorted(outputs)} for (particles, edges)"
            )

    @torch.jit.export
    def encode(self, species: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The states of all members, see `lammps_botan.network.botan.Botan.encode`."""
        node: list[Tensor] = []
        node_const: list[Tensor] = []
        edge: list[Tensor] = []
        edge_const: list[Tensor] = []
        for member in self.members:
            n, nc, e, ec = member.encode(species, vectors)  # type: ignore[operator]
            node.append(n)
            node_const.append(nc)
            edge.append(e)
            edge_const.append(ec)
        return (
            torch.cat(node, dim=1),
            torch.cat(node_const, dim=1),
            torch.cat(edge, dim=1),
            torch.cat(edge_const, dim=1),
        )

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
            n, e = member.step(  # type: ignore[operator]
                round,
                node[:, at[0] : to[0]],
                node_const[:, at[1] : to[1]],
                edge[:, at[2] : to[2]],
                edge_const[:, at[3] : to[3]],
                center,
                neighbor,
                n_local,
            )
            nodes.append(n)
            edges.append(e)
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

    def forward(
        self, species: Tensor, vectors: Tensor, center: Tensor, neighbor: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Outputs on a periodic graph without ghosts, see `network.botan.Botan.forward`."""
        node, node_const, edge, edge_const = self.encode(species, vectors)
        for round in range(self.rounds):
            node, edge = self.step(
                round, node, node_const, edge, edge_const, center, neighbor, len(species)
            )
        return self.decode(node, edge)
