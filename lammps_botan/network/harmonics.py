"""Real spherical harmonics of l = 1 and 2, and their Clebsch-Gordan products.

Both are written with Cartesian tensors. A feature of l = 1 is a vector v. One of l = 2 is a
symmetric matrix without trace, M = sum over m of t_m B_m with five orthonormal matrices B_m. There
is one product of two features for each l, up to a factor::

    1 x 1 -> 0   v . w                             2 x 2 -> 0   M : N
    1 x 1 -> 2   v w^T, symmetric, without trace   2 x 2 -> 2   M N, symmetric, without trace
    1 x 2 -> 1   M v

The products 1 x 1 -> 1, 1 x 2 -> 2 and 2 x 2 -> 1 are left out: a reflection changes their sign
and not that of a harmonic, or the other way round.

Features stand in tensors [n, 8, channels]: three rows x, y, z of l = 1, then five rows of l = 2 in
the order xy, yz, z^2, xz, x^2 - y^2, which is m = -2 to 2.
"""

import math

import torch
from torch import Tensor

# rows of l = 1 and of l = 2; TorchScript wants numbers in the functions below
VECTOR, MATRIX = 3, 5
ROWS = VECTOR + MATRIX


def basis_matrices() -> Tensor:
    """Give the matrices B_m; B_m : B_n is 1 where m = n, else 0.

    Returns
    -------
    float32 [5, 3, 3]

    Examples
    --------
    >>> basis = basis_matrices().flatten(1)
    >>> bool(torch.allclose(basis @ basis.t(), torch.eye(5)))
    True
    """
    half, third = math.sqrt(1 / 2), math.sqrt(1 / 6)
    basis = torch.zeros(MATRIX, 3, 3)
    for m, i, j in ((0, 0, 1), (1, 1, 2), (3, 0, 2)):
        basis[m, i, j] = basis[m, j, i] = half
    basis[2] = torch.diag(torch.tensor([-third, -third, 2 * third]))
    basis[4] = torch.diag(torch.tensor([half, -half, 0.0]))
    return basis


def unpacking(channels: int) -> Tensor:
    """Make the matrix that turns the rows of l = 2 into matrices, one for each channel.

    A product with its transpose takes the part of a matrix that is symmetric and has no trace.

    Parameters
    ----------
    channels : int

    Returns
    -------
    float32 [5 channels, 9 channels]

    Examples
    --------
    >>> unpacking(2).shape
    torch.Size([10, 18])
    """
    return torch.kron(basis_matrices().view(MATRIX, 9), torch.eye(channels))


def harmonics(vectors: Tensor) -> Tensor:
    """Compute harmonics of directions, whose mean square over all directions is 1.

    Parameters
    ----------
    vectors : float [n, 3]
        Of any length that is not tiny beside 1, such as one in diameters; a vector of zeros gives
        zeros.

    Returns
    -------
    float [n, 8]

    Examples
    --------
    >>> harmonics(torch.tensor([[2.0, 0.0, 0.0]]))[:, :3]
    tensor([[1.7321, 0.0000, 0.0000]])
    """
    # |r|^2 of the smallest distance between particles is far larger
    unit = vectors * (vectors.square().sum(1, keepdim=True) + 1e-12).rsqrt()
    x, y, z = unit[:, 0], unit[:, 1], unit[:, 2]
    one, two = math.sqrt(3.0), math.sqrt(15.0)
    return torch.stack(
        [
            one * x,
            one * y,
            one * z,
            two * x * y,
            two * y * z,
            two / math.sqrt(12.0) * (2 * z * z - x * x - y * y),
            two * x * z,
            two / 2 * (x * x - y * y),
        ],
        dim=1,
    )


def dots(a: Tensor, b: Tensor) -> Tensor:
    """Compute the products to l = 0 of two features.

    Parameters
    ----------
    a, b : float [n, 8, channels]

    Returns
    -------
    float [n, 2 channels]
        Of l = 1, then of l = 2.

    Examples
    --------
    >>> ones = torch.ones(1, 8, 1)
    >>> dots(ones, ones)
    tensor([[3., 5.]])
    """
    product = a * b
    return torch.cat([product[:, :3].sum(1), product[:, 3:].sum(1)], dim=1)


def products(a: Tensor, b: Tensor, unpack: Tensor) -> Tensor:
    """Compute the products of two features, channel by channel, that are features again.

    Parameters
    ----------
    a, b : float [n, 8, channels]
    unpack : float [5 channels, 9 channels]
        See `unpacking`.

    Returns
    -------
    float [n, 8, 2 channels]
        Rows of l = 1: M_a v_b, then M_b v_a. Rows of l = 2: of both vectors, then of both matrices.

    Examples
    --------
    >>> ones = torch.ones(1, 8, 2)
    >>> products(ones, ones, unpacking(2)).shape
    torch.Size([1, 8, 4])
    """
    n, channels = a.shape[0], a.shape[2]
    v, w = a[:, :3], b[:, :3]
    first = (a[:, 3:].flatten(1) @ unpack).view(n, 3, 3, channels)
    second = (b[:, 3:].flatten(1) @ unpack).view(n, 3, 3, channels)
    of_vectors = (v.unsqueeze(2) * w.unsqueeze(1)).flatten(1)
    of_matrices = (first.unsqueeze(3) * second.unsqueeze(1)).sum(2).flatten(1)
    pack = unpack.t()
    to_one = torch.cat([(first * w.unsqueeze(1)).sum(2), (second * v.unsqueeze(1)).sum(2)], dim=2)
    to_two = torch.cat(
        [
            (of_vectors @ pack).view(n, 5, channels),
            (of_matrices @ pack).view(n, 5, channels),
        ],
        dim=2,
    )
    return torch.cat([to_one, to_two], dim=1)
