"""Pseudo-labels: targets for structures that few runs, or none, started from.

The inherent structure tells more of the mobility than thermal positions do, and ridge regression
on descriptors of it needs few configurations. Its predictions for any structure are free of the
noise of runs; a network that sees thermal positions only can learn from them as from further
configurations.

- Propensity: ridge regression, one for each species, on `analysis.descriptors` of the inherent
  structure (Boattini et al., Phys. Rev. Lett. 127, 088007 (2021),
  doi:10.1103/PhysRevLett.127.088007), on the distance ``|r_IS - r|`` from the thermal positions and
  on the energy in the inherent structure, with averages of both over the neighborhood.
- Pair-distance change: ridge regression, one for each pair of species, of E_ij - (r_ij^IS - r_ij)
  on the distance in the inherent structure and on the propensities of both particles.

Lengths are in diameters of the mixture, and energies in their standard deviation.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lammps_botan.analysis.descriptors import neighborhood_averages, shell_descriptors
from lammps_botan.analysis.sample import Sample
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import Mixture
from lammps_botan.training.ridge import Ridge, fit_ridge

DISTANCES = np.concatenate([np.arange(0.8, 1.599, 0.04), np.arange(1.6, 2.499, 0.1)])
DISTANCE_WIDTHS = np.where(DISTANCES < 1.59, 0.04, 0.1)
LONGEST = 0.6  # changes of a distance towards the inherent structure, where they are cut off
MOST_PAIRS = 200_000  # of each pair of species, to learn from: many times the descriptors


class Distillation:
    """Ridge regression from inherent structures to propensities and pair-distance changes.

    Each configuration counts relative to its own mean.

    Parameters
    ----------
    samples : sequence of Sample
        Samples of one mixture, with targets from runs; their configurations have inherent
        structures.
    descriptors : sequence of float32 [n_particles, n_descriptors]
        Result of `describe` for each configuration.

    Raises
    ------
    ValueError
        If there are fewer than two samples, or a species is in fewer than two of them.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> from lammps_botan.analysis.sample import make_sample
    >>> from lammps_botan.structure.ensemble import Ensemble
    >>> rng, box = np.random.default_rng(1), Box(9.0, (True, True, True))
    >>> starts = [
    ...     Configuration(
    ...         x, [0] * 20, box, mixture=KOB_ANDERSEN,
    ...         inherent_positions=x, inherent_energies=rng.normal(size=20),
    ...     )
    ...     for x in 9.0 * rng.random((2, 20, 3))
    ... ]
    >>> moved = np.ones((2, 20, 3))
    >>> samples = [make_sample(Ensemble(one, one.positions + moved)) for one in starts]
    >>> descriptors = [describe(one) for one in starts]
    >>> Distillation(samples, descriptors).propensity(starts[0], descriptors[0]).shape
    (20,)
    """

    def __init__(self, samples: Sequence[Sample], descriptors: Sequence[Floats]) -> None:
        if len(samples) < 2:
            raise ValueError(
                "pseudo-labels are distilled from two configurations or more, what is learned of "
                f"each from the others; found {len(samples)}"
            )
        self._mixture = _mixture(samples[0].configuration)
        unit = self._mixture.diameter
        known = list(zip(samples, descriptors, strict=True))
        self._particles: dict[int, Ridge] = {}
        unseen = [np.zeros(len(sample.propensity)) for sample in samples]
        for kind in np.unique(np.concatenate([s.configuration.species for s in samples])):
            own = [sample.configuration.species == kind for sample in samples]
            x = [given[some] for (_, given), some in zip(known, own, strict=True)]
            y = [sample.propensity[some] / unit for sample, some in zip(samples, own, strict=True)]
            ridge = fit_ridge(x, y)
            if ridge is None:
                raise ValueError(
                    f"species {self._mixture.species[kind]} must be in two configurations or more "
                    "to distill pseudo-labels from them"
                )
            self._particles[int(kind)] = ridge
            for values, some, found in zip(unseen, own, ridge.unseen(x, y), strict=True):
                values[some] = unit * found
        self._pairs = self._fit_pairs(samples, unseen)

    def _fit_pairs(
        self, samples: Sequence[Sample], unseen: Sequence[Floats]
    ) -> dict[int, Ridge | None]:
        """One regression for each pair of species, from one direction of each edge."""
        # pairs learn from propensities as they will be given, not from those that were fitted
        rng = np.random.default_rng(0)
        x: dict[int, list[Floats]] = {}
        y: dict[int, list[Floats]] = {}
        for sample, propensity in zip(samples, unseen, strict=True):
            graph = sample.graph
            kinds = self._kinds(graph)
            for kind in np.unique(kinds):
                some = np.flatnonzero((kinds == kind) & (graph.center < graph.neighbor))
                most = MOST_PAIRS // len(samples)
                if len(some) > most:
                    some = np.sort(rng.choice(some, most, replace=False))
                edges = np.zeros(graph.n_edges, dtype=bool)
                edges[some] = True
                towards, own = self._describe_pairs(
                    sample.configuration, graph.only(edges), propensity
                )
                change = sample.pair_distance_change[edges] - towards
                x.setdefault(int(kind), []).append(own)
                y.setdefault(int(kind), []).append(change / self._mixture.diameter)
        return {kind: fit_ridge(x[kind], y[kind]) for kind in x}

    def propensity(self, configuration: Configuration, descriptors: Floats) -> Floats:
        """Predict propensities, float64 [n_particles], length unit, from what `describe` gives."""
        found = np.empty(configuration.n_particles)
        for kind in np.unique(configuration.species):
            some = configuration.species == kind
            found[some] = self._particles[kind].predict(descriptors[some])
        return found * self._mixture.diameter

    def pair_distance_change(
        self, configuration: Configuration, graph: Graph, propensity: Floats
    ) -> Floats:
        """Predict pair-distance changes, float64 [n_edges], length unit, for the thermal graph.

        `propensity` is the result of the method of this name. Pairs of species that were in fewer
        than two configurations change towards the inherent structure and no further.
        """
        kinds = self._kinds(graph)
        found = np.empty(graph.n_edges)
        for kind in np.unique(kinds):
            some = kinds == kind
            towards, x = self._describe_pairs(configuration, graph.only(some), propensity)
            ridge = self._pairs.get(int(kind))
            further = 0.0 if ridge is None else ridge.predict(x)
            found[some] = towards + self._mixture.diameter * further
        return found

    def _kinds(self, graph: Graph) -> Ints:
        """Number of the pair of species of each edge, in any order."""
        first, second = graph.species[graph.center], graph.species[graph.neighbor]
        low, high = np.minimum(first, second), np.maximum(first, second)
        return np.asarray(low * self._mixture.n_species + high)

    def _describe_pairs(
        self, configuration: Configuration, graph: Graph, propensity: Floats
    ) -> tuple[Floats, Floats]:
        """r_ij^IS - r_ij of each edge, length unit, and its descriptors."""
        unit = self._mixture.diameter
        center, neighbor = graph.center, graph.neighbor
        way = towards_inherent(configuration)
        distance = np.linalg.norm(graph.vectors + way[center] - way[neighbor], axis=1)
        towards = distance - graph.distances
        near = np.exp(-((distance[:, None] / unit - DISTANCES) ** 2) / (2 * DISTANCE_WIDTHS**2))
        moved = propensity / unit
        both = (moved[center] + moved[neighbor])[:, None]
        product = (moved[center] * moved[neighbor])[:, None]
        limited = np.clip(towards / unit, -LONGEST, LONGEST)[:, None]
        factors = (both, product, both**3, limited, limited * both)
        return towards, np.concatenate([near, *(near * factor for factor in factors)], axis=1)


def towards_inherent(configuration: Configuration) -> Floats:
    """Give r_IS - r, the shortest way to the inherent structure.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    float64 [n_particles, 3]
        Length unit.

    Raises
    ------
    ValueError
        If the configuration has no inherent structure.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> box = Box(5.0, (True, True, True))
    >>> one = Configuration([[4.9, 0, 0]], [0], box, inherent_positions=[[0.1, 0, 0]])
    >>> towards_inherent(one).round(6)
    array([[0.2, 0. , 0. ]])
    """
    if configuration.inherent_positions is None:
        raise ValueError(
            f"{configuration.where}: has no inherent structure; make it by `lammps-botan simulate "
            "inherent`"
        )
    return configuration.box.minimum_image(
        configuration.inherent_positions - configuration.positions
    )


def describe(configuration: Configuration) -> Floats:
    """Compute the descriptors of an inherent structure.

    Parameters
    ----------
    configuration : Configuration
        With its mixture, its inherent structure and the energies there.

    Returns
    -------
    float32 [n_particles, n_descriptors]

    Raises
    ------
    ValueError
        If one of these is missing.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> x, box = np.eye(2, 3), Box(9.0, (True, True, True))
    >>> one = Configuration(
    ...     x, [0, 1], box, mixture=KOB_ANDERSEN, inherent_positions=x, inherent_energies=[-6, -7]
    ... )
    >>> len(describe(one))
    2
    """
    mixture = _mixture(configuration)
    length = np.linalg.norm(towards_inherent(configuration), axis=1) / mixture.diameter
    given = configuration.inherent_energies
    if given is None or configuration.inherent_positions is None:
        raise ValueError(f"{configuration.where}: has no energies of its inherent structure")
    energy = given / (given.std() or 1.0)
    inherent = replace(configuration, positions=configuration.inherent_positions)
    kinds = configuration.species[:, None] == np.arange(mixture.n_species)
    own = [length, length**2, energy, *kinds.T, *(kinds.T * energy)]
    shells = neighborhood_averages(shell_descriptors(inherent), inherent)
    values = np.stack(own, axis=1).astype(np.float32)
    return np.concatenate([shells, neighborhood_averages(values, inherent, generations=4)], axis=1)


def _mixture(configuration: Configuration) -> Mixture:
    if configuration.mixture is None:
        raise ValueError(
            f"{configuration.where}: does not say which mixture its particles are, and they are "
            "none that ships; say it (--mixture NAME or FILE.toml)"
        )
    return configuration.mixture
