"""Write LAMMPS text dumps, in the layout of `dump custom`, and open files that are refused."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from lammps_botan.files.trajectory import open_frames

ORTHOGONAL = np.diag([6.0, 7.0, 8.0])
TRICLINIC = np.array([[6.0, 0.0, 0.0], [1.2, 5.8, 0.0], [-0.8, 0.6, 6.2]])


def frame(
    positions: np.ndarray,
    cell: np.ndarray,
    *,
    step: int = 0,
    time: float | None = None,
    types: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    columns: str = "id type xu yu zu",
    boundary: str = "pp pp pp",
    units: str = "",
) -> str:
    """Text of one frame; the lower corner of the box is the origin."""
    n = len(positions)
    types = np.ones(n, int) if types is None else types
    ids = np.arange(n) + 1 if ids is None else ids
    xy, xz, yz = cell[1, 0], cell[2, 0], cell[2, 1]
    low = np.array([min(0, xy, xz, xy + xz), min(0, yz), 0])
    high = np.diagonal(cell) + np.array([max(0, xy, xz, xy + xz), max(0, yz), 0])
    bounds = np.column_stack([low, high])
    tilts = ""
    if any((xy, xz, yz)):
        tilts, bounds = "xy xz yz ", np.column_stack([bounds, [xy, xz, yz]])
    text = f"ITEM: UNITS\n{units}\n" if units else ""
    text += "" if time is None else f"ITEM: TIME\n{time:.16g}\n"
    text += f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{n}\n"
    text += f"ITEM: BOX BOUNDS {tilts}{boundary}\n"
    text += "".join(" ".join(f"{x:.16e}" for x in row) + "\n" for row in bounds)
    text += f"ITEM: ATOMS {columns} \n"
    rows = zip(ids, types, positions, strict=True)
    return text + "".join(f"{i} {t} {x:.17g} {y:.17g} {z:.17g} \n" for i, t, (x, y, z) in rows)


def write(path: Path, *frames: str) -> Path:
    """Write frames, compressed where the name ends in .gz."""
    text = "".join(frames)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def write_runs(
    folder: Path,
    final: np.ndarray,
    cell: np.ndarray,
    types: np.ndarray,
    *,
    suffix: str = ".dump",
    steps: list[int] | None = None,
) -> list[Path]:
    """One dump for each run from `final` [n_frames, n_runs, n_particles, 3]."""
    steps = list(range(len(final))) if steps is None else steps
    return [
        write(
            folder / f"run_{k}{suffix}",
            *(
                frame(moved[k], cell, step=step, types=types)
                for step, moved in zip(steps, final, strict=True)
            ),
        )
        for k in range(final.shape[1])
    ]


def refused(path: Path, **options: object) -> str:
    """What `open_frames` says of a file that it must refuse by name."""
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        list(open_frames(path, **options))
    return str(caught.value)
