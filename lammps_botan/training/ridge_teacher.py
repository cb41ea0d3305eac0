"""Ridge regression on inherent structures as the teacher of a network."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lammps_botan.analysis.sample import make_sample
from lammps_botan.files.inherent_structures import read_structures
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import build_graph
from lammps_botan.training.distillation import Distillation, describe
from lammps_botan.training.known import know


class RidgeTeacher:
    """Labels structures by `training.distillation`, which learns from their runs.

    Parameters
    ----------
    ensembles : sequence of Ensemble
        Of npz files of `simulate inherent`.
    cutoff : float, optional
        Of the graph, length unit; that of BOTAN if it is not given.

    Attributes
    ----------
    known : list of KnownConfiguration
        What it learned from.

    Raises
    ------
    ValueError
        If there are fewer than two, or files have no inherent structures.
    """

    def __init__(self, ensembles: Sequence[Ensemble], cutoff: float | None = None) -> None:
        starts = [next(self.structures(one))[0] for one in ensembles]
        learned = [
            replace(one, configuration=start) for one, start in zip(ensembles, starts, strict=True)
        ]
        samples = [make_sample(one, cutoff) for one in learned]
        self._cutoff, self._lag_time = samples[0].graph.cutoff, samples[0].lag_time
        self._distillation = Distillation(samples, [describe(start) for start in starts])
        self.known = [know(one.configuration, "distillation", one.path.name) for one in learned]

    def structures(self, ensemble: Ensemble) -> Iterator[list[Configuration]]:
        """The start of an ensemble and then the ends of its runs, one of each."""
        mixture = ensemble.configuration.mixture
        yield from ([one] for one in read_structures(ensemble.path, mixture=mixture))

    def label(self, seen: Sequence[Configuration]) -> Ensemble:
        """The labels of one structure."""
        (structure,) = seen
        propensity = self._distillation.propensity(structure, describe(structure))
        graph = build_graph(structure, self._cutoff)
        return Ensemble(
            configuration=structure,
            final=np.zeros((0, structure.n_particles, 3)),
            lag_time=self._lag_time,
            propensity=propensity,
            pair_distance_change=self._distillation.pair_distance_change(
                structure, graph, propensity
            ),
        )
