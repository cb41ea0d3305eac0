"""What a scoring costs, on paper: T = edges + imbalance + ghosts + check of pairs + exchange.

docs/notes/performance.md explains it.
"""

import math
from dataclasses import dataclass

from network import CUTOFF

ROUNDS, WIDTH = 7, 64
# bytes of a ghost: position, attributes, and the state of its particle in each round but the first
AT_FIRST, STATE = 24 + 16, 4 * WIDTH
EXCHANGES = 2 + ROUNDS - 1
GHOST_BYTES = AT_FIRST + (ROUNDS - 1) * STATE
COPY_BYTES = 32  # of a particle whose pairs are counted again


@dataclass(frozen=True)
class Liquid:
    """What the cost depends on.

    Attributes
    ----------
    density : float
        Particles in a unit of volume.
    degree : float
        Edges of a particle.
    reach : float
        Range of ghosts.
    """

    density: float
    degree: float
    reach: float


@dataclass(frozen=True)
class Constants:
    """Seconds.

    Attributes
    ----------
    edge : float
        Of an edge in a round, with its share of everything that a particle costs.
    ghost : float
        Of a ghost in a scoring: its product in each round, and memory.
    check : float
        Of a particle whose pairs are counted again.
    message, byte : float
        Of a message, and of each of its bytes.
    """

    edge: float
    ghost: float
    check: float
    message: float
    byte: float


def count_ghosts(n: float, grid: tuple[int, ...], liquid: Liquid) -> tuple[float, float]:
    """Ghosts of a rank, and those of them that come from another rank.

    One direction after the other, as LAMMPS does: later ones have the ghosts of the earlier ones.
    """
    length = (n / liquid.density) ** (1 / 3)
    sides = [length / k for k in grid]
    ghosts, received = 0.0, 0.0
    for d, k in enumerate(grid):
        before = math.prod(side + 2 * liquid.reach for side in sides[:d])
        slab = liquid.density * 2 * liquid.reach * before * math.prod(sides[d + 1 :])
        ghosts += slab
        received += slab if k > 1 else 0.0
    return ghosts, received


def count_messages(n: float, grid: tuple[int, ...], liquid: Liquid) -> int:
    """Messages of a rank to its neighbors in one exchange."""
    length = (n / liquid.density) ** (1 / 3)
    return sum(2 * math.ceil(liquid.reach * k / length) for k in grid if k > 1)


def blocks(n: float, ranks: int, liquid: Liquid) -> tuple[int, ...]:
    """Blocks in each direction in which pairs are counted again, by a rank each.

    A block is no thinner than the cutoff. The direction is cut in which blocks are thickest.
    """
    most = int((n / liquid.density) ** (1 / 3) / CUTOFF)
    found = [1, 1, 1]
    while True:
        cut = [[*found[:d], found[d] + 1, *found[d + 1 :]] for d in range(3) if found[d] < most]
        cut = [each for each in cut if math.prod(each) <= ranks]
        if not cut:
            return tuple(found)
        found = min(cut, key=lambda each: sorted(each, reverse=True))


def copies(n: float, ranks: int, liquid: Liquid) -> float:
    """Particles and copies of them that such a rank gets."""
    length = (n / liquid.density) ** (1 / 3)
    sides = [length / k + 2 * CUTOFF for k in blocks(n, ranks, liquid)]
    return liquid.density * math.prod(sides)


def scoring(
    n: float,
    grid: tuple[int, ...],
    liquid: Liquid,
    constants: Constants,
    most: float,
    collectives: int,
) -> dict[str, float]:
    """Seconds of a scoring by what they are for.

    Parameters
    ----------
    n : float
        Particles, on all ranks.
    grid : int [3]
        Ranks in each direction.
    liquid : Liquid
    constants : Constants
    most : float
        Edges of the rank that has most, over the mean.
    collectives : int
        In a scoring, each of as many messages as the logarithm of ranks to base 2; but one sends
        a message to each rank.
    """
    ranks = math.prod(grid)
    ghosts, received = count_ghosts(n, grid, liquid)
    edges = constants.edge * ROUNDS * liquid.degree * n / ranks
    at_once = EXCHANGES * count_messages(n, grid, liquid)
    copied = COPY_BYTES * copies(n, ranks, liquid) if ranks > 1 else 0.0
    to_all = (collectives - 1) * math.ceil(math.log2(ranks)) + ranks - 1
    return {
        "edges": edges,
        "imbalance": (most - 1) * edges,
        "ghosts": constants.ghost * ghosts,
        "check of pairs": constants.check * n / math.prod(blocks(n, ranks, liquid)),
        "exchange with neighbors": constants.message * at_once
        + constants.byte * GHOST_BYTES * received,
        "exchange with all": constants.message * to_all + constants.byte * copied,
    }
