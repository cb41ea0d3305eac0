"""A linear model: shells of neighbors, history or inherent structure, and averages of them.

With lengths in diameters, r_ij the distance between mean positions (inherent ones where there is
no history, thermal ones where there is neither), and f, which falls smoothly to 0 at the cutoff::

    equation                                                            code
    X_i  = [functions of history, inherent structure and species of i;  Linear.describe
            sum over j of s of f(r_ij) exp(-(r_ij - R)^2 / 2 d^2)]
    A    = averages over i and its neighbors, weights f exp(-r_ij / 2)  Linear.average
    S_i  = sum over g of (A^g X)_i . w_g + b                            Linear.step
    E_ij = r_ij - |r_i - r_j| + Y(r_ij, S_i, S_j) . v + c               Linear.step

w and b depend on the species of i; v and c on those of i and j, in any order. As S_i is linear,
projections are averaged in place of descriptors: P_g = X w_g + A P_(g+1), from the last generation
to P_0 = S - b. So a node gives a few numbers to its neighbors.

The methods are those of the model file (docs/reference/model_file.md). `Linear(..., inputs=...)` is
a `LinearWithInputs`, which has the contract of models with inputs, or a `ThermalLinear`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from lammps_botan.network.network import Network, NetworkWithInputs, ThermalNetwork
from lammps_botan.network.shells import (
    PAIR_FACTORS,
    gaussian,
    history_functions,
    inherent_functions,
    neighbor_averages,
    pair_factors,
    radial_densities,
)
from lammps_botan.structure.box import Floats

GENERATIONS = 5
FIRST_RADIUS, RADIUS_STEP = 0.75, 0.05  # diameters
FAR = 1.6  # diameters, from where distances of pairs are told less finely
ROUNDING = 1e-6


class Linear(Network):
    """The linear model; a new one predicts 0 for particles, `training.linear` fits it.

    Parameters
    ----------
    cutoff : float
        Cutoff of the graph, length unit.
    diameter : float
        Diameter of the mixture, length unit.
    generations : int
        Number of repeated averages over neighbors, at least 1.
    inputs : sequence of str
        "history", "inherent", or both in this order.
    pairs : bool
        Whether it predicts E as well; otherwise it has no outputs on edges.
    n_species : int

    Attributes
    ----------
    n_functions : int
        Number of descriptors without neighbors.
    origin : [n_descriptors]
        Origin of the descriptors: near their means, to reduce rounding errors.
    weights : [n_descriptors, width]
        w: n_species columns for each generation, the last generation first.
    offset : [n_species]
        b.
    pair_weights : [n_distances, n_species^2 * PAIR_FACTORS]
        v for each species of the receiver and of the sender, in this order.
    pair_offset : [n_species^2]
        c.

    Examples
    --------
    >>> network = Linear(2.0)
    >>> type(network).__name__, network.rounds
    ('ThermalLinear', 7)
    """

    radii: Tensor
    distances: Tensor
    distance_widths: Tensor
    origin: Tensor
    weights: Tensor
    offset: Tensor
    pair_weights: Tensor
    pair_offset: Tensor

    def __new__(cls, *_: Any, inputs: Sequence[str] = (), **__: Any) -> "Linear":
        """Choose the contract: `encode` has other arguments where there are inputs."""
        if cls is Linear:
            cls = LinearWithInputs if inputs else ThermalLinear
        return super().__new__(cls)

    def __init__(
        self,
        cutoff: float,
        diameter: float = 1.0,
        generations: int = GENERATIONS,
        *,
        inputs: Sequence[str] = (),
        pairs: bool = True,
        n_species: int = 2,
    ) -> None:
        super().__init__(rounds=generations + 1 + pairs, n_species=n_species, inputs=inputs)
        self.cutoff = float(cutoff)
        self.diameter = float(diameter)
        self.reach = self.cutoff / self.diameter
        self.generations = generations
        self.pairs = pairs
        self.width = (generations + 1) * n_species
        self.history = "history" in inputs
        self.inherent = "inherent" in inputs
        self.n_functions = 4 * self.history + 2 * self.inherent + n_species
        radii = _grid(FIRST_RADIUS, max(self.reach, FIRST_RADIUS) + RADIUS_STEP, RADIUS_STEP)
        near = _grid(0.8, min(self.reach, FAR), 0.04)
        distances = np.concatenate([near, _grid(FAR, self.reach, 0.1)])
        widths = np.repeat([0.04, 0.1], [len(near), len(distances) - len(near)])
        n_descriptors = self.n_functions + n_species * len(radii)
        for name, values in (
            ("radii", radii),
            ("distances", distances),
            ("distance_widths", widths),
            ("origin", np.zeros(n_descriptors)),
            ("weights", np.zeros((n_descriptors, self.width))),
            ("offset", np.zeros(n_species)),
            ("pair_weights", np.zeros((len(distances), n_species**2 * PAIR_FACTORS))),
            ("pair_offset", np.zeros(n_species**2)),
        ):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32))

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor, but `n_species`."""
        return {
            "cutoff": self.cutoff,
            "diameter": self.diameter,
            "generations": self.generations,
            "inputs": self.inputs,
            "pairs": self.pairs,
        }

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
        """Descriptors and their projections, then a generation of averages a round, then pairs.

        Parameters
        ----------
        round : int
            From 0 to generations, and one more for pairs.
        node : [n_nodes, width]
            In round 0 the species in the first column; then the averaged values in the first
            n_species columns, and in the others the projections of the generations to come; in the
            last round S in the first column.
        node_const : [n_nodes, n_functions]
        edge : [n_edges, 1]
            After round 0 the number of the pair of species, after the last one E.
        edge_const : [n_edges, 2]
            Distance that descriptors are made of, and thermal distance, in diameters.
        center, neighbor : int64 [n_edges]
        n_local : int

        Returns
        -------
        node : [n_local, width]
        edge : [n_edges, 1]
        """
        k, distance, local = self.n_species, edge_const[:, 0], node[:n_local]
        functions = node_const[:n_local]
        if round == 0:
            species = node[:, 0].to(torch.int64)
            sender = species.index_select(0, neighbor)
            x = self.describe(distance, functions, sender, center)
            kind = species.index_select(0, center) * k + sender
            return (x - self.origin) @ self.weights, kind.unsqueeze(1).to(torch.float32)
        if round <= self.generations:
            averaged = self.average(node[:, :k], distance, center, neighbor, n_local)
            next = local[:, k : 2 * k] + averaged
            if round == self.generations:
                own = functions[:, functions.shape[1] - k :]
                next = torch.cat([((next + self.offset) * own).sum(1, True), next[:, 1:]], dim=1)
            return torch.cat([next, local[:, 2 * k :], averaged], dim=1), edge
        own = node[:, 0]
        first, second = own.index_select(0, center), own.index_select(0, neighbor)
        return local, self.change(edge_const, edge[:, 0].to(torch.int64), first, second)

    @torch.jit.export
    def describe(
        self, distance: Tensor, functions: Tensor, sender: Tensor, center: Tensor
    ) -> Tensor:
        """Compute descriptors X of local nodes, [n_local, n_descriptors].

        Parameters
        ----------
        distance : [n_edges]
        functions : [n_local, n_functions]
        sender : int64 [n_edges]
            Species of the neighbor.
        center : int64 [n_edges]
        """
        n = len(functions)
        densities = radial_densities(
            distance, sender, center, n, self.n_species, self.radii, self.reach
        )
        return torch.cat([functions, densities], dim=1)

    @torch.jit.export
    def average(
        self, values: Tensor, distance: Tensor, center: Tensor, neighbor: Tensor, n_local: int
    ) -> Tensor:
        """A of values [n_nodes, k], see `network.shells.neighbor_averages`."""
        return neighbor_averages(values, distance, center, neighbor, n_local, self.reach)

    @torch.jit.export
    def near(self, distance: Tensor) -> Tensor:
        """Compute the closeness of pairs to each of some distances, [n_edges, n_distances]."""
        return gaussian((distance.unsqueeze(1) - self.distances) / self.distance_widths)

    def change(self, lengths: Tensor, kind: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Compute E [n_edges, 1] from both lengths, pair of species and propensities."""
        towards = lengths[:, 0] - lengths[:, 1]
        factors = pair_factors(towards, first, second)
        weights = (self.near(lengths[:, 0]) @ self.pair_weights).view(
            len(kind), self.n_species * self.n_species, factors.shape[1]
        )
        own = weights[torch.arange(len(kind), device=kind.device), kind]
        found = towards + (own * factors).sum(1) + self.pair_offset.index_select(0, kind)
        return found.unsqueeze(1)

    @torch.jit.export
    def decode(self, node: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        """Propensity [n_local, 1] and pair-distance change [n_edges, 1], length unit."""
        change = edge if self.pairs else edge[:, :0]
        return node[:, :1] * self.diameter, change * self.diameter

    def start(self, species: Tensor) -> tuple[Tensor, Tensor]:
        """The species in the first column of a node state [n, width], and one-hot."""
        node = torch.zeros(len(species), self.width, device=species.device)
        node[:, 0] = species
        return node, one_hot(species, self.n_species).to(torch.float32)


class ThermalLinear(Linear, ThermalNetwork):
    """The linear model of thermal positions.

    Parameters
    ----------
    cutoff, diameter, generations, inputs, pairs, n_species
        As for `Linear`, without inputs.

    Examples
    --------
    >>> ThermalLinear(2.0, generations=2, pairs=False).rounds
    3
    """

    @torch.jit.export
    def encode(self, species: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The state before the first round, see `Linear.step`.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
            r_center - r_neighbor.
        """
        distance = (vectors.square().sum(1, True).sqrt()) / self.diameter
        node, functions = self.start(species)
        return node, functions, distance, torch.cat([distance, distance], dim=1)


class LinearWithInputs(Linear, NetworkWithInputs):
    """The linear model of histories, inherent structures or both.

    Parameters
    ----------
    cutoff, diameter, generations, inputs, pairs, n_species
        As for `Linear`, with inputs.

    Examples
    --------
    >>> LinearWithInputs(2.0, inputs=["history"]).n_scalars
    2
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
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The state before the first round, of local nodes; see `Linear.step`.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
            r_center - r_neighbor.
        node_vectors : float32 [n_nodes, n_vectors, 3]
        node_scalars : float32 [n_nodes, n_scalars]
        center, neighbor : int64 [n_edges]
        n_local : int
        """
        way = node_vectors[:, 0]
        # a difference first, so that a pair has one distance in both directions
        moved = vectors + (way.index_select(0, center) - way.index_select(0, neighbor))
        lengths = torch.stack([moved, vectors], dim=1).square().sum(2).sqrt() / self.diameter
        node, kinds = self.start(species[:n_local])
        functions = self.functions(node_vectors[:n_local], node_scalars[:n_local])
        return node, torch.cat([functions, kinds], dim=1), lengths[:, :1], lengths

    def functions(self, vectors: Tensor, scalars: Tensor) -> Tensor:
        """Compute the descriptors of history and inherent structure, [n, k]."""
        length = vectors.square().sum(2).sqrt() / self.diameter
        found: list[Tensor] = []
        if self.history:
            variance = scalars[:, 0] / self.diameter**2
            found.append(history_functions(length[:, 0], variance, scalars[:, 1]))
        if self.inherent:
            found.append(inherent_functions(length[:, -1], scalars[:, -1]))
        return torch.cat(found, dim=1)


def _grid(first: float, end: float, step: float) -> Floats:
    """Numbers from `first` on that are less than `end`, up to rounding."""
    return first + step * np.arange(max(0, np.ceil((end - first) / step - ROUNDING)))
