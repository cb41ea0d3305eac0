"""The simulation box.

A position r and r + n_1 a_1 + n_2 a_2 + n_3 a_3 are the same place, with integers n and the cell
vectors a, for each direction in which the box is periodic. Two dimensions are a box that is not
periodic along z.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]

Periodic = tuple[bool, bool, bool]

# edges; in between the volumes, and in float32 the squares of lengths, are numbers
SHORTEST, LONGEST = 1e-15, 1e15


@dataclass(frozen=True, eq=False)
class Box:
    """Cell vectors, lower corner, and the directions that have periodic images.

    Parameters
    ----------
    cell : float, [2], [3] or [3, 3]
        Edge of a cube; two edges of a rectangle, which is 1 high; three edges of an orthogonal box;
        or the cell vectors as rows. Length unit of the configuration.
    periodic : three bools
        Whether there are images along each cell vector. There is no default.
    origin : float [3]
        Lower corner, length unit.

    Attributes
    ----------
    cell : float64 [3, 3]
    periodic : three bools
    origin : float64 [3]

    Raises
    ------
    ValueError
        If the cell has another shape, is not finite, spans no volume, has edges that are not
        positive, or is a rectangle that is periodic along z.

    Examples
    --------
    >>> round(Box([4.0, 5.0, 6.0], (True, True, True)).volume, 9)
    120.0
    >>> Box([4.0, 5.0], (True, True, False)).minimum_image(np.array([3.0, 0.0, 0.0]))
    array([-1.,  0.,  0.])
    """

    cell: Floats
    periodic: Periodic
    origin: Floats = (0.0, 0.0, 0.0)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        x, y, z = _flags(self.periodic)
        cell = _cell_matrix(self.cell)
        if np.shape(self.cell) == (2,) and z:
            raise ValueError(
                f"a box with 2 edges, {np.asarray(self.cell).tolist()}, has no images along z: "
                f"expected periodic = ({x}, {y}, False), found ({x}, {y}, True)"
            )
        origin = np.asarray(self.origin, dtype=np.float64)
        if origin.shape != (3,) or not np.isfinite(origin).all():
            raise ValueError(f"the origin of a box must be 3 numbers, found {origin.tolist()}")
        object.__setattr__(self, "cell", cell)
        object.__setattr__(self, "periodic", (x, y, z))
        object.__setattr__(self, "origin", origin)

    @classmethod
    def from_lammps(
        cls, low: Sequence[float], high: Sequence[float], tilts: Sequence[float], periodic: Periodic
    ) -> "Box":
        """Make the box with the corners xlo ylo zlo and xhi yhi zhi and the tilts xy, xz, yz.

        Parameters
        ----------
        low, high : float [3]
            Corners as in a data file of LAMMPS, length unit; not the bounding box of a dump.
        tilts : float [3]
            xy, xz and yz, length unit.
        periodic : three bools
            Whether there are images along each cell vector.

        Returns
        -------
        Box

        Raises
        ------
        ValueError
            If an upper corner is not above the lower one.

        Examples
        --------
        >>> box = Box.from_lammps([0, 0, 0], [4, 5, 6], [1, 0, 0], (True, True, True))
        >>> box.cell[1]
        array([1., 5., 0.])
        """
        (x, y, z), (xy, xz, yz) = np.subtract(high, low), tilts
        if not min(x, y, z) > 0:
            lo, hi = np.asarray(low).tolist(), np.asarray(high).tolist()
            raise ValueError(f"a box needs lo < hi, found lo {lo} and hi {hi}")
        cell = np.array([[x, 0.0, 0.0], [xy, y, 0.0], [xz, yz, z]])
        return cls(cell, periodic, np.asarray(low, dtype=np.float64))

    @property
    def volume(self) -> float:
        """Volume of the cell; in two dimensions the area times the height along z."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def area(self) -> float:
        """Area of the parallelogram of the first two cell vectors."""
        return float(np.linalg.norm(np.cross(self.cell[0], self.cell[1])))

    @property
    def heights(self) -> Floats:
        """Distances between opposite faces, float64 [3]."""
        return np.asarray(1 / np.linalg.norm(np.linalg.inv(self.cell), axis=0))

    @property
    def is_orthogonal(self) -> bool:
        """Whether the cell vectors lie along x, y and z."""
        return not np.count_nonzero(self.cell - np.diag(np.diagonal(self.cell)))

    @property
    def flat(self) -> "Box":
        """The same box without images along z, which LAMMPS has in two dimensions as well."""
        x, y, _ = self.periodic
        return Box(self.cell, (x, y, False), self.origin)

    def same_as(self, other: "Box", rtol: float = 1e-6) -> bool:
        """Whether cell vectors and periodic directions agree; the origins may differ.

        Parameters
        ----------
        other : Box
        rtol : float
            Tolerance of the cell vectors, as a share of the largest component.

        Returns
        -------
        bool
        """
        scale = float(np.abs(self.cell).max())
        same = np.allclose(self.cell, other.cell, rtol=0, atol=rtol * scale)
        return same and self.periodic == other.periodic

    def minimum_image(self, vectors: Floats) -> Floats:
        """Give the shortest periodic image of each vector.

        Parameters
        ----------
        vectors : float [..., 3]
            Differences of positions, length unit; not changed.

        Returns
        -------
        float64 [..., 3]
        """
        periodic = np.array(self.periodic)
        if self.is_orthogonal:
            lengths = np.diagonal(self.cell)
            return np.asarray(vectors - lengths * np.rint(vectors / lengths) * periodic)
        lattice = self.cell[periodic]
        inverse = np.linalg.pinv(lattice)
        shortest = np.asarray(vectors - np.rint(vectors @ inverse) @ lattice)
        # in a skewed cell the nearest image by fractional coordinates may have a shorter neighbor,
        # but not where it is shorter than half of the lowest height of the cell
        heights = 1 / np.linalg.norm(inverse, axis=0)
        lengths = np.linalg.norm(shortest, axis=-1)
        far = lengths > 0.5 * heights.min(initial=np.inf)
        # |fractional coordinate| <= 1/2 now, and <= length / height in any shorter image
        reach = [int(0.5 + lengths.max(initial=0.0) / height) for height in heights]
        start = closest = shortest[far]
        for shift in itertools.product(*(range(-n, n + 1) for n in reach)):
            image = start + np.array(shift) @ lattice
            closer = (image * image).sum(axis=-1) < (closest * closest).sum(axis=-1)
            closest = np.where(closer[..., None], image, closest)
        shortest[far] = closest
        return shortest

    def images(self, positions: Floats) -> Ints:
        """Give the image flags of unwrapped positions, as LAMMPS counts them.

        Parameters
        ----------
        positions : float [..., 3]
            Length unit.

        Returns
        -------
        int64 [..., 3]
            Cell vectors from the box to each position; 0 along directions without images.
        """
        fractional = (positions - self.origin) @ np.linalg.inv(self.cell)
        return np.asarray(np.floor(fractional) * np.array(self.periodic), dtype=np.int64)

    def wrap(self, positions: Floats) -> Floats:
        """Move positions into the box along its periodic directions.

        Parameters
        ----------
        positions : float [..., 3]
            Length unit; not changed.

        Returns
        -------
        float64 [..., 3]
        """
        return np.asarray(positions - self.images(positions) @ self.cell)

    def lammps_bounds(self) -> tuple[Floats, Floats, tuple[float, float, float]]:
        """Give the corners and tilts that LAMMPS writes for this box.

        Returns
        -------
        low, high : float64 [3]
            xlo ylo zlo and xhi yhi zhi, length unit.
        tilts : three floats
            xy, xz and yz, length unit.

        Raises
        ------
        ValueError
            If the first cell vector is not along x or the second not in the xy plane.
        """
        cell = self.cell
        if np.triu(cell, 1).any() or (np.diagonal(cell) <= 0).any():
            raise ValueError(
                "LAMMPS needs the first cell vector along x, the second in the xy plane and the "
                f"third upwards, found {cell.tolist()}: rotate box and positions"
            )
        tilts = (float(cell[1, 0]), float(cell[2, 0]), float(cell[2, 1]))
        return self.origin, self.origin + np.diagonal(cell), tilts


def _flags(periodic: Periodic) -> Periodic:
    flags = tuple(periodic) if isinstance(periodic, list | tuple | np.ndarray) else ()
    if len(flags) != 3 or not all(isinstance(flag, bool | np.bool_) for flag in flags):
        raise ValueError(
            "periodic must be three bools, one for each cell vector, as in (True, True, True), "
            f"found {periodic!r}"
        )
    x, y, z = map(bool, flags)
    return x, y, z


def _cell_matrix(given: npt.ArrayLike) -> Floats:
    array = np.asarray(given, dtype=np.float64)
    if array.shape not in {(), (2,), (3,), (3, 3)}:
        raise ValueError(
            "the box must be one length, 2 or 3 lengths or 3 cell vectors, found shape "
            f"{list(array.shape)}"
        )
    if array.shape != (3, 3) and not (array > 0).all():
        raise ValueError(f"the edges of a box must be positive, found {array.tolist()}")
    if array.shape == (2,):
        array = np.append(array, 1.0)
    cell = array if array.shape == (3, 3) else np.diag(np.broadcast_to(array, 3))
    lengths = np.abs(cell).max(axis=1, keepdims=True)
    finite = np.isfinite(cell).all() and lengths.min() > 0
    if not finite or np.isclose(np.linalg.det(cell / lengths), 0.0):
        raise ValueError(f"the box must span a finite volume, found {array.tolist()}")
    if lengths.min() < SHORTEST or lengths.max() > LONGEST:
        raise ValueError(
            f"the edges of a box must be from {SHORTEST:g} to {LONGEST:g} long, found "
            f"{array.tolist()}"
        )
    return np.array(cell)
