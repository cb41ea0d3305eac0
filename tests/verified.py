"""Runs that `fix botan ... verify yes` verifies, and what follows from their dumps."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from fix_toys import Walks, save_model
from lmp import Frame, read_dump, run_lmp

from lammps_botan import Box

ROUNDING = 1e-6  # positions go through text, distances through other orders of sums
DT = 0.005  # LAMMPS's own for lj units
MOST = 8  # pending predictions

FIX = """
fix g {group} botan {every} m.pt {species} verify yes
"""

# the model sees atoms at multiples of `every`, and the lag time may end on any step
OUTPUT = """
dump x all custom {stride} x.txt id type x y z xu yu zu ix iy iz
dump_modify x format float %.17g append yes
dump s all custom {every} s.txt id type f_g
dump_modify s format float %.17g append yes
dump b all local {every} b.txt f_g[1] f_g[2] f_g[3] f_g[4]
dump_modify b format float %.17g append yes
thermo {every}
thermo_style custom step f_g[5] f_g[6] f_g[7] f_g[8]
thermo_modify format float %.12g lost ignore
"""


def verify(
    folder: Path,
    script: str,
    run: str,
    *,
    lag_steps: float,
    every: int = 20,
    stride: int = 0,
    ranks: int = 1,
    group: str = "all",
    species: str = "A B",
    **model: object,
) -> list[dict[str, float]]:
    """The thermo rows of a verified run, which leaves its dumps in the folder."""
    save_model(folder / "m.pt", Walks(rounds=2), lag_times=[lag_steps * DT], **model)
    words = {"every": every, "stride": stride or every, "group": group, "species": species}
    text = script + (FIX + OUTPUT).format(**words) + run
    return run_lmp(text, folder, ranks=ranks).thermo()


def by_step(path: Path) -> dict[int, Frame]:
    return {frame.step: frame for frame in read_dump(path)}


def unwrapped(frame: Frame) -> np.ndarray:
    return np.stack([frame[axis] for axis in ("xu", "yu", "zu")], axis=1)


def pearson(predicted: np.ndarray, happened: np.ndarray) -> float:
    return float(np.corrcoef(predicted, happened)[0, 1])


class Dumps:
    """What a run left in a folder, and what follows from it for atoms of one type."""

    def __init__(self, folder: Path, kind: int = 1, bond_length: float = 1.35) -> None:
        self.kind, self.bond_length = kind, bond_length
        self.atoms, self.scores, self.bonds = (by_step(folder / f"{c}.txt") for c in "xsb")

    def rho(self, start: int, end: int, inside: Iterable[int] | None = None) -> tuple[float, float]:
        """Of atoms and of bonds between two steps; `inside` are the ids of the group."""
        first, last, scored = self.atoms[start], self.atoms[end], self.scores[start]
        ids = set(scored["id"][scored["type"] == self.kind]) & set(last["id"])
        ids &= ids if inside is None else set(inside)
        rows = np.sort(list(ids))
        before, after, predicted = (
            np.searchsorted(frame["id"], rows) for frame in (first, last, scored)
        )
        moved = np.linalg.norm(unwrapped(last)[after] - unwrapped(first)[before], axis=1)

        center, neighbor, r, change = (self.bonds[start][f"f_g[{k}]"] for k in range(1, 5))
        counts = np.isin(center, rows) & np.isin(neighbor, rows) & (r < self.bond_length)
        ends = (np.searchsorted(last["id"], end[counts]) for end in (center, neighbor))
        here, there = (last.positions[k] for k in ends)
        box = Box(last.cell, (True, True, last.periodic[2]))
        distance = np.linalg.norm(box.minimum_image(here - there), axis=1)
        return (
            pearson(scored["f_g"][predicted], moved),
            pearson(change[counts], distance - r[counts]),
        )


def schedule(last_step: int, every: int, lag_steps: float) -> list[tuple[int, int]]:
    """First and last step of each prediction: begun where an eighth of the lag time has passed."""
    begun: list[int] = []
    for step in range(0, last_step + 1, every):
        if not begun or step - begun[-1] >= lag_steps / MOST:
            begun.append(step)
    return [(step, step + round(lag_steps)) for step in begun]


def check_rows(
    rows: list[dict[str, float]],
    folder: Path,
    *,
    lag_steps: float,
    every: int = 20,
    inside: Iterable[int] | None = None,
    **kind: float,
) -> None:
    """Every row of thermo output shows the last verification up to its step."""
    plan = schedule(int(rows[-1]["Step"]), every, lag_steps)
    dumps = Dumps(folder, **kind)
    for row in rows:
        done = [times for times in plan if times[1] <= row["Step"]]
        assert row["f_g[8]"] == len(done)
        expected = dumps.rho(*done[-1], inside) if done else (np.nan, np.nan)
        assert (row["f_g[6]"], row["f_g[7]"]) == pytest.approx(expected, abs=ROUNDING, nan_ok=True)
    assert rows[-1]["f_g[8]"] > 0


AFTER_RESTART = "units lj\nread_restart r.restart\nneighbor 0.3 bin\nfix integrate all nve\n"
