"""Scores of models on configurations whose future is known.

One configuration after the other is read, scored by all models and reduced to a few sums
(`lammps_botan.evaluation.pearson.moments`), so that memory does not grow with their number.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.analysis.targets import SIGMA, bonds
from lammps_botan.evaluation.bootstrap import Scores, ceiling_scores, scores
from lammps_botan.evaluation.forecast import Forecaster
from lammps_botan.evaluation.pearson import edge_mask, moments, node_mask
from lammps_botan.evaluation.reference import LONGEST_BOND, Outcome, read_outcome
from lammps_botan.files.ensemble_npz import same_time
from lammps_botan.network.metadata import Metadata
from lammps_botan.structure.graph import Floats, Graph

# {"S": one entry for each species, "E": one for each pair of species, or None}
Table = dict[str, dict[str, Any] | None]


def evaluate(
    models: Sequence[str | Path], files: Iterable[str | Path], *, time_index: int | None = None
) -> dict[str, Any]:
    """Correlate predictions with the isoconfigurational averages of npz or pickle files.

    Parameters
    ----------
    models : list of str or Path
        Model files or names of models that ship, all with the same species.
    files : iterable of str or Path
        See `files.ensemble_npz`: one configuration each, all at the same lag time. Numbers of
        particles and of runs may differ.
    time_index : int or None
        Which lag time of pickle files.

    Returns
    -------
    dict
        Plain values, as docs/evaluate.md lists them; NaN where a number is not defined.

    Raises
    ------
    FileNotFoundError, ValueError
        If a model or a file cannot be used, or they do not fit together.
    """
    scorers = [Forecaster(model) for model in models]
    species = _common_species(scorers)
    cutoff = max(scorer.metadata.cutoff for scorer in scorers)
    sums: list[list[Table]] = [[] for _ in scorers]
    halves: list[Table] = []
    read: dict[Path, float | None] = {}  # lag time of each file
    seen: dict[Path, Path] = {}  # by where it is
    n_runs: list[int] = []
    for path in map(Path, files):
        if (same := seen.setdefault(path.resolve(), path)) in read:
            also = "" if same == path else f", also as {same}"
            raise ValueError(f"{path}: given twice{also}; a configuration counts once")
        outcome = read_outcome(path, cutoff=cutoff, time_index=time_index)
        _check_time(outcome, read)
        read[path] = outcome.time
        for scorer, found in zip(scorers, sums, strict=True):
            found.append(_compare(scorer, outcome, species))
        halves.append(_compare_halves(outcome, species))
        n_runs.append(outcome.n_runs)
    if not read:
        raise ValueError("expected at least one npz or pickle file, found none")
    time = next((time for time in read.values() if time is not None), None)
    each = [_map(lambda *m: scores(np.stack(m)), *found) for found in sums]
    pairs = itertools.combinations(zip(map(str, models), each, strict=True), 2)
    limit = None
    if any(n_runs):
        limit = _map(lambda *m: ceiling_scores(np.stack(m, axis=1), n_runs), *halves)
    return {
        "time": time,
        "models": [
            {"model": str(model)} | _facts(scorer.metadata, time) | _map(_plain, table)
            for model, scorer, table in zip(models, scorers, each, strict=True)
        ],
        "ceiling": None if limit is None else _map(_plain, limit),
        "differences": [
            {"models": [name, other]} | _map(_difference, table, others)
            for (name, table), (other, others) in pairs
        ],
        "configurations": [str(path) for path in read],
    }


def _common_species(scorers: Sequence[Forecaster]) -> list[str]:
    if not scorers:
        raise ValueError("expected at least one model, found none")
    first = scorers[0]
    for other in scorers[1:]:
        if other.metadata.species != first.metadata.species:
            raise ValueError(
                f"the models must have the same species, in the same order; {first.path} has "
                f"{' '.join(first.metadata.species)}, {other.path} has "
                f"{' '.join(other.metadata.species)}: evaluate them one by one"
            )
    return first.metadata.species


def _check_time(outcome: Outcome, read: dict[Path, float | None]) -> None:
    for path, time in read.items():
        if not same_time(time, outcome.time):
            raise ValueError(
                f"{outcome.path}: the lag time is {outcome.time:g}, that of {path} {time:g}; "
                "evaluate the files of each lag time on their own"
            )


def _compare(model: Forecaster, outcome: Outcome, species: Sequence[str]) -> Table:
    """Moments [6] of prediction and truth."""
    cutoff = model.metadata.cutoff
    graph = bonds(outcome.graph, cutoff)
    found = model.forecast(graph, outcome.time, outcome.path)
    of_bonds = None
    if found.changes is not None:
        predicted = found.changes[graph.distances < LONGEST_BOND]
        changes = outcome.changes[outcome.bonded.distances < cutoff]
        of_bonds = _of_pairs(bonds(graph, LONGEST_BOND), species, predicted, changes)
    return {"S": _of_species(graph, species, found.propensity, outcome.propensity), "E": of_bonds}


def _compare_halves(outcome: Outcome, species: Sequence[str]) -> Table:
    """Moments [n_splits, 6] of the averages over two halves of the runs."""
    return {
        "S": _of_species(outcome.graph, species, *outcome.propensity_halves),
        "E": _of_pairs(outcome.bonded, species, *outcome.changes_halves),
    }


def _of_species(graph: Graph, species: Sequence[str], x: Floats, y: Floats) -> dict[str, Floats]:
    masks = {name: node_mask(graph, k) for k, name in enumerate(species)}
    return {name: moments(x[..., mask], y[..., mask]) for name, mask in masks.items()}


def _of_pairs(bonded: Graph, species: Sequence[str], x: Floats, y: Floats) -> dict[str, Floats]:
    known = range(min(len(species), len(SIGMA)))  # of others no bond length is known
    masks = {
        f"{species[a]}-{species[b]}": edge_mask(bonded, (a, b))
        for a, b in itertools.combinations_with_replacement(known, 2)
    }
    return {name: moments(x[..., mask], y[..., mask]) for name, mask in masks.items()}


def _map(function: Callable[..., Any], *tables: Table) -> Table:
    """A function of the entries that stand in the same place."""
    found: Table = {}
    for quantity in tables[0]:
        rows = [row for row in (table[quantity] for table in tables) if row is not None]
        whole = len(rows) == len(tables)
        found[quantity] = (
            {name: function(*(row[name] for row in rows)) for name in rows[0]} if whole else None
        )
    return found


def _plain(found: Scores) -> dict[str, Any]:
    return {
        "rho_mean": found.mean,
        "rho_mean_error": found.mean_error,
        "rho_pooled": found.pooled,
        "rho_pooled_error": found.pooled_error,
        "per_configuration": found.per_configuration.tolist(),
    }


def _difference(first: Scores, second: Scores) -> dict[str, float]:
    difference, error = second.minus(first)
    return {"difference": difference, "error": error}


def _facts(metadata: Metadata, time: float | None) -> dict[str, Any]:
    times = metadata.lag_times or []
    members = _members(metadata.provenance)
    return {
        "architecture": metadata.architecture,
        "rounds": metadata.rounds,
        "width": metadata.width // len(members),
        "members": len(members),
        "p": _loss_weight(members),
        "temperature": metadata.temperature,
        "lag_time": times[0] if len(times) == 1 else time if times else None,
    }


def _members(provenance: Any) -> list[Any]:
    """What a model file says of the networks in it, of which an ensemble has several."""
    ensemble = provenance.get("ensemble") if isinstance(provenance, dict) else None
    return ensemble if isinstance(ensemble, list) and ensemble else [provenance]


def _loss_weight(members: Sequence[Any]) -> float | None:
    """The p of training, if that of all members is the same; None where it is not said."""
    try:  # a model file may say anything here
        values = {float(member["config"]["recipe"]["p"]) for member in members}
    except (KeyError, TypeError, ValueError):
        return None
    return values.pop() if len(values) == 1 else None
