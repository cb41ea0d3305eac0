"""A step on some ranks without `fix botan` and with it (in.ranks), and what was counted of it."""

import math
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mpi_calls
import numpy as np
from in_lammps import HERE, lmp
from mpi_calls import Scoring
from ranks_model import EXCHANGES, Liquid

from lammps_botan.structure.box import Floats

CORES = len(os.sched_getaffinity(0))


@dataclass
class Run:
    """What was counted on some ranks.

    Attributes
    ----------
    n : int
        Particles.
    grid : int [3]
        Ranks in each direction.
    liquid : Liquid
    ghosts : list of float
        Of a rank: fewest, mean, most.
    edges : float [ranks]
        That arrive at the particles of a rank.
    clock : list of float
        Seconds of each scoring.
    scorings : list of list of Scoring
        Of each rank, in each scoring; none where they were not counted.
    """

    n: int
    grid: tuple[int, ...]
    liquid: Liquid
    ghosts: list[float]
    edges: Floats
    clock: list[float]
    scorings: list[list[Scoring]]

    @property
    def ranks(self) -> int:
        """Processes."""
        return math.prod(self.grid)

    @property
    def fits(self) -> bool:
        """Whether each rank has a core; on one core, two ranks are all that there is."""
        return self.ranks <= max(CORES, 2)

    @property
    def on(self) -> str:
        """In a table."""
        return f"{self.ranks} rank{'s' * (self.ranks > 1)}"

    @property
    def most(self) -> float:
        """Edges of the rank that has most, over the mean."""
        return float(self.edges.max() / self.edges.mean())

    @property
    def collectives(self) -> int:
        """Of a scoring."""
        return sum(call.name not in mpi_calls.POINT_TO_POINT for call in self.scorings[0][0].calls)

    def waits(self) -> Floats:
        """Seconds within MPI, of each rank and scoring."""
        return self._each(lambda scoring: mpi_calls.seconds(scoring.calls))

    def check_time(self) -> float:
        """Seconds of the check of pairs, of the rank that has most to do; fastest turn."""
        checks = self._each(lambda scoring: mpi_calls.check_seconds(scoring.calls))
        return float(checks.max(axis=0).min())

    def computing(self) -> float:
        """Seconds of everything else outside of MPI, mean over ranks; fastest turn."""
        checks = self._each(lambda scoring: mpi_calls.check_seconds(scoring.calls))
        computing = self._each(lambda scoring: scoring.computing)
        return float((computing - checks).mean(axis=0).min())

    def exchange(self, k: int) -> tuple[int, float, float]:
        """Messages, bytes and seconds of an exchange, of the rank and turn that waits least."""
        parts = [
            [mpi_calls.exchanges(scoring.calls, EXCHANGES)[k] for scoring in rank]
            for rank in self.scorings
        ]
        least = min(mpi_calls.seconds(part) for rank in parts for part in rank)
        size = np.mean([mpi_calls.size(rank[0]) for rank in parts])
        return mpi_calls.messages(parts[0][0]), float(size), least

    def latency(self) -> float:
        """Seconds of the shortest of small collectives, of its slower rank; one follows another."""
        parts = [
            [mpi_calls.in_stages(scoring.calls)["averages"][1:] for scoring in rank]
            for rank in self.scorings
        ]
        each = [[[call.seconds for call in part] for part in rank] for rank in parts]
        return float(np.max(each, axis=0).min())

    def _each(self, number: Callable[[Scoring], float]) -> Floats:
        return np.array([[number(scoring) for scoring in rank] for rank in self.scorings])


@dataclass(frozen=True)
class Sample:
    """What is scored: a data file with the edges of each particle, and by which model."""

    data: Path
    degrees: Floats
    model: Path
    density: float
    library: Path | None


def count(sample: Sample, ranks: int, turns: int, repeat: int = 1, reach: float = 0.0) -> Run:
    """One command of in.ranks, of so many copies in each direction.

    Raises
    ------
    SystemExit
        If the fix has other edges.
    """
    variables = {"data": sample.data, "model": sample.model, "replicate": repeat, "range": reach}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output = lmp(HERE / "in.ranks", folder, ranks, sample.library, **variables, turns=turns)
        atom, owner = np.loadtxt(folder / "owner.dump", skiprows=9, dtype=int).T
        paths = [folder / f"calls.{rank}" for rank in range(ranks if sample.library else 0)]
        scorings = [mpi_calls.read_scorings(path, turns) for path in paths]
    edges = np.bincount(owner, sample.degrees[(atom - 1) % len(sample.degrees)], minlength=ranks)
    # of the scoring before the step and of that in it
    rows = re.findall(r"^ +\d+ +(\d+) +(\S+) *$", output, re.MULTILINE)
    if {int(row[0]) for row in rows} != {int(edges.sum())}:
        raise SystemExit(f"expected {edges.sum():.0f} edges, found {rows}")
    grid = _numbers(r"(\d+) by (\d+) by (\d+) MPI processor grid", output)
    (reach,) = _numbers(r"ghost atom cutoff = (\S+)", output)
    mean, most, fewest = _numbers(r"Nghost: +(\S+) ave +(\S+) max +(\S+) min", output)
    return Run(
        n=len(owner),
        grid=tuple(int(k) for k in grid),
        liquid=Liquid(sample.density, edges.sum() / len(owner), reach),
        ghosts=[fewest, mean, most],
        edges=edges,
        clock=[float(row[1]) for row in rows[1::2]],
        scorings=scorings,
    )


def _numbers(pattern: str, output: str) -> list[float]:
    """Of the last place where LAMMPS says this."""
    found = re.findall(pattern, output)[-1]
    return [float(x) for x in ([found] if isinstance(found, str) else found)]
