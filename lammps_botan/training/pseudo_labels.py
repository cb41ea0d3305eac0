"""Files of pseudo-labels: distilled targets in place of runs."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lammps_botan.files.ensemble import read_ensemble, same_time
from lammps_botan.files.ensemble_npz import read_history_interval, write_ensemble
from lammps_botan.files.output_folder import open_output
from lammps_botan.files.sha256 import sha256_of
from lammps_botan.files.whole_file import keep_apart
from lammps_botan.network.inputs import Inputs
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.shipped import find_model
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture
from lammps_botan.training.known import DISTILLED_FROM
from lammps_botan.training.model_teacher import ModelTeacher, count_labeled
from lammps_botan.training.ridge_teacher import RidgeTeacher


def distill(
    paths: Sequence[Path],
    output: Path,
    *,
    model: str | Path | None = None,
    cutoff: float | None = None,
    mixture: Mixture | None = None,
) -> Iterator[Path]:
    """Write pseudo-labels for the starts and for the ends of the runs of configurations.

    Without a model, ridge regression on inherent structures learns from the runs of all of them. A
    model that sees histories, and no inherent structures, labels the copies in the files too.
    A second call goes on where an interrupted one stopped.

    Parameters
    ----------
    paths : sequence of Path
        npz files of `simulate inherent`; or files with the inputs of the model, such as those of
        `simulate history`.
    output : Path
        Folder; made if it is not there.
    model : str or Path, optional
        A model file, or the name of a model that ships, whose predictions are the labels.
    cutoff : float, optional
        Cutoff of the graph, length unit. Default: that of BOTAN. A model has its own.
    mixture : Mixture, optional
        What the particles are, where the files do not say it.

    Yields
    ------
    Path
        `output`/NAME-start.npz, NAME-end01.npz and so on, each followed by its copies, as in
        NAME-end01-copy1.npz; see `lammps_botan.files.ensemble_npz`.
        The key `distilled_from` records the configurations that the teacher learned from.

    Raises
    ------
    FileNotFoundError
        If there is no such file or model.
    ValueError
        If a file cannot be used, there are fewer than two without a model, two share a name or
        differ in mixture or lag time, a cutoff is given beside a model, or `output` was begun from
        other files.

    Examples
    --------
    >>> import numpy as np
    >>> sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    >>> about = {"box": 4.705, "types": np.repeat([0, 1], [100, 25]), "time": 4120.0}
    >>> np.savez("c1.npz", **about, initial_positions=sites, positions=[sites + 0.1])
    >>> [path.name for path in distill([Path("c1.npz")], Path("labels"), model="ka-t044")]
    ['c1-start.npz', 'c1-end1.npz']
    """
    if model is not None and cutoff is not None:
        raise ValueError(f"a model has a cutoff of its own: leave out the cutoff {cutoff:g}")
    _check_names(paths, output)
    ensembles = [read_ensemble(path, mixture=mixture) for path in paths]
    _check_agreement(ensembles)
    teacher: RidgeTeacher | ModelTeacher
    asked: dict[str, Any] = {"cutoff": cutoff, "sha256": {p.stem: sha256_of(p) for p in paths}}
    if model is None:
        teacher = RidgeTeacher(ensembles, cutoff)
    else:
        teacher = ModelTeacher(model, ensembles)
        asked["model"] = sha256_of(find_model(model))
    about: dict[str, Any] = {DISTILLED_FROM: json.dumps([k.model_dump() for k in teacher.known])}
    interval_of = cache(read_history_interval)
    with open_output(output, "distill", asked, {}):
        for one in ensembles:
            names = _names(one, model)
            for name, seen in zip(names, teacher.structures(one), strict=True):
                path = output / f"{one.path.stem}-{name}.npz"
                keep_apart([path], paths)
                if not path.exists():
                    histories = [each.history for each in seen if each.history is not None]
                    write_ensemble(
                        path,
                        teacher.label(seen),
                        histories=[histories] if histories else None,
                        history_interval=interval_of(one.path) if histories else None,
                        **about,
                    )
                yield path


def count_structures(path: Path, *, model: str | Path | None = None) -> int:
    """Count the files of pseudo-labels that `distill` writes for an npz file.

    Parameters
    ----------
    path : Path
    model : str or Path, optional
        As for `distill`.

    Returns
    -------
    int

    Raises
    ------
    FileNotFoundError, ValueError
        As `distill`.

    Examples
    --------
    >>> import numpy as np
    >>> start = {"box": 9.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> np.savez("runs.npz", **start, positions=[np.eye(2, 3)] * 4)
    >>> count_structures(Path("runs.npz"))
    5
    """
    return len(_names(read_ensemble(path), model))


def _names(ensemble: Ensemble, model: str | Path | None) -> list[str]:
    """Names of the structures of an ensemble, in their order."""
    inputs = Inputs() if model is None else read_metadata(find_model(model)).inputs
    n_structures, n_copies = count_labeled(ensemble, inputs)
    digits, copy_digits = len(str(n_structures - 1)), len(str(n_copies))
    names = []
    for k in range(n_structures):
        name = f"end{k:0{digits}d}" if k else "start"
        names.append(name)
        names += [f"{name}-copy{c:0{copy_digits}d}" for c in range(1, n_copies + 1)]
    return names


def _check_names(paths: Sequence[Path], output: Path) -> None:
    names = [path.stem for path in paths]
    for path in paths:
        if names.count(path.stem) > 1:
            raise ValueError(f"{path}: another configuration is also called {path.stem}; rename it")
    if (output / "teach.json").exists():
        raise ValueError(
            f"{output}: holds pseudo-labels of an earlier version, which do not say what they were "
            "distilled from; choose another folder"
        )


def _check_agreement(ensembles: Sequence[Ensemble]) -> None:
    first = ensembles[0]
    for one in ensembles[1:]:
        mine, theirs = first.configuration.mixture, one.configuration.mixture
        if mine is not None and theirs is not None and (why := mine.difference(theirs)):
            raise ValueError(
                f"{one.path}: holds the mixture {theirs.name}, but {first.path} {mine.name}; they "
                f"differ in {why}"
            )
        if not same_time(first.lag_time, one.lag_time):
            raise ValueError(
                f"{one.path}: holds the lag time {one.lag_time:g}, but {first.path} "
                f"{first.lag_time:g}"
            )
