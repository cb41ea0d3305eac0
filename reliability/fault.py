"""What a fault did, in numbers, as a row of docs/notes/reliability.md."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# what a try may end in
REFUSED, RIGHT, OTHER, BROKEN = "refused", "right", "other", "broken"
COLUMNS = (
    "fault",
    "tries",
    "refused with a sentence",
    "right result",
    "other result",
    "crashes, hangs, tracebacks",
    "allowed, and why",
)
EXAMPLES = 5  # of a fault, for the report


@dataclass
class Fault:
    """One kind of fault, tried many times.

    Attributes
    ----------
    name : str
        What was done, in words.
    allowed : str
        Why another result than the right one is allowed; empty where it is not.
    counts : dict of str to int
        Tries by what they ended in.
    examples : list of str
        Tries that ended as they should not.
    """

    name: str
    allowed: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, outcome: str, text: str = "", n: int = 1) -> None:
        """Count tries; the text says how to see a bad one again."""
        self.counts[outcome] += n
        bad = outcome == BROKEN or (outcome == OTHER and not self.allowed)
        if bad and n and len(self.examples) < EXAMPLES:
            self.examples.append(text)

    @property
    def tries(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def is_good(self) -> bool:
        """Whether nothing broke, and no number was wrong."""
        return not self.counts[BROKEN] and (bool(self.allowed) or not self.counts[OTHER])

    def cells(self) -> list[str]:
        """One for each of COLUMNS."""
        numbers = [self.counts[one] for one in (REFUSED, RIGHT, OTHER, BROKEN)]
        why = self.allowed if self.counts[OTHER] or ":" in self.allowed else ""
        return [self.name, f"{self.tries:,}", *(f"{n:,}" for n in numbers), why]


def to_json(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Plain values."""
    return [vars(fault) | {"counts": dict(fault.counts)} for fault in faults]


def from_json(content: Iterable[dict[str, Any]]) -> list[Fault]:
    """What `to_json` made."""
    return [Fault(**(one | {"counts": Counter(one["counts"])})) for one in content]


def markdown(faults: Iterable[Fault]) -> str:
    """A table."""
    rows = [COLUMNS, ("---", *["---:"] * 5, "---"), *(fault.cells() for fault in faults)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
