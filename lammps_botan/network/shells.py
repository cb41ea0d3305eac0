"""Descriptors of a particle and of a pair, on tensors, for the linear network.

They are those of Boattini et al., Phys. Rev. Lett. 127, 088007 (2021),
doi:10.1103/PhysRevLett.127.088007, without bond order, which did not help beside a history.
Distances are those between mean, inherent or thermal positions, and all lengths are in diameters.
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
    """Compute exp(-x^2 / 2), and 1e-13 where it is less; overwrites `x`.

    Parameters
    ----------
    x : float tensor
    least_exponent : float

    Returns
    -------
    float tensor

    Examples
    --------
    >>> gaussian(torch.tensor([0.0]))
    tensor([1.])
    """
    # below the smallest normal number a float takes ten times as long
    return x.square_().mul_(-0.5).clamp_(min=least_exponent).exp_()


def fall(distance: Tensor, cutoff: float, onset: float = ONSET) -> Tensor:
    """Compute f(r), which is 1 and falls smoothly to 0 at the cutoff.

    Parameters
    ----------
    distance : float tensor
    cutoff, onset : float
        f falls from `cutoff - onset` on; diameters.

    Returns
    -------
    float tensor

    Examples
    --------
    >>> fall(torch.tensor([1.0, 2.0]), cutoff=2.0)
    tensor([1., 0.])
    """
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
    """Sum neighbors of each species around each radius.

    It is the sum over neighbors j of a species of f(r_ij) exp(-(r_ij - R)^2 / 2 d^2).

    Parameters
    ----------
    distance : float [n_edges]
        Diameters.
    sender : int64 [n_edges]
        Species of the neighbor.
    center : int64 [n_edges]
    n_local, n_species : int
    radii : float [n_radii]
        R, diameters.
    cutoff, width : float
        Cutoff of f, and d, diameters.

    Returns
    -------
    float [n_local, n_species * n_radii]

    Examples
    --------
    >>> one, zero = torch.tensor([1.0]), torch.tensor([0])
    >>> radial_densities(one, zero, zero, n_local=1, n_species=2, radii=one, cutoff=2.0)
    tensor([[1., 0.]])
    """
    shells = gaussian((distance.unsqueeze(1) - radii) / width)
    shells.mul_(fall(distance, cutoff).unsqueeze(1))
    total = torch.zeros(n_local * n_species, len(radii), device=shells.device)
    total.index_add_(0, center * n_species + sender, shells)
    return total.view(n_local, n_species * len(radii))


def averaging_weights(distance: Tensor, cutoff: float, averaging: float = AVERAGING) -> Tensor:
    """Compute the weight of a neighbor in an average, f(r_ij) exp(-r_ij / 2).

    Parameters
    ----------
    distance : float [n_edges]
        Diameters.
    cutoff, averaging : float
        Cutoff of f, and the length 2 of the exponential, diameters.

    Returns
    -------
    float [n_edges]

    Examples
    --------
    >>> averaging_weights(torch.tensor([0.0, 2.0]), cutoff=2.0)
    tensor([1., 0.])
    """
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
    """Average values over each local node and its neighbors.

    The node itself has the weight 1, its neighbors that of `averaging_weights`.

    Parameters
    ----------
    values : float [n_nodes, k]
    distance : float [n_edges]
        Diameters.
    center, neighbor : int64 [n_edges]
    n_local : int
    cutoff, averaging : float
        As for `averaging_weights`.

    Returns
    -------
    float [n_local, k]

    Examples
    --------
    >>> values, none = torch.tensor([[1.0], [3.0]]), torch.zeros(0, dtype=torch.int64)
    >>> neighbor_averages(values, torch.zeros(0), none, none, n_local=2, cutoff=2.0)
    tensor([[1.],
            [3.]])
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
    """Compute the descriptors of the history of nodes: log v, (log v)^2, ``|<r> - r|``, energy.

    Parameters
    ----------
    length, variance, energy : float [n]
        ``|<r> - r|`` in diameters, the variance v in diameters squared, and the mean energy.
    most, least : float
        Largest length and smallest variance.

    Returns
    -------
    float [n, 4]

    Examples
    --------
    >>> history_functions(torch.tensor([0.1]), torch.tensor([1.0]), torch.tensor([-7.0]))
    tensor([[ 0.0000,  0.0000,  0.1000, -7.0000]])
    """
    spread = variance.clamp(min=least).log()
    return torch.stack([spread, spread.square(), length.clamp(max=most), energy], dim=1)


def inherent_functions(length: Tensor, energy: Tensor, most: float = MOST_DISPLACEMENT) -> Tensor:
    """Compute the descriptors of the inherent structure of nodes: ``|r_IS - r|``, energy.

    Parameters
    ----------
    length, energy : float [n]
        ``|r_IS - r|`` in diameters, and the energy in the inherent structure.
    most : float
        Largest length.

    Returns
    -------
    float [n, 2]

    Examples
    --------
    >>> inherent_functions(torch.tensor([0.9]), torch.tensor([-7.0]))
    tensor([[ 0.5000, -7.0000]])
    """
    return torch.stack([length.clamp(max=most), energy], dim=1)


def pair_factors(
    towards: Tensor, first: Tensor, second: Tensor, most: float = MOST_APPROACH
) -> Tensor:
    """Compute the descriptors of a pair besides its distance, the same in both directions.

    Parameters
    ----------
    towards : float [n_edges]
        Difference of the mean distance to the thermal one, diameters.
    first, second : float [n_edges]
        Propensities of both ends, diameters.
    most : float
        Largest difference.

    Returns
    -------
    float [n_edges, PAIR_FACTORS]

    Examples
    --------
    >>> pair_factors(torch.tensor([0.1]), torch.tensor([1.0]), torch.tensor([2.0])).shape
    torch.Size([1, 6])
    """
    both = first + second
    near = towards.clamp(-most, most)
    one = torch.ones_like(both)
    return torch.stack([one, both, first * second, both.pow(3), near, near * both], dim=1)
