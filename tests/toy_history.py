"""Histories from dumps of all samples, for comparison with those that the fix keeps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fix_toys import SHARE, handed_back
from lmp import Frame, all_images, read_dump
from numpy.typing import NDArray
from toy_inputs import save_given_back

Floats = NDArray[np.float64]

DT = 0.005  # LAMMPS's own for lj units
CUTOFF = 2.0


@dataclass(frozen=True)
class Window:
    """Of a model: parts of so many samples, one every so many steps of DT."""

    parts: int = 3
    per_part: int = 4
    stride: int = 5

    @property
    def n_samples(self) -> int:
        return self.parts * self.per_part

    def inputs(self) -> dict[str, object]:
        interval = self.stride * DT
        return {
            "history": {
                "window": self.n_samples * interval,
                "interval": interval,
                "parts": self.parts,
            }
        }


def save_averages(
    path: Path, window: Window, rounds: int = 1, *, dimension: int = 3, **changes: object
) -> Path:
    """Write the model file; `changes` replace entries of its metadata."""
    mixture: dict[str, object] = {"dimension": dimension}
    return save_given_back(path, window.inputs(), rounds=rounds, mixture=mixture, **changes)


def output(window: Window, every: int, edges: bool = False) -> str:
    """Dumps: s.txt of every sample, g.txt of what the fix gives, and b.txt of its bonds."""
    return f"""
    compute e all pe/atom
    dump s all custom {window.stride} s.txt id xsu ysu zsu xu yu zu c_e
    dump_modify s format float %.17g append yes
    dump g all custom {every} g.txt id type x y z xsu ysu zsu xu yu zu f_g[*]
    dump_modify g format float %.17g append yes
    {f"dump b all local {every} b.txt f_g[1] f_g[2] f_g[3] f_g[4]" if edges else ""}
    {"dump_modify b format float %.17g append yes" if edges else ""}
    thermo {every}
    thermo_modify format float %.12g lost ignore
    """


def continuous_cells(frames: list[Frame]) -> list[Floats]:
    """Cells as they were if no edge had been replaced by another one of the same lattice."""
    cells = [frames[0].cell]
    for frame in frames[1:]:
        cell = frame.cell.copy()
        for row, column in ((2, 1), (2, 0), (1, 0)):
            edge = cell[column].copy()
            cell[row] -= np.rint((cell - cells[-1])[row, column] / edge[column]) * edge
        cells.append(cell)
    return cells


def positions_in_the_box(frames: list[Frame]) -> tuple[Floats, Floats]:
    """Fractions of the box [n_frames, n, 3], and lengths where it ends at atoms; the last cell."""
    found = []
    for frame, cell in zip(frames, continuous_cells(frames), strict=True):
        scaled, x = (np.stack([frame[f"{a}{u}"] for a in "xyz"], axis=1) for u in ("su", "u"))
        fractions = scaled @ frame.cell @ np.linalg.inv(cell)
        found.append(np.where(frame.periodic, fractions, x))
    ends_at_atoms = ~np.array(frames[-1].periodic)
    cell[ends_at_atoms] = np.eye(3)[ends_at_atoms]
    return np.array(found), cell


def history(samples: list[Frame], window: Window, now: Frame) -> Floats:
    """Displacement, variance and energy [n, 5] from all samples so far, and where atoms are now."""
    complete = len(samples) // window.per_part
    samples = samples[max(complete - window.parts, 0) * window.per_part :]
    places, cell = positions_in_the_box([*samples, now])
    mean = places[:-1].mean(axis=0)
    variance = (((places[:-1] - mean) @ cell) ** 2).sum(axis=2).mean(axis=0)
    energy = np.mean([frame["c_e"] for frame in samples], axis=0)
    return np.column_stack([(mean - places[-1]) @ cell, variance, energy])


def sums_over_neighbors(frame: Frame, numbers: Floats, rounds: int) -> Floats:
    """Sums [n, columns] over the atoms on which walks of so many steps end."""
    edges = all_images(frame, CUTOFF)
    columns = [edges.walks(len(numbers), rounds, column) for column in numbers.T]
    return np.column_stack(columns)


def given_by_fix(frame: Frame) -> tuple[Floats, Floats]:
    """What is handed back of each atom and of its neighbors, as the fix has it."""
    n = len([name for name in frame.columns if name.startswith("f_g[")])
    values = np.column_stack([frame[f"f_g[{k + 1}]"] for k in range(n)])
    return values[:, : n // 2], values[:, n // 2 :]


def check_history(
    folder: Path, window: Window, *, rounds: int = 1, begin: int = 0, least: int = 1
) -> None:
    """What the fix gave at each scoring is that of the samples since a step, or 0 before.

    At least so many scorings have a history.
    """
    samples, scored = (read_dump(folder / f"{name}.txt") for name in "sg")
    samples = [frame for frame in samples if frame.step % window.stride == 0]
    n_full = 0
    for frame in scored:
        if frame.step < begin:
            continue
        # two runs share a step
        so_far = {f.step: f for f in samples if begin <= f.step <= frame.step}
        own, of_neighbors = given_by_fix(frame)
        if len(so_far) < window.n_samples:
            assert not own.any()
            assert not of_neighbors.any()
            continue
        n_full += 1
        seen = history(list(so_far.values()), window, frame)
        expected = handed_back(seen[:, None, :3], seen[:, 3:], has_history=True)
        sums = sums_over_neighbors(frame, expected, rounds) * SHARE**rounds
        assert_equal_to_float32(own, expected)
        assert_equal_to_float32(of_neighbors, sums)
    assert n_full >= least


def assert_equal_to_float32(found: Floats, expected: Floats) -> None:
    """To 2e-6 of the largest number of each column."""
    scale = np.abs(expected).max(axis=0)
    assert scale.min() > 0
    assert np.abs((found - expected) / scale).max() < 2e-6
