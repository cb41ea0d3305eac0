"""Scores of models on configurations whose future is known."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lammps_botan.dataset import read_sample
from lammps_botan.graph import Floats
from lammps_botan.metrics import edge_mask, node_mask, pearson, rho_mean, rho_pooled
from lammps_botan.scorer import Scorer

Pair = tuple[Floats, Floats]  # prediction and truth


def evaluate(
    models: Sequence[str | Path], files: Iterable[str | Path], *, time_index: int | None = None
) -> dict[str, Any]:
    """Correlate predictions with the isoconfigurational averages of npz or pickle files.

    Parameters
    ----------
    models : list of str or Path
        Model files or names of models that ship.
    files : list of str or Path
        See `lammps_botan.dataset`.
    time_index : int or None
        Which lag time of pickle files.

    Returns
    -------
    dict
        {"models": [{"model", "S": {"rho_mean", "rho_pooled", "per_configuration"}, "E": the same}],
        "configurations": [file names]}; "E" is None for a model without edge outputs, and
        its numbers are NaN where a file has no runs.

    Raises
    ------
    FileNotFoundError, ValueError
        If a model or a file cannot be used.
    """
    scorers = [Scorer(model) for model in models]
    paths: list[Path] = []
    node_pairs: list[list[Pair]] = [[] for _ in scorers]
    edge_pairs: list[list[Pair]] = [[] for _ in scorers]
    for path in map(Path, files):
        paths.append(path)
        samples = {
            cutoff: read_sample(path, cutoff=cutoff, time_index=time_index)
            for cutoff in {scorer.metadata.cutoff for scorer in scorers}
        }
        for k, scorer in enumerate(scorers):
            sample = samples[scorer.metadata.cutoff]
            try:
                prediction = scorer.score(sample.graph)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
            mask = node_mask(sample.graph)
            node_pairs[k].append((prediction.node[mask, 0], sample.propensity[mask]))
            if scorer.metadata.edge_outputs:
                mask = edge_mask(sample.graph)
                edge_pairs[k].append((prediction.edge[mask, 0], sample.pair_distance_change[mask]))
    return {
        "models": [
            {"model": str(model), "S": _scores(node_pairs[k]), "E": _scores(edge_pairs[k])}
            for k, model in enumerate(models)
        ],
        "configurations": [str(path) for path in paths],
    }


def _scores(pairs: list[Pair]) -> dict[str, Any] | None:
    if not pairs:
        return None
    predictions, truths = [p for p, _ in pairs], [t for _, t in pairs]
    each = [pearson(p, t) for p, t in pairs]
    return {
        "rho_mean": rho_mean(predictions, truths),
        "rho_pooled": rho_pooled(predictions, truths),
        "per_configuration": each,
    }
