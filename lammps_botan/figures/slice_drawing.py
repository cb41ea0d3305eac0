"""A slice through a configuration, drawn with its particles as disks.

Two-dimensional configurations are drawn whole.
"""

import itertools

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.patches import Polygon

from lammps_botan.figures.units import over_length
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration

WIDE = 16  # particles side by side whose rims do not hide them


def in_slice(configuration: Configuration, thickness: float | None = None) -> Ints:
    """Find the particles whose center is in the slice at half the height of the box.

    Parameters
    ----------
    configuration : Configuration
        Its first cell vector points along x, its second lies in the xy plane.
    thickness : float, optional
        Thickness of the slice along z, length unit. Default: the diameter of a particle.

    Returns
    -------
    int64 [n_shown]
        Their numbers, the upper ones last; all particles where all have the same z.

    Raises
    ------
    ValueError
        If no slice can be drawn of the cell, there is no particle in the slice, or a thickness is
        given in two dimensions.
    """
    box, z = configuration.box, configuration.positions[:, 2]
    try:
        box.lammps_bounds()
    except ValueError as error:
        raise ValueError(f"{configuration.where}: {error}") from error
    if len(z) > 1 and not np.ptp(z):
        if thickness is not None:
            raise ValueError(
                f"{configuration.where}: all particles have the same z, and the whole plane is "
                "drawn; leave the thickness of a slice out"
            )
        return np.arange(len(z))
    if thickness is None:
        thickness = float(disk_diameters(configuration).max(initial=0))
    height = box.cell[2, 2]
    above = (z - box.origin[2]) % height
    shown = np.flatnonzero(np.abs(above - height / 2) < thickness / 2)
    if not len(shown):
        raise ValueError(f"{configuration.where}: no particle is in the slice; make it thicker")
    return np.asarray(shown[np.argsort(above[shown])])


def disk_diameters(configuration: Configuration) -> Floats:
    """Diameters in which particles are drawn, float64 [n_particles], length unit.

    The bond length of a species with itself, relative to that of the reference species, gives the
    diameter. Without a mixture, all particles have the mean distance of particles at this density.
    """
    mixture, n = configuration.mixture, configuration.n_particles
    if mixture is None:
        dimension = 3 if n < 2 or np.ptp(configuration.positions[:, 2]) else 2
        space = configuration.box.volume if dimension == 3 else configuration.box.area
        return np.full(n, (space / max(n, 1)) ** (1 / dimension))
    own = np.diagonal(np.array(mixture.bond_lengths))
    return np.asarray((mixture.diameter * own / own[mixture.reference])[configuration.species])


def main_species(configuration: Configuration, values: Floats | None = None) -> int:
    """Species that sets the scale of the colors, and whose particles have no rim.

    It is the reference species of the mixture. Where the mixture is not known, it is the most
    common one among the particles whose value, [n_particles], is not NaN. The others may move so
    much farther that a scale for all would hide the differences in this species.
    """
    if configuration.mixture is not None:
        return configuration.mixture.reference
    species = configuration.species
    if values is not None and np.isfinite(values).any():
        species = species[np.isfinite(values)]
    return int(np.bincount(species).argmax())


def draw_slice(
    axes: Axes,
    configuration: Configuration,
    shown: Ints,
    values: Floats,
    limits: tuple[float, float],
    colormap: str = "viridis",
    main: int | None = None,
) -> EllipseCollection:
    """Draw particles seen from above in the outline of the cell, with their periodic images.

    Parameters
    ----------
    axes : Axes
    configuration : Configuration
    shown : int [n_shown]
        Numbers of the particles to draw, see `in_slice`; all but those of the main species have a
        rim.
    values : [n_shown]
        Quantity that colors the particles; those with NaN are grey.
    limits : two floats
        Ends of the colors.
    colormap : str
        A color map of matplotlib.
    main : int, optional
        The main species. Default: see `main_species`.

    Returns
    -------
    EllipseCollection
        For a color bar.
    """
    outline = _Outline(configuration)
    diameters = disk_diameters(configuration)[shown]
    main = main_species(configuration) if main is None else main
    rims = configuration.species[shown] != main
    # disks that reach into the outline, whichever their image
    k, centers = outline.images(outline.places(configuration.positions[shown]), diameters / 2)
    disks = EllipseCollection(
        diameters[k],
        diameters[k],
        np.zeros(len(k)),
        units="xy",
        offsets=centers,
        offset_transform=axes.transData,
        cmap=mpl.colormaps[colormap].with_extremes(bad="0.85"),
        edgecolors=np.where(rims[k], "black", "white").tolist(),
        linewidths=(np.where(rims[k], 1.0, 0.4) * outline.pen).tolist(),
    )
    disks.set_array(np.ma.masked_invalid(values[k]))
    disks.set_clim(*limits)
    axes.add_collection(disks)
    outline.frame(axes, disks)
    return disks


def draw_bonds(
    axes: Axes,
    configuration: Configuration,
    starts: Floats,
    vectors: Floats,
    values: Floats,
    limits: tuple[float, float],
    colormap: str = "viridis",
) -> LineCollection:
    """Draw bonds seen from above in the outline of the cell, with their periodic images.

    Parameters
    ----------
    axes : Axes
    configuration : Configuration
    starts : [n_bonds, 3]
        One end of each.
    vectors : [n_bonds, 3]
        From there to the other end, of the minimum image.
    values : [n_bonds]
        Quantity that colors the bonds.
    limits : two floats
        Ends of the colors.
    colormap : str
        A color map of matplotlib.

    Returns
    -------
    LineCollection
        For a color bar.
    """
    outline = _Outline(configuration)
    k, points = outline.images(outline.places(starts), np.linalg.norm(vectors[:, :2], axis=1))
    lines = LineCollection(
        list(np.stack([points, points + vectors[k, :2]], axis=1)),
        cmap=mpl.colormaps[colormap],
        linewidths=3.0 * outline.pen,
        capstyle="round",
    )
    lines.set_array(values[k])
    lines.set_clim(*limits)
    axes.add_collection(lines)
    outline.frame(axes, lines)
    return lines


class _Outline:
    """The cell seen from above, at half its height.

    Attributes
    ----------
    pen : float
        Factor of line widths: less than 1 where the cell is more than `WIDE` particles wide.
    """

    def __init__(self, configuration: Configuration) -> None:
        box = configuration.box
        self._cell, self._origin, self._periodic = box.cell, box.origin, box.periodic
        self._edges = box.cell[:2, :2]  # as rows
        self._corner = box.origin[:2] + box.cell[2, :2] / 2
        self._unit = over_length(configuration.mixture)
        width = np.linalg.norm(self._edges[0]) / disk_diameters(configuration).max(initial=0)
        self.pen = min(1.0, WIDE / float(width))

    def places(self, positions: Floats) -> Floats:
        """Fractional places [n, 2] of particles of the slice, in the outline."""
        cell = self._cell
        up = np.rint((positions[:, 2] - self._origin[2]) / cell[2, 2] - 0.5)  # boxes above this one
        points = positions[:, :2] - up[:, None] * cell[2, :2] - self._corner
        places = points @ np.linalg.inv(self._edges)
        return np.asarray(places - np.floor(places) * np.array(self._periodic[:2]))

    def images(self, places: Floats, reach: Floats) -> tuple[Ints, Floats]:
        """Find the images of places that reach into the outline.

        Parameters
        ----------
        places : [n, 2]
        reach : [n]
            Extent of each from its place.

        Returns
        -------
        int64 [n_images]
            Numbers of the places, ascending.
        float64 [n_images, 2]
            Their points.
        """
        inverse = np.linalg.norm(np.linalg.inv(self._edges), axis=0)
        margin = reach[:, None] * inverse
        which, points = [], []
        shifts = ((-1, 0, 1) if periodic else (0,) for periodic in self._periodic[:2])
        for shift in itertools.product(*shifts):
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
        axes.set(xlabel=f"$x{self._unit}$", ylabel=f"$y{self._unit}$")
