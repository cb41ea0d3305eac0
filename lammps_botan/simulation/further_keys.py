"""Keys of an npz file beside those of its ensemble, which pass from file to file."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# keys of the start and the runs that `files.ensemble_npz.write_ensemble` writes
_OF_THE_ENSEMBLE = {
    "types",
    "first_type",
    "initial_positions",
    "positions",
    "box",
    "periodic",
    "origin",
    "time",
    "temperature",
    "mixture",
    "initial_positions_inherent",
}


def read_further_keys(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read targets, seeds, inherent structures, histories and other further keys of a file.

    Files other than npz have none.
    """
    if path.suffix != ".npz":
        return {}
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files if key not in _OF_THE_ENSEMBLE}
