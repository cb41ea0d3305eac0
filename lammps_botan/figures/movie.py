"""Pictures of scored dumps: a slice through one frame, or through all of them."""

import itertools
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lammps_botan.figures.picture import save_picture
from lammps_botan.figures.scored_frames import (
    as_mixture,
    color_limits,
    find_column,
    quantity,
    scored_values,
    unit,
)
from lammps_botan.figures.slice_drawing import draw_bonds, draw_slice, in_slice, main_species
from lammps_botan.files.bond_dump import Bonds, read_bonds
from lammps_botan.files.lammps_dump import DumpFrames
from lammps_botan.files.whole_file import keep_apart, whole_file
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture

FRAME = re.compile(r"frame-\d{4,}\.png")
MOVIE = "movie.gif"
READING = 0.1  # share of the time that the first reading takes, which finds the color limits


def draw_map(
    dump: Path,
    output: Path,
    *,
    frame: int = 0,
    column: str | None = None,
    thickness: float | None = None,
    bonds: Path | None = None,
    mixture: Mixture | None = None,
) -> None:
    """Draw a slice through one frame of a scored dump, or its whole plane in two dimensions.

    Parameters
    ----------
    dump : Path
        A dump of `lammps-botan score`, or of LAMMPS with the output of `fix botan` as a column.
    output : Path
        A PNG, PDF or SVG file.
    frame : int
        From 0, or from the end: -1 is the last.
    column : str, optional
        Quantity that colors the particles. Default: the propensity.
    thickness : float, optional
        Thickness of the slice, at half the height of the box, length unit; see
        `lammps_botan.figures.slice_drawing.in_slice`.
    bonds : Path, optional
        Dump of bonds: those with both ends in the slice are drawn in place of the particles.
    mixture : Mixture, optional
        What the particles are, with type k as species k - 1; it sets the diameters that are drawn.
        Default: the shipped mixture of their composition.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such dump, frame, step or column, or the particles are not the mixture.
    """
    column = column or find_column(dump)
    chosen = as_mixture(_frame(dump, frame, column), mixture, column)
    if bonds is not None:
        _draw_bonds(output, chosen, _bonds_of(bonds, dump, frame), thickness)
        return
    _draw(output, chosen, column, thickness, color_limits([_shown(chosen, column, thickness)]))


def draw_movie(
    dump: Path,
    folder: Path,
    *,
    every: int = 1,
    fps: float = 10.0,
    column: str | None = None,
    thickness: float | None = None,
    mixture: Mixture | None = None,
) -> Iterator[tuple[int, float]]:
    """Draw a slice through each frame of a scored dump, with the same colors in all of them.

    Parameters
    ----------
    dump, column, thickness, mixture
        As for `draw_map`.
    folder : Path
        Gets frame-0000.png and so on, and movie.gif; made if it is not there.
    every : int
        Draw the first frame and each that is a multiple of this many frames after it.
    fps : float
        Frames per second.

    Yields
    ------
    int
        Frames drawn so far.
    float
        Share of the work that is done.

    Raises
    ------
    OSError, ValueError
        If the dump cannot be read, or the folder cannot be written.
    """
    if not 0 < fps <= 50:
        raise ValueError(f"fps must be positive and at most 50, found {fps:g}")
    column = column or find_column(dump)
    keep_apart([folder / MOVIE, *_frames_in(folder)], [dump])
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    frames = DumpFrames(dump, every=every, columns=[column])
    for frame in frames:
        shown.append(_shown(as_mixture(frame, mixture, column), column, thickness))
        yield 0, READING * frames.progress
    limits = color_limits(shown)
    pictures = []
    # of a movie before, which may be longer; not later, since this one may be interrupted
    for old in (folder / MOVIE, *_frames_in(folder)):
        old.unlink(missing_ok=True)
    for k, frame in enumerate(DumpFrames(dump, every=every, columns=[column])):
        pictures.append(folder / f"frame-{k:04d}.png")
        _draw(pictures[-1], as_mixture(frame, mixture, column), column, thickness, limits)
        yield k + 1, READING + (1 - READING) * (k + 1) / len(shown)
    _animate(pictures, folder / MOVIE, fps)


def _frames_in(folder: Path) -> list[Path]:
    """Pictures of a movie in a folder."""
    return [path for path in folder.glob("frame-*.png") if FRAME.fullmatch(path.name)]


def _frame(dump: Path, index: int, column: str) -> Configuration:
    if index >= 0:  # skips the frames between the first and this one
        frames = iter(DumpFrames(dump, every=max(1, index), columns=[column]))
        found = next(itertools.islice(frames, min(index, 1), None), None)
    else:
        last = deque(DumpFrames(dump, columns=[column]), maxlen=-index)
        found = last[0] if len(last) == -index else None
    if found is None:
        raise ValueError(f"{dump}: there is no frame {index}; the first one is 0")
    return found


def _bonds_of(bonds: Path, dump: Path, index: int) -> Bonds:
    """Bonds of a frame: of several with its step, those in the same place."""
    steps = DumpFrames(dump).steps()
    step, before = steps[index], steps[: index % len(steps)]
    return read_bonds(bonds, step, index=before.count(step), among=steps.count(step))


def _shown(frame: Configuration, column: str, thickness: float | None) -> Floats:
    """Values of the particles in the slice that are of the main species."""
    shown = in_slice(frame, thickness)
    values = scored_values(frame, column)
    main = shown[frame.species[shown] == main_species(frame, values)]
    return np.asarray(values[main], dtype=np.float32)


def _draw(
    path: Path,
    frame: Configuration,
    column: str,
    thickness: float | None,
    limits: tuple[float, float],
) -> None:
    shown = in_slice(frame, thickness)
    figure = Figure(figsize=(6.0, 5.0), layout="constrained")
    axes = figure.subplots()
    values = scored_values(frame, column)
    main = main_species(frame, values)
    disks = draw_slice(axes, frame, shown, values[shown], limits, main=main)
    figure.colorbar(disks, ax=axes, shrink=0.8, extend="both", label=quantity(frame, column))
    axes.set_title(f"step {frame.step}{_rims(frame, shown, main)}")
    save_picture(figure, path)


def _rims(frame: Configuration, shown: Ints, main: int) -> str:
    """Which particles have a rim, in words."""
    others = [int(k) for k in np.unique(frame.species[shown]) if k != main]
    if not others:
        return ""
    names = frame.species_names
    said = ", ".join(names[k] if names else str(k + 1) for k in others)
    return f" (black rim: {said})" if names else f" (black rim: type {said})"


def _draw_bonds(path: Path, frame: Configuration, bonds: Bonds, thickness: float | None) -> None:
    positions = frame.positions
    row = {int(frame.ids[k]): int(k) for k in in_slice(frame, thickness)}
    values: dict[tuple[int, int], list[float]] = {}
    for i, j, change in zip(bonds.center, bonds.neighbor, bonds.changes, strict=True):
        if i in row and j in row:
            values.setdefault((min(i, j), max(i, j)), []).append(change)
    if not values:
        raise ValueError(f"{frame.where}: no bond has both ends in the slice; make it thicker")
    first, second = (np.array([row[pair[end]] for pair in values]) for end in (0, 1))
    vectors = frame.box.minimum_image(positions[second] - positions[first])
    changes = np.array([np.mean(both) for both in values.values()])  # predicted from both ends
    figure = Figure(figsize=(6.0, 5.0), layout="constrained")
    axes = figure.subplots()
    lines = draw_bonds(axes, frame, positions[first], vectors, changes, color_limits([changes]))
    label = f"predicted pair-distance change{unit(frame)}"
    figure.colorbar(lines, ax=axes, shrink=0.8, extend="both", label=label)
    axes.set_title(f"step {frame.step}")
    save_picture(figure, path)


def _animate(pictures: list[Path], path: Path, fps: float) -> None:
    first = Image.open(pictures[0]).convert("RGB").quantize(dither=Image.Dither.NONE)
    # colors of the first picture in all of them: they would flicker otherwise
    others = (
        Image.open(picture).convert("RGB").quantize(palette=first, dither=Image.Dither.NONE)
        for picture in pictures[1:]
    )
    with whole_file(path) as part:
        first.save(
            part,
            format="GIF",
            save_all=True,
            append_images=others,
            duration=_durations(len(pictures), fps),
            loop=0,
        )


def _durations(n_pictures: int, fps: float) -> list[int]:
    """Milliseconds of each picture: whole hundredths of a second, which a GIF knows alone."""
    ends = [round(100 * (k + 1) / fps) for k in range(n_pictures)]
    return [10 * max(1, end - begin) for begin, end in zip([0, *ends], ends, strict=False)]
