"""Targets for structures whose future few runs, or none, have seen: from their inherent structure.

The inherent structure tells more of the mobility than thermal positions do, and ridge regression
on descriptors of it needs few configurations. What it says of any structure is free of the noise of
runs; a network that sees thermal positions only can learn from it as from further configurations.

- Propensity: ridge regression, one for each species, on `analysis.descriptors` of the inherent
  structure (Boattini et al., Phys. Rev. Lett. 127, 088007 (2021),
  doi:10.1103/PhysRevLett.127.088007), on the distance |r_IS - r| from the thermal positions and on
  the energy in the inherent structure, with averages of both over the neighborhood.
- Pair-distance change: ridge regression, one for each pair of species, of E_ij - (r_ij^IS - r_ij)
  on the distance in the inherent structure and on the propensities of both particles.

Each configuration counts relative to its own mean. LJ units.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.linalg

from lammps_botan.analysis.descriptors import neighborhood_averages, shell_descriptors
from lammps_botan.analysis.sample import Sample, make_sample
from lammps_botan.files.ensemble_npz import Configuration, read_configuration, read_future
from lammps_botan.files.ensemble_npz_writer import write_targets
from lammps_botan.files.output_folder import open_output
from lammps_botan.structure.graph import Floats, Graph, Ints, build_graph, minimum_image

PENALTY = 1000.0  # on standardized descriptors; chosen on public configurations at T = 0.44
PAIR_PENALTY = 10.0
CONSTANT = 1e-4  # descriptors that vary less, or in fewer particles, say nothing
DISTANCES = np.concatenate([np.arange(0.8, 1.599, 0.04), np.arange(1.6, 2.499, 0.1)])
DISTANCE_WIDTHS = np.where(DISTANCES < 1.59, 0.04, 0.1)
LONGEST = 0.6  # changes of a distance towards the inherent structure, where they are cut off


@dataclass(frozen=True)
class Structure:
    """A thermal configuration with its inherent structure.

    Attributes
    ----------
    species : int64 [n_particles]
    cell : float64 [3, 3]
        Cell vectors as rows.
    thermal, inherent : float64 [n_particles, 3]
        Positions; the way from one to the other is short, up to periodic images.
    energy : float64 [n_particles]
        In the inherent structure.
    """

    species: Ints
    cell: Floats
    thermal: Floats
    inherent: Floats
    energy: Floats


class Teacher:
    """Ridge regression from inherent structures to propensities and pair-distance changes.

    Parameters
    ----------
    structures : sequence of Structure
    descriptors : sequence of float32 [n_particles, n_descriptors]
        What `describe` gives for each.
    samples : sequence of Sample
        Graphs and targets of their thermal configurations, from runs.

    Raises
    ------
    ValueError
        If there are fewer than two.
    """

    def __init__(
        self,
        structures: Sequence[Structure],
        descriptors: Sequence[Floats],
        samples: Sequence[Sample],
    ) -> None:
        if len(structures) < 2:
            raise ValueError(
                "a teacher learns from two configurations or more, what it says of each from the "
                f"others; found {len(structures)}"
            )
        known = list(zip(structures, descriptors, samples, strict=True))
        kinds = range(int(max(structure.species.max() for structure in structures)) + 1)
        self._n_species = len(kinds)
        self._particles = []
        unseen = [np.empty(len(structure.species)) for structure in structures]
        for kind in kinds:
            own = [structure.species == kind for structure in structures]
            groups = [
                _Group.of(x[some], sample.propensity[some])
                for (_, x, sample), some in zip(known, own, strict=True)
            ]
            self._particles.append(_Ridge(groups, PENALTY))
            for k, some in enumerate(own):
                others = _Ridge(groups[:k] + groups[k + 1 :], PENALTY)
                unseen[k][some] = others(descriptors[k][some])
        # pairs learn from propensities as they will be given, not from those that were fitted
        pairs: list[list[_Group]] = [[] for _ in range(self._n_species**2)]
        for (structure, _, sample), propensity in zip(known, unseen, strict=True):
            towards, x, pair = self._describe_pairs(structure, sample.graph, propensity)
            for kind, groups in enumerate(pairs):
                some = pair == kind
                change = sample.pair_distance_change[some] - towards[some]
                groups.append(_Group.of(x[some], change))
        self._pairs = [_Ridge(groups, PAIR_PENALTY) for groups in pairs]

    def propensity(self, structure: Structure, descriptors: Floats) -> Floats:
        """float64 [n_particles], from what `describe` gives."""
        found = np.empty(len(structure.species))
        for kind, ridge in enumerate(self._particles):
            some = structure.species == kind
            found[some] = ridge(descriptors[some])
        return found

    def pair_distance_change(
        self, structure: Structure, graph: Graph, propensity: Floats
    ) -> Floats:
        """float64 [n_edges] of the graph of the thermal positions, from what `propensity` gives."""
        towards, x, pair = self._describe_pairs(structure, graph, propensity)
        found = towards.copy()
        for kind, ridge in enumerate(self._pairs):
            some = pair == kind
            found[some] += ridge(x[some])
        return found

    def _describe_pairs(
        self, structure: Structure, graph: Graph, propensity: Floats
    ) -> tuple[Floats, Floats, Ints]:
        # r_ij^IS - r_ij, descriptors, and pair of species of each edge
        center, neighbor = graph.center, graph.neighbor
        way = minimum_image(structure.inherent - structure.thermal, structure.cell)
        distance = np.linalg.norm(graph.vectors + way[center] - way[neighbor], axis=1)
        towards = distance - graph.distances
        near = np.exp(-((distance[:, None] - DISTANCES) ** 2) / (2 * DISTANCE_WIDTHS**2))
        both = (propensity[center] + propensity[neighbor])[:, None]
        product = (propensity[center] * propensity[neighbor])[:, None]
        limited = np.clip(towards, -LONGEST, LONGEST)[:, None]
        factors = (both, product, both**3, limited, limited * both)
        x = np.concatenate([near, *(near * factor for factor in factors)], axis=1)
        pair = graph.species[center] * self._n_species + graph.species[neighbor]
        return towards, x, pair


def describe(structure: Structure) -> Floats:
    """Descriptors of an inherent structure, float32 [n_particles, n_descriptors]."""
    place = structure.inherent, structure.cell, structure.species
    way = minimum_image(structure.inherent - structure.thermal, structure.cell)
    length = np.linalg.norm(way, axis=1)
    kinds = structure.species[:, None] == np.arange(structure.species.max() + 1)
    own = [length, length**2, structure.energy, *kinds.T, *(kinds.T * structure.energy)]
    shells = neighborhood_averages(shell_descriptors(*place), *place)
    values = np.stack(own, axis=1).astype(np.float32)
    return np.concatenate([shells, neighborhood_averages(values, *place, generations=4)], axis=1)


@dataclass(frozen=True)
class _Group:
    """What a regression needs of one configuration: sums of squares about its own means."""

    n: int
    x: Floats  # means
    y: float  # mean
    squares: Floats
    products: Floats

    @classmethod
    def of(cls, x: Floats, y: Floats) -> "_Group":
        exact = x.astype(np.float64)
        mean = exact.mean(axis=0)
        exact -= mean
        return cls(len(y), mean, float(y.mean()), exact.T @ exact, exact.T @ (y - y.mean()))


class _Ridge:
    """Ridge regression on standardized descriptors, within configurations."""

    def __init__(self, groups: Sequence[_Group], penalty: float) -> None:
        n = sum(group.n for group in groups)
        mean = np.sum([group.n * group.x for group in groups], axis=0) / n
        squares = np.sum([group.squares for group in groups], axis=0)
        between = np.sum([group.n * (group.x - mean) ** 2 for group in groups], axis=0)
        spread = np.sqrt((np.diagonal(squares) + between) / n)
        used = spread > CONSTANT
        scale = spread[used]
        matrix = squares[np.ix_(used, used)] / np.outer(scale, scale)
        matrix[np.diag_indices_from(matrix)] += penalty
        products = np.sum([group.products for group in groups], axis=0)[used] / scale
        self._weights = np.zeros(len(mean))
        self._weights[used] = scipy.linalg.solve(matrix, products, assume_a="pos") / scale
        self._offset = np.mean([group.y for group in groups]) - mean @ self._weights

    def __call__(self, x: Floats) -> Floats:
        return np.asarray(x @ self._weights + self._offset)


def read_structures(path: Path) -> list[Structure]:
    """The start of an npz file of `simulate inherent` and the ends of its runs, in this order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it has no inherent structures, or their number is another one.
    """
    one = read_configuration(path)
    keys = ("inherent_positions", "inherent_energies")
    with np.load(path, allow_pickle=False) as archive:
        if any(key not in archive.files for key in keys):
            raise ValueError(
                f"{path}: lacks {' and '.join(keys)}; make them by `lammps-botan simulate inherent "
                f"{path} -o FOLDER`"
            )
        positions, energies = (archive[key] for key in keys)
    n, n_structures = len(one.species), 1 + len(one.final)
    if positions.shape != (n_structures, n, 3) or energies.shape != (n_structures, n):
        raise ValueError(
            f"{path}: expected inherent_positions [{n_structures}, {n}, 3] and inherent_energies "
            f"[{n_structures}, {n}], found {list(positions.shape)} and {list(energies.shape)}"
        )
    return [
        Structure(one.species, one.cell, *each)
        for each in zip([one.initial, *one.final], positions, energies, strict=True)
    ]


def teach(paths: Sequence[Path], output: Path, *, cutoff: float = 2.0) -> Iterator[Path]:
    """Targets for the starts and for the ends of the runs of configurations.

    A teacher learns from the runs of all of them. Interrupted and called again, it goes on.

    Parameters
    ----------
    paths : sequence of Path
        npz files of `simulate inherent`.
    output : Path
        Folder; made if it is not there.
    cutoff : float
        Of the graph.

    Yields
    ------
    Path
        `output`/NAME-start.npz, NAME-end01.npz and so on; see `lammps_botan.files.ensemble_npz`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file cannot be used, there are fewer than two, two share a name, or `output` was begun
        from other files.
    """
    names = [path.stem for path in paths]
    for path in paths:
        if names.count(path.stem) > 1:
            raise ValueError(f"{path}: another configuration is also called {path.stem}; rename it")
    configurations = [read_future(path) for path in paths]
    starts = [read_structures(path)[0] for path in paths]
    samples = [make_sample(one, cutoff=cutoff) for one in configurations]
    teacher = Teacher(starts, [describe(start) for start in starts], samples)
    sums = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    with open_output(output, "teach", {"cutoff": cutoff, "sha256": sums}, {}):
        for one in configurations:
            structures = read_structures(one.path)
            digits = len(str(len(structures) - 1))
            for k, structure in enumerate(structures):
                name = f"end{k:0{digits}d}" if k else "start"
                path = output / f"{one.path.stem}-{name}.npz"
                if not path.exists():
                    _write_taught(path, one, structure, teacher, cutoff)
                yield path


def _write_taught(
    path: Path, one: Configuration, structure: Structure, teacher: Teacher, cutoff: float
) -> None:
    propensity = teacher.propensity(structure, describe(structure))
    graph = build_graph(structure.thermal, structure.cell, structure.species, cutoff=cutoff)
    write_targets(
        path,
        species=structure.species,
        initial=structure.thermal,
        cell=structure.cell,
        time=one.time,
        propensity=propensity,
        pair_distance_change=teacher.pair_distance_change(structure, graph, propensity),
    )
