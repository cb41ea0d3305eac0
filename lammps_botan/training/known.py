"""The configurations that a training run makes known to its network."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lammps_botan.network.known_configurations import KnownConfiguration, Role
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble

DISTILLED_FROM = "distilled_from"  # key of npz files with pseudo-labels


def know(configuration: Configuration, role: Role, name: str) -> KnownConfiguration:
    """The record of a configuration."""
    return KnownConfiguration(sha256=configuration.sha256, role=role, name=name)


def known_in_data(
    training: Sequence[Ensemble], validation: Sequence[Ensemble]
) -> list[KnownConfiguration]:
    """What a network knows that learned from some ensembles and was chosen by others.

    Raises
    ------
    ValueError
        If a configuration for validation is among those for training, whatever the names of the
        files, or pseudo-labels were distilled from it.
    """
    learned = [know(one.configuration, "training", one.path.name) for one in training]
    chosen = [know(one.configuration, "validation", one.path.name) for one in validation]
    labels = [origin for one in training for origin in _distilled_from(one.path)]
    for one, judge in zip(validation, chosen, strict=True):
        for other, known in zip(training, learned, strict=True):
            if known.sha256 == judge.sha256:
                raise ValueError(
                    f"{one.path} is both in data.train and in data.validation: {other.path} holds "
                    "the same configuration"
                )
        for known in labels:
            if known.sha256 == judge.sha256:
                raise ValueError(
                    f"{one.path}: is among data.validation, but pseudo-labels in data.train were "
                    f"distilled from it ({known.name}); validate with another configuration"
                )
    return [*chosen, *labels, *learned]


def _distilled_from(path: Path) -> list[KnownConfiguration]:
    if path.suffix != ".npz":
        return []
    with np.load(path, allow_pickle=False) as archive:
        if DISTILLED_FROM not in archive.files:
            return []
        content = json.loads(str(archive[DISTILLED_FROM][()]))
    return [KnownConfiguration.model_validate(one) for one in content]
