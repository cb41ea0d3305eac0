"""What became of a configuration: the truth that predictions are judged by."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.analysis.sample import check_box
from lammps_botan.analysis.targets import BONDED, SIGMA, bonds, displacements, pair_distance_change
from lammps_botan.evaluation.pearson import random_halves
from lammps_botan.files.bapst_pickle import SUFFIX
from lammps_botan.files.ensemble_npz import read_future
from lammps_botan.structure.graph import Floats, Graph, build_graph

LONGEST_BOND = float(BONDED * SIGMA.max())


@dataclass(frozen=True)
class Outcome:
    """A configuration and the averages over its isoconfigurational runs.

    Attributes
    ----------
    path : Path
        The file it came from.
    time : float or None
        Lag time, where the file says it.
    n_runs : int
        0 where the file has propensities but no runs.
    graph : Graph
    bonded : Graph
        With the edges shorter than `LONGEST_BOND` only.
    propensity : float64 [n_particles]
        S_i, see `lammps_botan.analysis.targets.propensity`.
    changes : float64 [n_bonds]
        E_ij of the bonds, see `analysis.targets.pair_distance_change`; NaN without runs.
    propensity_halves : float64 [2, n_splits, n_particles]
        S_i over halves of the runs, see `lammps_botan.evaluation.pearson.random_halves`.
    changes_halves : float64 [2, n_splits, n_bonds]
        E_ij over the same halves.
    """

    path: Path
    time: float | None
    n_runs: int
    graph: Graph
    bonded: Graph
    propensity: Floats
    changes: Floats
    propensity_halves: Floats
    changes_halves: Floats


def read_outcome(path: Path, *, cutoff: float, time_index: int | None = None) -> Outcome:
    """Read one npz or pickle file and average over its runs.

    Parameters
    ----------
    path : Path
    cutoff : float
        Of the graph, LJ units; at least `LONGEST_BOND` is taken.
    time_index : int or None
        Which lag time of a pickle file.

    Raises
    ------
    FileNotFoundError, ValueError
        As `files.ensemble_npz.read_future`, or if `path` is a folder, or the box is smaller than
        two cutoffs.
    """
    if path.is_dir():
        kinds = [f"{path}/*{s}" for s in (".npz", SUFFIX) if any(path.glob(f"*{s}"))]
        found = f"; type {' '.join(kinds)}" if kinds else " without any"
        raise ValueError(f"{path}: expected an npz or pickle file, found a folder{found}")
    start = read_future(path, time_index=time_index)
    cutoff = max(cutoff, LONGEST_BOND)
    check_box(start, cutoff)
    graph = build_graph(start.initial, start.cell, start.species, cutoff=cutoff)
    bonded = bonds(graph, LONGEST_BOND)
    # of bonds only: the changes of all edges in all runs would not fit into memory
    moved, changed = np.empty((0, graph.n_particles)), np.empty((0, bonded.n_edges))
    if len(start.final):
        changed = np.array(
            [
                pair_distance_change(start.initial, run[None], bonded, start.cell)
                for run in start.final
            ]
        )
        moved = np.array(
            [np.linalg.norm(dr, axis=1) for dr in displacements(start.initial, start.final)]
        )
    return Outcome(
        path=path,
        time=start.time,
        n_runs=len(moved),
        graph=graph,
        bonded=bonded,
        propensity=moved.mean(axis=0) if start.propensity is None else start.propensity,
        changes=changed.mean(axis=0) if len(moved) else np.full(bonded.n_edges, np.nan),
        propensity_halves=random_halves(moved),
        changes_halves=random_halves(changed),
    )
