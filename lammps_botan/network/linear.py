"""A linear model: shells of neighbors, history or inherent structure, and what neighbors average.

Descriptors and their averages over neighbors are those of Boattini et al., Phys. Rev. Lett. 127,
088007 (2021), doi:10.1103/PhysRevLett.127.088007, without the bond order. With lengths in diameters
and r_ij the distance between mean positions (inherent, thermal ones where there is no history)

    equation                                                              code
    X_i  = [functions of the history, the inherent structure, the species;  Linear.describe
            sum over j of s of exp(-(r_ij - R)^2 / 2 d^2) f(r_ij)]
    A    = averages over i and its neighbors, weights exp(-r_ij / 2) f(r_ij)  Linear.average
    S_i  = sum over g of (A^g X)_i . w_g + b                              Linear.step
    E_ij = r_ij - |r_i - r_j| + (Y_ij of r_ij, S_i, S_j) . v + c          Linear.step

f falls smoothly to 0 at the cutoff of the graph. w, b depend on the species of i; v, c on those of
i and j, in any order. Since S_i is linear, projections are averaged in place of descriptors:
P_g = X w_g + A P_{g+1}, which is S_i at g = 0. So a node gives a few numbers to its neighbors.

The methods are those of the model file (docs/model_file.md). `Linear` sees thermal positions;
`LinearWithInputs` has the contract of models with inputs.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

FIRST_RADIUS, RADIUS_STEP = 0.75, 0.05  # diameters
PAIR_FACTORS = 6


def gaussian(x: Tensor) -> Tensor:
    """exp(-x^2 / 2), and about 1e-13 where it is less; overwrites `x`."""
    # numbers below the smallest normal one take ten times as long
    return x.square_().mul_(-0.5).clamp_(min=-30.0).exp_()


class Linear(nn.Module):
    """The linear model of thermal positions.

    A new one predicts 0 for particles; `lammps_botan.training.regression` fits it.

    Parameters
    ----------
    cutoff : float
        Of the graph, length unit.
    diameter : float
        Of the mixture, length unit.
    generations : int
        How often averages over neighbors are averaged again, at least 1.
    n_species : int
    history, inherent : bool
        Whether it sees these.

    Attributes
    ----------
    origin : [n_descriptors]
        Of the descriptors; where they say nothing of the motion.
    weights : [n_descriptors, (generations + 1) * n_species]
        w of each generation, the last one first, and each species of the particle.
    offset : [n_species]
        b.
    pair_weights : [n_distances, n_species^2 * PAIR_FACTORS]
        v of each pair of species, receiver first.
    pair_offset : [n_species^2]
        c.
    """

    # lengths in diameters; TorchScript knows no others than constants of a class
    radius_width: Final[float] = 0.05
    averaging: Final[float] = 2.0  # over which the weight of a neighbor falls
    onset: Final[float] = 0.3  # before the cutoff, where neighbors begin to count less
    least_variance: Final[float] = 1e-4  # that of a crystal near T = 0
    most_variance: Final[float] = 1.0  # from where it says no more
    most_displacement: Final[float] = 0.5  # likewise
    most_approach: Final[float] = 0.6  # likewise of a distance that is longer in the mean
    pair_factors: Final[int] = PAIR_FACTORS

    def __init__(
        self,
        cutoff: float,
        diameter: float = 1.0,
        generations: int = 5,
        n_species: int = 2,
        history: bool = False,
        inherent: bool = False,
    ) -> None:
        super().__init__()
        self.cutoff = float(cutoff)
        self.diameter = float(diameter)
        self.generations = generations
        self.n_species = n_species
        self.history = history
        self.inherent = inherent
        self.rounds = generations + 2
        self.width = (generations + 1) * n_species
        own = 5 * history + 3 * inherent
        self.n_functions = own + (own + 1) * n_species  # descriptors that no neighbor makes
        reach = self.cutoff / self.diameter
        n_radii = max(1, 1 + round((reach - FIRST_RADIUS) / RADIUS_STEP))
        radii = FIRST_RADIUS + RADIUS_STEP * np.arange(n_radii)
        near = np.arange(0.8, min(reach, 1.599), 0.04)
        far = np.arange(1.6, reach, 0.1)
        of_pairs = np.concatenate([near, far])
        widths = np.where(of_pairs < 1.59, 0.04, 0.1)
        n_kinds = n_species**2
        for name, values in (
            ("radii", radii),
            ("distances", of_pairs),
            ("distance_widths", widths),
            ("origin", np.zeros(self.n_functions + n_species * n_radii)),
            ("weights", np.zeros((self.n_functions + n_species * n_radii, self.width))),
            ("offset", np.zeros(n_species)),
            ("pair_weights", np.zeros((len(of_pairs), n_kinds * PAIR_FACTORS))),
            ("pair_offset", np.zeros(n_kinds)),
        ):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32))

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
        node : [n_nodes, width]
            The species, until the first step.
        node_const : [n_nodes, n_functions]
        edge : [n_edges, 1]
        edge_const : [n_edges, 2]
            Distance that descriptors are made of, and thermal distance, in diameters.
        """
        distance = vectors.square().sum(dim=1).sqrt() / self.diameter
        own = self.of_species(torch.zeros(len(species), 0, device=species.device), species)
        return self.start(species), own, distance.unsqueeze(1), torch.stack([distance, distance], 1)

    def start(self, species: Tensor) -> Tensor:
        """The species in the first column of the node state, [n, width]."""
        node = torch.zeros(len(species), self.width, device=species.device)
        node[:, 0] = species
        return node

    def of_species(self, own: Tensor, species: Tensor) -> Tensor:
        """Functions of a node [n, k], the same for each species, and its species one-hot."""
        kinds = one_hot(species, self.n_species).to(torch.float32)
        each = (kinds.unsqueeze(2) * own.unsqueeze(1)).flatten(1)
        return torch.cat([own, each, kinds], dim=1)

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
        """Descriptors and projections, then a generation of averages a round, then the pairs.

        Parameters
        ----------
        round : int
            From 0 to generations + 1.
        node : [n_nodes, width]
            After round 0 the projections of all generations that are still to come, and what was
            averaged, in the first n_species columns; before the last round S in the first column.
        node_const : [n_nodes, n_functions]
        edge : [n_edges, 1]
            After round 0 the number of the pair of species, after the last one E.
        edge_const : [n_edges, 2]
        center, neighbor : int64 [n_edges]
        n_local : int

        Returns
        -------
        node : [n_local, width]
        edge : [n_edges, 1]
        """
        k, distance = self.n_species, edge_const[:, 0]
        if round == 0:
            species = node[:, 0].to(torch.int64)
            sender = species.index_select(0, neighbor)
            x = self.describe(distance, node_const[:n_local], sender, center)
            kind = species.index_select(0, center) * k + sender
            return (x - self.origin) @ self.weights, kind.unsqueeze(1).to(torch.float32)
        if round <= self.generations:
            averaged = self.average(distance, node[:, :k], center, neighbor, n_local)
            local = node[:n_local]
            left = torch.cat([local[:, k : 2 * k] + averaged, local[:, 2 * k :], averaged], dim=1)
            if round == self.generations:
                kinds = node_const[:n_local, node_const.shape[1] - k :]
                left[:, 0] = ((left[:, :k] + self.offset) * kinds).sum(dim=1)
            return left, edge
        ends = node[:, 0].index_select(0, center), node[:, 0].index_select(0, neighbor)
        kind = edge[:, 0].to(torch.int64)
        near = self.near(distance) @ self.pair_weights
        near = near.view(len(kind), k * k, self.pair_factors)
        near = near[torch.arange(len(kind), device=kind.device), kind]
        towards = distance - edge_const[:, 1]
        further = (near * self.describe_pairs(towards, ends[0], ends[1])).sum(dim=1)
        change = towards + further + self.pair_offset.index_select(0, kind)
        return node[:n_local], change.unsqueeze(1)

    @torch.jit.export
    def describe(
        self, distance: Tensor, functions: Tensor, sender: Tensor, center: Tensor
    ) -> Tensor:
        """Descriptors X of local nodes, [n_local, n_descriptors].

        Parameters
        ----------
        distance : [n_edges]
            Diameters.
        functions : [n_local, n_functions]
        sender : int64 [n_edges]
            Species of the neighbor.
        center : int64 [n_edges]
        """
        n = len(functions)
        far = (distance.unsqueeze(1) - self.radii) / self.radius_width
        shells = gaussian(far).mul_(self.fall(distance).unsqueeze(1))
        total = torch.zeros(n * self.n_species, shells.shape[1], device=shells.device)
        total.index_add_(0, center * self.n_species + sender, shells)
        return torch.cat([functions, total.view(n, self.n_species * shells.shape[1])], dim=1)

    @torch.jit.export
    def average(
        self, distance: Tensor, values: Tensor, center: Tensor, neighbor: Tensor, n_local: int
    ) -> Tensor:
        """Averages of values [n_nodes, k] over local nodes and their neighbors, [n_local, k]."""
        weight = (torch.exp(-distance / self.averaging) * self.fall(distance)).unsqueeze(1)
        heavy = torch.cat([values.index_select(0, neighbor) * weight, weight], dim=1)
        one = torch.ones(n_local, 1, device=values.device)
        total = torch.cat([values[:n_local], one], dim=1).index_add_(0, center, heavy)
        return total[:, :-1] / total[:, -1:]

    def fall(self, distance: Tensor) -> Tensor:
        """f: 1, and smoothly down to 0 at the cutoff."""
        left = ((self.cutoff / self.diameter - distance) / self.onset).clamp(0.0, 1.0)
        return left.square() * (3.0 - 2.0 * left)

    @torch.jit.export
    def near(self, distance: Tensor) -> Tensor:
        """How near a pair is to each of some distances, [n_edges, n_distances]."""
        far = (distance.unsqueeze(1) - self.distances) / self.distance_widths
        return gaussian(far)

    @torch.jit.export
    def describe_pairs(self, towards: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """What the ends of a pair say, in any order, [n_edges, PAIR_FACTORS]; all in diameters."""
        both = first + second
        near = towards.clamp(-self.most_approach, self.most_approach)
        one = torch.ones_like(both)
        return torch.stack([one, both, first * second, both.pow(3), near, near * both], dim=1)

    @torch.jit.export
    def decode(self, node: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        """Propensity [n_local, 1] and pair-distance change [n_edges, 1], length unit."""
        return node[:, :1] * self.diameter, edge * self.diameter

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


class LinearWithInputs(Linear):
    """The linear model of histories, inherent structures or both; see `Linear`."""

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
        """The state before the first round, of local nodes; see `Linear.encode`.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
        node_vectors : float32 [n_nodes, V, 3]
            To the mean position, to the inherent one.
        node_scalars : float32 [n_nodes, K]
            Variance and energy of the history, energy of the inherent structure.
        center, neighbor : int64 [n_edges]
        n_local : int
        """
        way = node_vectors[:, 0]
        # a difference first, so that both directions of a pair have one distance
        moved = vectors + (way.index_select(0, center) - way.index_select(0, neighbor))
        lengths = torch.stack([moved, vectors], dim=1).square().sum(dim=2).sqrt() / self.diameter
        local = species[:n_local]
        own = self.functions(node_vectors[:n_local], node_scalars[:n_local])
        return self.start(local), self.of_species(own, local), lengths[:, :1], lengths

    def functions(self, vectors: Tensor, scalars: Tensor) -> Tensor:
        """What a node says itself of its history and its inherent structure, [n, k]."""
        length = vectors.square().sum(dim=2).sqrt() / self.diameter
        found: list[Tensor] = []
        if self.history:
            variance = scalars[:, 0] / self.diameter**2
            spread = variance.clamp(min=self.least_variance).log()
            found += [spread, spread.square(), variance.clamp(max=self.most_variance)]
            found += [length[:, 0].clamp(max=self.most_displacement), scalars[:, 1]]
        if self.inherent:
            way = length[:, -1].clamp(max=self.most_displacement)
            found += [way, way.square(), scalars[:, -1]]
        return torch.stack(found, dim=1)

    def forward(  # type: ignore[override]
        self,
        species: Tensor,
        vectors: Tensor,
        node_vectors: Tensor,
        node_scalars: Tensor,
        center: Tensor,
        neighbor: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Outputs on a periodic graph without ghosts, see `network.botan.Botan.forward`."""
        n = len(species)
        node, node_const, edge, edge_const = self.encode(
            species, vectors, node_vectors, node_scalars, center, neighbor, n
        )
        for round in range(self.rounds):
            node, edge = self.step(round, node, node_const, edge, edge_const, center, neighbor, n)
        return self.decode(node, edge)
