"""The isoconfigurational average of a configuration, which is the truth for predictions."""

from dataclasses import dataclass

import numpy as np

from lammps_botan.analysis.sample import check_box
from lammps_botan.analysis.targets import bonded, displacements, pair_distance_change
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import Graph, build_graph
from lammps_botan.structure.mixture import SHIPPED, Mixture


@dataclass(frozen=True, eq=False)
class Reference:
    """Averages over the isoconfigurational runs from a configuration, and the runs themselves.

    Attributes
    ----------
    bonds : Graph
        Pairs of the configuration closer than the bond length of their two species.
    propensity : float64 [n_particles]
        S_i, length unit, see `lammps_botan.analysis.targets.propensity`.
    changes : float64 [n_bonds]
        E_ij, length unit, see `lammps_botan.analysis.targets.pair_distance_change`; NaN without
        runs.
    moved : float64 [n_runs, n_particles]
        ``|r_i(t) - r_i(0)|`` in each run, length unit.
    changed : float64 [n_runs, n_bonds]
        r_ij(t) - r_ij(0) in each run, length unit.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> box = Box(9.0, (True, True, True))
    >>> start = Configuration([[0, 0, 0], [1, 0, 0]], [0, 0], box, mixture=KOB_ANDERSEN)
    >>> reference = make_reference(Ensemble(start, final=[[[0, 0, 0], [1.2, 0, 0]]]))
    >>> reference.bonds.n_edges, reference.changes.round(6)
    (2, array([0.2, 0.2]))
    """

    bonds: Graph
    propensity: Floats
    changes: Floats
    moved: Floats
    changed: Floats


def make_reference(ensemble: Ensemble) -> Reference:
    """Average over the runs of an ensemble.

    Parameters
    ----------
    ensemble : Ensemble

    Returns
    -------
    Reference

    Raises
    ------
    ValueError
        If the mixture is not known, the box is smaller than two bonds, or final positions are
        wrapped.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> box = Box(9.0, (True, True, True))
    >>> start = Configuration([[0, 0, 0]], [0], box, mixture=KOB_ANDERSEN)
    >>> make_reference(Ensemble(start, final=[[[0, 0, 1]], [[0, 0, 2]]])).propensity
    array([1.5])
    """
    configuration, box = ensemble.configuration, ensemble.box
    mixture = known_mixture(configuration)
    check_box(configuration, mixture.longest_bond)
    ensemble.refuse_wrapped()
    bonds = bonded(build_graph(configuration, mixture.longest_bond), mixture)
    # of bonds only: the changes of all edges in all runs would not fit into memory
    moved, changed = np.empty((0, bonds.n_particles)), np.empty((0, bonds.n_edges))
    if ensemble.n_runs:
        runs = displacements(ensemble.initial, ensemble.final)
        moved = np.array([np.linalg.norm(dr, axis=1) for dr in runs])
        changed = np.array(
            [
                pair_distance_change(ensemble.initial, run[None], bonds, box)
                for run in ensemble.final
            ]
        )
    given = ensemble.propensity
    return Reference(
        bonds=bonds,
        propensity=moved.mean(axis=0) if given is None else given,
        changes=changed.mean(axis=0) if len(moved) else np.full(bonds.n_edges, np.nan),
        moved=moved,
        changed=changed,
    )


def known_mixture(configuration: Configuration) -> Mixture:
    """Give the mixture of a configuration, which must be known.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    Mixture

    Raises
    ------
    ValueError
        If the mixture is not known: the bonds depend on it.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box
    >>> box = Box(9.0, (True, True, True))
    >>> known_mixture(Configuration([[0, 0, 0]], [0], box, mixture=KOB_ANDERSEN)).name
    'kob-andersen'
    """
    if configuration.mixture is None:
        raise ValueError(
            f"{configuration.where}: it is not known what the particles are: the file names no "
            "mixture, and composition and density are those of none that ships "
            f"({', '.join(SHIPPED)}); give the mixture, --mixture NAME or FILE.toml"
        )
    return configuration.mixture
