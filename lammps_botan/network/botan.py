"""The network of BOTAN.

Shiba et al., J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791, sec. II ::

    equation                                                          code
    h_v^0 = EN_v(species),  h_e^0 = EN_e(vector)                      Botan.encode
    h_e^m = MLP_e[h_neighbor^{m-1}, h_center^{m-1}, h_e^{m-1}, h_e^0]   Botan.step
    h_v^m = MLP_v[h_v^{m-1}, h_v^0, sum over edges of h_e^m]          Botan.step
    out_v = DE(h_v^n),  out_e = DE(h_e^n)                             Botan.decode

EN_v takes the number of the species, 0 or 1, as in the paper. For three species or more it takes a
vector with a 1 at that number and 0 elsewhere (one-hot), since numbers would put them in an order.

All rounds share their weights, and nodes and edges share the decoder. A matrix times a
concatenation is a sum of blocks. The first layer of MLP_e is therefore applied to h_neighbor and
h_center once per node instead of once per edge, and its h_e^0 block once per call instead of once
per round; likewise the h_v^0 block of MLP_v. These two are the "const" tensors below.

If the network sees history or inherent structure, EN_v takes these of the particle too, and EN_e
takes distances in place of the vector: between thermal positions, between mean (or inherent) ones,
and their difference. Outputs are then the same in any direction of the axes; ten configurations are
too few to teach this to a network of vectors.

The methods are those of the model file (docs/reference/model_file.md): nodes are local ones first,
then ghosts, and only edges that arrive at local nodes are given. `Botan(..., inputs=...)` is a
`BotanWithInputs`, which has the contract of models with inputs, or a `ThermalBotan`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, one_hot

from lammps_botan.network.network import Network, NetworkWithInputs, States, ThermalNetwork
from lammps_botan.network.pair_distances import PairDistances
from lammps_botan.network.particle_inputs import ParticleInputs


def species_columns(n_species: int) -> int:
    """Number of columns that tell a node its species.

    Parameters
    ----------
    n_species : int

    Returns
    -------
    int
        1 for one or two species, else one for each.

    Examples
    --------
    >>> species_columns(2), species_columns(3)
    (1, 3)
    """
    return 1 if n_species <= 2 else n_species


def describe_species(species: Tensor, n_species: int, like: Tensor) -> Tensor:
    """Turn species into the columns of a node: one column, or one for each species.

    Parameters
    ----------
    species : int64 [n]
    n_species : int
    like : tensor
        Gives the type of the columns.

    Returns
    -------
    tensor [n, 1] or [n, n_species]

    Raises
    ------
    ValueError
        If a species is not one of 0 to n_species - 1; torch.jit.Error from a model file.

    Examples
    --------
    >>> describe_species(torch.tensor([0, 2]), 3, torch.zeros(0))
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    if len(species) > 0:
        low, high = int(species.min()), int(species.max())
        if low < 0 or high >= n_species:
            raise ValueError(
                f"expected species 0 to {n_species - 1}, found species {low} to {high}"
            )
    if n_species <= 2:
        return species.to(like.dtype).unsqueeze(1)
    return one_hot(species, n_species).to(like.dtype)


class Mlp(nn.Module):
    """Two layers with ReLU after each; `second` continues from the output of the first one.

    Parameters
    ----------
    inputs : int
    width : int

    Examples
    --------
    >>> Mlp(3, 8)(torch.zeros(5, 3)).shape
    torch.Size([5, 8])
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(inputs, width)
        self.fc2 = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Float [n, inputs] -> [n, width]."""
        first: Tensor = self.fc1(x)
        return self.second(first)

    def second(self, x: Tensor) -> Tensor:
        """Float [n, width] -> [n, width], from the first layer's output; overwrites `x`."""
        second: Tensor = self.fc2(x.relu_())
        return second.relu_()


class Botan(Network):
    """BOTAN with `rounds` rounds of message passing and `width` hidden features.

    Parameters
    ----------
    rounds : int
        n of the paper.
    width : int
        Hidden features of nodes and edges.
    n_species : int
    inputs : sequence of str
        Inputs besides positions and species: "history", "inherent", both in this order, or nothing.
    diameter : float
        Diameter of the mixture, length unit; for a network with inputs.

    Attributes
    ----------
    describe : method
        Turns the arguments of `encode` into the inputs of both encoders.

    Examples
    --------
    >>> type(Botan(inputs=["history"])).__name__, type(Botan()).__name__
    ('BotanWithInputs', 'ThermalBotan')
    """

    describe: Callable[..., tuple[Tensor, Tensor]]

    def __new__(cls, *_: Any, inputs: Sequence[str] = (), **__: Any) -> "Botan":
        """Choose the contract: `encode` has other arguments where there are inputs."""
        if cls is Botan:
            cls = BotanWithInputs if inputs else ThermalBotan
        return super().__new__(cls)

    def __init__(
        self,
        rounds: int = 7,
        width: int = 64,
        n_species: int = 2,
        *,
        inputs: Sequence[str] = (),
        diameter: float = 1.0,
    ) -> None:
        super().__init__(rounds=rounds, n_species=n_species, inputs=inputs)
        self.width = width
        of_nodes, of_edges = species_columns(n_species), 3
        if inputs:
            self.diameter = float(diameter)
            self.particles = ParticleInputs(
                n_species, self.n_vectors, self.n_scalars, "history" in inputs, self.diameter
            )
            self.pairs = PairDistances(self.n_vectors, self.diameter)
            of_nodes, of_edges = self.particles.n_columns, self.pairs.n_columns
        self.node_encoder = Mlp(of_nodes, width)
        self.edge_encoder = Mlp(of_edges, width)
        self.node_model = Mlp(3 * width, width)
        self.edge_model = Mlp(4 * width, width)
        self.decoder = Mlp(width, width)
        self.output = nn.Linear(width, 1)

    def begin(self, of_nodes: Tensor, of_edges: Tensor) -> States:
        """Give the state before the first round, from the inputs of the encoders."""
        w = self.width
        node = self.node_encoder(of_nodes)
        edge = self.edge_encoder(of_edges)
        node_const = linear(
            node, self.node_model.fc1.weight[:, w : 2 * w], self.node_model.fc1.bias
        )
        edge_const = linear(edge, self.edge_model.fc1.weight[:, 3 * w :], self.edge_model.fc1.bias)
        return node, node_const, edge, edge_const

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
        """One round: edges first, then the local nodes.

        Parameters
        ----------
        round : int
            From 0; rounds share their weights, so it is not used.
        node, node_const : [n_nodes, width]
        edge, edge_const : [n_edges, width]
        center, neighbor : int64 [n_edges]
            Receivers, ascending and below `n_local`, and senders.
        n_local : int
            Number of local nodes; the rest are ghosts.

        Returns
        -------
        node : [n_local, width]
        edge : [n_edges, width]
        """
        w = self.width
        local = node[:n_local]
        first = self.edge_model.fc1.weight
        from_neighbor = linear(node, first[:, :w])
        from_center = linear(local, first[:, w : 2 * w])
        x = torch.addmm(edge_const, edge, first[:, 2 * w : 3 * w].t())
        x.add_(from_neighbor.index_select(0, neighbor))
        x.add_(from_center.index_select(0, center))
        edge = self.edge_model.second(x)

        # sums of about 40 terms stay in float32 also where the products are bfloat16
        message = edge.float() if edge.dtype == torch.bfloat16 else edge
        received = self.aggregate(message, center, n_local)
        first = self.node_model.fc1.weight
        y = torch.addmm(node_const[:n_local], local, first[:, :w].t())
        y = torch.addmm(y, received, first[:, 2 * w :].t())
        return self.node_model.second(y), edge

    def aggregate(self, message: Tensor, center: Tensor, n_local: int) -> Tensor:
        """Sums of the messages [n_edges, width] at their centers: [n_local, width]."""
        zeros = torch.zeros(n_local, self.width, dtype=message.dtype, device=message.device)
        return zeros.index_add_(0, center, message)

    @torch.jit.export
    def decode(self, node: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs [n_local, 1] and [n_edges, 1] from the last states."""
        return self.output(self.decoder(node)), self.output(self.decoder(edge))


class ThermalBotan(Botan, ThermalNetwork):
    """BOTAN of thermal positions, as in the paper.

    Parameters
    ----------
    rounds, width, n_species, inputs, diameter
        As for `Botan`, without inputs.

    Examples
    --------
    >>> ThermalBotan(rounds=3).node_input
    'number'
    """

    @property
    def node_input(self) -> Literal["number", "one-hot"]:
        """Form of the species in `encode`: its number, or one column for each species."""
        return "number" if species_columns(self.n_species) == 1 else "one-hot"

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor, but `n_species`."""
        return {"rounds": self.rounds, "width": self.width}

    def describe(self, species: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Give the inputs of the encoders: the species as number or one-hot, and the vectors."""
        return describe_species(species, self.n_species, vectors), vectors

    @torch.jit.export
    def encode(self, species: Tensor, vectors: Tensor) -> States:
        """The state before the first round.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
            r_center - r_neighbor.

        Returns
        -------
        node, node_const : [n_nodes, width]
        edge, edge_const : [n_edges, width]
        """
        of_nodes, of_edges = self.describe(species, vectors)
        return self.begin(of_nodes, of_edges)


class BotanWithInputs(Botan, NetworkWithInputs):
    """BOTAN that sees history, inherent structure or both.

    Parameters
    ----------
    rounds, width, n_species, inputs, diameter
        As for `Botan`, with inputs.

    Examples
    --------
    >>> BotanWithInputs(inputs=["inherent"]).n_scalars
    1
    """

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor, but `n_species`."""
        return {
            "rounds": self.rounds,
            "width": self.width,
            "inputs": self.inputs,
            "diameter": self.diameter,
        }

    def describe(
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> tuple[Tensor, Tensor]:
        """Give the inputs of the encoders.

        Parameters
        ----------
        species, vectors, node_vectors, node_scalars, center, neighbor, n_local
            Those of `encode`.

        Returns
        -------
        of_nodes : [n_local, n_species + n_scalars + n_vectors]
        of_edges : [n_edges, 1 + 2 n_vectors]
        """
        of_nodes = self.particles(species[:n_local], node_vectors[:n_local], node_scalars[:n_local])
        return of_nodes, self.pairs(vectors, node_vectors, center, neighbor)

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
        """The state before the first round, of local nodes.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
            r_center - r_neighbor.
        node_vectors : float32 [n_nodes, n_vectors, 3]
            From positions to mean positions, to inherent ones.
        node_scalars : float32 [n_nodes, n_scalars]
        center, neighbor : int64 [n_edges]
        n_local : int

        Returns
        -------
        node, node_const : [n_local, width]
        edge, edge_const : [n_edges, width]
        """
        of_nodes, of_edges = self.describe(
            species, vectors, node_vectors, node_scalars, center, neighbor, n_local
        )
        return self.begin(of_nodes, of_edges)
