"""Prediction and isoconfigurational average, configuration by configuration, as a few sums."""

import itertools
from collections.abc import Mapping
from typing import Any

from lammps_botan.evaluation.model import JudgedModel
from lammps_botan.evaluation.pearson import Mask, edge_mask, halves_moments, moments, node_mask
from lammps_botan.evaluation.reference import Reference, known_mixture
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import Mixture

# {"S": one entry for each species, "E": one for each pair of species, or None}
Table = Mapping[str, Mapping[str, Any] | None]


class Comparison:
    """A model against the isoconfigurational averages of one configuration after the other.

    Attributes
    ----------
    model : JudgedModel
    sums : list of Table
        Of each file, moments [6] of prediction and average.
    roles : list of str or None
        Of each file, what the configuration was to the model.
    differences : dict of str to list of str
        What differs between training and files: which files have it, by what it is.
    """

    def __init__(self, model: JudgedModel) -> None:
        self.model = model
        self.sums: list[Table] = []
        self.roles: list[str | None] = []
        self.differences: dict[str, list[str]] = {}

    def add(self, ensemble: Ensemble, reference: Reference) -> None:
        """Compare prediction and average of a configuration."""
        configuration = ensemble.configuration
        found = self.model.forecast(configuration, ensemble.lag_time)
        mixture, graph, bonds = known_mixture(configuration), found.graph, reference.bonds
        unit, of_bonds = mixture.diameter, None
        of_particles = {
            name: moments(found.propensity[mask], reference.propensity[mask], unit)
            for name, mask in _species(graph, mixture).items()
        }
        if found.changes is not None:
            seen = bonds.distances < graph.cutoff
            expected = _pairs(bonds, mixture)
            of_bonds = {
                name: moments(found.changes[mask], reference.changes[expected[name] & seen], unit)
                for name, mask in _pairs(graph, mixture).items()
            }
        self.sums.append({"S": of_particles, "E": of_bonds})
        self.roles.append(self.model.role(configuration))
        for name, text in self.model.differences(ensemble).items():
            self.differences.setdefault(f"{name} {text}", []).append(ensemble.path.name)

    def notes(self) -> list[str]:
        """What differs, and in how many files where not in all."""
        n = len(self.sums)
        return [
            text if len(files) == n else f"{text} ({files[0]}; {len(files)} of {n} files)"
            for text, files in self.differences.items()
        ]


def moments_of_halves(reference: Reference, mixture: Mixture) -> Table:
    """Moments [n_splits, 6] of the averages over two halves of the runs."""
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


def _species(graph: Graph, mixture: Mixture) -> dict[str, Mask]:
    """Masks [n_particles] by the name of the species."""
    return {name: node_mask(graph, mixture, k) for k, name in enumerate(mixture.species)}


def _pairs(graph: Graph, mixture: Mixture) -> dict[str, Mask]:
    """Masks [n_edges] of bonds by the names of the two species, as in A-B."""
    pairs = itertools.combinations_with_replacement(range(mixture.n_species), 2)
    names = mixture.species
    return {f"{names[a]}-{names[b]}": edge_mask(graph, mixture, (a, b)) for a, b in pairs}
