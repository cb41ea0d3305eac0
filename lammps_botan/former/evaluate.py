"""The former address of lammps_botan.evaluation.evaluate.

`from lammps_botan import evaluate` is the function of the front door. Importing this module puts
it in the place of the function, so that it can be called as the function is.
"""

import sys
import warnings
from types import ModuleType
from typing import Any

from lammps_botan.evaluation.evaluate import evaluate

__all__ = [
    "evaluate",
]

warnings.warn(
    "lammps_botan.evaluate.evaluate is now lammps_botan.evaluate",
    DeprecationWarning,
    stacklevel=2,
)


class _CallableModule(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return evaluate(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
