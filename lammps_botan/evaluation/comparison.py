"""Sums over prediction and isoconfigurational average, configuration by configuration."""

import copy
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lammps_botan.evaluation.four_point import longest_waves
from lammps_botan.evaluation.level import level_sums, perfect_level_sums
from lammps_botan.evaluation.model import Forecast, JudgedModel
from lammps_botan.evaluation.pearson import Mask, edge_mask, halves_moments, moments, node_mask
from lammps_botan.evaluation.reference import Reference, known_mixture
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import Mixture

ENDS = {"S": 1, "E": 2}  # from which each particle, or bond, is there
# {"S": one entry for each species, "E": one for each pair of species, or None}
Table = Mapping[str, Mapping[str, Any] | None]


class Comparison:
    """A model against the isoconfigurational averages of one configuration after the other.

    Parameters
    ----------
    model : JudgedModel

    Attributes
    ----------
    model : JudgedModel
    sums : list of Table
        Moments [6] of prediction and average, for each file.
    level_sums : list of Table
        See `lammps_botan.evaluation.level.level_sums`, for each file.
    roles : list of str or None
        For each file, whether the configuration trained or validated the model.
    differences : dict of str to list of str
        Differences between training and files, with the files that have them.

    Examples
    --------
    >>> comparison = Comparison(JudgedModel("ka-t044"))
    >>> comparison.notes()
    []
    """

    def __init__(self, model: JudgedModel) -> None:
        self.model = model
        self.sums: list[Table] = []
        self.level_sums: list[Table] = []
        self.roles: list[str | None] = []
        self.differences: dict[str, list[str]] = {}

    def add(self, ensemble: Ensemble, reference: Reference) -> None:
        """Compare prediction and average of a configuration."""
        configuration = ensemble.configuration
        found = self.model.forecast(configuration, ensemble.lag_time)
        unit, waves = known_mixture(configuration).diameter, longest_waves(configuration.box)
        sums: dict[str, Any] = {"S": {}, "E": None if found.changes is None else {}}
        level = copy.deepcopy(sums)
        for quantity, name, pair, runs, places in _compared(found, reference, configuration):
            sums[quantity][name] = moments(*pair, unit)
            level[quantity][name] = level_sums(*pair, runs, places, waves, ENDS[quantity])
        self.sums.append(sums)
        self.level_sums.append(level)
        self.roles.append(self.model.role(configuration))
        for name, text in self.model.differences(ensemble).items():
            self.differences.setdefault(f"{name} {text}", []).append(ensemble.path.name)

    def notes(self) -> list[str]:
        """Differences between training and files, with the number of files that have them."""
        n = len(self.sums)
        return [
            text if len(files) == n else f"{text} ({files[0]}; {len(files)} of {n} files)"
            for text, files in self.differences.items()
        ]


def moments_of_halves(reference: Reference, mixture: Mixture) -> Table:
    """Compute the moments of the averages over two halves of the runs.

    Parameters
    ----------
    reference : Reference
    mixture : Mixture

    Returns
    -------
    dict
        Moments [n_splits, 6] by "S" or "E" and the name of the species or pair.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> from lammps_botan.evaluation.reference import make_reference
    >>> box = Box(9.0, (True, True, True))
    >>> start = Configuration(np.eye(2, 3), [0, 0], box, mixture=KOB_ANDERSEN)
    >>> reference = make_reference(Ensemble(start, final=np.zeros((4, 2, 3))))
    >>> moments_of_halves(reference, KOB_ANDERSEN)["S"]["A"].shape
    (200, 6)
    """
    bonds, unit = reference.bonds, mixture.diameter
    return {
        "S": {
            name: halves_moments(reference.moved[:, mask], unit)
            for name, mask in _species(bonds, mixture).items()
        },
        "E": {
            name: halves_moments(reference.changed[:, mask], unit)
            for name, mask in _pairs(bonds, mixture).items()
        },
    }


def perfect_levels(reference: Reference, configuration: Configuration) -> Table:
    """Compute the nine numbers of a perfect prediction, as `evaluation.level.perfect_level_sums`.

    Parameters
    ----------
    reference : Reference
    configuration : Configuration
        With its mixture.

    Returns
    -------
    dict
        Numbers [9] by "S" or "E" and the name of the species or pair.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> from lammps_botan.evaluation.reference import make_reference
    >>> box = Box(9.0, (True, True, True))
    >>> start = Configuration(np.eye(2, 3), [0, 0], box, mixture=KOB_ANDERSEN)
    >>> reference = make_reference(Ensemble(start, final=np.zeros((4, 2, 3))))
    >>> perfect_levels(reference, start)["S"]["A"].shape
    (9,)
    """
    bonds, mixture = reference.bonds, known_mixture(configuration)
    waves, middles = longest_waves(configuration.box), _middles(reference.bonds, configuration)
    return {
        "S": {
            name: perfect_level_sums(
                reference.moved[:, mask], configuration.positions[mask], waves, ENDS["S"]
            )
            for name, mask in _species(bonds, mixture).items()
        },
        "E": {
            name: perfect_level_sums(reference.changed[:, mask], middles[mask], waves, ENDS["E"])
            for name, mask in _pairs(bonds, mixture).items()
        },
    }


def _compared(
    found: Forecast, reference: Reference, configuration: Configuration
) -> Iterator[tuple[str, str, tuple[Floats, Floats], Floats, Floats]]:
    """S or E, the group, its predictions and averages [n], runs [n_runs, n] and places [n, 3]."""
    mixture, bonds = known_mixture(configuration), reference.bonds
    for name, mask in _species(found.graph, mixture).items():
        pair = found.propensity[mask], reference.propensity[mask]
        yield "S", name, pair, reference.moved[:, mask], configuration.positions[mask]
    if found.changes is None:
        return
    expected, middles = _pairs(bonds, mixture), _middles(bonds, configuration)
    # of a model that sees less than a bond, the bonds that it sees
    seen = bonds.distances < found.graph.cutoff
    for name, mask in _pairs(found.graph, mixture).items():
        own = expected[name] & seen
        pair = found.changes[mask], reference.changes[own]
        yield "E", name, pair, reference.changed[:, own], middles[own]


def _middles(bonds: Graph, configuration: Configuration) -> Floats:
    """Places of bonds, halfway between their ends, float64 [n_edges, 3]."""
    return np.asarray(configuration.positions[bonds.center] - bonds.vectors / 2)


def _species(graph: Graph, mixture: Mixture) -> dict[str, Mask]:
    """Masks [n_particles] by the name of the species."""
    return {name: node_mask(graph, mixture, k) for k, name in enumerate(mixture.species)}


def _pairs(graph: Graph, mixture: Mixture) -> dict[str, Mask]:
    """Masks [n_edges] of bonds by the names of the two species, as in A-B."""
    pairs = itertools.combinations_with_replacement(range(mixture.n_species), 2)
    names = mixture.species
    return {f"{names[a]}-{names[b]}": edge_mask(graph, mixture, (a, b)) for a, b in pairs}
