"""Boxes: images and corners, in exact cases and against a search over all images."""

import itertools

import numpy as np
import pytest

from lammps_botan.structure.box import Box

PERIODIC = (True, True, True)
SKEWED = {
    "half an edge": [[6.0, 0, 0], [3.0, 5.0, 0], [-3.0, 2.5, 4.0]],
    "flat": [[10.0, 0, 0], [5.0, 9.0, 0], [5.0, -4.5, 1.5]],
    "upright": [[4.0, 0, 0], [0, 5.0, 0], [0, 0, 6.0]],
    "rotated": [[0.0, 5.0, 0], [-4.0, 0.5, 0], [1.0, 1.0, 6.0]],
}


@pytest.mark.parametrize("periodic", list(itertools.product([True, False], repeat=3)))
@pytest.mark.parametrize("name", SKEWED)
def test_the_minimum_image_is_the_shortest_of_all_images(name, periodic):
    cell = np.array(SKEWED[name])
    vectors = np.random.default_rng(5).uniform(-9, 9, (200, 3))
    before = vectors.copy()
    reach = [range(-9, 10) if p else range(1) for p in periodic]
    shifts = np.array(list(itertools.product(*reach))) @ cell
    shortest = np.linalg.norm(vectors[:, None] + shifts, axis=2).min(axis=1)
    image = Box(cell, periodic).minimum_image(vectors)
    np.testing.assert_allclose(np.linalg.norm(image, axis=1), shortest, rtol=1e-12)
    np.testing.assert_array_equal(vectors, before)
    moved = (image - vectors) @ np.linalg.inv(cell)
    np.testing.assert_allclose(moved, np.rint(moved), atol=1e-9)
    np.testing.assert_allclose(moved[:, ~np.array(periodic)], 0.0, atol=1e-12)


def test_a_position_on_the_upper_face_is_wrapped_to_the_lower_one():
    box = Box([4.0, 5.0, 6.0], PERIODIC, (1.0, -1.0, 0.0))
    upper = np.array([[5.0, 4.0, 6.0], [0.5, -1.5, -0.5], [1.0, -1.0, 0.0]])
    assert box.images(upper).tolist() == [[1, 1, 1], [-1, -1, -1], [0, 0, 0]]
    assert box.wrap(upper).tolist() == [[1.0, -1.0, 0.0], [4.5, 3.5, 5.5], [1.0, -1.0, 0.0]]


def test_nothing_is_wrapped_along_a_direction_without_images():
    box = Box([4.0, 5.0, 1.0], (True, False, False))
    far = np.array([[9.0, 9.0, 9.0]])
    assert box.wrap(far).tolist() == [[1.0, 9.0, 9.0]]
    assert box.images(far).tolist() == [[2, 0, 0]]


def test_images_give_back_the_unwrapped_positions_of_a_skewed_box():
    box = Box(SKEWED["half an edge"], PERIODIC, (0.3, 0.2, 0.1))
    far = np.random.default_rng(1).normal(0, 20, (50, 3))
    back = box.wrap(far) + box.images(far) @ box.cell
    np.testing.assert_allclose(back, far, atol=1e-12)
    inside = (box.wrap(far) - box.origin) @ np.linalg.inv(box.cell)
    assert inside.min() >= 0
    assert inside.max() < 1


def test_corners_and_tilts_of_lammps_come_back():
    low, high, tilts = [-1.0, 2.0, 0.5], [5.0, 7.0, 4.5], (1.5, -1.0, 0.25)
    box = Box.from_lammps(low, high, tilts, (True, False, True))
    assert box.cell.tolist() == [[6.0, 0, 0], [1.5, 5.0, 0], [-1.0, 0.25, 4.0]]
    back = box.lammps_bounds()
    assert (back[0].tolist(), back[1].tolist(), back[2]) == (low, high, tilts)
    assert box.periodic == (True, False, True)


def test_volume_area_and_heights_of_a_skewed_box():
    box = Box([[3.0, 0, 0], [4.0, 3.0, 0], [0, 4.0, 3.0]], PERIODIC)
    assert box.volume == pytest.approx(27.0)
    assert box.area == pytest.approx(9.0)
    # the faces are parallelograms of area 9, 15 and the third by the vector product
    third = np.linalg.norm(np.cross([4.0, 3, 0], [0, 4.0, 3]))
    np.testing.assert_allclose(box.heights, [27 / third, 27 / 15, 27 / 9])


def test_a_rectangle_is_1_high_and_has_no_images_along_z():
    box = Box([4.0, 5.0], (True, True, False))
    assert box.cell.tolist() == [[4.0, 0, 0], [0, 5.0, 0], [0, 0, 1.0]]
    assert Box([4.0, 5.0, 1.0], PERIODIC).flat.periodic == (True, True, False)


def test_a_box_may_be_given_in_three_ways():
    for given in (2.0, [2.0, 2.0, 2.0], np.eye(3) * 2.0):
        np.testing.assert_array_equal(Box(given, PERIODIC).cell, np.eye(3) * 2.0)


def test_boxes_are_the_same_whatever_their_origin():
    box = Box([4.0, 5.0, 6.0], PERIODIC)
    assert box.same_as(Box([4.0, 5.0, 6.0 + 1e-7], PERIODIC, (1.0, 2.0, 3.0)))
    assert not box.same_as(Box([4.0, 5.0, 6.001], PERIODIC))
    assert not box.same_as(box.flat)


@pytest.mark.parametrize(
    ("cell", "periodic", "message"),
    [
        ([1.0, 2.0], PERIODIC, r"2 edges, \[1\.0, 2\.0\], .* found \(True, True, True\)"),
        (np.eye(2), PERIODIC, r"found shape \[2, 2\]"),
        (0.0, PERIODIC, "edges of a box must be positive, found 0.0"),
        ([1.0, -1.0, 1.0], PERIODIC, r"must be positive, found \[1\.0, -1\.0, 1\.0\]"),
        ([1.0, np.nan, 1.0], PERIODIC, "must be positive, found"),
        ([[1.0, 0, 0], [2.0, 0, 0], [0, 0, 1.0]], PERIODIC, "must span a finite volume"),
        (np.full((3, 3), np.inf), PERIODIC, "must span a finite volume"),
        (1.0, True, r"periodic must be three bools, .* found True"),
        (1.0, (True, True), r"periodic must be three bools, .* found \(True, True\)"),
        (1.0, (1, 1, 0), r"periodic must be three bools, .* found \(1, 1, 0\)"),
    ],
)
def test_what_is_no_box_is_refused(cell, periodic, message):
    with pytest.raises(ValueError, match=message):
        Box(cell, periodic)


def test_a_box_needs_to_be_told_its_periodic_directions():
    with pytest.raises(TypeError, match="periodic"):
        Box(1.0)


def test_corners_that_span_nothing_and_cells_that_lammps_does_not_know_are_refused():
    with pytest.raises(ValueError, match=r"needs lo < hi, found lo \[0, 0, 0\] and hi \[1, 0, 1\]"):
        Box.from_lammps([0, 0, 0], [1, 0, 1], (0, 0, 0), PERIODIC)
    with pytest.raises(ValueError, match="first cell vector along x"):
        Box(SKEWED["rotated"], PERIODIC).lammps_bounds()
    with pytest.raises(
        ValueError, match=r"origin of a box must be 3 numbers, found \[0\.0, 0\.0\]"
    ):
        Box(1.0, PERIODIC, (0, 0))
