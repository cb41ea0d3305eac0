"""Data of Bapst et al., Nat. Phys. 16, 448 (2020), doi:10.1038/s41567-020-0842-8.

One pickle file holds one configuration of the Kob-Andersen mixture (`positions` [n_particles, 3],
`types`, `box` [3]) and its future at several lag times: ``time[k]`` for k in `time_indices`. At the
time index i, which counts from 0 in that list, ``trajectory_target_positions[i]`` holds the
unwrapped positions at the end of each run, and ``targets[i]`` the mean distance that each particle
moved. Either may end before the list does.

A pickle is a program. This reader builds numbers, text, lists, tuples, dicts and numeric numpy
arrays, and refuses a file that names anything else. The reader calls not even numpy's own
functions: told that raw bytes are an array of objects, they follow the bytes as addresses.
"""

import io
import pickle
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.files.pickle_size import SHARED, check_pickle
from lammps_botan.structure.box import Box, Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

SUFFIX = ".pickle"


def read_bapst_start(path: Path, *, mixture: Mixture | None = None) -> Configuration:
    """Read the configuration of one pickle file; no code of the file is run.

    Parameters
    ----------
    path : Path
    mixture : Mixture, optional
        What the particles are. Default: the Kob-Andersen mixture.

    Returns
    -------
    Configuration

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no pickle, asks for more than data, lacks a key, or its arrays do not fit together.

    Examples
    --------
    >>> content = {"positions": [[0.0, 0.0, 0.0]], "types": [0], "box": [5.0, 5.0, 5.0]}
    >>> path = Path("start.pickle")
    >>> _ = path.write_bytes(pickle.dumps(content))
    >>> read_bapst_start(path).n_particles
    1
    """
    return _configuration(_read(path), mixture)


def read_bapst_ensemble(
    path: Path, *, time_index: int | None, mixture: Mixture | None = None
) -> Ensemble:
    """Read the ensemble of one pickle file at one lag time; no code of the file is run.

    Parameters
    ----------
    path : Path
    time_index : int or None
        Number of the lag time, from 0; None is refused with a list of the lag times.
    mixture : Mixture, optional
        What the particles are. Default: the Kob-Andersen mixture.

    Returns
    -------
    Ensemble

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `read_bapst_start`, or if the file has nothing at the time index.

    Examples
    --------
    >>> content = {"positions": [[0.0, 0.0, 0.0]], "types": [0], "box": [5.0, 5.0, 5.0]}
    >>> content |= {"time": [13.0], "time_indices": [0], "targets": [[0.2]]}
    >>> path = Path("future.pickle")
    >>> _ = path.write_bytes(pickle.dumps(content))
    >>> ensemble = read_bapst_ensemble(path, time_index=0)
    >>> ensemble.lag_time, ensemble.propensity
    (13.0, array([0.2]))
    """
    content = _read(path)
    k = content.check_index(time_index)
    runs = k < len(content.final)
    if not runs and k >= len(content.propensity):
        raise ValueError(f"{path}: has neither runs nor targets at time index {k}")
    return Ensemble(
        configuration=_configuration(content, mixture),
        final=content.final[k] if runs else np.zeros((0, *content.initial.shape)),
        lag_time=content.times[k],
        propensity=None if runs else content.propensity[k],
        path=path,
    )


def _configuration(content: "_Content", mixture: Mixture | None) -> Configuration:
    try:
        box = Box(content.box, (True, True, True))
    except ValueError as error:
        raise ValueError(f"{content.path}: {error}") from error
    return Configuration(
        positions=content.initial,
        species=content.species,
        box=box,
        mixture=mixture or KOB_ANDERSEN,
        where=str(content.path),
    )


@dataclass(frozen=True)
class _Content:
    """One configuration and its future at several lag times, reduced units.

    Attributes
    ----------
    path : Path
        File that the content comes from.
    species : int64 [n_particles]
    initial : float64 [n_particles, 3]
    box : float64 [3]
    times : tuple of float
        Lag time of each time index.
    final : tuple of float64 [n_runs, n_particles, 3]
        Unwrapped, for the first time indices; may be shorter than `times`.
    propensity : tuple of float64 [n_particles]
        S_i by the authors of the file, for the first time indices; may be shorter than `times`.
    """

    path: Path
    species: Ints
    initial: Floats
    box: Floats
    times: tuple[float, ...]
    final: tuple[Floats, ...]
    propensity: tuple[Floats, ...]

    def check_index(self, time_index: int | None) -> int:
        """Give the time index back, if the file has it.

        Raises
        ------
        ValueError
            If it is None or out of range; the message lists the lag times.
        """
        if time_index is not None and 0 <= time_index < len(self.times):
            return time_index
        given = "none" if time_index is None else str(time_index)
        offered = ", ".join(f"{k} (t = {time:g})" for k, time in enumerate(self.times))
        raise ValueError(
            f"{self.path}: choose a lag time by its time index (--time-index of evaluate and "
            f"plot, data.time_index of a training), found {given}; "
            f"the file has {offered or 'no lag times'}"
        )


def _read(path: Path) -> _Content:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        raw = path.read_bytes()
        check_pickle(raw)
        # Python 2 wrote text as bytes
        content = _plain(
            _Unpickler(io.BytesIO(raw), encoding="latin1").load(), _Budget(SHARED * len(raw))
        )
    except Exception as error:  # a damaged pickle fails in many ways
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path}: expected a pickle of plain data: {reason}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a dict of arrays, found {type(content).__name__}")
    missing = [key for key in ("positions", "types", "box") if key not in content]
    if missing:
        found = ", ".join(map(str, content)) or "nothing"
        raise ValueError(f"{path}: lacks {', '.join(missing)}; found {found}")
    try:
        return _fitted(path, content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _fitted(path: Path, content: dict[Any, Any]) -> _Content:
    types = _numbers("types", content["types"], [None])
    n = len(types)
    if n == 0 or types.min() < 0 or np.any(types % 1):
        raise ValueError(f"types must be integers from 0, found {np.unique(types)[:5]}")
    time = _numbers("time", content.get("time", []), [None])
    indices = _numbers("time_indices", content.get("time_indices", []), [None]).astype(np.int64)
    if np.any((indices < 0) | (indices >= len(time))):
        raise ValueError(f"time_indices must count the {len(time)} values of time, found {indices}")
    final = _each(content, "trajectory_target_positions", len(indices), [None, n, 3])
    targets = _each(content, "targets", len(indices), [n])
    return _Content(
        path=path,
        species=types.astype(np.int64),
        initial=_numbers("positions", content["positions"], [n, 3]),
        box=_numbers("box", content["box"], [3]),
        times=tuple(time[indices].tolist()),
        final=final,
        propensity=targets,
    )


def _each(
    content: dict[Any, Any], key: str, n_times: int, shape: Sequence[int | None]
) -> tuple[Floats, ...]:
    values = content.get(key, [])
    if not isinstance(values, list) or len(values) > n_times:
        raise ValueError(f"{key} must be a list with one entry for each of {n_times} time indices")
    return tuple(_numbers(f"{key}[{k}]", value, shape) for k, value in enumerate(values))


def _numbers(name: str, value: Any, shape: Sequence[int | None]) -> Floats:
    # None is any length
    expected = f"[{', '.join('any' if n is None else str(n) for n in shape)}]"
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be numbers of shape {expected}: {error}") from error
    fits = array.ndim == len(shape) and all(
        n in (None, m) for n, m in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name} must have shape {expected}, found {list(array.shape)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds values that are not finite")
    return array


class _Dtype:
    """Stand-in for numpy.dtype in a pickle: numbers only."""

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        if not re.fullmatch("[biuf][1248]", code):
            raise pickle.UnpicklingError(f"it holds an array of '{code}', which are not numbers")
        self.numpy = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.numpy = self.numpy.newbyteorder(state[1])


class _Array:
    """Stand-in for numpy.ndarray in a pickle."""

    values: np.ndarray

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        self.values = _frombuffer(data, dtype, shape, "F" if fortran else "C").values


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    return _Array()  # filled by __setstate__


def _frombuffer(data: bytes | str, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    raw = data.encode("latin1") if isinstance(data, str) else data
    array.values = np.frombuffer(raw, dtype.numpy).reshape(
        shape, order="F" if order == "F" else "C"
    )
    return array


def _scalar(dtype: _Dtype, data: bytes | str) -> Any:
    return _frombuffer(data, dtype, (1,), "C").values[0]


def _encode(text: str, encoding: str) -> bytes:
    # how Python 3 writes bytes for Python 2
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it asks for the encoding '{encoding}'")
    return text.encode(encoding)


_STAND_INS: dict[str, Callable[..., Any] | str] = {
    "numpy.ndarray": "numpy.ndarray",  # a name for _reconstruct, never called
    "numpy.dtype": _Dtype,
    "multiarray._reconstruct": _reconstruct,
    "multiarray.scalar": _scalar,
    "numeric._frombuffer": _frombuffer,
    "_codecs.encode": _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        # numpy.core until numpy 1.26, numpy._core since
        short = re.sub(r"^numpy\._?core\.", "", module)
        try:
            return _STAND_INS[f"{short}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which is no data: refused, and nothing was run"
            ) from None


class _Budget:
    """Number of parts that a pickle may still have."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise pickle.UnpicklingError("it holds itself again and again")


def _plain(value: Any, budget: _Budget) -> Any:
    budget.spend()
    if isinstance(value, _Array):
        return value.values
    if isinstance(value, list | tuple):
        return [_plain(entry, budget) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry, budget) for key, entry in value.items()}
    return value
