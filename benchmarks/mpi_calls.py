"""What ranks say to each other at a scoring, counted by a library between LAMMPS and MPI.

mpi_calls.c writes down all calls of MPI. The calls of a scoring are those that a step with
`fix botan` has more than the same step without it (in.ranks).
"""

import itertools
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from in_lammps import BIN, HERE

STAGES = ("positions and attributes", "check of pairs", "rounds", "averages")
POINT_TO_POINT = {"Send", "Wait"}


class Call(NamedTuple):
    """A call by one rank.

    Attributes
    ----------
    name : str
    size, messages : int
        Bytes that the rank sends, and in how many messages: a collective is one, but Alltoall and
        Alltoallv are one to each rank.
    seconds : float
        In the call.
    computed : float
        Seconds of the processor since the call before, which waiting and other programs do not add
        to.
    """

    name: str
    size: int
    messages: int
    seconds: float
    computed: float


Calls = list[Call]


class Scoring(NamedTuple):
    """What a scoring adds to a step of a rank: calls, and seconds of the processor outside them."""

    calls: Calls
    computing: float


def compiled(folder: Path) -> Path | None:
    """The library that counts; None without a C compiler."""
    library = folder / "mpi_calls.so"
    command = [BIN / "mpicc", "-shared", "-fPIC", "-O2", HERE / "mpi_calls.c", "-o", library]
    if not shutil.which("cc") or subprocess.run(command, capture_output=True).returncode:
        return None
    return library


def read_scorings(path: Path, turns: int) -> list[Scoring]:
    """The scorings of a rank, from what the library wrote."""
    rows = [line.split() for line in path.read_text().splitlines()]
    calls = [Call(r[0], int(r[1]), int(r[2]), float(r[3]), float(r[4])) for r in rows]
    # two enclose each run; the last one is of the end
    at = [k for k, call in enumerate(calls) if call.name == "Barrier"][-4 * turns - 1 : -1]
    loops = [calls[a + 1 : b + 1] for a, b in zip(at[::2], at[1::2], strict=True)]
    return [difference(*pair) for pair in zip(loops[::2], loops[1::2], strict=True)]


def difference(bare: Calls, scored: Calls) -> Scoring:
    """What a step with a scoring has more.

    Raises
    ------
    ValueError
        If the others are not the calls of the bare step.
    """
    a, b = ([call[:3] for call in calls] for calls in (bare, scored))
    begin = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    end = len(b) - (len(a) - begin)
    if end <= begin or a[begin:] != b[end:]:
        raise ValueError("expected the calls of a step without a scoring among those with one")
    own, others = (sum(call.computed for call in calls) for calls in (scored, bare))
    return Scoring(scored[begin:end], own - others)


def in_stages(calls: Calls) -> dict[str, Calls]:
    """The calls of a scoring by what they are for: collectives are between the exchanges."""
    together = [call.name not in POINT_TO_POINT for call in calls]
    first = together.index(True)
    rounds = first + together[first:].index(False)
    last = len(calls) - together[::-1].index(False)
    cuts = itertools.pairwise([0, first, rounds, last, len(calls)])
    return {stage: calls[a:b] for stage, (a, b) in zip(STAGES, cuts, strict=True)}


def exchanges(calls: Calls, n: int) -> list[Calls]:
    """The calls of each of the `n` exchanges between neighbors, which have as many messages."""
    between = [call for call in calls if call.name in POINT_TO_POINT]
    size, left = divmod(len(between), n)
    if left:
        raise ValueError(f"expected {n} exchanges of as many calls, found {len(between)} calls")
    return [between[k * size : (k + 1) * size] for k in range(n)]


def size(calls: Calls) -> int:
    """Bytes that they send."""
    return sum(call.size for call in calls)


def messages(calls: Calls) -> int:
    """That they send."""
    return sum(call.messages for call in calls)


def seconds(calls: Calls) -> float:
    """In them."""
    return sum(call.seconds for call in calls)


def check_seconds(calls: Calls) -> float:
    """Of the processor, to count the pairs of a block again: after its particles have come."""
    names = [call.name for call in calls]
    return calls[names.index("Alltoallv") + 1].computed
