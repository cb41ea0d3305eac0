"""The histories that a recorder keeps: plain averages over samples of known paths."""

import numpy as np
import pytest

from lammps_botan.structure.box import Box
from lammps_botan.structure.recorder import Recorder

ALL = (True, True, True)
CELLS = {
    "orthogonal": np.diag([4.0, 5.0, 6.0]),
    "triclinic": np.array([[4.0, 0.0, 0.0], [1.5, 5.0, 0.0], [-1.2, 2.1, 6.0]]),
}
ROUNDING = 1e-12


def walk(n_samples, n=7, step=0.3, seed=1):
    """Unwrapped positions [n_samples, n, 3] that leave the box, and energies [n_samples, n]."""
    rng = np.random.default_rng(seed)
    drift = 0.25 * np.arange(n_samples)[:, None, None] * rng.choice([-1, 1], (n, 3))
    path = rng.uniform(0, 4, (n, 3)) + drift + rng.normal(0, step, (n_samples, n, 3))
    return path, rng.normal(-5, 1, (n_samples, n))


def check(history, path, energies, now):
    """Equal to averages over these samples of unwrapped positions."""
    mean = path.mean(axis=0)
    np.testing.assert_allclose(history.displacement, mean - now, atol=ROUNDING)
    variance = ((path - mean) ** 2).sum(axis=2).mean(axis=0)
    np.testing.assert_allclose(history.variance, variance, atol=ROUNDING)
    np.testing.assert_allclose(history.energy, energies.mean(axis=0), atol=ROUNDING)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("parts", "per_part"), [(1, 1), (1, 4), (5, 1), (3, 4)])
def test_a_history_is_the_average_over_the_last_parts_and_what_has_begun(cell, parts, per_part):
    """Of wrapped positions across the boundaries, at each step of a path."""
    box = Box(CELLS[cell], ALL, origin=[-1.0, 2.0, 0.5])
    path, energies = walk(60)
    recorder = Recorder(10.0, parts, per_part)
    for k in range(60):
        recorder.add(box.wrap(path[k]), box, energies[k])
        n = k + 1
        full = parts * per_part
        assert recorder.share() == min(1.0, n / full)
        history = recorder.history(box.wrap(path[k]), box)
        if n < full:
            assert history is None
            continue
        first = n // per_part * per_part - full
        check(history, path[first:n], energies[first:n], path[k])
        assert history.window == 10.0


def test_a_history_between_two_samples_ends_where_the_particles_are():
    box = Box(CELLS["triclinic"], ALL)
    path, energies = walk(9)
    recorder = Recorder(1.0, 2, 4)
    for k in range(8):
        recorder.add(box.wrap(path[k]), box, energies[k])
    check(recorder.history(box.wrap(path[8]), box), path[:8], energies[:8], path[8])


def test_the_smallest_cage_far_from_the_origin_keeps_its_variance():
    """Where <r^2> - <r>^2 would have lost it."""
    box = Box(1e6, (False, False, False))
    rng = np.random.default_rng(3)
    cage = rng.normal(0, 1e-5, (40, 2, 3))
    recorder = Recorder(1.0, 4, 10)
    for positions in 9e5 + cage:
        recorder.add(positions, box, np.zeros(2))
    expected = ((cage - cage.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0)
    history = recorder.history(9e5 + cage[-1], box)
    np.testing.assert_allclose(history.variance, expected, rtol=1e-4)


def test_a_box_that_is_strained_moves_no_particle():
    """Compressed, sheared and moved along with its box, a crystal stays where it is in it."""
    rng = np.random.default_rng(4)
    s = rng.uniform(0, 1, (6, 3))
    recorder = Recorder(1.0, 3, 5)
    for k in range(17):
        strain = np.eye(3) + 0.02 * k * np.array([[1, 0, 0], [0.7, -0.5, 0], [0.3, -0.2, 0.4]])
        box = Box(CELLS["triclinic"] @ strain, ALL, origin=[0.1 * k, -0.2 * k, 0.0])
        positions = box.origin + s @ box.cell
        recorder.add(box.wrap(positions), box, np.zeros(6))
    history = recorder.history(positions, box)
    np.testing.assert_allclose(history.displacement, 0, atol=ROUNDING)
    np.testing.assert_allclose(history.variance, 0, atol=ROUNDING)


def test_in_a_strained_box_averages_are_those_of_the_box_now():
    """A path in a box of another size, mapped to the box now, has its plain averages."""
    path, energies = walk(12)
    path = 0.1 * path
    recorder = Recorder(1.0, 3, 4)
    sizes = np.linspace(0.9, 1.1, 12)
    for size, positions, energy in zip(sizes, path, energies, strict=True):
        recorder.add(size * positions, Box(size * CELLS["triclinic"], ALL), energy)
    now = Box(1.3 * CELLS["triclinic"], ALL)
    check(recorder.history(1.3 * path[-1], now), 1.3 * path, energies, 1.3 * path[-1])


def test_a_flip_of_the_tilt_moves_no_particle():
    """The same lattice by other vectors, as LAMMPS chooses them for a tilt of more than half."""
    path, energies = walk(24, step=0.1)
    flipped = CELLS["triclinic"].copy()
    flipped[1] -= flipped[0]
    flipped[2] += flipped[0] - flipped[1]
    recorder = Recorder(1.0, 2, 8)
    for k in range(24):
        box = Box(CELLS["triclinic"] if k % 10 < 5 else flipped, ALL)
        recorder.add(box.wrap(path[k]), box, energies[k])
    check(recorder.history(path[-1], Box(flipped, ALL)), path[8:], energies[8:], path[-1])


def test_a_boundary_that_is_not_periodic_moves_no_particle():
    """The box is shrunk around the particles; one flies away, the others stay."""
    x = np.array([[1.0, 1.0, 0.0], [2.0, 3.0, 0.0], [0.0, 0.5, 0.0]])
    recorder = Recorder(1.0, 1, 5)
    for k in range(5):
        x[1, 1] = 3.0 + k
        box = Box([4.0, x[1, 1] - 0.5, 1.0], (True, False, False), origin=[0.0, 0.5, -0.5])
        recorder.add(x, box, np.zeros(3))
    history = recorder.history(x, box)
    np.testing.assert_allclose(history.displacement, [[0, 0, 0], [0, -2, 0], [0, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(history.variance, [0, 2, 0], atol=1e-12)


def test_particles_come_and_go_by_their_ids():
    """In any order; the window of a new one begins with the next part, others keep theirs."""
    box = Box(CELLS["orthogonal"], ALL)
    path, energies = walk(30)
    rng = np.random.default_rng(5)
    recorder = Recorder(1.0, 2, 3)
    ids = 10 * (np.arange(7) + 1)
    for k in range(30):
        # particle 5 comes at sample 4, particle 2 leaves at sample 10
        there = [i for i in range(7) if (i != 5 or k >= 4) and (i != 2 or k < 10)]
        there = rng.permutation(there)
        recorder.add(box.wrap(path[k, there]), box, energies[k, there], ids[there])
        n = k + 1
        assert recorder.share([40]) == min(1, n / 6)
        assert recorder.share() == (np.clip((n - 6) / 6, 0, 1) if k >= 4 else min(1, n / 6))
        first = n // 3 * 3 - 6
        if first >= 0:
            one = recorder.history(path[k, 3:4], box, [40])
            check(one, path[first:n, 3:4], energies[first:n, 3:4], path[k, 3:4])
        assert (recorder.history(path[k, 5:6], box, [60]) is None) == (n < 12)
        if n >= 12:
            new = recorder.history(path[k, 5:6], box, [60])
            check(new, path[first:n, 5:6], energies[first:n, 5:6], path[k, 5:6])
    assert recorder.history(path[-1, 2:3], box, [30]) is None
    assert recorder.share([40, 99]) == 0


def test_without_samples_there_is_no_share_and_no_history():
    recorder = Recorder(1.0, 2, 3)
    assert recorder.share() == recorder.share([1]) == 0
    box = Box(4.0, ALL)
    for _ in range(6):
        recorder.add([[0.0, 0.0, 0.0]], box, [1.0])
    assert recorder.share() == 1
    recorder.clear()
    assert recorder.share() == 0
    assert recorder.history([[0.0, 0.0, 0.0]], box) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0, 0.0]], [1.0]), "a sample needs positions .* found .1, 2. and .1."),
        (([[0.0, 0.0, 0.0]], [1.0, 2.0]), "a sample needs positions .* found .1, 3. and .2."),
        (([[0.0, np.nan, 0.0]], [1.0]), "positions and energies of a sample must be finite"),
        (([[0.0, 0.0, 0.0]], [np.inf]), "positions and energies of a sample must be finite"),
        (([[0.0, 0.0, 0.0]], [1.0], [1, 2]), "1 particles need as many ids, found shape .2."),
    ],
)
def test_samples_that_do_not_fit_are_refused(arguments, message):
    positions, energies, *ids = arguments
    with pytest.raises(ValueError, match=message):
        Recorder(1.0, 2, 3).add(positions, Box(4.0, ALL), energies, *ids)


@pytest.mark.parametrize("changes", [{"window": 0}, {"parts": -1}, {"samples_per_part": 0}])
def test_numbers_that_are_not_positive_are_refused(changes):
    (name,) = changes
    with pytest.raises(ValueError, match=f"{name} must be positive, found {changes[name]}"):
        Recorder(**{"window": 1.0, "parts": 2, "samples_per_part": 3, **changes})
