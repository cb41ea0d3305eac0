"""The former address of lammps_botan.prediction.trajectory.

`from lammps_botan import score` is the function of the front door. Importing this module puts it
in the place of the function, so that it can be called as the function is.
"""

import sys
import warnings
from types import ModuleType
from typing import Any

from lammps_botan.prediction.trajectory import score, score_file

__all__ = [
    "score",
    "score_file",
]

warnings.warn(
    "lammps_botan.score.score is now lammps_botan.score; for score_file see "
    "lammps_botan.prediction.trajectory",
    DeprecationWarning,
    stacklevel=2,
)


class _CallableModule(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return score(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
