"""The former address of lammps_botan.network.predictor."""

import warnings

from lammps_botan.network.predictor import Prediction, Scorer

__all__ = [
    "Prediction",
    "Scorer",
]

warnings.warn(
    "lammps_botan.scorer is now lammps_botan.network.predictor",
    DeprecationWarning,
    stacklevel=2,
)
