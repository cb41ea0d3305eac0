"""Evaluation of models: predictions compared with isoconfigurational averages.

One configuration after the other is read, scored by all models and reduced to a few sums
(`lammps_botan.evaluation.pearson.moments`), so that memory does not grow with their number.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.evaluation.bootstrap import Correlations, ceilings, correlations
from lammps_botan.evaluation.comparison import (
    Comparison,
    Table,
    moments_of_halves,
    perfect_levels,
)
from lammps_botan.evaluation.evaluated_files import EvaluatedFiles
from lammps_botan.evaluation.evaluation_file import Evaluation
from lammps_botan.evaluation.level import levels
from lammps_botan.evaluation.model import JudgedModel
from lammps_botan.evaluation.pearson import ceiling, correlation, lengthening
from lammps_botan.evaluation.reference import known_mixture, make_reference
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.structure.box import Floats
from lammps_botan.structure.mixture import Mixture

LEVELS = ("bias", "rmse", "variance_ratio", "amplitude_ratio", "chi_4_ratio")  # with an error


def evaluate(
    models: Sequence[str | Path],
    files: Iterable[str | Path],
    time_index: int | None = None,
    mixture: Mixture | None = None,
    known: bool = False,
) -> dict[str, Any]:
    """Compare predictions with the isoconfigurational averages of npz or pickle files.

    A configuration that trained or validated a model, or that the model was distilled from, is
    marked and left out of all means: the model has seen the answer.

    Parameters
    ----------
    models : list of str or Path
        Model files or names of models that ship; an empty list gives the ceilings alone.
    files : iterable of str or Path
        See `lammps_botan.files.ensemble`: one configuration each, all of one mixture and at the
        same lag time. Numbers of particles and of runs may differ.
    time_index : int, optional
        Number of the lag time, from 0, for files with several.
    mixture : Mixture, optional
        What the particles are, where the files do not say it.
    known : bool
        Take configurations that a model knows into the means as well.

    Returns
    -------
    dict
        Plain values, as docs/reference/evaluate.md lists them, lengths in the length unit; NaN
        where a number is not defined.

    Raises
    ------
    FileNotFoundError
        If there is no such model or file.
    ValueError
        If a model or a file cannot be used, they do not fit together, or all configurations are
        left out.

    Examples
    --------
    >>> import numpy as np
    >>> sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    >>> runs = sites + np.random.default_rng(1).normal(0, 0.1, (8, 125, 3))
    >>> start = {"box": 4.705, "types": np.repeat([0, 1], [100, 25]), "initial_positions": sites}
    >>> np.savez("runs.npz", **start, positions=runs)
    >>> found = evaluate(["ka-t044"], ["runs.npz"])
    >>> found["quoted"], found["models"][0]["S"]["A"]["n_configurations"]
    ({'S': 'A', 'E': 'A-A'}, 1)
    """
    judged = [Comparison(JudgedModel(model)) for model in models]
    files_read = EvaluatedFiles()
    halves: list[Table] = []
    perfect: list[Table] = []
    for path in map(Path, files):
        ensemble = read_ensemble(path, time_index=time_index, mixture=mixture)
        files_read.add(ensemble)
        reference = make_reference(ensemble)
        for each in judged:
            each.add(ensemble, reference)
        halves.append(moments_of_halves(reference, known_mixture(ensemble.configuration)))
        perfect.append(perfect_levels(reference, ensemble.configuration))
    return _evaluation(judged, halves, perfect, files_read, known=known).model_dump()


def _evaluation(
    judged: Sequence[Comparison],
    halves: Sequence[Table],
    perfect: Sequence[Table],
    files: EvaluatedFiles,
    *,
    known: bool,
) -> Evaluation:
    mixture, names = files.mixture, list(map(str, files.paths))
    if mixture is None:
        raise ValueError("expected at least one npz or pickle file, found none")
    seen = [any(each.roles[k] for each in judged) for k in range(len(names))]
    used = np.flatnonzero(np.logical_not(seen) | known)
    if not len(used):
        raise ValueError(_all_known(judged, names))

    def level(*of_files: Table) -> dict[str, Any]:
        return _map(lambda *sums: _level(np.stack(sums), used, mixture.diameter), *of_files)

    each = [_map(lambda *m: correlations(np.stack(m)[used]), *one.sums) for one in judged]
    limit: dict[str, Any] | None = None
    if any(files.n_runs):
        n_runs = np.array(files.n_runs)
        limit = _map(lambda *m: _ceiling(np.stack(m, axis=1), n_runs, used), *halves)
        limit |= {"levels": level(*perfect)}
    reference = mixture.reference_species
    return Evaluation.model_validate(
        {
            "time": files.time,
            "temperature": files.temperature or None,
            "mixture": mixture.name,
            "units": mixture.units,
            "quoted": {"S": reference, "E": f"{reference}-{reference}"},
            "models": [
                one.model.facts(files.time)
                | {"known": {n: r for n, r in zip(names, one.roles, strict=True) if r}}
                | {"notes": one.notes()}
                | _map(_correlation, table, _map(lambda *m: correlation(np.stack(m)), *one.sums))
                | {"levels": level(*one.level_sums)}
                for one, table in zip(judged, each, strict=True)
            ],
            "ceiling": limit,
            "differences": [
                {"models": [one.model.name, other.model.name]} | _map(_difference, table, others)
                for (one, table), (other, others) in itertools.combinations(
                    zip(judged, each, strict=True), 2
                )
            ],
            "configurations": names,
            "sha256": files.sha256,
            "left_out": [name for k, name in enumerate(names) if k not in used],
        }
    )


def _all_known(judged: Sequence[Comparison], names: Sequence[str]) -> str:
    roles = sorted({role for one in judged for role in one.roles if role})
    return (
        f"all {len(names)} configurations are known to the models ({', '.join(roles)}), so that "
        f"their correlations say nothing about others, such as {names[0]}; give configurations "
        "that no model knows, or take them all the same with --known (known=True)"
    )


def _map(function: Callable[..., Any], *tables: Table) -> dict[str, dict[str, Any] | None]:
    """Apply the function to entries at the same place; None where a table has None."""
    found: dict[str, dict[str, Any] | None] = {}
    for quantity in ("S", "E"):
        rows = [row for row in (table[quantity] for table in tables) if row is not None]
        whole = len(rows) == len(tables)
        found[quantity] = (
            {name: function(*(row[name] for row in rows)) for name in rows[0]} if whole else None
        )
    return found


def _ceiling(sums: Floats, n_runs: Floats, used: Any) -> dict[str, Any]:
    """Ceilings from moments [n_splits, n_configurations, 6]."""
    each = ceiling(correlation(sums).mean(axis=0), lengthening(n_runs))
    return _correlation(ceilings(sums[:, used], n_runs[used]), each)


def _correlation(found: Correlations, per_configuration: Floats) -> dict[str, Any]:
    return {
        "rho_mean": found.mean,
        "rho_mean_error": found.mean_error,
        "rho_pooled": found.pooled,
        "rho_pooled_error": found.pooled_error,
        "n_configurations": len(found.per_configuration),
        "per_configuration": per_configuration.tolist(),
    }


def _level(sums: Floats, used: Any, unit: float) -> dict[str, Any]:
    """Levels from numbers [n_configurations, 9] of the used configurations."""
    found = levels(sums[used], unit)
    measured = {key: getattr(found, key) for key in LEVELS}
    return (
        {"variance": found.variance, "amplitude": found.amplitude}
        | {key: one.value for key, one in measured.items()}
        | {f"{key}_error": one.error for key, one in measured.items()}
        | {"bias_per_configuration": sums[:, 0].tolist()}
    )


def _difference(first: Correlations, second: Correlations) -> dict[str, Any]:
    difference, error = second.minus(first)
    n = len(first.per_configuration)
    return {"difference": difference, "error": error, "n_configurations": n}
