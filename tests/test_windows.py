"""Window averages of one trajectory: exact motions, loops over all origins, and MDAnalysis."""

import MDAnalysis
import numpy as np
import pytest
from dumps import write_runs
from MDAnalysis.analysis.msd import EinsteinMSD

from lammps_botan.analysis.observables import observe
from lammps_botan.analysis.sources import find_sources
from lammps_botan.analysis.windows import find_windows

N, L = 40, 6.0
CELL = np.eye(3) * L
TYPES = np.repeat([1, 2], [32, 8])
K = 2 * np.pi


def observed(folder, positions, steps, types=TYPES):
    """What is observed of trajectories [n_frames, n_trajectories, N, 3] with the time step 0.01."""
    write_runs(folder, positions, CELL, types, steps=list(steps))
    return observe(find_sources(folder), dt=0.01)


def walk(rng, n_frames, size=0.1, n=N):
    steps = rng.normal(0, size, (n_frames - 1, 1, n, 3))
    start = rng.random((1, 1, n, 3)) * L
    return np.concatenate([start, start + steps.cumsum(axis=0)])


def test_free_flight_is_the_same_from_every_origin(tmp_path):
    """R = r_0 + v t: MSD = <v^2> t^2, S = <|v|> t and F_s = <cos(k . v t)>, exactly."""
    rng = np.random.default_rng(1)
    velocities = rng.normal(0, 0.5, (N, 3))
    steps = np.arange(0, 100, 10)
    times = 0.01 * steps
    positions = rng.random((N, 3)) * L + velocities * times[:, None, None, None]
    found = observed(tmp_path, positions, steps)
    t = times[1:]
    np.testing.assert_allclose(found.times, t)
    for kind in (0, 1):
        own = velocities[kind + 1 == TYPES]
        np.testing.assert_allclose(found.msd[:, kind], (own**2).sum(1).mean() * t**2)
        np.testing.assert_allclose(
            found.propensity[:, kind], np.linalg.norm(own, axis=1).mean() * t
        )
    # every k of this box of 6 with length 2 pi: (6, 0, 0), (4, 4, 2) and the like, in units of 1/6
    integers = np.array(
        [(x, y, z) for x in range(-6, 7) for y in range(-6, 7) for z in range(-6, 7)]
    )
    vectors = K / L * integers[(integers**2).sum(axis=1) == 36]
    expected = np.cos((velocities[TYPES == 1] * t[:, None, None]) @ vectors.T).mean(axis=(1, 2))
    np.testing.assert_allclose(found.scattering[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("steps", [range(12), (0, 1, 3, 10, 20, 21, 23, 30, 40, 41, 43, 50)])
def test_averages_are_those_of_a_loop_over_all_pairs_of_frames(tmp_path, steps):
    """Frames at even times, and in blocks of three intervals."""
    positions = walk(np.random.default_rng(2), 12)
    found = observed(tmp_path, positions, steps)
    np.testing.assert_allclose(found.times, 0.01 * np.array(steps[1:]))
    a = positions[:, 0, TYPES == 1]
    for t, lag in enumerate(steps[1:]):
        squares, overlaps = [], []
        for i, first in enumerate(steps):
            for j, second in enumerate(steps):
                if second - first == lag:
                    squares.append(((a[j] - a[i]) ** 2).sum(axis=1).mean())
                    moved = np.linalg.norm(positions[j, 0] - positions[i, 0], axis=1)
                    overlaps.append((moved < 0.3).mean())
        assert found.msd[t, 0] == pytest.approx(np.mean(squares), rel=1e-9)
        if np.isfinite(found.susceptibility[t]):
            expected = N * np.var(overlaps) * len(overlaps) / (len(overlaps) - 1)
            assert found.susceptibility[t] == pytest.approx(expected)


def test_the_squared_displacement_is_that_of_mdanalysis(tmp_path):
    positions = walk(np.random.default_rng(3), 50)
    found = observed(tmp_path, positions, range(50), types=np.ones(N, int))
    universe = MDAnalysis.Universe.empty(N, trajectory=True)
    universe.load_new(positions[:, 0])
    theirs = EinsteinMSD(universe, fft=False).run().results.timeseries
    np.testing.assert_allclose(found.msd[:, 0], theirs[1:], rtol=1e-5)  # theirs is in float32


def test_a_random_walk_diffuses_within_its_quoted_error(tmp_path):
    """MSD = 3 sigma^2 n after n steps; twelve walks, of which the pulls have the spread 1."""
    pulls = []
    for seed in range(12):
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        found = observed(folder, walk(np.random.default_rng(seed), 60), range(60), np.ones(N, int))
        n = np.arange(1, 10)
        pulls.append((found.msd[:9, 0] - 3 * 0.01 * n) / found.msd_error[:9, 0])
    assert abs(np.mean(pulls)) < 1
    assert 0.5 < np.sqrt(np.mean(np.square(pulls))) < 2


def test_there_is_no_error_beyond_a_sixth_of_the_trajectory(tmp_path):
    found = observed(tmp_path, walk(np.random.default_rng(4), 61), range(61), np.ones(N, int))
    short = found.times < 0.1 + 1e-9
    assert short.sum() == 10
    for values in (found.msd_error[:, 0], found.scattering_error[:, 0], found.susceptibility):
        np.testing.assert_array_equal(np.isfinite(values), short)
    assert (found.n_configurations, found.n_runs) == (1, 1)


def test_runs_from_one_configuration_keep_their_origin(tmp_path):
    """Particles that rest and fly then: the average over all origins would be another one."""
    positions = np.zeros((4, 2, N, 3)) + np.random.default_rng(5).random((N, 3)) * L
    positions[2:, :, :, 0] += np.array([0.1, 0.5])[:, None, None]
    found = observed(tmp_path, positions, range(4))
    np.testing.assert_allclose(found.msd[:, 0], [0, 0.01, 0.25], atol=1e-12)
    assert (found.n_configurations, found.n_runs) == (1, 2)


def test_trajectories_that_start_differently_are_averaged_each_on_its_own(tmp_path):
    rng = np.random.default_rng(6)
    walks = np.concatenate([walk(rng, 20, size) for size in (0.1, 0.2)], axis=1)
    found = observed(tmp_path / "", walks, range(20))
    each = []
    for k in (0, 1):
        folder = tmp_path / f"only_{k}"
        folder.mkdir()
        each.append(observed(folder, walks[:, [k]], range(20)).msd)
    assert (found.n_configurations, found.n_runs) == (2, 2)
    np.testing.assert_allclose(found.msd, np.mean(each, axis=0))
    np.testing.assert_allclose(found.msd_error, np.abs(each[0] - each[1]) / 2)


def test_long_trajectories_have_about_twelve_lag_times_to_a_decade():
    windows = find_windows(np.arange(1001.0))
    lags = np.array([w.lag_time for w in windows])
    assert lags[0] == 1
    assert lags[-1] == 1000
    assert 25 < len(lags) < 37
    in_last_decade = lags[(lags >= 100) & (lags < 1000)]
    assert len(in_last_decade) == pytest.approx(12, abs=1)
    for w in windows:
        np.testing.assert_array_equal(w.ends - w.origins, w.lag_time)
        assert len(w.origins) == min(1001 - w.lag_time, 1000)


def test_blocks_are_stretches_of_time_no_shorter_than_the_lag_time():
    for w in find_windows(np.arange(61.0)):
        if w.lag_time > 10:
            assert set(w.blocks) == {-1}
            continue
        starts = [w.origins[w.blocks == b].min() for b in range(5)]
        assert np.diff(starts).min() >= w.lag_time
        assert np.ptp(np.bincount(w.blocks)) <= 1


def test_one_frame_has_no_windows():
    assert find_windows(np.zeros(1)) == []
