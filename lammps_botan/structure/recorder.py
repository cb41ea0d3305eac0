"""The history of particles, recorded while configurations come in one after the other.

Positions are kept in the coordinates s of a lattice, r = s B: along a periodic direction a row of B
is the cell vector, along another direction the row has length 1. A box that is strained carries its
particles along: an affine change of the box is no motion, and a boundary that follows the outermost
particle moves no particle. From one sample to the next each particle goes to its nearest image.

A window has `parts` complete parts and the begun part of the next one. The recorder keeps mean,
covariance and mean energy of each part and merges them exactly (Chan, Golub and LeVeque, The
American Statistician 37, 242 (1983), doi:10.1080/00031305.1983.10483115).
"""

import numpy as np
import numpy.typing as npt

from lammps_botan.structure.box import Box, Floats, Ints
from lammps_botan.structure.history import History

ROWS, COLUMNS = np.array([0, 1, 2, 0, 0, 1]), np.array([0, 1, 2, 1, 2, 2])  # of a covariance


class Recorder:
    """Record the last time t_w of each particle.

    Parameters
    ----------
    window : float
        t_w, time unit; a label of the histories, since samples come without a time.
    parts : int
        The window moves on by one of so many parts.
    samples_per_part : int
        Samples that make a part.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> box = Box(4.0, (True, True, True))
    >>> recorder = Recorder(window=2.0, parts=2, samples_per_part=1)
    >>> for x in (3.5, 4.5):  # across the boundary
    ...     recorder.add(np.array([[x % 4.0, 0.0, 0.0]]), box, np.array([-5.0]))
    >>> history = recorder.history(np.array([[0.5, 0.0, 0.0]]), box)
    >>> history.displacement, history.variance, history.energy
    (array([[-0.5,  0. ,  0. ]]), array([0.25]), array([-5.]))
    """

    def __init__(self, window: float, parts: int, samples_per_part: int) -> None:
        for name, number in (
            ("window", window),
            ("parts", parts),
            ("samples_per_part", samples_per_part),
        ):
            if not number > 0:
                raise ValueError(f"{name} must be positive, found {number}")
        self._window, self._parts, self._per_part = window, parts, samples_per_part
        self.clear()

    def clear(self) -> None:
        """Forget all samples."""
        self._n = 0  # samples
        self._ids: Ints = np.empty(0, np.int64)
        self._begin: Ints = np.empty(0, np.int64)  # of the first whole part of each particle
        self._last: Floats = np.empty((0, 3))  # unwrapped, at the last sample
        slots = self._parts + 1  # a ring
        self._means: Floats = np.empty((slots, 0, 3))
        self._squares: Floats = np.empty((slots, 0, 6))  # sums of products of deviations
        self._energies: Floats = np.empty((slots, 0))
        self._lattice: Floats | None = None

    def add(
        self,
        positions: npt.ArrayLike,
        box: Box,
        energies: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
    ) -> None:
        """Take a sample.

        The window of a particle that was not in the last sample begins with the next part.
        Particles that are not in this sample are forgotten.

        Parameters
        ----------
        positions : float [n_particles, 3]
            Wrapped or unwrapped, length unit.
        box : Box
        energies : float [n_particles]
            Potential energy of each particle, energy unit.
        ids : int [n_particles], optional
            All different. Default: 1 to n_particles.

        Raises
        ------
        ValueError
            If the arrays do not fit together, or hold numbers that are not finite.
        """
        positions, energies = np.asarray(positions, np.float64), np.asarray(energies, np.float64)
        n = len(positions)
        if positions.shape != (n, 3) or energies.shape != (n,):
            raise ValueError(
                "a sample needs positions [n_particles, 3] and energies [n_particles], found "
                f"{list(positions.shape)} and {list(energies.shape)}"
            )
        if not (np.isfinite(positions).all() and np.isfinite(energies).all()):
            raise ValueError("positions and energies of a sample must be finite numbers")
        self._follow(box)
        self._select(_numbered(ids, n))
        self._last = self._unwrapped(positions, box)
        slot, before = self._slot, self._n % self._per_part
        if before == 0:
            for sums in (self._means, self._squares, self._energies):
                sums[slot] = 0.0
        # Welford: the deviations from the old and from the new mean
        old = self._last - self._means[slot]
        self._means[slot] += old / (before + 1)
        new = self._last - self._means[slot]
        self._squares[slot] += old[:, ROWS] * new[:, COLUMNS]
        self._energies[slot] += (energies - self._energies[slot]) / (before + 1)
        self._n += 1

    def share(self, ids: npt.ArrayLike | None = None) -> float:
        """Give the recorded share of the window, from 0 to 1, of the particle with the least.

        Parameters
        ----------
        ids : int [n_particles], optional
            Particles that count. Default: those of the last sample.

        Returns
        -------
        float
            0 where there are no particles.
        """
        begin = self._begin
        if ids is not None:
            begin = np.append(begin, self._n)[self._places(np.asarray(ids, np.int64))]
        if not len(begin):
            return 0.0
        return float(np.clip((self._n - begin.max()) / (self._parts * self._per_part), 0, 1))

    def history(
        self, positions: npt.ArrayLike, box: Box, ids: npt.ArrayLike | None = None
    ) -> History | None:
        """Give the history of these particles, or None if the window of a particle is not full.

        Parameters
        ----------
        positions : float [n_particles, 3]
            Positions now, wrapped or unwrapped, length unit; each less than half a box from the
            last sample of its particle.
        box : Box
        ids : int [n_particles], optional
            As in `add`.

        Returns
        -------
        History or None
        """
        positions = np.asarray(positions, np.float64)
        ids = _numbered(ids, len(positions))
        if self.share(ids) < 1:
            return None
        self._follow(box)
        some = self._places(ids)
        mean, covariance, energy = self._averages(some)
        lattice = _lattice(box)
        metric = (lattice @ lattice.T)[ROWS, COLUMNS] * np.where(ROWS == COLUMNS, 1, 2)
        return History(
            window=self._window,
            displacement=(mean - self._unwrapped(positions, box, self._last[some])) @ lattice,
            # rounding can make a variance of nothing negative
            variance=np.maximum(covariance @ metric, 0.0),
            energy=energy,
        )

    def _averages(self, some: Ints) -> tuple[Floats, Floats, Floats]:
        """Mean [n, 3], covariance [n, 6] and mean energy [n] over the full windows of particles."""
        counts = np.full(self._parts + 1, self._per_part)
        counts[self._slot] = self._n % self._per_part
        used, n_samples = np.flatnonzero(counts), counts.sum()
        weights = counts[used, None] / n_samples
        means = self._means[used][:, some]
        mean = (weights[..., None] * means).sum(axis=0)
        apart = means - mean
        products = weights[..., None] * apart[..., ROWS] * apart[..., COLUMNS]
        squares = self._squares[used][:, some].sum(axis=0)
        energy = (weights * self._energies[used][:, some]).sum(axis=0)
        return mean, products.sum(axis=0) + squares / n_samples, energy

    @property
    def _slot(self) -> int:
        """Slot of the part in progress."""
        return self._n // self._per_part % (self._parts + 1)

    def _places(self, ids: Ints) -> Ints:
        """Give the rows of these particles; -1 for particles that were not in the last sample."""
        if np.array_equal(ids, self._ids):
            return np.arange(len(ids))
        if not len(self._ids):
            return np.full(len(ids), -1)
        order = np.argsort(self._ids)
        place = order[np.searchsorted(self._ids, ids, sorter=order).clip(max=len(order) - 1)]
        return np.where(self._ids[place] == ids, place, -1)

    def _select(self, ids: Ints) -> None:
        """Order the rows as these particles."""
        if np.array_equal(ids, self._ids):
            return
        place = self._places(ids)
        slots = len(self._means)
        # row -1, a further one, is for new particles
        next_part = -(-self._n // self._per_part) * self._per_part
        self._begin = np.append(self._begin, next_part)[place]
        self._last = np.append(self._last, np.full((1, 3), np.nan), axis=0)[place]
        self._means = np.append(self._means, np.zeros((slots, 1, 3)), axis=1)[:, place]
        self._squares = np.append(self._squares, np.zeros((slots, 1, 6)), axis=1)[:, place]
        self._energies = np.append(self._energies, np.zeros((slots, 1)), axis=1)[:, place]
        self._ids = ids

    def _unwrapped(self, positions: Floats, box: Box, last: Floats | None = None) -> Floats:
        """Coordinates of the images that are nearest to the last sample, where there is one."""
        inverse = np.linalg.inv(_lattice(box))
        periodic = np.array(box.periodic)
        now = positions @ inverse - (box.origin @ inverse) * periodic
        last = self._last if last is None else last
        return np.asarray(now - np.nan_to_num(np.rint(now - last)) * periodic)

    def _follow(self, box: Box) -> None:
        """Move what is kept to the lattice of this box, where LAMMPS has chosen other cell vectors.

        It flips a tilt by a cell vector: B' = M B with integers M, and s' = s M^-1.
        """
        lattice = _lattice(box)
        if self._lattice is not None:
            change = np.rint(lattice @ np.linalg.inv(self._lattice))
            if np.any(change != np.eye(3)) and round(abs(np.linalg.det(change))) == 1:
                inverse = np.linalg.inv(change)
                self._last = self._last @ inverse
                self._means = self._means @ inverse
                products = np.empty((*self._squares.shape[:2], 3, 3))
                products[..., ROWS, COLUMNS] = products[..., COLUMNS, ROWS] = self._squares
                self._squares = (inverse.T @ products @ inverse)[..., ROWS, COLUMNS]
        self._lattice = lattice


def _lattice(box: Box) -> Floats:
    """Rows of B, float64 [3, 3]."""
    lengths = np.where(box.periodic, 1.0, np.linalg.norm(box.cell, axis=1))
    return box.cell / lengths[:, None]


def _numbered(ids: npt.ArrayLike | None, n: int) -> Ints:
    if ids is None:
        return np.arange(1, n + 1)
    ids = np.asarray(ids, np.int64)
    if ids.shape != (n,):
        raise ValueError(f"{n} particles need as many ids, found shape {list(ids.shape)}")
    return ids
