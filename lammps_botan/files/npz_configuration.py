"""Configurations from the arrays of an npz file of `lammps_botan.files.ensemble_npz`."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.files.history_arrays import from_arrays
from lammps_botan.files.mixture_toml import parse_mixture
from lammps_botan.files.npz_archive import check_archive
from lammps_botan.structure.box import Box, Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import SHIPPED, Mixture, shipped_mixture

Arrays = dict[str, npt.NDArray[Any]]


def load_arrays(path: Path) -> Arrays:
    """Read all arrays of an npz file; no code of the file is run.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to array
        By the keys of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no npz file.

    Examples
    --------
    >>> np.savez("numbers.npz", types=[0, 1])
    >>> load_arrays(Path("numbers.npz"))["types"]
    array([0, 1])
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            check_archive(file)
            with np.load(file, allow_pickle=False) as archive:
                return {key: archive[key] for key in archive.files}
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(
            f"{path}: expected an npz file with types, initial_positions and positions: {error}"
        ) from error


def configuration_of(path: Path, arrays: Arrays, mixture: Mixture | None) -> Configuration:
    """Make the configuration that the arrays hold.

    Parameters
    ----------
    path : Path
        The file, for messages.
    arrays : dict of str to array
        By the keys of the file.
    mixture : Mixture or None
        What the particles are, where the arrays do not say it.

    Returns
    -------
    Configuration

    Raises
    ------
    ValueError
        If a key is missing, the arrays do not fit together, or they are of another mixture.

    Examples
    --------
    >>> arrays = {"box": np.array(5.0), "types": np.array([0, 1]), "propensity": np.ones(2)}
    >>> arrays |= {"initial_positions": np.eye(2, 3)}
    >>> configuration_of(Path("start.npz"), arrays, None).n_particles
    2
    """
    missing = [key for key in ("types", "initial_positions") if key not in arrays]
    if not missing and not {"positions", "propensity", "md_prop"} & arrays.keys():
        missing = ["positions"]
    if missing:
        raise ValueError(
            f"{path}: lacks {', '.join(missing)}; found {', '.join(sorted(arrays)) or 'nothing'}"
        )
    initial = numbers(path, "initial_positions", arrays)
    n = len(arrays["types"]) if arrays["types"].ndim == 1 else 0
    if n == 0 or initial.shape not in {(n, 3), (n, 2)}:
        raise ValueError(
            f"{path}: expected types [n] and initial_positions [n, 3] or [n, 2], found "
            f"{list(arrays['types'].shape)} and {list(initial.shape)}"
        )
    species = _species(path, arrays["types"], scalar(path, "first_type", arrays))
    known = _mixture(path, arrays, mixture, species, initial)
    histories = histories_of(path, arrays, n)
    return Configuration(
        positions=initial,
        species=species,
        box=_box(path, arrays, initial, known),
        mixture=known,
        inherent_positions=_inherent(path, arrays, initial),
        inherent_energies=_inherent_energies(path, arrays, n),
        history=histories[0][0] if histories else None,
        temperature=scalar(path, "temperature", arrays),
        where=str(path),
    )


def numbers(path: Path, key: str, arrays: Arrays) -> Floats:
    """Give the array of a key, which must be finite numbers.

    Parameters
    ----------
    path : Path
        The file, for messages.
    key : str
    arrays : dict of str to array
        By the keys of the file.

    Returns
    -------
    float64 array

    Raises
    ------
    ValueError
        If the array holds anything else.

    Examples
    --------
    >>> numbers(Path("start.npz"), "box", {"box": np.array([5, 5, 5])})
    array([5., 5., 5.])
    """
    array = arrays[key]
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{path}: {key} must be numbers, found the type {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: {key} holds values that are not finite")
    return np.asarray(array, dtype=np.float64)


def scalar(path: Path, key: str, arrays: Arrays) -> float | None:
    """Give the one number of a key.

    Parameters
    ----------
    path : Path
        The file, for messages.
    key : str
    arrays : dict of str to array
        By the keys of the file.

    Returns
    -------
    float or None
        None where the key is missing.

    Raises
    ------
    ValueError
        If the array is not one finite number.

    Examples
    --------
    >>> scalar(Path("start.npz"), "time", {"time": np.array(13.0)})
    13.0
    """
    if key not in arrays:
        return None
    if arrays[key].dtype.kind == "U":  # GlassBench writes temperatures as text
        with contextlib.suppress(ValueError):
            arrays = {key: arrays[key].astype(np.float64)}
    number = numbers(path, key, arrays)
    if number.shape != ():
        raise ValueError(f"{path}: {key} must be one number, found {number.tolist()}")
    return float(number)


def _species(path: Path, types: npt.NDArray[Any], first: float | None) -> npt.NDArray[np.int64]:
    if types.dtype.kind not in "iu" or types.min() < 0:
        raise ValueError(f"{path}: types must be integers from 0, found {np.unique(types)[:5]}")
    kinds = np.unique(types)
    if first not in {None, 0.0}:
        raise ValueError(f"{path}: first_type must be 0, or left out, found {first:g}")
    if kinds[0] == 0 or first == 0:
        return types.astype(np.int64)
    if len(kinds) > 1 and np.array_equal(kinds, np.arange(1, len(kinds) + 1)):
        return types.astype(np.int64) - 1
    raise ValueError(
        f"{path}: types must be species numbers from 0, or LAMMPS types of which each occurs, from "
        f"1; found {kinds[:5]}, where it cannot be told which is the first species"
    )


def _mixture(
    path: Path,
    arrays: Arrays,
    given: Mixture | None,
    species: npt.NDArray[np.int64],
    initial: Floats,
) -> Mixture | None:
    """Mixture of the file, else the given one, else the shipped mixture that fits the particles."""
    own: Mixture | None = None
    if "mixture" in arrays:
        own = parse_mixture(str(arrays["mixture"][()]), f"{path}: mixture")
    elif "system_id" in arrays:
        own = SHIPPED.get(str(arrays["system_id"][()]).lower())
    if own is not None:
        if given is not None and (why := own.difference(given)):
            raise ValueError(
                f"{path}: holds the mixture {own.name}, expected {given.name}; they differ in {why}"
            )
        return own
    if given is not None:
        return given
    box = _box(path, arrays, initial, None) if "box" in arrays else None
    flat = initial.shape[1] == 2
    if box is not None and not box.periodic[2] and not flat:
        flat = not np.ptp(initial[:, 2])
    density = None
    if box is not None:
        density = len(initial) / (box.area if flat else box.volume)
    return shipped_mixture(species, dimension=2 if flat else 3, density=density)


def _box(path: Path, arrays: Arrays, initial: Floats, mixture: Mixture | None) -> Box:
    dimension = initial.shape[1]
    if "box" in arrays:
        lengths = numbers(path, "box", arrays)
        if lengths.ndim < 2 and not (lengths > 0).all():
            raise ValueError(f"{path}: box must be positive lengths, found {lengths.tolist()}")
        if lengths.shape == () and dimension == 2:
            lengths = np.repeat(lengths, 2)
    else:
        lengths = _missing_box(path, initial, mixture)
    periodic = arrays.get("periodic", np.array([True, True, dimension == 3]))
    if periodic.shape != (3,) or periodic.dtype.kind not in "bi" or np.any(periodic // 2):
        raise ValueError(f"{path}: periodic must be three bools, found {periodic.tolist()}")
    origin = numbers(path, "origin", arrays) if "origin" in arrays else np.zeros(3)
    if origin.shape != (3,):
        raise ValueError(f"{path}: origin must have shape [3], found {list(origin.shape)}")
    x, y, z = (bool(flag) for flag in periodic)
    try:
        return Box(lengths, (x, y, z), origin)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _missing_box(path: Path, initial: Floats, mixture: Mixture | None) -> Floats:
    """Edges of the cube at the density of the mixture, if the particles fill this cube."""
    n, dimension = initial.shape
    if mixture is None or mixture.density is None:
        raise ValueError(
            f"{path}: has no box, and its particles are no known mixture of a known density; add "
            "the key box: a length, [3] or [3, 3]"
        )
    edge = (n / mixture.density) ** (1 / dimension)
    extent = np.ptp(initial, axis=0)
    # in a full box the outermost particles are less than a particle distance from the faces
    gap = mixture.density ** (-1 / dimension)
    if (extent > edge * (1 + 1e-6)).any() or (extent < edge - gap).any():
        raise ValueError(
            f"{path}: has no box, and a cube of the density of {mixture.name}, "
            f"{mixture.density:g}, has the edge {edge:.6g}, but the particles extend over "
            f"{', '.join(f'{x:.6g}' for x in extent)}; add the key box: a length, [3] or [3, 3]"
        )
    return np.asarray([edge] * dimension)


def _inherent(path: Path, arrays: Arrays, initial: Floats) -> Floats | None:
    key = "initial_positions_inherent"
    if key not in arrays:
        return None
    inherent = numbers(path, key, arrays)
    if inherent.shape != initial.shape:
        raise ValueError(
            f"{path}: {key} must have shape {list(initial.shape)}, found {list(inherent.shape)}"
        )
    return inherent


def _inherent_energies(path: Path, arrays: Arrays, n: int) -> Floats | None:
    if "inherent_energies" not in arrays:
        return None
    given = numbers(path, "inherent_energies", arrays)
    n_structures = 1 + _n_runs(arrays)
    if given.shape not in {(n,), (1, n), (n_structures, n)}:
        raise ValueError(
            f"{path}: inherent_energies must have shape [{n}] or [{n_structures}, {n}], found "
            f"{list(given.shape)}"
        )
    return np.asarray(np.atleast_2d(given)[0])


def histories_of(path: Path, arrays: Arrays, n: int) -> list[list[History]]:
    """Give the histories that the arrays hold, as `history_arrays.from_arrays`.

    Parameters
    ----------
    path : Path
        The file, for messages.
    arrays : dict of str to array
        By the keys of the file.
    n : int
        Number of particles.

    Returns
    -------
    list [n_structures] of list [n_velocities] of History
        Empty where the file has no histories.

    Examples
    --------
    >>> histories_of(Path("start.npz"), {"types": np.zeros(2, int)}, 2)
    []
    """
    return from_arrays(path, arrays, n, _n_runs(arrays))


def _n_runs(arrays: Arrays) -> int:
    positions = arrays.get("positions")
    return 0 if positions is None or not positions.ndim else len(positions)
