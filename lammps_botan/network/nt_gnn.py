"""The node-targeting network of Bapst et al., as its authors published it.

Bapst et al., Nat. Phys. 16, 448 (2020), doi:10.1038/s41567-020-0842-8. It is not BOTAN with p = 1:
inside the rounds every state h^{m-1} comes with its h^0, each particle has an edge to itself with a
zero vector, and there is no output on edges ::

    equation                                                        code
    h_v^0 = EN_v(species),  h_e^0 = EN_e(vector)                    NtGnn.encode
    h_e^m = MLP_e[h_e^{m-1}, h_e^0, h_center^{m-1}, h_center^0,
                  h_neighbor^{m-1}, h_neighbor^0]                   NtGnn.step
    h_v^m = MLP_v[sum over edges of h_e^m, h_v^{m-1}, h_v^0]        NtGnn.step
    out_v = DE(h_v^n)                                               NtGnn.decode

The methods are those of the model file (docs/reference/model_file.md), whose graph has no edge from
a particle to itself: the states of these edges are the second half of the node state,
W = 2 * width. Ghosts receive these states too without a use for them, but nothing else that a node
carries may change from round to round. The blocks of the first layers that act on an h^0 are
applied once, in `encode`.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lammps_botan.network.botan import Mlp, describe_species, species_columns
from lammps_botan.network.network import ThermalNetwork


class NtGnn(ThermalNetwork):
    """The network with `rounds` rounds of message passing and `width` hidden features.

    Parameters
    ----------
    rounds : int
        Recurrences of the paper.
    width : int
        Hidden features of nodes and edges.
    n_species : int
        See `lammps_botan.network.botan`.

    Examples
    --------
    >>> sum(weights.numel() for weights in NtGnn().parameters())
    62401
    """

    def __init__(self, rounds: int = 7, width: int = 64, n_species: int = 2) -> None:
        super().__init__(rounds=rounds, n_species=n_species)
        self.width = width
        self.node_encoder = Mlp(species_columns(n_species), width)
        self.edge_encoder = Mlp(3, width)
        self.edge_model = Mlp(6 * width, width)
        self.node_model = Mlp(3 * width, width)
        self.decoder = Mlp(width, width)
        self.output = nn.Linear(width, 1)

    @property
    def node_input(self) -> Literal["number", "one-hot"]:
        """Form of the species in `encode`: its number, or one column for each species."""
        return "number" if species_columns(self.n_species) == 1 else "one-hot"

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor, but `n_species`."""
        return {"rounds": self.rounds, "width": self.width}

    @torch.jit.export
    def encode(self, species: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The state before the first round.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
            r_center - r_neighbor.

        Returns
        -------
        node : [n_nodes, 2 * width]
            Nodes, then their edges to themselves.
        node_const : [n_nodes, 4 * width]
            First layers on h^0: of the node, as center, as neighbor, and of its edge to itself.
        edge, edge_const : [n_edges, width]
        """
        w = self.width
        of_edges, of_nodes = self.edge_model.fc1, self.node_model.fc1
        node = self.node_encoder(describe_species(species, self.n_species, vectors))
        edge = self.edge_encoder(vectors)
        itself = self.edge_encoder(torch.zeros_like(node[:, :3]))
        edge_const = linear(edge, of_edges.weight[:, w : 2 * w], of_edges.bias)
        node_const = torch.cat(
            [
                linear(node, of_nodes.weight[:, 2 * w :], of_nodes.bias),
                linear(node, of_edges.weight[:, 3 * w : 4 * w]),
                linear(node, of_edges.weight[:, 5 * w :]),
                linear(itself, of_edges.weight[:, w : 2 * w], of_edges.bias),
            ],
            dim=1,
        )
        return torch.cat([node, itself], dim=1), node_const, edge, edge_const

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
        """One round: edges first, those to themselves among them, then the local nodes.

        Parameters
        ----------
        round : int
            From 0; rounds share their weights, so it is not used.
        node : [n_nodes, 2 * width]
        node_const : [n_nodes, 4 * width]
        edge, edge_const : [n_edges, width]
        center, neighbor : int64 [n_edges]
            Receivers, ascending and below `n_local`, and senders.
        n_local : int
            Number of local nodes; the rest are ghosts.

        Returns
        -------
        node : [n_local, 2 * width]
        edge : [n_edges, width]
        """
        w = self.width
        local, itself = node[:n_local, :w], node[:n_local, w:]
        const = node_const[:n_local]
        first = self.edge_model.fc1.weight
        from_edge = first[:, :w].t()
        from_neighbor = torch.addmm(
            node_const[:, 2 * w : 3 * w], node[:, :w], first[:, 4 * w : 5 * w].t()
        )
        from_center = torch.addmm(const[:, w : 2 * w], local, first[:, 2 * w : 3 * w].t())

        x = torch.addmm(edge_const, edge, from_edge)
        x.add_(from_neighbor.index_select(0, neighbor))
        x.add_(from_center.index_select(0, center))
        edge = self.edge_model.second(x)

        y = torch.addmm(const[:, 3 * w :], itself, from_edge)
        y.add_(from_neighbor[:n_local]).add_(from_center)
        itself = self.edge_model.second(y)

        received = itself + self.aggregate(edge, center, n_local)
        first = self.node_model.fc1.weight
        z = torch.addmm(const[:, :w], local, first[:, w : 2 * w].t())
        z = torch.addmm(z, received, first[:, :w].t())
        return torch.cat([self.node_model.second(z), itself], dim=1), edge

    def aggregate(self, message: Tensor, center: Tensor, n_local: int) -> Tensor:
        """Sums of the messages [n_edges, width] at their centers: [n_local, width]."""
        zeros = torch.zeros(n_local, self.width, dtype=message.dtype, device=message.device)
        return zeros.index_add_(0, center, message)

    @torch.jit.export
    def decode(self, node: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs [n_local, 1] and, since edges have none, [n_edges, 0]."""
        return self.output(self.decoder(node[:, : self.width])), edge[:, :0]
