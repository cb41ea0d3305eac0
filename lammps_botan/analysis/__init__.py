"""Analyses of ensembles of runs, one class for each quantity, in the manner of MDAnalysis.

    runs = [open_dump(path) for path in paths]
    propensity = Propensity(runs).run(backend="multiprocessing", n_workers=4)
    propensity.results.times, propensity.results.propensity

Runs are Universes, or AtomGroups with the same atoms; `run(frames=[...])` takes only some lag
times, and parallel backends share out the lag times. Every class has `results.times` [n_frames],
the lag times since the first frame, and its quantities with n_frames in front of their own shape.
The backend "dask" starts fresh Python processes: a script needs `if __name__ == "__main__":`.
"""

from lammps_botan.analysis.correlation import (
    IntermediateScattering,
    MeanSquaredDisplacement,
    OverlapSusceptibility,
)
from lammps_botan.analysis.isoconfigurational import (
    BondBreakage,
    NeighborAveragedDisplacement,
    PairDistanceChange,
    Propensity,
    RelativeDisplacement,
)
from lammps_botan.relaxation import fit_relaxation_time

__all__ = [
    "BondBreakage",
    "IntermediateScattering",
    "MeanSquaredDisplacement",
    "NeighborAveragedDisplacement",
    "OverlapSusceptibility",
    "PairDistanceChange",
    "Propensity",
    "RelativeDisplacement",
    "fit_relaxation_time",
]
