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
    "figures, and why another result is allowed",
)
EXAMPLES = 5  # of a fault, for the report
# how a case ended, in a table of all of them
SIGNS = {REFUSED: "r", RIGHT: "+", OTHER: "o", BROKEN: "!"}


@dataclass
class Fault:
    """One kind of fault, tried many times.

    Attributes
    ----------
    name : str
        What was done, in words.
    allowed : str
        Why another result than the right one is allowed; empty where it is not.
    figures : str
        What was measured.
    counts : dict of str to int
        Tries by what they ended in.
    examples : list of str
        Tries that ended as they should not.
    cases : dict of str to dict of str to str
        Of a fault that has different cases: the outcomes, by row and column of their table.
    """

    name: str
    allowed: str = ""
    figures: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    cases: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(
        self, outcome: str, text: str = "", n: int = 1, case: tuple[str, str] | None = None
    ) -> None:
        """Count tries; the text says how to see a bad one again.

        Of several tries of one case the worst outcome is kept.
        """
        self.counts[outcome] += n
        if case:
            row = self.cases.setdefault(case[0], {})
            row[case[1]] = max(outcome, row.get(case[1], outcome), key=list(SIGNS).index)
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
        # a fault that was not tried says why
        why = self.allowed if self.counts[OTHER] or not self.tries else ""
        words = "; ".join(filter(None, (self.figures, why)))
        return [self.name, f"{self.tries:,}", *(f"{n:,}" for n in numbers), words]

    @property
    def n_cases(self) -> int:
        """Cases that are told apart."""
        return sum(map(len, self.cases.values()))


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


def table_of_cases(faults: Iterable[Fault]) -> str:
    """One table of all cases that are told apart; the number of its cells is that of the cases."""
    table: dict[str, dict[str, str]] = {}
    for fault in faults:
        for name, outcomes in fault.cases.items():
            table.setdefault(name, {}).update(outcomes)
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    rows = [["", *columns], ["---", *[":---:"] * len(columns)]]
    for name, outcomes in table.items():
        rows.append([name, *(SIGNS.get(outcomes.get(column, ""), "") for column in columns)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
