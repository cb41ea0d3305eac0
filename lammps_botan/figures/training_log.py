"""The log of `lammps-botan train` in its output folder."""

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# columns of metrics.csv: losses at each step, eqs. 13 and 14 with recipe.offset_weight, and
# correlations at each validation
LOSSES = {"S": "loss_S", "E": "loss_E"}
CORRELATIONS = {"S": "rho_S", "E": "rho_E"}
MONITORED = "rho"  # highest at the epoch that is chosen

Row = tuple[int, dict[str, float]]  # epoch, from 0, and what was logged of it


@dataclass(frozen=True)
class Curve:
    """A quantity in the course of a training.

    Attributes
    ----------
    epochs : list of int
        Counted from 1: after so many epochs.
    values : list of float
    """

    epochs: list[int]
    values: list[float]


@dataclass(frozen=True)
class TrainingLog:
    """The course of a training.

    Attributes
    ----------
    losses : dict
        Curve of "S" and "E", as far as the network learns them: mean over the steps of an epoch
        of eqs. 13 and 14 with `recipe.offset_weight`.
    correlations : dict
        Curve of "S" and "E": rho on the validation set.
    best : int
        Epoch of the highest validation until now.
    """

    losses: dict[str, Curve]
    correlations: dict[str, Curve]
    best: int


def read_training_log(folder: Path) -> TrainingLog:
    """Read log/version_*/metrics.csv in an output folder; the parts of a resumed run are joined.

    A resumed run repeats the epochs since its last checkpoint: earlier records of these epochs are
    left out.

    Parameters
    ----------
    folder : Path
        The `output` of the configuration of a training.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it holds no run, a log is damaged, or nothing was validated yet.
    """
    rows: list[Row] = []
    for path in _find(folder):
        part = _read(path)
        start = min((epoch for epoch, _ in part), default=None)
        rows = [row for row in rows if start is None or row[0] < start] + part
    losses = {q: _curve(rows, name) for q, name in LOSSES.items()}
    correlations = {q: _curve(rows, name) for q, name in CORRELATIONS.items()}
    monitored = _curve(rows, MONITORED)
    if not rows:
        raise ValueError(f"{folder}: nothing was logged yet; wait for the first epoch to end")
    if not monitored.epochs:
        raise ValueError(
            f"{folder}: no validation was logged in {1 + max(epoch for epoch, _ in rows)} epochs; "
            "wait for the first one (`recipe.validate_every` of the configuration)"
        )
    return TrainingLog(
        {q: curve for q, curve in losses.items() if curve.epochs},
        {q: curve for q, curve in correlations.items() if curve.epochs},
        monitored.epochs[int(np.argmax(monitored.values))],
    )


def _find(folder: Path) -> list[Path]:
    """Logs in the order they were written."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected an output of a training")
    logs = list((folder / "log").glob("version_*/metrics.csv"))
    if not logs:
        runs = sorted({str(path.parents[2]) for path in folder.glob("*/log/version_*/metrics.csv")})
        raise ValueError(
            f"{folder}: no output folder of `lammps-botan train`: there is no log/version_0/"
            "metrics.csv in it" + (f"; type its folders {' '.join(runs)}" if runs else "")
        )
    return sorted(logs, key=lambda path: [int(n) for n in re.findall(r"\d+", path.parent.name)])


def _read(path: Path) -> list[Row]:
    rows = []
    with path.open(newline="") as file:
        table = csv.DictReader(file)
        if table.fieldnames is not None and "epoch" not in table.fieldnames:
            raise ValueError(
                f"{path}: expected a table of a training with a column epoch, found the columns "
                f"{', '.join(table.fieldnames)}"
            )
        for line in table:
            if None in line.values():  # the last one, which is being written
                continue
            try:
                epoch = int(line["epoch"])
                rows.append((epoch, {name: float(text) for name, text in line.items() if text}))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}: line {table.line_num}: {error}") from error
    return rows


def _curve(rows: list[Row], name: str) -> Curve:
    of_epoch = defaultdict(list)
    for epoch, logged in rows:
        if not np.isnan(logged.get(name, np.nan)):
            of_epoch[epoch + 1].append(logged[name])
    return Curve(sorted(of_epoch), [float(np.mean(of_epoch[epoch])) for epoch in sorted(of_epoch)])
