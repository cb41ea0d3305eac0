"""Histories as arrays of an npz file of `lammps_botan.files.ensemble_npz`.

| key | shape | |
| --- | --- | --- |
| `history_window` | | t_w, time unit |
| `history_interval` | | time from one sample to the next |
| `history_displacement` | [n_structures, n_velocities, n_particles, 3] | mean position - position |
| `history_variance`, `history_energy` | [n_structures, n_velocities, n_particles] | |
| `history_copies` | [n_structures, n_velocities, n_copies, n_particles, 3] | unwrapped positions |

The structures are the configuration and then the ends of its first runs in their order, if the file
has them. Each structure has `n_velocities` histories, from runs with different velocities. A file
may have copies: positions at times of the run that the history averages, that is further thermal
configurations of the same structure. Each copy has a history of the same window.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.structure.history import History

QUANTITIES = ("displacement", "variance", "energy")
KEYS = tuple(f"history_{name}" for name in QUANTITIES)
WINDOW, INTERVAL = "history_window", "history_interval"
COPIES = "history_copies"

Arrays = dict[str, npt.NDArray[Any]]
Histories = Sequence[Sequence[History]]  # [n_structures][n_velocities]


def to_arrays(histories: Histories) -> Arrays:
    """Turn histories into the arrays of an npz file.

    Parameters
    ----------
    histories : [n_structures][n_velocities] of History

    Returns
    -------
    dict of str to array
        By the keys of the file.

    Raises
    ------
    ValueError
        If structures have different numbers of histories, or the windows differ.

    Examples
    --------
    >>> history = History(30.0, np.zeros((2, 3)), np.ones(2), np.ones(2))
    >>> to_arrays([[history, history]])["history_variance"].shape
    (1, 2, 2)
    """
    each = [one for row in histories for one in row]
    counts = sorted({len(row) for row in histories})
    windows = sorted({one.window for one in each})
    if len(counts) != 1 or len(windows) != 1:
        raise ValueError(
            "expected as many histories of each structure, all over one window, found "
            f"{counts} histories and the windows {windows}"
        )
    arrays: Arrays = {WINDOW: np.asarray(windows[0])}
    for key, name in zip(KEYS, QUANTITIES, strict=True):
        rows = [[getattr(one, name) for one in row] for row in histories]
        arrays[key] = np.asarray(rows, dtype=np.float32)
    return arrays


def from_arrays(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], n_particles: int, n_runs: int
) -> list[list[History]]:
    """Turn the arrays of an npz file into histories.

    Parameters
    ----------
    path : Path
        The file, for messages.
    arrays : dict of str to array
        By the keys of the file.
    n_particles : int
    n_runs : int
        Runs of the file; there is at most one structure more.

    Returns
    -------
    list [n_structures] of list [n_velocities] of History
        Empty where the file has no histories.

    Raises
    ------
    ValueError
        If keys are missing, shapes do not fit, numbers are not finite, or a variance or the window
        is negative.

    Examples
    --------
    >>> history = History(30.0, np.zeros((2, 3)), np.ones(2), np.ones(2))
    >>> arrays = to_arrays([[history]])
    >>> from_arrays(Path("h.npz"), arrays, n_particles=2, n_runs=0)[0][0].window
    30.0
    """
    present = [key for key in (*KEYS, WINDOW, COPIES) if key in arrays]
    if not present:
        return []
    if missing := [key for key in (*KEYS, WINDOW) if key not in arrays]:
        raise ValueError(
            f"{path}: has {', '.join(present)} and lacks {', '.join(missing)}: expected all or "
            "none of them, as `lammps-botan simulate history` writes them"
        )
    displacement, variance, energy = (arrays[key] for key in KEYS)
    several = variance.shape[:2]
    shapes = [(*several, n_particles, 3), (*several, n_particles), (*several, n_particles)]
    found = [arrays[key].shape for key in KEYS]
    if found != shapes or not 1 <= several[0] <= 1 + n_runs or several[1] < 1:
        raise ValueError(
            f"{path}: expected {', '.join(KEYS)} of shape [s, v, {n_particles}, 3], "
            f"[s, v, {n_particles}] and [s, v, {n_particles}], with s from 1 to {1 + n_runs} "
            f"structures and v velocities, found {', '.join(str(list(shape)) for shape in found)}"
        )
    for key in KEYS:
        if arrays[key].dtype.kind not in "iuf":
            raise ValueError(f"{path}: {key} must be numbers, found the type {arrays[key].dtype}")
    _check_copies(path, arrays, (*several, "c", n_particles, 3))
    window = _time(path, WINDOW, arrays)
    try:
        return [
            [History(window, *of_one) for of_one in zip(*of_structure, strict=True)]
            for of_structure in zip(displacement, variance, energy, strict=True)
        ]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def copies_of(arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Give the thermal copies of a file whose histories `from_arrays` has checked.

    Parameters
    ----------
    arrays : dict of str to array
        By the keys of the file.

    Returns
    -------
    float [n_structures, n_velocities, n_copies, n_particles, 3]
        Unwrapped positions, length unit; `n_copies` may be 0.

    Examples
    --------
    >>> history = History(30.0, np.zeros((2, 3)), np.ones(2), np.ones(2))
    >>> copies_of(to_arrays([[history]])).shape
    (1, 1, 0, 2, 3)
    """
    n_structures, n_velocities, n_particles = arrays[KEYS[1]].shape
    nothing = np.zeros((n_structures, n_velocities, 0, n_particles, 3), dtype=np.float32)
    return arrays.get(COPIES, nothing)


def interval_of(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> float:
    """Give the time from one sample of the histories to the next.

    Parameters
    ----------
    path : Path
        The file, for messages.
    arrays : dict of str to array
        By the keys of the file.

    Returns
    -------
    float
        Time unit.

    Raises
    ------
    ValueError
        If the file does not say the interval, or it is not a positive number.

    Examples
    --------
    >>> interval_of(Path("h.npz"), {"history_interval": np.array(0.5)})
    0.5
    """
    if INTERVAL not in arrays:
        raise ValueError(
            f"{path}: lacks {INTERVAL}, the time from one sample of its histories to the next; "
            "make it by `lammps-botan simulate history`"
        )
    return _time(path, INTERVAL, arrays)


def _check_copies(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], shape: tuple[int | str, ...]
) -> None:
    """Refuse copies of another shape; "c" stands for the number of copies."""
    if COPIES not in arrays:
        return
    copies = arrays[COPIES]
    n_copies = copies.shape[2] if copies.ndim == len(shape) else 0
    if n_copies < 1 or copies.shape != (*shape[:2], n_copies, *shape[3:]):
        raise ValueError(
            f"{path}: expected {COPIES} of shape [{', '.join(map(str, shape))}] with c copies, "
            f"found {list(copies.shape)}"
        )
    if copies.dtype.kind not in "iuf":
        raise ValueError(f"{path}: {COPIES} must be numbers, found the type {copies.dtype}")
    if not np.isfinite(copies).all():
        raise ValueError(f"{path}: {COPIES} holds values that are not finite")


def _time(path: Path, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> float:
    value = arrays[key]
    if value.shape != () or value.dtype.kind not in "iuf" or not 0 < float(value) < np.inf:
        raise ValueError(f"{path}: {key} must be a positive time, found {value.tolist()}")
    return float(value)
