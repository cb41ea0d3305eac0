"""Files that hold a configuration and what happened to it: npz files and pickle files."""

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
    """Read an isoconfigurational ensemble; nothing in the file is ever run.

    Parameters
    ----------
    path : str or Path
        An npz file (`lammps_botan.files.ensemble_npz`), or a pickle file of Bapst et al.
        (`lammps_botan.files.bapst_pickle`).
    time_index : int, optional
        Which lag time of a file with several.
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is a folder or neither kind of file, its content does not fit together, or it has
        neither runs nor targets.

    Examples
    --------
    >>> from lammps_botan.files.ensemble import read_ensemble
    >>> ensemble = read_ensemble("isoconfig_N4096T0.44_401_tc07.npz")  # doctest: +SKIP
    >>> ensemble.final.shape  # doctest: +SKIP
    (32, 4096, 3)
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
    """Read a configuration, without what happened to it.

    Parameters
    ----------
    path : str or Path
        A file as for `read_ensemble`, or a LAMMPS data file, whose name does not end in .npz or
        .pickle.
    mixture : Mixture, optional
        What the particles are, where the file does not say it.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_ensemble` and `lammps_botan.files.lammps_data.read_lammps_data`.
    """
    path = Path(path)
    if path.suffix == SUFFIX:
        return read_bapst_start(path, mixture=mixture)
    if path.suffix == ".npz":
        return read_npz_start(path, mixture=mixture)
    start = read_lammps_data(path)
    return start if mixture is None else start.as_mixture(mixture)[0]


def same_time(a: float | None, b: float | None) -> bool:
    """Whether two lag times may be the same; one that is not said may be any."""
    return a is None or b is None or math.isclose(a, b, rel_tol=SAME_TIME)
