"""A slice through a configuration, drawn with its particles as disks."""

import itertools

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.patches import Polygon

from lammps_botan.structure.graph import Floats, Ints

DIAMETERS = (1.0, 0.88)  # sigma_AA and sigma_BB of the Kob-Andersen mixture


def in_slice(positions: Floats, cell: Floats, origin: Floats, thickness: float) -> Ints:
    """Which particles have their center in the slice halfway up the box, the upper ones last.

    Parameters
    ----------
    positions : [n_particles, 3]
        Wrapped or not, LJ units.
    cell : [3, 3]
        Cell vectors as rows, the first along x, the second in the xy plane.
    origin : [3]
        Lower corner of the box.
    thickness : float
        Of the slice, along z.
    """
    z = (positions[:, 2] - origin[2]) % cell[2, 2]
    shown = np.flatnonzero(np.abs(z - cell[2, 2] / 2) < thickness / 2)
    return np.asarray(shown[np.argsort(z[shown])])


def draw_slice(
    axes: Axes,
    positions: Floats,
    cell: Floats,
    origin: Floats,
    species: Ints,
    values: Floats,
    limits: tuple[float, float],
    colormap: str = "viridis",
) -> EllipseCollection:
    """Draw particles seen from above in the outline of the cell, with their periodic images.

    Parameters
    ----------
    axes : Axes
    positions, cell, origin
        As for `in_slice`; only particles of the slice.
    species : int [n_particles]
        From 0; all but the first have a rim and the diameter of B.
    values : [n_particles]
        Quantity that colors the particles; those with NaN are grey.
    limits : two floats
        Of the colors.
    colormap : str
        Of matplotlib.

    Returns
    -------
    EllipseCollection
        To make a color bar of.
    """
    outline = _Outline(cell, origin)
    diameters = np.take(DIAMETERS, np.minimum(species, 1))
    # disks that reach into the outline, whichever their image
    k, centers = outline.images(outline.places(positions), diameters / 2)
    disks = EllipseCollection(
        diameters[k],
        diameters[k],
        np.zeros(len(k)),
        units="xy",
        offsets=centers,
        offset_transform=axes.transData,
        cmap=mpl.colormaps[colormap].with_extremes(bad="0.85"),
        edgecolors=np.where(species[k] > 0, "black", "white").tolist(),
        linewidths=np.where(species[k] > 0, 1.0, 0.4).tolist(),
    )
    disks.set_array(np.ma.masked_invalid(values[k]))
    disks.set_clim(*limits)
    axes.add_collection(disks)
    outline.frame(axes, disks)
    return disks


def draw_bonds(
    axes: Axes,
    starts: Floats,
    vectors: Floats,
    cell: Floats,
    origin: Floats,
    values: Floats,
    limits: tuple[float, float],
    colormap: str = "viridis",
) -> LineCollection:
    """Draw bonds seen from above in the outline of the cell, with their periodic images.

    Parameters
    ----------
    axes : Axes
    starts : [n_bonds, 3]
        One end of each.
    vectors : [n_bonds, 3]
        From there to the other end, of the minimum image.
    cell, origin
        As for `in_slice`.
    values : [n_bonds]
        Quantity that colors the bonds.
    limits : two floats
        Of the colors.
    colormap : str
        Of matplotlib.

    Returns
    -------
    LineCollection
        To make a color bar of.
    """
    outline = _Outline(cell, origin)
    k, points = outline.images(outline.places(starts), np.linalg.norm(vectors[:, :2], axis=1))
    lines = LineCollection(
        list(np.stack([points, points + vectors[k, :2]], axis=1)),
        cmap=mpl.colormaps[colormap],
        linewidths=3.0,
        capstyle="round",
    )
    lines.set_array(values[k])
    lines.set_clim(*limits)
    axes.add_collection(lines)
    outline.frame(axes, lines)
    return lines


class _Outline:
    """The cell seen from above, halfway up."""

    def __init__(self, cell: Floats, origin: Floats) -> None:
        self._cell, self._origin = cell, origin
        self._edges = cell[:2, :2]  # as rows
        self._corner = origin[:2] + cell[2, :2] / 2

    def places(self, positions: Floats) -> Floats:
        """Fractional places [n, 2] of particles of the slice, in the outline."""
        cell = self._cell
        up = np.rint((positions[:, 2] - self._origin[2]) / cell[2, 2] - 0.5)  # boxes above this one
        points = positions[:, :2] - up[:, None] * cell[2, :2] - self._corner
        places = points @ np.linalg.inv(self._edges)
        return np.asarray(places - np.floor(places))

    def images(self, places: Floats, reach: Floats) -> tuple[Ints, Floats]:
        """Indices [n_images] and points [n_images, 2] of what reaches into the outline, in order.

        Parameters
        ----------
        places : [n, 2]
        reach : [n]
            How far each extends from its place.
        """
        inverse = np.linalg.norm(np.linalg.inv(self._edges), axis=0)
        margin = reach[:, None] * inverse
        which, points = [], []
        for shift in itertools.product((-1, 0, 1), repeat=2):
            image = places + np.array(shift)
            seen = np.flatnonzero(((image > -margin) & (image < 1 + margin)).all(axis=1))
            which.append(seen)
            points.append(image[seen] @ self._edges + self._corner)
        k, found = np.concatenate(which), np.concatenate(points)
        order = np.argsort(k, kind="stable")  # the upper ones in front
        return k[order], found[order]

    def frame(self, axes: Axes, drawn: EllipseCollection | LineCollection) -> None:
        """Draw the outline, and nothing outside of it."""
        outline = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) @ self._edges + self._corner
        frame = Polygon(outline, closed=True, fill=False, edgecolor="0.3", clip_on=False)
        axes.add_patch(frame)
        drawn.set_clip_path(frame)
        low, high = outline.min(axis=0), outline.max(axis=0)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
        axes.spines[:].set_visible(False)  # the outline is the frame
        axes.set(xlabel=r"$x/\sigma_{AA}$", ylabel=r"$y/\sigma_{AA}$")
