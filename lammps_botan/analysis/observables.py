"""What the runs say of the liquid: F_s(k, t), mean squared displacement and tau_alpha.

As in fig. 2 of Shiba et al., J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791. LJ units.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.analysis.relaxation_time import RelaxationTime, fit_relaxation_time
from lammps_botan.analysis.runs import Ensemble
from lammps_botan.analysis.time_correlations import (
    mean_squared_displacement,
    overlap,
    self_intermediate_scattering,
    wavevectors,
)
from lammps_botan.files.ensemble_npz import read_configuration
from lammps_botan.files.output_folder import UNFINISHED
from lammps_botan.files.trajectory import open_dump
from lammps_botan.structure.graph import Floats, Ints


@dataclass(frozen=True)
class Source:
    """Runs from one configuration: dumps of all lag times, or npz files of one each.

    Attributes
    ----------
    name : str
    files : tuple of Path
    """

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class _Values:
    """Of each run of one configuration at one lag time; species A and B."""

    scattering: Floats  # [n_runs, n_species]
    msd: Floats  # [n_runs, n_species]
    overlap: Floats  # [n_runs]


@dataclass(frozen=True)
class Observables:
    """Averages over runs and configurations, with standard errors.

    The errors come from the spread between the configurations; between the runs where there is only
    one configuration, which leaves out what is particular to it. For a single run they are NaN.

    Attributes
    ----------
    k : float
        Length of the wavevectors.
    n_particles : int
    n_configurations, n_runs : int
        Runs of all configurations together.
    times : float64 [n_times]
    scattering, scattering_error : float64 [n_times, n_species]
        F_s(k, t) of each species.
    msd, msd_error : float64 [n_times, n_species]
        Mean squared displacement.
    susceptibility : float64 [n_times]
        chi_4 over all runs of all configurations; NaN for a single run.
    relaxation : RelaxationTime or None
        The fit to F_s of A; None where it cannot be fitted.
    tau_alpha_error : float
        Of its tau_alpha: jackknife over what the other errors come from, and for a single run the
        error of the fit.
    reason : str
        Why there is no fit.
    """

    k: float
    n_particles: int
    n_configurations: int
    n_runs: int
    times: Floats
    scattering: Floats
    scattering_error: Floats
    msd: Floats
    msd_error: Floats
    susceptibility: Floats
    relaxation: RelaxationTime | None
    tau_alpha_error: float
    reason: str


def find_sources(folder: Path) -> list[Source]:
    """The configurations of a folder: npz files with the same initial positions, or sub-folders.

    What `simulate isoconfig` has not finished is left out. Dumps in one sub-folder are runs of one
    configuration.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or neither npz files nor dumps are in it.
    ValueError
        If both are, or a file cannot be read.
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
    groups: dict[bytes, list[Path]] = defaultdict(list)
    for path in npz:
        groups[read_configuration(path).initial.tobytes()].append(path)
    for path in dumps:
        groups[str(path.parent).encode()].append(path)
    return [Source(str(own[0] if npz else own[0].parent), tuple(own)) for own in groups.values()]


def observe(sources: Iterable[Source], *, k: float = 2 * np.pi, dt: float = 0.001) -> Observables:
    """Average over all runs of all configurations.

    Parameters
    ----------
    sources : iterable of Source
    k : float
        Length of the wavevectors, 1 / sigma_AA.
    dt : float
        Time step of the simulation, for dumps without `ITEM: TIME`.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file cannot be read, or the configurations do not fit together.
    """
    n_particles = 0
    all_values: list[dict[float, _Values]] = []
    first = ""
    for source in sources:
        values: dict[float, _Values] = {}
        for time, species, initial, final, cell in _displaced(source, dt):
            if time in values:
                raise ValueError(
                    f"{source.name}: several files of this configuration at lag time {time:g}; put "
                    "each ensemble into a folder of its own"
                )
            if n_particles not in {0, len(species)}:
                raise ValueError(
                    f"{source.name}: {len(species)} particles, {n_particles} in {first}; put each "
                    "system into a folder of its own"
                )
            n_particles, first = len(species), first or source.name
            values[time] = _values(species, initial, final, wavevectors(cell, k))
        if all_values and values.keys() != all_values[0].keys():
            raise ValueError(
                f"{source.name}: lag times {_list(values)}, expected {_list(all_values[0])} as in "
                f"{first}"
            )
        all_values.append(values)
    return _average(all_values, n_particles, k)


def _displaced(source: Source, dt: float) -> Iterator[tuple[float, Ints, Floats, Floats, Floats]]:
    """Lag time, species, initial and final positions (of each run its own), cell."""
    if source.files[0].suffix == ".npz":
        for path in source.files:
            content = read_configuration(path)
            if content.time is None:
                raise ValueError(f"{path}: has no key time, so its lag time is unknown")
            yield content.time, content.species, content.initial, content.final, content.cell
        return
    runs = Ensemble([open_dump(path, dt=dt) for path in source.files])
    for frame in range(1, runs.n_frames):
        time, moved = runs.displacements(frame)
        yield time, runs.species, np.zeros(moved.shape[1:]), moved, runs.cell


def _values(species: Ints, initial: Floats, final: Floats, vectors: Floats) -> _Values:
    n_species = int(species.max()) + 1
    scattering, msd = np.full((2, len(final), n_species), np.nan)
    for kind in np.unique(species):
        members = species == kind
        own = initial[members], final[:, members]
        scattering[:, kind] = self_intermediate_scattering(*own, vectors)
        msd[:, kind] = mean_squared_displacement(*own)
    return _Values(scattering, msd, overlap(initial, final))


def _average(values: Sequence[dict[float, _Values]], n_particles: int, k: float) -> Observables:
    times = sorted(values[0])
    n_runs = sum(len(v[times[0]].overlap) for v in values)
    scattering = _groups([[v[t].scattering for t in times] for v in values])
    msd = _groups([[v[t].msd for t in times] for v in values])
    overlaps = [np.concatenate([v[t].overlap for v in values]) for t in times]
    relaxation, error, reason = _relaxation(np.array(times), scattering[:, :, 0])
    return Observables(
        k=k,
        n_particles=n_particles,
        n_configurations=len(values),
        n_runs=n_runs,
        times=np.array(times),
        scattering=scattering.mean(axis=0),
        scattering_error=_standard_error(scattering),
        msd=msd.mean(axis=0),
        msd_error=_standard_error(msd),
        susceptibility=np.array(
            [n_particles * q.var() if n_runs > 1 else np.nan for q in overlaps]
        ),
        relaxation=relaxation,
        tau_alpha_error=error,
        reason=reason,
    )


def _groups(values: list[list[Floats]]) -> Floats:
    """[n_groups, n_times, n_species]: means of the configurations, or the runs of a single one."""
    if len(values) == 1:
        return np.array(values[0]).swapaxes(0, 1)
    return np.array([[runs.mean(axis=0) for runs in of_times] for of_times in values])


def _standard_error(groups: Floats) -> Floats:
    if len(groups) == 1:
        return np.full(groups.shape[1:], np.nan)
    return np.asarray(groups.std(axis=0, ddof=1) / np.sqrt(len(groups)))


def _relaxation(times: Floats, scattering: Floats) -> tuple[RelaxationTime | None, float, str]:
    """The fit to the mean of [n_groups, n_times], its jackknife error, or why there is none."""
    try:
        fit = fit_relaxation_time(times, scattering.mean(axis=0))
        n = len(scattering)
        if n == 1:
            return fit, fit.error, ""
        without = [
            fit_relaxation_time(times, np.delete(scattering, j, axis=0).mean(axis=0)).tau_alpha
            for j in range(n)
        ]
    except ValueError as error:
        return None, float("nan"), str(error)
    return fit, float(np.sqrt(n - 1) * np.std(without)), ""


def _list(values: Iterable[float]) -> str:
    return ", ".join(f"{time:g}" for time in sorted(values))
