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
    """Label structures with `training.distillation`, which learns from their runs.

    Parameters
    ----------
    ensembles : sequence of Ensemble
        Ensembles of npz files of `simulate inherent`.
    cutoff : float, optional
        Cutoff of the graph, length unit. Default: that of BOTAN.

    Attributes
    ----------
    known : list of KnownConfiguration
        Configurations that the regression learned from.

    Raises
    ------
    ValueError
        If there are fewer than two ensembles, or files have no inherent structures.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lammps_botan.files.ensemble import read_ensemble
    >>> sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    >>> about = {"box": 4.705, "types": np.repeat([0, 1], [100, 25]), "time": 13.0}
    >>> for k, name in enumerate(("a.npz", "b.npz")):
    ...     rng = np.random.default_rng(k)
    ...     both = sites + rng.normal(0, 0.1, (2, 125, 3))
    ...     inherent = {"inherent_positions": both, "inherent_energies": rng.normal(size=(2, 125))}
    ...     np.savez(name, **about, **inherent, initial_positions=both[0], positions=both[1:])
    >>> ensembles = [read_ensemble(name) for name in ("a.npz", "b.npz")]
    >>> teacher = RidgeTeacher(ensembles)
    >>> start, end = teacher.structures(ensembles[0])
    >>> teacher.label(end).propensity.shape
    (125,)
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
        """Give the start of an ensemble and then the ends of its runs, one of each."""
        mixture = ensemble.configuration.mixture
        yield from ([one] for one in read_structures(ensemble.path, mixture=mixture))

    def label(self, seen: Sequence[Configuration]) -> Ensemble:
        """Label one structure."""
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
