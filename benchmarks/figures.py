"""Measured numbers, with what they should be, as tables and JSON."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "B": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")),
}
COLUMNS = ("", "median", "from - to", "aim", "met")


@dataclass(frozen=True)
class Figure:
    """One quantity, measured several times.

    Attributes
    ----------
    name : str
    values : list of float
    unit : str
        "s" and "B" are printed with a prefix; "" for a ratio.
    at_least, at_most : float or None
        What the median should be.
    """

    name: str
    values: list[float]
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def median(self) -> float:
        """Of the values."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median is as it should be; None without an aim."""
        if self.at_least is None and self.at_most is None:
            return None
        above = self.at_least is None or self.median >= self.at_least
        return above and (self.at_most is None or self.median <= self.at_most)

    def cells(self) -> list[str]:
        """One for each of COLUMNS; the spread is in the unit of the median."""
        scale, unit = self._scale(self.median)
        spread = " - ".join(_text(f(self.values), scale) for f in (min, max))
        aims = []
        for word, aim in (("at least", self.at_least), ("at most", self.at_most)):
            if aim is not None:
                aims.append(f"{word} {_quantity(aim, *self._scale(aim))}")
        return [
            self.name,
            _quantity(self.median, scale, unit),
            spread if len(self.values) > 1 else "",
            ", ".join(aims),
            {None: "", True: "yes", False: "no"}[self.met],
        ]

    def _scale(self, value: float) -> tuple[float, str]:
        scales = SCALES.get(self.unit, ((1.0, self.unit),))
        return next((s for s in scales if abs(value) >= s[0]), scales[-1])


def _text(value: float, scale: float) -> str:
    number = value / scale
    return f"{number:.3g}" if abs(number) < 1000 else f"{number:.0f}"


def _quantity(value: float, scale: float, unit: str) -> str:
    return f"{_text(value, scale)} {unit}".strip()


Sections = dict[str, list[Figure]]  # by title


def ratio(
    name: str,
    above: Sequence[float],
    below: Sequence[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """The ratio of two quantities, turn by turn: both from the same moments of the machine."""
    values = [a / b for a, b in zip(above, below, strict=True)]
    return Figure(name, values, at_least=at_least, at_most=at_most)


def to_json(sections: Sections) -> dict[str, list[dict[str, object]]]:
    """Plain values."""
    return {title: [asdict(figure) for figure in figures] for title, figures in sections.items()}


def show(sections: Sections, *, as_json: bool) -> None:
    """Print tables, or JSON."""
    if as_json:
        print(json.dumps(to_json(sections)))
        return
    for title, figures in sections.items():
        table = Table(title=title)
        for k, column in enumerate(COLUMNS):
            table.add_column(column, justify="right" if k in {1, 2} else "left")
        for figure in figures:
            table.add_row(*figure.cells())
        Console().print(table)


def read_json(text: str) -> Sections:
    """What `show` printed as JSON."""
    return {title: [Figure(**f) for f in figures] for title, figures in json.loads(text).items()}


def markdown(figures: Iterable[Figure]) -> str:
    """A table as docs/notes/performance.md has it."""
    rows = [COLUMNS, ("---", "---:", "---:", "---", "---")]
    rows += [tuple(figure.cells()) for figure in figures]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
