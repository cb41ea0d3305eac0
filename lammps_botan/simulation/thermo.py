"""Thermodynamic output of LAMMPS log files, and a test whether it is stationary."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.structure.box import Floats

BLOCKS = 10  # thermo rows are correlated: errors come from the means of this many blocks


@dataclass(frozen=True)
class Drift:
    """Means of a quantity in the middle and in the last third of a run, with standard errors.

    Attributes
    ----------
    middle, middle_error, last, last_error : float
        In the unit of the quantity.
    """

    middle: float
    middle_error: float
    last: float
    last_error: float


def read_thermo(log: Path) -> dict[str, Floats]:
    """Read the columns of the thermo output by name, float64 [n_rows], by ascending step.

    Runs that ended are read, from the first on with the columns of the last one. A step that was
    printed twice, as after a restart, counts once.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it has no thermo output, or a row is cut short.
    """
    from lammps.formats import LogFile

    runs = LogFile(log).runs
    if not runs or not runs[-1].get("Step"):
        raise ValueError(
            f"{log}: no thermo output; expected the log file of a LAMMPS run that came to its end"
        )
    names = list(runs[-1])
    rows: dict[float, tuple[float, ...]] = {}
    for run in runs:
        if list(run) != names:  # a minimization before the run has columns of its own
            rows.clear()
            continue
        if len({len(column) for column in run.values()}) > 1:
            raise ValueError(f"{log}: a row of the thermo output is cut short")
        rows.update({row[0]: row for row in zip(*run.values(), strict=True)})
    table = np.array([rows[step] for step in sorted(rows)])
    return dict(zip(names, table.T, strict=True))


def drift(values: Floats) -> Drift:
    """Compare the last third of a series [n_rows] with the third before it.

    The first third is left to equilibration. Errors are NaN with fewer than 30 rows.
    """
    third = len(values) // 3
    middle, last = values[-2 * third : len(values) - third], values[len(values) - third :]
    return Drift(*_mean(middle), *_mean(last))


def _mean(values: Floats) -> tuple[float, float]:
    if len(values) < BLOCKS:
        return float(np.mean(values)) if len(values) else float("nan"), float("nan")
    blocks = [block.mean() for block in np.array_split(values, BLOCKS)]
    return float(values.mean()), float(np.std(blocks, ddof=1) / np.sqrt(BLOCKS))
