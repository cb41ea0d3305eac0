"""Files of pseudo-labels: targets that were distilled, in place of runs."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.analysis.sample import make_sample
from lammps_botan.files.ensemble import read_ensemble, same_time
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.output_folder import open_output
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import Mixture
from lammps_botan.training.distillation import Distillation, describe
from lammps_botan.training.known import DISTILLED_FROM, know


def read_structures(path: Path, *, mixture: Mixture | None = None) -> list[Configuration]:
    """The start of an npz file of `simulate inherent` and the ends of its runs, in this order.

    Parameters
    ----------
    path : Path
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it has no inherent structures, or their number is another one.
    """
    ensemble = read_ensemble(path, mixture=mixture)
    keys = ("inherent_positions", "inherent_energies")
    with np.load(path, allow_pickle=False) as archive:
        if any(key not in archive.files for key in keys):
            raise ValueError(
                f"{path}: lacks {' and '.join(keys)}; make them by `lammps-botan simulate inherent "
                f"{path} -o FOLDER`"
            )
        positions, energies = (archive[key] for key in keys)
    n, n_structures = ensemble.configuration.n_particles, 1 + ensemble.n_runs
    shapes = {(n_structures, n, 3), (n_structures, n, ensemble.configuration.dimension)}
    if positions.shape not in shapes or energies.shape != (n_structures, n):
        raise ValueError(
            f"{path}: expected inherent_positions [{n_structures}, {n}, 3] and inherent_energies "
            f"[{n_structures}, {n}], found {list(positions.shape)} and {list(energies.shape)}"
        )
    thermal = [ensemble.initial, *ensemble.final]
    return [
        replace(
            ensemble.configuration,
            positions=now,
            history=None,  # that of the start
            inherent_positions=inherent,
            inherent_energies=energy,
        )
        for now, inherent, energy in zip(thermal, positions, energies, strict=True)
    ]


def distill(
    paths: Sequence[Path],
    output: Path,
    *,
    cutoff: float | None = None,
    mixture: Mixture | None = None,
) -> Iterator[Path]:
    """Write pseudo-labels for the starts and for the ends of the runs of configurations.

    The regression learns from the runs of all of them. Interrupted and called again, it goes on.

    Parameters
    ----------
    paths : sequence of Path
        npz files of `simulate inherent`.
    output : Path
        Folder; made if it is not there.
    cutoff : float, optional
        Of the graph, length unit; that of BOTAN if it is not given.
    mixture : Mixture, optional
        What the particles are, where the files do not say it.

    Yields
    ------
    Path
        `output`/NAME-start.npz, NAME-end01.npz and so on; see `lammps_botan.files.ensemble_npz`.
        The key `distilled_from` records the configurations that the regression learned from.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file cannot be used, there are fewer than two, two share a name or differ in mixture or
        lag time, or `output` was begun from other files.
    """
    _check_names(paths, output)
    starts = [read_structures(path, mixture=mixture)[0] for path in paths]
    ensembles = [
        replace(read_ensemble(path, mixture=mixture), configuration=start)
        for path, start in zip(paths, starts, strict=True)
    ]
    _check_agreement(ensembles)
    samples = [make_sample(one, cutoff) for one in ensembles]
    distillation = Distillation(samples, [describe(start) for start in starts])
    known = [know(one.configuration, "distillation", one.path.name) for one in ensembles]
    origin: dict[str, Any] = {DISTILLED_FROM: json.dumps([one.model_dump() for one in known])}
    sums = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    with open_output(output, "distill", {"cutoff": cutoff, "sha256": sums}, {}):
        for one, sample in zip(ensembles, samples, strict=True):
            structures = read_structures(one.path, mixture=mixture)
            digits = len(str(len(structures) - 1))
            for k, structure in enumerate(structures):
                name = f"end{k:0{digits}d}" if k else "start"
                path = output / f"{one.path.stem}-{name}.npz"
                if not path.exists():
                    labels = _label(structure, distillation, sample.graph.cutoff, one.lag_time)
                    write_ensemble(path, labels, **origin)
                yield path


def _label(
    structure: Configuration, distillation: Distillation, cutoff: float, lag_time: float | None
) -> Ensemble:
    propensity = distillation.propensity(structure, describe(structure))
    graph = build_graph(structure, cutoff)
    return Ensemble(
        configuration=structure,
        final=np.zeros((0, structure.n_particles, 3)),
        lag_time=lag_time,
        propensity=propensity,
        pair_distance_change=distillation.pair_distance_change(structure, graph, propensity),
    )


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
