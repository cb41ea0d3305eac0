"""Histories in npz files: what is written comes back, and what does not fit is refused."""

import numpy as np
import pytest
from seeing import seen

from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.ensemble_npz import (
    read_copies,
    read_histories,
    read_history_interval,
    write_ensemble,
)
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.history import History

N, RUNS = 6, 3


def ensemble(**start):
    configuration = seen(N, length=9.0)
    configuration = type(configuration)(**(vars(configuration) | start))
    final = configuration.positions + np.ones((RUNS, N, 3))
    return Ensemble(configuration=configuration, final=final, lag_time=7.0)


def history(seed, window=30.0):
    rng = np.random.default_rng(seed)
    # numbers that float32 holds
    of_particles = rng.integers(0, 99, (5, N)) / 8
    return History(window, of_particles[:3].T, *of_particles[3:])


def assert_same(one, other):
    assert one.window == other.window
    for name in ("displacement", "variance", "energy"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("n_structures", [1, 2, 1 + RUNS])
def test_histories_of_the_start_and_of_the_ends_come_back(n_structures, tmp_path):
    written = [[history(10 * s + v) for v in range(2)] for s in range(n_structures)]
    path = tmp_path / "e.npz"
    write_ensemble(path, ensemble(), histories=written, history_interval=0.2)
    back = read_histories(path)
    assert [len(row) for row in back] == [2] * n_structures
    for row, expected in zip(back, written, strict=True):
        for one, other in zip(row, expected, strict=True):
            assert_same(one, other)
    for start in (read_start(path), read_ensemble(path).configuration):
        assert_same(start.history, written[0][0])
    assert read_history_interval(path) == 0.2


def test_the_keys_are_those_of_the_documentation(tmp_path):
    write_ensemble(
        tmp_path / "e.npz", ensemble(), histories=[[history(0), history(1)]], history_interval=0.5
    )
    with np.load(tmp_path / "e.npz") as arrays:
        assert (float(arrays["history_window"]), float(arrays["history_interval"])) == (30.0, 0.5)
        for key, shape in (
            ("history_displacement", (1, 2, N, 3)),
            ("history_variance", (1, 2, N)),
            ("history_energy", (1, 2, N)),
        ):
            assert (arrays[key].shape, arrays[key].dtype) == (shape, np.float32)


def test_the_history_of_a_configuration_is_written_with_it(tmp_path):
    own = history(4)
    write_ensemble(tmp_path / "e.npz", ensemble(history=own))
    ((back,),) = read_histories(tmp_path / "e.npz")
    assert_same(back, own)
    with pytest.raises(ValueError, match=r"e\.npz: lacks history_interval, the time from one"):
        read_history_interval(tmp_path / "e.npz")


def test_a_file_without_histories_says_what_to_type(tmp_path):
    write_ensemble(tmp_path / "e.npz", ensemble(history=None))
    assert read_start(tmp_path / "e.npz").history is None
    with pytest.raises(ValueError, match=r"has no histories; .*`lammps-botan simulate history \S+"):
        read_histories(tmp_path / "e.npz")


def test_histories_of_several_windows_or_numbers_are_not_written(tmp_path):
    for wrong in ([[history(0), history(1, window=10.0)]], [[history(0)], []], []):
        with pytest.raises(ValueError, match="as many histories of each structure, all over one"):
            write_ensemble(tmp_path / "e.npz", ensemble(), histories=wrong)
    assert not list(tmp_path.iterdir())


KEYS = {
    "history_window": 30.0,
    "history_interval": 0.2,
    "history_displacement": np.zeros((1, 1, N, 3)),
    "history_variance": np.zeros((1, 1, N)),
    "history_energy": np.zeros((1, 1, N)),
}


def with_keys(tmp_path, **keys):
    """A file with other histories; None leaves a key out."""
    write_ensemble(tmp_path / "plain.npz", ensemble(history=None))
    with np.load(tmp_path / "plain.npz") as plain:
        given = {
            key: value for key, value in ({**plain} | KEYS | keys).items() if value is not None
        }
    np.savez(tmp_path / "e.npz", **given)
    return tmp_path / "e.npz"


def test_copies_are_read_beside_their_histories(tmp_path):
    copies = np.arange(2 * 3 * N * 3, dtype=np.float32).reshape(1, 2, 3, N, 3)
    two = {key: np.repeat(KEYS[key], 2, axis=1) for key in KEYS if np.ndim(KEYS[key])}
    path = with_keys(tmp_path, history_copies=copies, **two)
    found = read_copies(path)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, copies)
    assert len(read_histories(path)[0]) == 2


def test_a_file_without_copies_has_none_of_each_structure_and_velocity(tmp_path):
    assert read_copies(with_keys(tmp_path)).shape == (1, 1, 0, N, 3)
    with pytest.raises(ValueError, match=r"has no histories; .*`lammps-botan simulate history \S+"):
        read_copies(with_keys(tmp_path, **dict.fromkeys(KEYS)))


SHAPES = r"of shape \[s, v, 6, 3\], .* with s from 1 to 4 structures and v velocities, found .*"

COPIES = r"history_copies of shape \[1, 1, c, 6, 3\] with c copies, found "


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"history_window": None}, "has history_displacement, .* and lacks history_window: expect"),
        ({"history_energy": None}, "lacks history_energy"),
        ({"history_window": 0.0}, "history_window must be a positive time, found 0.0"),
        ({"history_window": np.nan}, "history_window must be a positive time, found nan"),
        ({"history_window": [30.0, 30.0]}, r"a positive time, found \[30.0, 30.0\]"),
        ({"history_window": "30"}, "a positive time, found 30"),
        ({"history_displacement": np.zeros((1, 1, N, 2))}, SHAPES + r"\[1, 1, 6, 2\]"),
        ({"history_variance": np.zeros((1, N))}, SHAPES + r"\[1, 6\]"),
        ({"history_energy": np.zeros((1, 2, N))}, SHAPES + r"\[1, 2, 6\]"),
        ({"history_variance": np.full((1, 1, N), np.nan)}, "variance .* that are not finite"),
        ({"history_variance": np.full((1, 1, N), -1.0)}, "must not be negative, found -1"),
        ({"history_copies": np.zeros((1, 1, N, 3))}, COPIES + r"\[1, 1, 6, 3\]"),
        ({"history_copies": np.zeros((1, 2, 4, N, 3))}, COPIES + r"\[1, 2, 4, 6, 3\]"),
        ({"history_copies": np.zeros((1, 1, 0, N, 3))}, COPIES + r"\[1, 1, 0, 6, 3\]"),
        ({"history_copies": np.full((1, 1, 1, N, 3), np.nan)}, "copies holds values that are not"),
        ({"history_copies": np.full((1, 1, 1, N, 3), "x")}, "history_copies must be numbers, .*U1"),
        (
            dict.fromkeys(KEYS) | {"history_copies": np.zeros((1, 1, 1, N, 3))},
            "has history_copies and lacks history_displacement, .*history_window: expected",
        ),
        (
            {"history_energy": np.full((1, 1, N), "low")},
            "history_energy must be numbers, .*<U3",
        ),
    ],
)
def test_what_does_not_fit_is_refused(keys, message, tmp_path):
    path = with_keys(tmp_path, **keys)
    for read in (read_start, read_ensemble, read_histories):
        with pytest.raises(ValueError, match=rf"e\.npz: .*{message}"):
            read(path)


def test_histories_of_more_structures_than_there_are_or_of_none_are_refused(tmp_path):
    for s in (5, 0):
        shapes = {"displacement": (s, 1, N, 3), "variance": (s, 1, N), "energy": (s, 1, N)}
        keys = {f"history_{name}": np.zeros(shape) for name, shape in shapes.items()}
        with pytest.raises(ValueError, match=SHAPES):
            read_start(with_keys(tmp_path, **keys))


def test_a_wrong_interval_is_refused(tmp_path):
    path = with_keys(tmp_path, history_interval=-0.2)
    with pytest.raises(ValueError, match=r"history_interval must be a positive time, found -0\.2"):
        read_history_interval(path)


@pytest.mark.parametrize("rows", [1, 1 + RUNS])
def test_inherent_energies_of_the_start_are_the_first_row(rows, tmp_path):
    energies = np.arange(rows * N, dtype=float).reshape(rows, N) - 50
    write_ensemble(tmp_path / "e.npz", ensemble(), inherent_energies=energies)
    np.testing.assert_array_equal(read_start(tmp_path / "e.npz").inherent_energies, energies[0])


def test_inherent_structures_of_other_shapes_are_refused(tmp_path):
    for key, value, message in (
        ("inherent_energies", np.zeros((2, N)), r"shape \[6\] or \[4, 6\], found \[2, 6\]"),
        ("inherent_energies", np.zeros(N - 1), r"shape \[6\] or \[4, 6\], found \[5\]"),
        ("inherent_energies", np.full(N, np.inf), "inherent_energies holds values that are not"),
        ("initial_positions_inherent", np.zeros((N, 2)), r"shape \[6, 3\], found \[6, 2\]"),
    ):
        write_ensemble(tmp_path / "e.npz", ensemble(), **{key: value})
        with pytest.raises(ValueError, match=message):
            read_start(tmp_path / "e.npz")
