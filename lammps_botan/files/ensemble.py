"""Files that hold a configuration and its future: npz files and pickle files."""

import math
from pathlib import Path

from lammps_botan.files.bapst_pickle import SUFFIX, read_bapst_ensemble, read_bapst_start
from lammps_botan.files.ensemble_npz import read_npz_ensemble, read_npz_start
from lammps_botan.files.lammps_data import read_lammps_data
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture

SAME_TIME = 0.01  # relative difference up to which lag times are the same


def read_ensemble(
    path: str | Path, *, time_index: int | None = None, mixture: Mixture | None = None
) -> Ensemble:
    """Read an isoconfigurational ensemble; no code of the file is run.

    Parameters
    ----------
    path : str or Path
        An npz file (`lammps_botan.files.ensemble_npz`), or a pickle file of Bapst et al.
        (`lammps_botan.files.bapst_pickle`).
    time_index : int, optional
        Number of the lag time, from 0, for a file with several.
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Returns
    -------
    Ensemble

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is a folder or neither kind of file, its content does not fit together, or it has
        neither runs nor targets.

    Examples
    --------
    >>> import numpy as np
    >>> start = {"box": 5.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> np.savez("runs.npz", **start, positions=np.zeros((32, 2, 3)), time=13.0)
    >>> ensemble = read_ensemble("runs.npz")
    >>> ensemble.final.shape, ensemble.lag_time
    ((32, 2, 3), 13.0)
    """
    path = Path(path)
    if path.is_dir():
        kinds = [f"{path}/*{s}" for s in (".npz", SUFFIX) if any(path.glob(f"*{s}"))]
        found = f"; type {' '.join(kinds)}" if kinds else " without any"
        raise ValueError(f"{path}: expected an npz or pickle file, found a folder{found}")
    if path.suffix == SUFFIX:
        return read_bapst_ensemble(path, time_index=time_index, mixture=mixture)
    return read_npz_ensemble(path, time_index=time_index, mixture=mixture)


def read_start(path: str | Path, *, mixture: Mixture | None = None) -> Configuration:
    """Read a configuration without its future.

    Parameters
    ----------
    path : str or Path
        A file as for `read_ensemble`, or a LAMMPS data file, whose name does not end in .npz or
        .pickle.
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Returns
    -------
    Configuration

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_ensemble` and `lammps_botan.files.lammps_data.read_lammps_data`.

    Examples
    --------
    >>> import numpy as np
    >>> content = {"box": 5.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> np.savez("start.npz", **content, propensity=[0, 1])
    >>> read_start("start.npz").n_particles
    2
    """
    path = Path(path)
    if path.suffix == SUFFIX:
        return read_bapst_start(path, mixture=mixture)
    if path.suffix == ".npz":
        return read_npz_start(path, mixture=mixture)
    start = read_lammps_data(path)
    return start if mixture is None else start.as_mixture(mixture)[0]


def same_time(a: float | None, b: float | None) -> bool:
    """Whether two lag times are the same within 1 %; an unknown lag time fits any other.

    Parameters
    ----------
    a, b : float or None
        Time unit; None where the lag time is unknown.

    Returns
    -------
    bool

    Examples
    --------
    >>> same_time(4120.0, 4119.0), same_time(4120.0, 13.0), same_time(None, 13.0)
    (True, False, True)
    """
    return a is None or b is None or math.isclose(a, b, rel_tol=SAME_TIME)
