"""A page with the particles of a scored dump in three dimensions.

The page is drawn by K3D-jupyter (three.js), whose program is part of the page: a browser needs no
network to show it. Of the packages tried, plotly draws flat symbols whose size ignores the zoom and
writes pages of 4.5 MB, py3Dmol and MolViewSpec load their programs from the network. K3D draws
balls in the units of the positions, moves them from frame to frame and writes pages of 1.4 MB and
more.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations, product
from pathlib import Path
from typing import Any

import k3d
import matplotlib as mpl
import numpy as np
import numpy.typing as npt

from lammps_botan.figures.scored_frames import (
    as_mixture,
    color_limits,
    find_column,
    is_plane,
    quantity,
    scored_values,
)
from lammps_botan.figures.slice_drawing import disk_diameters, main_species
from lammps_botan.figures.units import as_html
from lammps_botan.files.lammps_dump import DumpFrames
from lammps_botan.files.whole_file import keep_apart, whole_file
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture

COLORMAP = "viridis"
UNSCORED = "0.85"  # grey
DOT = 0.2  # diameter of a particle that is not among the largest values, of its own diameter
LINE = 0.003  # width of the edges of the cell, of its longest edge


def draw_view(
    dump: Path,
    output: Path,
    *,
    every: int = 1,
    column: str | None = None,
    largest: float | None = None,
    mixture: Mixture | None = None,
) -> Iterator[tuple[int, float]]:
    """Write a page that shows the particles of a scored dump as balls, with a slider over frames.

    All frames have the same colors. The colors end at the percentiles 5 and 95 of the particles of
    the reference species; particles that were not scored are grey.

    Parameters
    ----------
    dump : Path
        Of `lammps-botan score`, or of LAMMPS with the output of `fix botan` as a column.
    output : Path
        HTML file to write.
    every : int
        Show the first frame and each that is a multiple of this many frames after it.
    column : str, optional
        Quantity that colors the particles; the propensity if it is not given.
    largest : float, optional
        Share of the scored particles of each species, above 0 and at most 1: in each frame the
        particles of the largest values are drawn in full, all others as dots. If it is not given,
        all particles are drawn in full.
    mixture : Mixture, optional
        What the particles are, with type k as species k - 1; it sets the diameters of the balls. If
        it is not given, the shipped mixture that has their composition and density.

    Yields
    ------
    tuple of int and float
        Frames read so far, and the share of the dump that is read.

    Raises
    ------
    FileNotFoundError
        If there is no such dump.
    ValueError
        If the dump has no such column, the particles are not the mixture, `largest` is outside its
        range, or the output is the dump.

    Examples
    --------
    >>> text = '''ITEM: TIMESTEP
    ... 0
    ... ITEM: NUMBER OF ATOMS
    ... 2
    ... ITEM: BOX BOUNDS pp pp pp
    ... 0 5
    ... 0 5
    ... 0 5
    ... ITEM: ATOMS id type x y z d_propensity
    ... 1 1 0.5 0.5 0.5 0.1
    ... 2 1 1.5 0.5 0.5 0.2
    ... '''
    >>> _ = Path("scored.dump").write_text(text)
    >>> list(draw_view(Path("scored.dump"), Path("view.html")))
    [(1, 1.0)]
    >>> Path("view.html").read_text()[:15]
    '<!doctype html>'
    """
    if largest is not None and not 0 < largest <= 1:
        raise ValueError(f"largest must be a share above 0 and at most 1, found {largest:g}")
    keep_apart([output], [dump])
    column = column or find_column(dump)
    shown: list[_Frame] = []
    label = column
    frames = DumpFrames(dump, every=every, columns=[column])
    for read in frames:
        frame = as_mixture(read, mixture, column)
        label = quantity(frame, column)
        shown.append(_shown(frame, column, largest))
        yield len(shown), frames.progress
    page = _page(shown, label)
    with whole_file(output) as part:
        part.write_text(page, encoding="utf-8")


@dataclass(frozen=True)
class _Frame:
    """A frame as it is drawn, in float32."""

    step: int | None
    positions: Floats  # [n_particles, 3], in the box
    diameters: Floats  # [n_particles]
    values: Floats  # [n_particles], NaN where a particle was not scored
    main: npt.NDArray[np.bool_]  # [n_particles], the species that the colors are made for
    corners: Floats  # of the cell, [8, 3], or [4, 3] of a plane


def _shown(frame: Configuration, column: str, largest: float | None) -> _Frame:
    values = scored_values(frame, column)
    diameters = disk_diameters(frame)
    if largest is not None:
        diameters = np.where(_among_largest(frame, values, largest), diameters, DOT * diameters)
    box, positions = frame.box, frame.box.wrap(frame.positions)
    flat = is_plane(frame)
    places = np.array([(*place, 0) for place in product((0, 1), repeat=2)])
    if not flat:
        places = np.array(list(product((0, 1), repeat=3)))
    corners = places @ box.cell + box.origin
    if flat:
        corners[:, 2] = positions[0, 2]
    return _Frame(
        frame.step,
        positions.astype(np.float32),
        diameters.astype(np.float32),
        values.astype(np.float32),
        frame.species == main_species(frame, values),
        corners.astype(np.float32),
    )


def _among_largest(frame: Configuration, values: Floats, share: float) -> npt.NDArray[np.bool_]:
    """Whether each particle is of this share of its species, which is the largest by the values."""
    among = np.zeros(len(values), dtype=bool)
    for species in np.unique(frame.species):
        scored = np.flatnonzero((frame.species == species) & np.isfinite(values))
        order = np.argsort(-values[scored], kind="stable")
        among[scored[order[: round(share * len(scored))]]] = True
    return among


def _page(frames: list[_Frame], label: str) -> str:
    limits = color_limits([frame.values[frame.main] for frame in frames])
    plot = k3d.plot(grid_visible=False, time_interpolation=False, name="lammps-botan view")
    plot += k3d.points(
        positions=_series([frame.positions for frame in frames]),
        point_sizes=_series([frame.diameters for frame in frames]),
        colors=_series([_colors(frame.values, limits) for frame in frames]),
        color_map=np.column_stack(
            [np.linspace(0, 1, 256), mpl.colormaps[COLORMAP](np.linspace(0, 1, 256))[:, :3]]
        ).astype(np.float32),
        color_range=list(limits),  # with the map, for the color bar
        name="particles",
    )
    corners = frames[0].corners
    ends = corners[np.array(_edges(len(corners)))]
    plot += k3d.lines(
        vertices=_series([frame.corners for frame in frames]),
        indices=_edges(len(corners)),
        indices_type="segment",
        width=LINE * float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).max()),
        color=0x4D4D4D,
        shader="simple",
        name="cell",
    )
    content = {"label": as_html(label), "steps": [frame.step for frame in frames]}
    # in a script of a page, "<" could end it
    page = json.dumps(content).replace("<", "\\u003c")
    controls = files("lammps_botan.figures").joinpath("view.js").read_text(encoding="utf-8")
    return str(plot.get_snapshot(additional_js_code=f"const page = {page};\n{controls}"))


def _series(arrays: list[Any]) -> Any:
    """One array for all frames where they are the same, or one for each number of a frame."""
    if all(np.array_equal(array, arrays[0]) for array in arrays):
        return arrays[0]
    return {str(float(k)): array for k, array in enumerate(arrays)}


def _colors(values: Floats, limits: tuple[float, float]) -> npt.NDArray[np.uint32]:
    """Colors as 0xRRGGBB."""
    low, high = limits
    colormap = mpl.colormaps[COLORMAP].with_extremes(bad=UNSCORED)
    places = np.ma.masked_invalid((values - low) / (high - low if high > low else 1.0))
    red, green, blue = np.asarray(colormap(places, bytes=True)).astype(np.uint32)[:, :3].T
    return np.asarray(red << 16 | green << 8 | blue, dtype=np.uint32)


def _edges(n_corners: int) -> list[list[int]]:
    """Pairs of corners that differ in one place, in the order of `itertools.product`."""
    pairs = combinations(range(n_corners), 2)
    return [[i, j] for i, j in pairs if (i ^ j).bit_count() == 1]
