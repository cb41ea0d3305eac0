"""Windows of one trajectory: all pairs of frames that are one lag time apart.

In equilibrium any frame may be the origin t = 0, and the average over all origins is the window
average, as in MDAnalysis's `EinsteinMSD`. Frames may have any times: evenly spaced, or for instance
at short intervals after each of several origins.
"""

from dataclasses import dataclass

import numpy as np

from lammps_botan.structure.box import Floats, Ints

ALL_LAGS = 60  # up to so many each is taken, then so many to a decade:
PER_DECADE = 12
MOST_ORIGINS = 1000  # of a lag time, evenly spread: more of them tell little more
BLOCKS = 5  # of origins, for the error
SAME = 1e-3  # of the shortest interval: times that differ by less are equal


@dataclass(frozen=True, eq=False)
class Windows:
    """Pairs of frames one lag time apart.

    Attributes
    ----------
    lag_time : float
        Time unit of the trajectory.
    origins, ends : int64 [n_windows]
        Numbers of the frames.
    blocks : int64 [n_windows]
        Number of the stretch of time that the origin is in, of `BLOCKS` equal ones. Each stretch is
        no shorter than the lag time, so that the averages over them are nearly independent. All -1
        where the trajectory is too short for that, or a stretch has no origin.

    Examples
    --------
    >>> one = Windows(1.0, np.array([0, 1]), np.array([1, 2]), blocks=np.array([-1, -1]))
    >>> one.ends - one.origins
    array([1, 1])
    """

    lag_time: float
    origins: Ints
    ends: Ints
    blocks: Ints


def find_windows(times: Floats) -> list[Windows]:
    """Find the windows of each lag time, which are the times since the first frame.

    If there are more than 60 lag times, about twelve to a decade are taken.

    Parameters
    ----------
    times : float [n_frames]
        Ascending, time unit.

    Returns
    -------
    list of Windows
        In the order of their lag times.

    Examples
    --------
    >>> [(w.lag_time, len(w.origins)) for w in find_windows(np.array([0.0, 1.0, 2.0, 3.0]))]
    [(1.0, 3), (2.0, 2), (3.0, 1)]
    """
    times = np.asarray(times, dtype=np.float64)
    if len(times) < 2:
        return []
    near = SAME * np.diff(times).min()
    return [_windows(times, lag, near) for lag in _lag_times(times[1:] - times[0])]


def _lag_times(all_lags: Floats) -> list[float]:
    if len(all_lags) <= ALL_LAGS:
        return [float(lag) for lag in all_lags]
    shortest, longest = np.log10(all_lags[[0, -1]])
    wanted = np.logspace(shortest, longest, int(PER_DECADE * (longest - shortest)) + 1)
    nearest = {int(np.abs(all_lags - lag).argmin()) for lag in wanted}
    return [float(all_lags[k]) for k in sorted(nearest)]


def _windows(times: Floats, lag: float, near: float) -> Windows:
    ends = np.searchsorted(times, times + lag - near)
    origins = np.flatnonzero(ends < len(times))
    origins = origins[np.abs(times[ends[origins]] - times[origins] - lag) <= near]
    if len(origins) > MOST_ORIGINS:
        some = np.linspace(0, len(origins) - 1, MOST_ORIGINS).round().astype(int)
        origins = origins[some]
    stretch = (times[-1] - times[0] - lag) / BLOCKS
    blocks = np.full(len(origins), -1)
    if stretch >= lag:
        since = times[origins] - times[0]
        blocks = np.minimum((since / stretch).astype(int), BLOCKS - 1)
        if len(np.unique(blocks)) < BLOCKS:
            blocks = np.full(len(origins), -1)
    return Windows(lag, origins, ends[origins], blocks)
