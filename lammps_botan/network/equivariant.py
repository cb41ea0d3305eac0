"""An equivariant network, which also sees history and inherent structure.

It is a network of the kind of Pezzicoli, Charpiat and Landes (SE(3)-equivariant, arXiv:2211.03226):
a particle has scalars s and features P of l = 1 and 2, which turn with the liquid
(`lammps_botan.network.harmonics`), and so do sums over neighbors of harmonics times functions of
the distance. The messages between scalars decide how much each harmonic counts. All lengths are in
diameters, r_ij is the thermal distance, R_ij that between mean (or inherent) positions, and Y_ij
are the harmonics of the direction between the first of these ::

    equation                                                              code
    s_i, P_i = functions of the particle's own inputs u_i                 encode
    x_ij = SiLU(A b_ij + B s_i + C s_j + D (P_j . Y_ij)) f(r_ij)          EquivariantLayer.forward
    a_i  = sum over j of (G x_ij) (H s_j)                                 EquivariantLayer.forward
    U_i  = sum over j of (K x_ij) (P_j + Y_ij)                            EquivariantLayer.forward
    s_i, P_i += functions of s_i, a_i, u_i and products of P_i and U_i    EquivariantLayer._update
    S_i  = W s_i, W for each species                                      step
    E_ij = w (R_ij - r_ij) + function of b_ij, s_i + s_j, s_i s_j, P_i, P_j   PairOutput

b_ij are Gaussians of r_ij and R_ij, and their difference. f falls smoothly to 0 at the cutoff, and
the largest arrays have a row for each edge: nothing depends on the rest of the box. Parameters are
those of a layer, not shared. E_ij is made in the last round of the states before it, which ghosts
have too, and is the same from both ends.

The methods are those of the model file (docs/reference/model_file.md). `Equivariant` makes a
`ThermalEquivariant`, which sees thermal positions only, or an `EquivariantWithInputs` by the
contract of models with inputs.
"""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from lammps_botan.network.equivariant_layer import EquivariantLayer, spreading
from lammps_botan.network.equivariant_pair_inputs import PairInputs
from lammps_botan.network.equivariant_pairs import PairOutput
from lammps_botan.network.harmonics import ROWS, harmonics
from lammps_botan.network.network import Network, NetworkWithInputs, ThermalNetwork
from lammps_botan.network.particle_inputs import ParticleInputs


class Equivariant(Network):
    """The equivariant network.

    Parameters
    ----------
    cutoff : float
        Cutoff of the graph, length unit.
    diameter : float
        Diameter of the mixture, length unit.
    rounds : int
        Layers.
    width : int
        Scalars of a particle.
    features : int
        Features of l = 1, and of l = 2, of a particle.
    n_gaussians : int
        Gaussians of each distance.
    n_times : int
        Lag times, the columns of both outputs.
    n_species : int
    inputs : sequence of str
        Inputs besides positions and species: "history", "inherent", both in this order, or nothing.

    Attributes
    ----------
    node_mean, node_deviation : [n_species, n_times]
        Mean and standard deviation of the propensity, in diameters.

    Raises
    ------
    ValueError
        If the cutoff is shorter than the first Gaussian.

    Examples
    --------
    >>> network = Equivariant(cutoff=2.0)
    >>> type(network).__name__, network.rounds
    ('ThermalEquivariant', 4)
    """

    rows: Final[int] = ROWS  # for TorchScript
    node_mean: Tensor
    node_deviation: Tensor
    spread: Tensor

    def __new__(cls, *_: Any, inputs: Sequence[str] = (), **__: Any) -> "Equivariant":
        """Choose the contract: `encode` has other arguments where there are inputs."""
        if cls is Equivariant:
            cls = EquivariantWithInputs if inputs else ThermalEquivariant
        return super().__new__(cls)

    def __init__(
        self,
        *,
        cutoff: float,
        diameter: float = 1.0,
        rounds: int = 4,
        width: int = 32,
        features: int = 8,
        n_gaussians: int = 16,
        n_times: int = 1,
        n_species: int = 2,
        inputs: Sequence[str] = (),
    ) -> None:
        super().__init__(rounds=rounds, n_species=n_species, inputs=inputs)
        self.cutoff = float(cutoff)
        self.diameter = float(diameter)
        self.width = width
        self.features = features
        self.n_gaussians = n_gaussians
        self.n_times = n_times
        self.particles = ParticleInputs(
            n_species, self.n_vectors, self.n_scalars, "history" in inputs, self.diameter
        )
        self.pairs = PairInputs(features, n_gaussians, self.n_vectors, self.cutoff, self.diameter)
        n_own, n_radial = self.particles.n_columns, self.pairs.n_radial
        self.begin = nn.Linear(n_own, width)
        self.begin_scalars = nn.Linear(width, width)
        # no vectors, no features to begin with
        gates = 2 * self.n_vectors * features
        self.begin_features = nn.Linear(n_own, gates) if gates else nn.Identity()
        self.layers = nn.ModuleList(
            [EquivariantLayer(width, features, n_own, n_radial) for _ in range(rounds)]
        )
        self.node_output = nn.Linear(width, n_species * n_times)
        self.edge_output = PairOutput(width, features, n_radial, self.n_vectors, n_times)
        self.register_buffer("spread", spreading(features), persistent=False)
        self.register_buffer("node_mean", torch.zeros(n_species, n_times))
        self.register_buffer("node_deviation", torch.ones(n_species, n_times))

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments that make the network again, but `n_species`."""
        return {
            "cutoff": self.cutoff,
            "diameter": self.diameter,
            "rounds": self.rounds,
            "width": self.width,
            "features": self.features,
            "n_gaussians": self.n_gaussians,
            "n_times": self.n_times,
            "inputs": self.inputs,
        }

    def start(self, own: Tensor, node_vectors: Tensor) -> Tensor:
        """Give the states of particles from their own inputs."""
        scalars = self.begin_scalars(silu(self.begin(own)))
        gates = self.begin_features(own)
        n = 2 * self.features
        features = torch.zeros(len(own), self.rows * self.features, device=own.device)
        for k in range(node_vectors.shape[1]):
            towards = node_vectors[:, k] / self.diameter
            directions = harmonics(towards).repeat_interleave(self.features, dim=1)
            features = features + directions * (gates[:, n * k : n * (k + 1)] @ self.spread)
        return torch.cat([scalars, features], dim=1)

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
        """One round; the last one also makes the outputs.

        Parameters
        ----------
        round : int
            From 0.
        node : [n_nodes, width + 8 features]
        node_const : [n_nodes or n_local, n_own]
        edge : [n_edges, n_times]
            Not used.
        edge_const : [n_edges, 8 features + 1 + n_radial]
        center, neighbor : int64 [n_edges]
        n_local : int

        Returns
        -------
        node : [n_local, width + 8 features]
            Outputs in its first columns after the last round.
        edge : [n_edges, n_times]
            Outputs after the last round.
        """
        n = self.rows * self.features
        directions, radial = edge_const[:, :n], edge_const[:, n + 1 :]
        share = edge_const[:, n : n + 1]
        own = node_const[:n_local]
        new = node
        for k, layer in enumerate(self.layers):
            if k == round:
                new = layer(node, own, radial, directions, share, center, neighbor, n_local)
        if round < self.rounds - 1:
            return new, edge
        each = self.node_output(new[:, : self.width]).view(n_local, self.n_species, self.n_times)
        each = (each * self.node_deviation + self.node_mean) * own[:, : self.n_species].unsqueeze(2)
        motion = each.sum(1) * self.diameter
        change = self.edge_output(node, radial, directions, center, neighbor)
        edge = change * self.diameter
        return torch.cat([motion, new[:, self.n_times :]], dim=1), edge

    @torch.jit.export
    def decode(self, node: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs [n_local, n_times] and [n_edges, n_times], which the last step made."""
        return node[:, : self.n_times], edge


class ThermalEquivariant(Equivariant, ThermalNetwork):
    """The equivariant network that sees thermal positions only.

    Parameters
    ----------
    cutoff, diameter, rounds, width, features, n_gaussians, n_times, n_species, inputs
        As for `Equivariant`, without inputs.

    Examples
    --------
    >>> ThermalEquivariant(cutoff=2.0).n_vectors
    0
    """

    @torch.jit.export
    def encode(self, species: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The state before the first round, see `lammps_botan.network.botan.Botan.encode`."""
        none = torch.zeros(len(species), 0, 3, device=vectors.device)
        own = self.particles(species, none, none[:, :, 0])
        edge = torch.zeros(len(vectors), self.n_times, device=vectors.device)
        return self.start(own, none), own, edge, self.pairs(vectors, [])


class EquivariantWithInputs(Equivariant, NetworkWithInputs):
    """The equivariant network that sees history, inherent structure or both.

    Parameters
    ----------
    cutoff, diameter, rounds, width, features, n_gaussians, n_times, n_species, inputs
        As for `Equivariant`, with inputs.

    Examples
    --------
    >>> EquivariantWithInputs(cutoff=2.0, inputs=["history", "inherent"]).n_vectors
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
        """The state before the first round, of local particles.

        Parameters
        ----------
        species : int64 [n_nodes]
        vectors : float32 [n_edges, 3]
        node_vectors : float32 [n_nodes, n_vectors, 3]
            From positions to mean positions, to inherent ones.
        node_scalars : float32 [n_nodes, n_scalars]
        center, neighbor : int64 [n_edges]
        n_local : int

        Returns
        -------
        node : [n_local, width + 8 features]
        node_const : [n_local, n_own]
        edge : [n_edges, n_times]
        edge_const : [n_edges, 8 features + 1 + n_radial]
        """
        own = self.particles(species[:n_local], node_vectors[:n_local], node_scalars[:n_local])
        others: list[Tensor] = []
        for k in range(node_vectors.shape[1]):
            moved = node_vectors[:, k]
            others.append(vectors + moved.index_select(0, center) - moved.index_select(0, neighbor))
        edge = torch.zeros(len(vectors), self.n_times, device=vectors.device)
        node = self.start(own, node_vectors[:n_local])
        return node, own, edge, self.pairs(vectors, others)
