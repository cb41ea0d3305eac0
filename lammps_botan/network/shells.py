"""Descriptors of a particle and of a pair, on tensors: what the linear network is made of.

They are those of Boattini et al., Phys. Rev. Lett. 127, 088007 (2021),
doi:10.1103/PhysRevLett.127.088007, without bond order, which earned nothing beside a history. Here
distances are those between mean, inherent or thermal positions, and all lengths are in diameters.
TorchScript compiles these functions, and takes constants as defaults of arguments only.
"""

import torch
from torch import Tensor

ONSET = 0.3  # before the cutoff, where neighbors begin to count less
AVERAGING = 2.0  # over which the weight of a neighbor falls
SHELL_WIDTH = 0.05
LEAST_VARIANCE = 1e-4  # that of a crystal near T = 0
MOST_DISPLACEMENT = 0.5  # from where it says no more
MOST_APPROACH = 0.6  # likewise, of how much longer a distance is in the mean
LEAST_EXPONENT = -30.0
PAIR_FACTORS = 6


def gaussian(x: Tensor, least_exponent: float = LEAST_EXPONENT) -> Tensor:
    """exp(-x^2 / 2), and 1e-13 where it is less; overwrites `x`."""
    # below the smallest normal number a float takes ten times as long
    return x.square_().mul_(-0.5).clamp_(min=least_exponent).exp_()


def fall(distance: Tensor, cutoff: float, onset: float = ONSET) -> Tensor:
    """f(r): 1, and smoothly down to 0 at the cutoff."""
    left = ((cutoff - distance) / onset).clamp(0.0, 1.0)
    return left.square() * (3.0 - 2.0 * left)


def radial_densities(
    distance: Tensor,
    sender: Tensor,
    center: Tensor,
    n_local: int,
    n_species: int,
    radii: Tensor,
    cutoff: float,
    width: float = SHELL_WIDTH,
) -> Tensor:
    """Neighbors of each species around each radius, [n_local, n_species * n_radii].

    The sum over neighbors j of a species of f(r_ij) exp(-(r_ij - R)^2 / 2 d^2).

    Parameters
    ----------
    distance : [n_edges]
    sender : int64 [n_edges]
        Species of the neighbor.
    center : int64 [n_edges]
    n_local, n_species : int
    radii : [n_radii]
    cutoff, width : float
    """
    shells = gaussian((distance.unsqueeze(1) - radii) / width)
    shells.mul_(fall(distance, cutoff).unsqueeze(1))
    total = torch.zeros(n_local * n_species, len(radii), device=shells.device)
    total.index_add_(0, center * n_species + sender, shells)
    return total.view(n_local, n_species * len(radii))


def averaging_weights(distance: Tensor, cutoff: float, averaging: float = AVERAGING) -> Tensor:
    """How much a neighbor counts in an average, f(r_ij) exp(-r_ij / 2), [n_edges]."""
    return torch.exp(-distance / averaging) * fall(distance, cutoff)


def neighbor_averages(
    values: Tensor,
    distance: Tensor,
    center: Tensor,
    neighbor: Tensor,
    n_local: int,
    cutoff: float,
    averaging: float = AVERAGING,
) -> Tensor:
    """Averages of values [n_nodes, k] over each local node and its neighbors, [n_local, k].

    The node itself weighs 1, and its neighbors as `averaging_weights` says.
    """
    weight = averaging_weights(distance, cutoff, averaging).unsqueeze(1)
    heavy = torch.cat([values.index_select(0, neighbor) * weight, weight], dim=1)
    itself = torch.ones(n_local, 1, device=values.device)
    total = torch.cat([values[:n_local], itself], dim=1).index_add_(0, center, heavy)
    return total[:, :-1] / total[:, -1:]


def history_functions(
    length: Tensor,
    variance: Tensor,
    energy: Tensor,
    most: float = MOST_DISPLACEMENT,
    least: float = LEAST_VARIANCE,
) -> Tensor:
    """What a node says of its history, [n, 4]: log v, (log v)^2, |<r> - r|, energy."""
    spread = variance.clamp(min=least).log()
    return torch.stack([spread, spread.square(), length.clamp(max=most), energy], dim=1)


def inherent_functions(length: Tensor, energy: Tensor, most: float = MOST_DISPLACEMENT) -> Tensor:
    """What a node says of its inherent structure, [n, 2]: |r_IS - r|, energy."""
    return torch.stack([length.clamp(max=most), energy], dim=1)


def pair_factors(
    towards: Tensor, first: Tensor, second: Tensor, most: float = MOST_APPROACH
) -> Tensor:
    """What a pair says besides its distance, the same in both directions, [n_edges, PAIR_FACTORS].

    Parameters
    ----------
    towards : [n_edges]
        By how much the distance is longer in the mean.
    first, second : [n_edges]
        Propensities of both ends.
    """
    both = first + second
    near = towards.clamp(-most, most)
    one = torch.ones_like(both)
    return torch.stack([one, both, first * second, both.pow(3), near, near * both], dim=1)
