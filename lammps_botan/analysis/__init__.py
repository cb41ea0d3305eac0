"""Targets, time correlations and relaxation of a liquid, and MDAnalysis classes for them.

An analysis takes the runs of an ensemble ::

    runs = [open_dump(path) for path in paths]
    propensity = Propensity(runs).run(backend="multiprocessing", n_workers=4)
    propensity.results.times, propensity.results.propensity

Runs are Universes, or AtomGroups with the same atoms. A reader other than `open_dump` may need
further arguments: give them to `Runs` or `IsoconfigurationalRuns`, which all classes take in place
of Universes. `run(frames=[...])` takes only some lag times, and parallel backends share out the lag
times. Every class has `results.times` [n_frames], the lag times since the first frame, and its
quantities with n_frames in front of their own shape.
The backend "dask" starts fresh Python processes: a script needs `if __name__ == "__main__":`.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "BondBreakage": "target_classes",
    "IntermediateScattering": "time_correlation_classes",
    "MeanSquaredDisplacement": "time_correlation_classes",
    "NeighborAveragedDisplacement": "target_classes",
    "OverlapSusceptibility": "time_correlation_classes",
    "PairDistanceChange": "target_classes",
    "Propensity": "target_classes",
    "RelativeDisplacement": "target_classes",
    "IsoconfigurationalRuns": "runs",
    "Runs": "runs",
    "fit_relaxation_time": "relaxation_time",
}


# imported when they are first used: the targets of training do not need MDAnalysis
def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
