"""Sources of runs in a folder, and the time correlations of the runs of one configuration."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.analysis.runs import Runs, open_dumps
from lammps_botan.analysis.state import check_same_state
from lammps_botan.analysis.time_correlations import (
    OVERLAP_LENGTH,
    mean_squared_displacement,
    overlap,
    self_intermediate_scattering,
    wavevectors,
)
from lammps_botan.analysis.windows import find_windows
from lammps_botan.files.ensemble import read_ensemble, read_start, same_time
from lammps_botan.files.output_folder import UNFINISHED
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture

ROUNDING = 1e-6  # lag times of a configuration that differ by less, relative to them, are one


@dataclass(frozen=True)
class Source:
    """Files of one configuration: dumps of all lag times, or npz files of one lag time each.

    Attributes
    ----------
    name : str
    files : tuple of Path

    Examples
    --------
    >>> Source("c1", (Path("c1/run_1.dump"), Path("c1/run_2.dump"))).name
    'c1'
    """

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class Samples:
    """Measured quantities at one lag time, in each run or from each time origin.

    Attributes
    ----------
    scattering : float64 [n_samples, n_species]
        F_s(k, t); NaN for species without particles, as below.
    msd : float64 [n_samples, n_species]
        Mean squared displacement, length unit squared.
    displacement : float64 [n_samples, n_species]
        Mean of ``|dr|``, length unit; its average over the runs is the mean propensity.
    overlap : float64 [n_samples]
        Q of all particles.
    groups : int64 [n_samples]
        Samples of different groups are independent of one another; all -1 where there are too few
        for an error.

    Examples
    --------
    >>> one = np.ones((3, 1))
    >>> Samples(one, one, one, np.ones(3), groups=np.arange(3)).overlap.mean()
    np.float64(1.0)
    """

    scattering: Floats
    msd: Floats
    displacement: Floats
    overlap: Floats
    groups: Ints


@dataclass(frozen=True, eq=False)
class Measured:
    """One configuration, or one trajectory, with the quantities measured at each lag time.

    Attributes
    ----------
    name : str
    configuration : Configuration
    n_runs : int
    samples : dict of float to Samples
        By lag time, time unit.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> one = Configuration(np.zeros((1, 3)), [0], Box(9.0, (True, True, True)))
    >>> Measured("c1", one, n_runs=32, samples={}).n_runs
    32
    """

    name: str
    configuration: Configuration
    n_runs: int
    samples: dict[float, Samples]


def find_sources(folder: Path) -> list[Source]:
    """Find the configurations of a folder: npz files with equal initial positions, or sub-folders.

    Unfinished runs of `simulate isoconfig` are left out. Dumps in one sub-folder that share their
    first frame are runs of one configuration.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Source

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or neither npz files nor dumps are in it.
    ValueError
        If both are in it, or a file cannot be read.

    Examples
    --------
    >>> Path("folder").mkdir()
    >>> start = {"box": 9.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> for time in (1.0, 10.0):
    ...     np.savez(f"folder/c1_{time:g}.npz", **start, positions=[np.eye(2, 3)], time=time)
    >>> [len(source.files) for source in find_sources(Path("folder"))]
    [2]
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    files = [path for path in sorted(folder.rglob("*")) if UNFINISHED not in path.parts]
    npz = [path for path in files if path.suffix == ".npz"]
    dumps = [path for path in files if path.name.endswith((".dump", ".dump.gz"))]
    if not npz and not dumps:
        raise FileNotFoundError(
            f"{folder}: neither npz files of `lammps-botan simulate isoconfig` nor *.dump files"
        )
    if npz and dumps:
        raise ValueError(
            f"{folder}: holds npz files ({npz[0]}) and dumps ({dumps[0]}), perhaps of the same "
            "runs; put them into folders of their own"
        )
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in npz:
        groups[read_start(path).sha256].append(path)
    for path in dumps:
        groups[str(path.parent)].append(path)
    return [Source(str(own[0] if npz else own[0].parent), tuple(own)) for own in groups.values()]


def measure(
    source: Source,
    *,
    k: float | None = None,
    dt: float = 0.001,
    mixture: Mixture | None = None,
    times: Mapping[str, float] | None = None,
) -> list[Measured]:
    """Measure the time correlations of a source, for one configuration or each of its trajectories.

    Runs that share their first frame have one time origin, t = 0. A single trajectory, or each of
    several that start differently, is averaged over all time origins, as in equilibrium.

    Parameters
    ----------
    source : Source
    k : float, optional
        Length of the wavevectors, inverse length unit. Default: 2 pi over the diameter of the
        mixture.
    dt : float
        Time step of the simulation, time unit, for dumps without `ITEM: TIME`.
    mixture : Mixture, optional
        What the particles are, where the files do not say it.
    times : dict of str to float, optional
        Lag times of npz files without one, by a part of their names; time unit.

    Returns
    -------
    list of Measured

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file cannot be read, or its lag time is not known.

    Examples
    --------
    >>> start = {"box": 9.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> np.savez("c1.npz", **start, positions=[np.eye(2, 3)] * 4, time=13.0)
    >>> [measured] = measure(Source("c1", (Path("c1.npz"),)))
    >>> measured.n_runs, list(measured.samples)
    (4, [13.0])
    """
    if source.files[0].suffix == ".npz":
        return [_of_ensembles(source, k, mixture, times or {})]
    runs = Runs(open_dumps(source.files, dt=dt), mixture=mixture)
    if len(runs) > 1 and runs.share_their_start:
        return [_of_runs(source.name, runs, k)]
    if len(runs) == 1:
        return [_of_trajectory(source.name, runs, k)]
    return [
        _of_trajectory(str(path), Runs(open_dumps([path], dt=dt), mixture=mixture), k)
        for path in source.files
    ]


def _of_ensembles(
    source: Source, k: float | None, mixture: Mixture | None, times: Mapping[str, float]
) -> Measured:
    samples: dict[float, Samples] = {}
    starts: list[Configuration] = []
    for path in source.files:
        ensemble = read_ensemble(path, mixture=mixture)
        if ensemble.n_runs == 0:
            raise ValueError(f"{path}: holds targets but no runs, which observables are made from")
        time = _lag_time(path, ensemble.lag_time, times)
        if any(math.isclose(time, other, rel_tol=ROUNDING) for other in samples):
            raise ValueError(
                f"{source.name}: several files of this configuration at lag time {time:g}; put "
                "each ensemble into a folder of its own"
            )
        start = ensemble.configuration
        check_same_state(start, starts)
        starts.append(start)
        measure_one = _Observer(start, k)
        ensemble.refuse_wrapped()
        moved = ensemble.final - start.positions
        samples[time] = measure_one(moved, np.arange(len(moved)))
    said = [start for start in starts if start.temperature is not None]
    return Measured(source.name, [*said, start][0], ensemble.n_runs, samples)


def _of_runs(name: str, runs: Runs, k: float | None) -> Measured:
    measure_one = _Observer(runs.configuration, k)
    samples = {}
    for frame in range(1, runs.n_frames):
        time, moved = runs.displacements(frame)
        samples[time] = measure_one(moved, np.arange(len(moved)))
    return Measured(name, runs.configuration, len(runs), samples)


def _of_trajectory(name: str, runs: Runs, k: float | None) -> Measured:
    """Window averages of a single trajectory, all frames of which are held in memory."""
    measure_one = _Observer(runs.configuration, k)
    way = np.empty((runs.n_frames, *runs.configuration.positions.shape))
    for frame in range(runs.n_frames):
        _, (way[frame],) = runs.displacements(frame)
    samples = {}
    for windows in find_windows(runs.times()):
        pairs = zip(windows.origins, windows.ends, strict=True)
        parts = [measure_one((way[end] - way[start])[None], [0]) for start, end in pairs]
        samples[windows.lag_time] = _joined(parts, windows.blocks)
    return Measured(name, runs.configuration, 1, samples)


class _Observer:
    """Measures displacements of the particles of one configuration."""

    def __init__(self, start: Configuration, k: float | None) -> None:
        diameter = start.diameter
        self._vectors = wavevectors(start.box, 2 * np.pi / diameter if k is None else k)
        self._length = OVERLAP_LENGTH * diameter
        self._species = start.species
        self._n_species = start.n_species if start.mixture is None else start.mixture.n_species

    def __call__(self, moved: Floats, groups: Sequence[int] | Ints) -> Samples:
        """Measure each run, from displacements [n_runs, n_particles, 3]."""
        scattering, msd, displacement = np.full((3, len(moved), self._n_species), np.nan)
        nowhere = np.zeros(moved.shape[1:])
        for kind in np.unique(self._species):
            members = self._species == kind
            own = nowhere[members], moved[:, members]
            scattering[:, kind] = self_intermediate_scattering(*own, self._vectors)
            msd[:, kind] = mean_squared_displacement(*own)
            displacement[:, kind] = np.linalg.norm(own[1], axis=2).mean(axis=1)
        slow = overlap(nowhere, moved, self._length)
        return Samples(scattering, msd, displacement, slow, np.asarray(groups))


def _joined(parts: Sequence[Samples], groups: Ints) -> Samples:
    names = ("scattering", "msd", "displacement", "overlap")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Samples(**arrays, groups=groups)


def _lag_time(path: Path, own: float | None, times: Mapping[str, float]) -> float:
    said = {part: time for part, time in times.items() if part in path.name}
    if len(set(said.values())) > 1:
        raise ValueError(f"{path}: several lag times are given for this name: {_list(said)}")
    given = next(iter(said.values()), None)
    if own is None and given is None:
        raise ValueError(
            f"{path}: has no key time, so its lag time is unknown; say it by a part of the name, "
            f"as in --time {path.stem[-4:]}=1.5"
        )
    if not same_time(own, given):
        raise ValueError(f"{path}: holds the lag time {own:g}, found --time {_list(said)}")
    return own if own is not None else float(given or 0.0)


def _list(said: Mapping[str, float]) -> str:
    return ", ".join(f"{part}={time:g}" for part, time in said.items())
