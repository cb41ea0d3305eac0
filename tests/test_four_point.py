"""The four-point amplitude: waves that fit into a box, and fields made of them."""

import numpy as np
import pytest

from lammps_botan.evaluation.four_point import fourier_components, longest_waves
from lammps_botan.structure.box import Box

PERIODIC = (True, True, True)
ROUNDING = 1e-10


def lattice(n: int, length: float) -> np.ndarray:
    steps = np.arange(n) * length / n
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)


def test_a_cube_has_three_shells_of_thirteen_waves():
    lengths = np.linalg.norm(longest_waves(Box(6.0, PERIODIC)), axis=1) * 6 / (2 * np.pi)
    expected = [1] * 3 + [2**0.5] * 6 + [3**0.5] * 4
    np.testing.assert_allclose(np.sort(lengths), expected, rtol=ROUNDING)


def test_of_each_wave_and_its_opposite_there_is_one():
    waves = longest_waves(Box(6.0, PERIODIC))
    both = np.concatenate([waves, -waves]).round(9)
    assert len(np.unique(both, axis=0)) == 26


@pytest.mark.parametrize(
    ("box", "n_waves"),
    [
        (Box([6.0, 6.0], (True, True, False)), 4),  # (1, 0), (0, 1), (1, 1), (1, -1)
        (Box([5.0, 5.0, 40.0], PERIODIC), 1),
        (Box([5.0, 5.0, 9.0], PERIODIC), 1),  # 1 / 5 is longer than sqrt(3) / 9
        (Box([5.0, 5.0, 8.0], PERIODIC), 3),
        (Box([5.0, 5.0, 5.0], (False, False, True)), 1),
        (Box([5.0, 5.0, 5.0], (False, False, False)), 0),
    ],
)
def test_each_box_has_the_waves_that_fit_into_it(box, n_waves):
    assert longest_waves(box).shape == (n_waves, 3)


def test_waves_fit_into_a_triclinic_box():
    """Whole periods along each cell vector; and as many as in a search among many."""
    cell = np.array([[5.0, 0, 0], [2.1, 6.0, 0], [-1.7, 2.4, 5.5]])
    waves = longest_waves(Box(cell, PERIODIC))
    periods = waves @ cell.T / (2 * np.pi)
    np.testing.assert_allclose(periods, periods.round(), atol=ROUNDING)
    grid = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3), -1).reshape(-1, 3)
    lengths = np.linalg.norm(grid @ np.linalg.inv(cell).T, axis=1)
    lengths = lengths[lengths > 0]
    assert 2 * len(waves) == np.count_nonzero(lengths < 3**0.5 * lengths.min() * (1 + 1e-9))


def test_a_cosine_is_in_its_own_wave_alone():
    """|sum_i cos^2(q . r_i)| = n / 2."""
    places = lattice(8, 6.0)
    waves = longest_waves(Box(6.0, PERIODIC))
    for k, wave in enumerate(waves):
        found = np.abs(fourier_components(3 + 0.2 * np.cos(places @ wave), places, waves))
        expected = np.zeros(13)
        expected[k] = 0.2 * 512 / 2
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_images_and_the_origin_do_not_matter():
    rng = np.random.default_rng(0)
    cell = np.array([[5.0, 0, 0], [2.1, 6.0, 0], [-1.7, 2.4, 5.5]])
    places, values = rng.random((50, 3)) @ cell, rng.normal(size=(2, 50))
    waves = longest_waves(Box(cell, PERIODIC))
    found = np.abs(fourier_components(values, places, waves))
    assert found.shape == (2, len(waves))
    elsewhere = places + rng.integers(-3, 4, (50, 3)) @ cell + [0.3, -0.2, 7.0]
    moved = np.abs(fourier_components(values, elsewhere, waves))
    np.testing.assert_allclose(moved, found, atol=1e-9)
