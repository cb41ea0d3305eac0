"""Harmonics and their products against scipy's harmonics and against rotated features."""

import numpy as np
import pytest
import torch
from scipy.integrate import lebedev_rule
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from lammps_botan.network.harmonics import (
    MATRIX,
    VECTOR,
    basis_matrices,
    dots,
    harmonics,
    products,
    unpacking,
)

CHANNELS = 3


def directions(n: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3))


def real_harmonics(degree: int, vectors: np.ndarray) -> np.ndarray:
    """Of scipy, [n, 2 l + 1], made real and in the order m = -l to l."""
    r = np.linalg.norm(vectors, axis=1)
    polar, azimuth = np.arccos(vectors[:, 2] / r), np.arctan2(vectors[:, 1], vectors[:, 0])
    columns = []
    for m in range(-degree, degree + 1):
        complex_one = (-1.0) ** m * sph_harm_y(degree, abs(m), polar, azimuth)
        part = complex_one.real if m >= 0 else complex_one.imag * (-1.0) ** m * (-1.0) ** abs(m)
        columns.append(part if m == 0 else np.sqrt(2) * part)
    return np.stack(columns, axis=1)


def double(vectors: np.ndarray) -> torch.Tensor:
    return harmonics(torch.from_numpy(vectors))


def turned(features: torch.Tensor, turn: np.ndarray) -> torch.Tensor:
    """Features [n, 8, channels] after r -> turn r, by the harmonics of turned directions.

    The matrix that takes harmonics of r to those of turn r is solved for, and so does not come
    from the matrices under test.
    """
    some = directions(50, seed=9)
    result = torch.empty_like(features)
    for rows in (slice(0, VECTOR), slice(VECTOR, VECTOR + MATRIX)):
        before, after = double(some)[:, rows].numpy(), double(some @ turn.T)[:, rows].numpy()
        wigner = np.linalg.lstsq(before, after, rcond=None)[0].T
        result[:, rows] = torch.einsum("ab,nbc->nac", torch.from_numpy(wigner), features[:, rows])
    return result


def random_features(seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(20, VECTOR + MATRIX, CHANNELS)))


TURNS = {
    "rotation": Rotation.random(rng=3).as_matrix(),
    "reflection": np.diag([1.0, -1.0, 1.0]) @ Rotation.random(rng=4).as_matrix(),
    "inversion": -np.eye(3),
}


def test_harmonics_are_those_of_scipy():
    vectors = directions()
    ours = double(vectors).numpy()
    second = np.sqrt(4 * np.pi) * real_harmonics(2, vectors)
    np.testing.assert_allclose(ours[:, VECTOR:], second, atol=1e-9)
    # theirs of l = 1 are y, z, x
    first = np.sqrt(4 * np.pi) * real_harmonics(1, vectors)
    np.testing.assert_allclose(ours[:, :VECTOR], first[:, [2, 0, 1]], atol=1e-9)


def test_the_length_of_a_vector_does_not_count_and_none_has_no_direction():
    vectors = directions()
    np.testing.assert_allclose(double(vectors), double(7 * vectors), atol=1e-9)
    assert not harmonics(torch.zeros(1, 3)).any()


def test_the_matrices_are_orthonormal_symmetric_and_without_trace():
    basis = basis_matrices()
    torch.testing.assert_close(torch.einsum("aij,bij->ab", basis, basis), torch.eye(MATRIX))
    torch.testing.assert_close(basis, basis.transpose(1, 2))
    torch.testing.assert_close(basis.diagonal(dim1=1, dim2=2).sum(1), torch.zeros(MATRIX))


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_products_of_turned_features_are_the_turned_products(turn):
    a, b = random_features(1), random_features(2)
    unpack = unpacking(CHANNELS).double()
    there = products(turned(a, turn), turned(b, turn), unpack)
    torch.testing.assert_close(there, turned(products(a, b, unpack), turn), rtol=0, atol=1e-6)
    dotted = dots(turned(a, turn), turned(b, turn))
    torch.testing.assert_close(dotted, dots(a, b), rtol=0, atol=1e-9)


def gaunt(first: int, second: int, third: int) -> np.ndarray:
    """Integrals of three real harmonics over the sphere: Clebsch-Gordan coefficients but a factor.

    The quadrature is exact up to degree 11.
    """
    points, weights = lebedev_rule(11)
    y = [real_harmonics(degree, points.T) for degree in (first, second, third)]
    order = {1: [2, 0, 1], 2: [0, 1, 2, 3, 4]}  # theirs of l = 1 are y, z, x
    y = [one[:, order[one.shape[1] // 2]] for one in y]
    return np.einsum("n,na,nb,nc->abc", weights, *y)


@pytest.mark.parametrize(
    ("degrees", "column"),
    [((2, 1, 1), 0), ((1, 2, 1), 1), ((1, 1, 2), 0), ((2, 2, 2), 1)],
)
def test_products_are_clebsch_gordan_products(degrees, column):
    a, b = (random_features(seed).numpy() for seed in (1, 2))
    rows = {1: slice(0, VECTOR), 2: slice(VECTOR, VECTOR + MATRIX)}
    first, second, third = degrees
    coefficients = gaunt(*degrees)
    expected = np.einsum("abc,nak,nbk->nck", coefficients, a[:, rows[first]], b[:, rows[second]])
    unpack = unpacking(CHANNELS).double()
    product = products(torch.from_numpy(a), torch.from_numpy(b), unpack).numpy()
    found = product[:, rows[third], column * CHANNELS : (column + 1) * CHANNELS]
    factor = (found * expected).sum() / (expected**2).sum()
    assert abs(factor) > 0.5
    np.testing.assert_allclose(found, factor * expected, atol=1e-5)


def test_each_channel_is_multiplied_with_its_own():
    a, b = random_features(1), random_features(2)
    whole = products(a, b, unpacking(CHANNELS).double())
    one = products(a[:, :, 1:2], b[:, :, 1:2], unpacking(1).double())
    torch.testing.assert_close(whole[:, :, [1, CHANNELS + 1]], one)
