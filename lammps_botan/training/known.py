"""Configurations that a training run makes known to its network."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from lammps_botan.network.known_configurations import PSEUDO_LABELS, KnownConfiguration, Role
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble

DISTILLED_FROM = "distilled_from"  # key of npz files with pseudo-labels


def know(configuration: Configuration, role: Role, name: str) -> KnownConfiguration:
    """Record a configuration.

    Parameters
    ----------
    configuration : Configuration
    role : str
        "training", "validation" or "distillation".
    name : str
        Name of the file.

    Returns
    -------
    KnownConfiguration

    Examples
    --------
    >>> from lammps_botan import Box
    >>> one = Configuration([[0, 0, 0]], [0], Box(9.0, (True, True, True)))
    >>> know(one, "training", "c1.npz").role
    'training'
    """
    return KnownConfiguration(sha256=configuration.sha256, role=role, name=name)


def known_in_data(
    training: Sequence[Ensemble], validation: Sequence[Ensemble]
) -> list[KnownConfiguration]:
    """Record the configurations that a network knows after training and validation.

    Parameters
    ----------
    training, validation : sequence of Ensemble

    Returns
    -------
    list of KnownConfiguration

    Raises
    ------
    ValueError
        If a configuration for validation is among those for training, whatever the names of the
        files, or pseudo-labels were distilled from it.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> one = Configuration([[0, 0, 0]], [0], Box(9.0, (True, True, True)))
    >>> [known] = known_in_data([Ensemble(one, final=[[[0, 0, 1]]])], [])
    >>> known.role
    'training'
    """
    origins = [_distilled_from(one.path) for one in training]
    learned = [_learned(one, own) for one, own in zip(training, origins, strict=True)]
    chosen = [know(one.configuration, "validation", one.path.name) for one in validation]
    labels = list(dict.fromkeys(chain.from_iterable(origins)))
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


def _learned(one: Ensemble, origins: Sequence[KnownConfiguration]) -> KnownConfiguration:
    """Record of a training file, whose pseudo-labels may be distilled from other configurations."""
    known = know(one.configuration, "training", one.path.name)
    if not origins or known.sha256 in {origin.sha256 for origin in origins}:
        return known
    return known.model_copy(update={"name": f"{known.name}{PSEUDO_LABELS}"})


def _distilled_from(path: Path) -> list[KnownConfiguration]:
    if path.suffix != ".npz":
        return []
    with np.load(path, allow_pickle=False) as archive:
        if DISTILLED_FROM not in archive.files:
            return []
        content = json.loads(str(archive[DISTILLED_FROM][()]))
    return [KnownConfiguration.model_validate(one) for one in content]
