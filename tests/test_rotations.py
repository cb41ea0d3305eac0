"""Rotations and reflections by which a graph is turned before a step."""

import numpy as np
import pytest

from lammps_botan.training.rotations import cube_operations, draw_rotation


def test_the_cube_has_48_different_operations_that_form_a_group():
    operations = cube_operations()
    assert operations.shape == (48, 3, 3)
    flat = {tuple(o.ravel()) for o in operations}
    assert len(flat) == 48
    assert {tuple((a @ b).ravel()) for a in operations for b in operations} == flat
    np.testing.assert_array_equal(np.abs(operations).sum(axis=1), 1)
    np.testing.assert_array_equal(np.sort(np.linalg.det(operations)), [-1] * 24 + [1] * 24)


def test_cube_draws_all_operations_equally_often():
    rng = np.random.default_rng(0)
    drawn = np.array([draw_rotation("cube", rng) for _ in range(4800)])
    different, counts = np.unique(drawn.reshape(-1, 9), axis=0, return_counts=True)
    assert len(different) == 48
    # 100 each, with a standard deviation of 10
    assert counts.min() > 60
    assert counts.max() < 140


def test_the_square_has_8_different_operations_that_leave_the_plane():
    operations = cube_operations(2)
    assert operations.shape == (8, 3, 3)
    flat = {tuple(o.ravel()) for o in operations}
    assert len(flat) == 8
    assert {tuple((a @ b).ravel()) for a in operations for b in operations} == flat
    np.testing.assert_array_equal(operations[:, 2], np.tile([0, 0, 1], (8, 1)))
    np.testing.assert_array_equal(operations[:, :, 2], np.tile([0, 0, 1], (8, 1)))


@pytest.mark.parametrize("kind", ["o3", "cube"])
def test_in_two_dimensions_vectors_stay_in_the_plane(kind):
    """Moments over the circle: <R_ij^2> = 1/2 for both; <R_ij^4> = 3/8, of the square 1/2."""
    rng = np.random.default_rng(0)
    drawn = np.array([draw_rotation(kind, rng, 2) for _ in range(4000)])
    turned = np.array([1.0, 2.0, 0.0]) @ drawn
    np.testing.assert_array_equal(turned[:, 2], 0)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.sqrt(5), rtol=1e-12)
    in_plane = drawn[:, :2, :2]
    assert np.linalg.det(in_plane).round(12).astype(int).tolist().count(1) == pytest.approx(
        2000, abs=160
    )
    np.testing.assert_allclose((in_plane**2).mean(axis=0), 1 / 2, atol=0.03)
    fourth = {"o3": 3 / 8, "cube": 1 / 2}[kind]
    np.testing.assert_allclose((in_plane**4).mean(axis=0), fourth, atol=0.03)


def test_o3_draws_uniformly():
    """Moments of the Haar measure: <R> = 0, <R_ij^2> = 1/3, <R_ij^4> = 1/5, half reflections."""
    rng = np.random.default_rng(0)
    drawn = np.array([draw_rotation("o3", rng) for _ in range(4000)])
    unit = drawn @ drawn.transpose(0, 2, 1)
    np.testing.assert_allclose(unit, np.broadcast_to(np.eye(3), unit.shape), atol=1e-12)
    assert np.linalg.det(drawn).round(12).astype(int).tolist().count(1) == pytest.approx(
        2000, abs=160
    )
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose((drawn**2).mean(axis=0), 1 / 3, atol=0.025)
    np.testing.assert_allclose((drawn**4).mean(axis=0), 1 / 5, atol=0.025)
