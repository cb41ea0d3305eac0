"""Inherent structures for models that see them."""

from collections.abc import Sequence
from dataclasses import replace

from lammps_botan.network.metadata import Metadata
from lammps_botan.simulation.inherent_structure import inherent_structure
from lammps_botan.structure.configuration import Configuration


def check_use(metadata: Metadata, option: str) -> None:
    """Refuse to minimize for a model that sees no inherent structures.

    Parameters
    ----------
    metadata : Metadata
        Metadata of the model.
    option : str
        The option to leave out, for the message.

    Raises
    ------
    ValueError
        With what to type.

    Examples
    --------
    >>> from lammps_botan import Predictor
    >>> check_use(Predictor("ka-t044").metadata, "--inherent")
    Traceback (most recent call last):
    ValueError: the model sees no inherent structures; leave --inherent out, or take a model that
    ...
    """
    if metadata.inputs.inherent is None:
        raise ValueError(
            f"the model sees no inherent structures; leave {option} out, or take a model that sees "
            "them"
        )


def with_inherent(
    configuration: Configuration, metadata: Metadata, species: Sequence[str] | None
) -> Configuration:
    """Add the inherent structure that a model sees to a configuration.

    The interactions are those of the mixture of the model. A configuration that already has an
    inherent structure is returned as it is.

    Parameters
    ----------
    configuration : Configuration
    metadata : Metadata
        Metadata of a model that sees inherent structures.
    species : sequence of str or None
        For each LAMMPS type in order a species of the model.

    Returns
    -------
    Configuration

    Raises
    ------
    ValueError
        If a type is NULL, whose forces are not known, the model does not say the interactions of
        its mixture, or no minimum is found.

    Examples
    --------
    >>> import numpy as np
    >>> from lammps_botan import Box, Predictor
    >>> box = Box(5.0, (True, True, True))
    >>> quenched = Configuration(np.eye(2, 3), [0, 0], box, inherent_positions=np.eye(2, 3))
    >>> with_inherent(quenched, Predictor("ka-t044-inherent").metadata, None) is quenched
    True
    """
    if configuration.inherent_positions is not None:
        return configuration
    mixture, asked = metadata.mixture, metadata.inputs.inherent
    assert asked is not None  # check_use
    where = configuration.where
    if mixture.interactions is None:
        raise ValueError(
            f"{where}: the model does not say the interactions of {mixture.name}, which a "
            "minimization needs; score in LAMMPS with `fix botan`, which takes those of the run"
        )
    mapped, inside = configuration.as_mixture(mixture, species)
    if len(inside) < configuration.n_particles:
        raise ValueError(
            f"{where}: {configuration.n_particles - len(inside)} particles are NULL, and the "
            "inherent structure depends on their forces, which are not known; score in LAMMPS with "
            "`fix botan`"
        )
    positions, energies = inherent_structure(mapped, asked.force)
    return replace(configuration, inherent_positions=positions, inherent_energies=energies)
