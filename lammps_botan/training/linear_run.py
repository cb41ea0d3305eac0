"""Training run of the linear network: from its configuration to its checkpoint, in a minute."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.files.output_folder import lock_folder
from lammps_botan.files.whole_file import whole_file
from lammps_botan.network.checkpoint import Checkpoint, Physics, load_checkpoint, save_checkpoint
from lammps_botan.network.known_configurations import END_OF_A_RUN, KnownConfiguration, merge_known
from lammps_botan.network.linear import Linear
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.training.bar import shown
from lammps_botan.training.config import Config
from lammps_botan.training.correlations import correlations
from lammps_botan.training.cross_validation import part_of
from lammps_botan.training.data import TrainingGraph, expand, make_graph, see
from lammps_botan.training.data_record import (
    DataRecord,
    check_files,
    check_physics,
    record_files,
)
from lammps_botan.training.inputs import ends, starts
from lammps_botan.training.known import know, known_in_data
from lammps_botan.training.linear import LinearFit, predict
from lammps_botan.training.output import begin_output, check_output
from lammps_botan.training.physics import agree, read_ensembles
from lammps_botan.training.standardization import record_seen


def train_linear(config: Config, folder: Path) -> Path:
    """Fit the linear network of a configuration, and write its checkpoint.

    Parameters
    ----------
    config : Config
        With `network.architecture` "linear".
    folder : Path
        Folder that its patterns and `config.output` start from.

    Returns
    -------
    Path
        `best.ckpt` in the output folder.

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.
    ValueError
        If a file cannot be used, a species is in fewer than two configurations, the data differ in
        mixture, lag time, temperature, density or inputs, or the output folder holds another run or
        another process writes there.

    Examples
    --------
    >>> from lammps_botan.training.config import Data, Network, Recipe
    >>> sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    >>> about = {"box": 4.705, "types": np.repeat([0, 1], [100, 25]), "time": 13.0}
    >>> for k, name in enumerate(("a.npz", "b.npz")):
    ...     start = sites + np.random.default_rng(k).normal(0, 0.05, sites.shape)
    ...     positions = start + np.random.default_rng(k).normal(0, 0.1, (4, 125, 3))
    ...     np.savez(name, **about, temperature=0.5, initial_positions=start, positions=positions)
    >>> data, network = Data(train=["?.npz"]), Network(architecture="linear")
    >>> config = Config(output="run", data=data, network=network, recipe=Recipe(p=1))
    >>> train_linear(config, Path(".")).name
    'best.ckpt'
    """
    output = folder / config.output
    with lock_folder(output):
        check_output(config, output, None)
        _train(config, folder, output)
    return output / "best.ckpt"


def _train(config: Config, folder: Path, output: Path) -> None:
    files = record_files(config, folder)
    check_files(output, files)
    paths = expand(config.data.train, folder)
    ensembles = read_ensembles(config, folder, shown(paths, "linear, files"))
    physics = agree(config, folder, ensembles)
    check_physics(output, physics)
    fit, samples = _fit(config, physics, ensembles)
    found = _cross_validate(fit, samples, physics)
    known = known_in_data(ensembles, [])
    for ensemble in ensembles:
        known += _known_ends(config, ensemble)
    provenance: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "cross_validation": found,
        "configurations": [one.model_dump() for one in merge_known(known)],
    }
    begin_output(config, output, None, DataRecord(files=files, physics=physics))
    with whole_file(output / "cross_validation.json") as file:
        file.write_text(json.dumps(found, indent=2))
    seen = record_seen([sample for _, sample in samples], physics.mixture)
    save_checkpoint(Checkpoint(fit.network(), physics, provenance, seen), output / "best.ckpt")
    load_checkpoint(output / "best.ckpt")


def _fit(
    config: Config, physics: Physics, ensembles: list[Ensemble]
) -> tuple[LinearFit, list[tuple[int, TrainingGraph]]]:
    """The fit, and the samples of each configuration, which are told by their numbers."""
    mixture, with_pairs = physics.mixture, config.recipe.p < 1
    fit = LinearFit(
        Linear(
            physics.cutoff,
            mixture.diameter,
            inputs=physics.inputs.names,
            pairs=with_pairs,
            n_species=mixture.n_species,
        )
    )
    hashes = list(dict.fromkeys(one.configuration.sha256 for one in ensembles))
    numbers = [hashes.index(one.configuration.sha256) for one in ensembles]
    samples = [
        (number, sample)
        for number, one in zip(shown(numbers, "linear, configurations"), ensembles, strict=True)
        for sample in _samples(config, physics, one, starts(one, physics.inputs))
    ]
    for number, sample in shown(samples, "linear, particles"):
        fit.learn_particles(number, sample)
    if config.recipe.reversed:
        for number, one in zip(shown(numbers, "linear, reversed runs"), ensembles, strict=True):
            for sample in _reversed_runs(config, physics, one):
                fit.learn_particles(number, sample, reversed_run=True)
    fit.choose_particles()
    if with_pairs:
        for number, sample in shown(samples, "linear, pairs"):
            fit.learn_pairs(number, sample)
        fit.choose_pairs()
    return fit, samples


def _samples(
    config: Config, physics: Physics, ensemble: Ensemble, seen: list[Configuration]
) -> list[TrainingGraph]:
    """Samples of one structure; `seen` has it once with each history."""
    made = make_graph(config, physics, replace(ensemble, configuration=seen[0]))
    if not physics.inputs.names:
        return [made]
    return [replace(made, inputs=(one,)) for one in see(seen, physics.inputs)]


def _reversed_runs(config: Config, physics: Physics, ensemble: Ensemble) -> Iterator[TrainingGraph]:
    """Samples of the ends of runs, each with one known run, which ends at the start."""
    for seen in ends(ensemble, physics.inputs, _n_reversed(config, ensemble)):
        back = replace(ensemble, final=ensemble.initial[None])
        yield from _samples(config, physics, back, seen)


def _cross_validate(
    fit: LinearFit, samples: list[tuple[int, TrainingGraph]], physics: Physics
) -> dict[str, Any]:
    """Correlations of configurations with predictions of networks that did not learn from them."""
    p = 0.5 if fit.network().pairs else 1.0
    rows: dict[str, list[float]] = {}
    networks = {part: fit.network(part) for part in {part_of(number) for number, _ in samples}}
    for number, sample in shown(samples, "linear, cross-validation"):
        node, edge = predict(networks[part_of(number)], sample)
        found = correlations(sample, node, edge, mixture=physics.mixture, p=p)
        for name, rho in found.items():
            rows.setdefault(name, []).append(rho)
    species = physics.mixture.species
    return {
        **{name: _mean(several) for name, several in rows.items()},
        "penalties": {
            **{species[k]: one.penalty for k, one in enumerate(fit.particles)},
            **{f"{species[a]}-{species[b]}": one.penalty for (a, b), one in fit.pairs.items()},
        },
        "reversed_weights": {
            species[k]: one.reversed_weight for k, one in enumerate(fit.particles)
        },
    }


def _mean(several: list[float]) -> float | None:
    # not defined where there are no bonds between particles of the reference species
    return float(np.mean(several)) if np.isfinite(several).all() else None


def _n_reversed(config: Config, ensemble: Ensemble) -> int:
    return round(config.recipe.reversed * ensemble.n_runs)


def _known_ends(config: Config, ensemble: Ensemble) -> list[KnownConfiguration]:
    found = []
    for positions in ensemble.final[: _n_reversed(config, ensemble)]:
        end = replace(ensemble.configuration, positions=positions, history=None)
        found.append(know(end, "training", f"{ensemble.path.name}{END_OF_A_RUN}"))
    return found
