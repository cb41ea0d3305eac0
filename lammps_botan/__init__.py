"""Predict particle mobility in a glass-forming liquid while LAMMPS runs it.

BOTAN (BOnd TArgeting Network): H. Shiba, M. Hanai, T. Suzumura, T. Shimokawabe,
J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791.

The names below are the front door. Each is imported when it is first used, since LAMMPS imports
this package at every start::

    from lammps_botan import Predictor
    prediction = Predictor("ka-t044").predict(configuration)
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lammps_botan.evaluation.evaluate import evaluate
    from lammps_botan.network.predictor import Predictor
    from lammps_botan.prediction.callbacks.external import attach
    from lammps_botan.prediction.trajectory import score
    from lammps_botan.structure.box import Box
    from lammps_botan.structure.configuration import Configuration
    from lammps_botan.structure.graph import Graph
    from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN, Mixture
    from lammps_botan.training.run import train

__all__ = [
    "KA2D",
    "KOB_ANDERSEN",
    "Box",
    "Configuration",
    "Graph",
    "Mixture",
    "Predictor",
    "attach",
    "evaluate",
    "score",
    "train",
]

_ROOMS = {
    "KA2D": "structure.mixture",
    "KOB_ANDERSEN": "structure.mixture",
    "Box": "structure.box",
    "Configuration": "structure.configuration",
    "Graph": "structure.graph",
    "Mixture": "structure.mixture",
    "Predictor": "network.predictor",
    "attach": "prediction.callbacks.external",
    "evaluate": "evaluation.evaluate",
    "score": "prediction.trajectory",
    "train": "training.run",
}

# modules that stood here before the rooms: their names go on working, with a warning
__path__.append(str(Path(__file__).parent / "former"))


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
