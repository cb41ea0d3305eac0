"""Time correlations of a liquid: F_s(k, t), mean squared displacement, chi_4 and tau_alpha.

As in fig. 2 of Shiba et al., J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791. Lengths and
times are in the units of the mixture.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lammps_botan.analysis.relaxation_time import RelaxationTime, fit_relaxation_time
from lammps_botan.analysis.sources import Measured, Source, measure
from lammps_botan.analysis.state import check_same_state
from lammps_botan.files.ensemble import same_time
from lammps_botan.structure.box import Floats
from lammps_botan.structure.mixture import Mixture


@dataclass(frozen=True, eq=False)
class Observables:
    """Averages over runs and configurations, with standard errors.

    The errors come from the spread between the configurations, or trajectories. With only one
    configuration they come from the spread between its runs, which leaves out what is particular to
    the configuration; with only one trajectory, from the spread between five stretches of it.
    Errors are NaN for a single run of a configuration, and at lag times longer than a sixth of a
    single trajectory.

    Attributes
    ----------
    k : float
        Length of the wavevectors, inverse length unit.
    mixture : Mixture or None
    species : tuple of str
        Names, as in the mixture; numbers where it is not known.
    reference : int
        Number of the species whose F_s gives tau_alpha.
    n_particles : int
    n_configurations, n_runs : int
        Runs of all configurations together.
    times : float64 [n_times]
        Lag times, time unit.
    scattering, scattering_error : float64 [n_times, n_species]
        F_s(k, t) of each species; NaN for species without particles, as below.
    msd, msd_error : float64 [n_times, n_species]
        Mean squared displacement, length unit squared.
    propensity, propensity_error : float64 [n_times, n_species]
        Mean of S_i over the particles, length unit.
    susceptibility : float64 [n_times]
        chi_4 from the unbiased variance over all runs of all configurations, or over all time
        origins of a trajectory; NaN where errors are NaN.
    relaxation : RelaxationTime or None
        The fit to F_s of the reference species; None where there is no fit.
    tau_alpha_error : float
        Error of tau_alpha, time unit: jackknife over the same groups as the other errors; where
        these are missing at some lag time, the error of the fit. NaN where there is no fit, or none
        without one of the groups.
    reason : str
        Why there is no fit, or no error of tau_alpha; empty where there are both.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lammps_botan.analysis.sources import find_sources
    >>> Path("observed").mkdir()
    >>> start = {"box": 9.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> np.savez("observed/c1.npz", **start, positions=[np.eye(2, 3) + 0.1] * 4, time=13.0)
    >>> found = observe(find_sources(Path("observed")))
    >>> found.n_runs, found.susceptibility
    (4, array([0.]))
    """

    k: float
    mixture: Mixture | None
    species: tuple[str, ...]
    reference: int
    n_particles: int
    n_configurations: int
    n_runs: int
    times: Floats
    scattering: Floats
    scattering_error: Floats
    msd: Floats
    msd_error: Floats
    propensity: Floats
    propensity_error: Floats
    susceptibility: Floats
    relaxation: RelaxationTime | None
    tau_alpha_error: float
    reason: str


def observe(
    sources: Iterable[Source],
    *,
    k: float | None = None,
    dt: float = 0.001,
    mixture: Mixture | None = None,
    times: Mapping[str, float] | None = None,
) -> Observables:
    """Average time correlations over all runs of all configurations.

    Parameters
    ----------
    sources : iterable of Source
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
    Observables

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file cannot be read, or the configurations do not fit together.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lammps_botan.analysis.sources import find_sources
    >>> Path("ensembles").mkdir()
    >>> start = {"box": 9.0, "types": [0, 0], "initial_positions": np.eye(2, 3)}
    >>> np.savez("ensembles/c1.npz", **start, positions=[np.eye(2, 3) + 0.1] * 4, time=13.0)
    >>> found = observe(find_sources(Path("ensembles")))
    >>> found.times, found.msd.round(2)
    (array([13.]), array([[0.03]]))
    """
    measured: list[Measured] = []
    for source in sources:
        for one in measure(source, k=k, dt=dt, mixture=mixture, times=times):
            _check(one, measured)
            measured.append(_at_times_of(one, measured))
    if not measured:
        raise ValueError("there is nothing to average over: no configuration was given")
    return _average(measured, k)


def _check(one: Measured, before: Sequence[Measured]) -> None:
    """Refuse a configuration that does not fit to the first."""
    if not one.samples:
        raise ValueError(f"{one.name}: one frame only; expected t = 0 and at least one lag time")
    if not before:
        return
    first = before[0]
    n, expected = one.configuration.n_particles, first.configuration.n_particles
    if n != expected:
        raise ValueError(
            f"{one.name}: {n} particles, {expected} in {first.name}; put each system into a folder "
            "of its own"
        )
    mine, theirs = one.configuration.mixture, first.configuration.mixture
    if mine is None or theirs is None:
        difference = "" if mine is theirs else "that one of them is not known"
    else:
        difference = mine.difference(theirs)
    if difference:
        raise ValueError(
            f"{one.name} and {first.name}: the mixture differs in {difference}; put each system "
            "into a folder of its own, or say --mixture NAME or FILE.toml"
        )
    check_same_state(one.configuration, [other.configuration for other in before])


def _at_times_of(one: Measured, before: Sequence[Measured]) -> Measured:
    """Give a configuration the lag times of the first, or refuse others."""
    first = before[0] if before else one
    mine, expected = sorted(one.samples), sorted(first.samples)
    if len(mine) != len(expected) or not all(map(same_time, mine, expected)):
        raise ValueError(
            f"{one.name}: lag times {_list(mine)}, expected {_list(expected)} as in {first.name}"
        )
    pairs = zip(expected, mine, strict=True)
    return replace(one, samples={time: one.samples[own] for time, own in pairs})


def _average(measured: Sequence[Measured], k: float | None) -> Observables:
    first = measured[0]
    start, times = first.configuration, sorted(first.samples)
    mixture = start.mixture
    names = [f"type {n + 1}" for n in range(start.n_species)]
    reference = 0 if mixture is None else mixture.reference
    means, errors = {}, {}
    for name in ("scattering", "msd", "displacement"):
        means[name], errors[name] = _mean_and_error(measured, name, times)
    relaxation, tau_error, reason = _relaxation(measured, times, reference)
    return Observables(
        k=2 * np.pi / start.diameter if k is None else k,
        mixture=mixture,
        species=tuple(names) if mixture is None else mixture.species,
        reference=reference,
        n_particles=start.n_particles,
        n_configurations=len(measured),
        n_runs=sum(one.n_runs for one in measured),
        times=np.array(times),
        scattering=means["scattering"],
        scattering_error=errors["scattering"],
        msd=means["msd"],
        msd_error=errors["msd"],
        propensity=means["displacement"],
        propensity_error=errors["displacement"],
        susceptibility=np.array([_susceptibility(measured, time) for time in times]),
        relaxation=relaxation,
        tau_alpha_error=tau_error,
        reason=reason,
    )


def _mean_and_error(
    measured: Sequence[Measured], name: str, times: Sequence[float]
) -> tuple[Floats, Floats]:
    """Mean and standard error, each [n_times, n_species]."""
    found = []
    for time in times:
        own = [getattr(one.samples[time], name).mean(axis=0) for one in measured]
        groups = _groups(measured, name, time)
        error = np.full_like(own[0], np.nan)
        if len(groups) > 1:
            error = groups.std(axis=0, ddof=1) / np.sqrt(len(groups))
        found.append((np.mean(own, axis=0), error))
    means, errors = np.swapaxes(found, 0, 1)
    return means, errors


def _groups(measured: Sequence[Measured], name: str, time: float) -> Floats:
    """Independent values [n_groups, n_species]: of configurations, or within a single one."""
    if len(measured) > 1:
        return np.array([getattr(one.samples[time], name).mean(axis=0) for one in measured])
    samples = measured[0].samples[time]
    values: Floats = getattr(samples, name)
    kinds = [group for group in np.unique(samples.groups) if group >= 0]
    means = [values[samples.groups == group].mean(axis=0) for group in kinds]
    return np.reshape(means, (len(kinds), values.shape[1]))


def _susceptibility(measured: Sequence[Measured], time: float) -> float:
    """chi_4 from all samples of all configurations."""
    n = measured[0].configuration.n_particles
    values = np.concatenate([one.samples[time].overlap for one in measured])
    if len(_groups(measured, "msd", time)) < 2:
        return float("nan")
    return float(n * values.var(ddof=1))


def _relaxation(
    measured: Sequence[Measured], times: Sequence[float], reference: int
) -> tuple[RelaxationTime | None, float, str]:
    """Fit to the mean F_s of the reference species, its error, and why one of them is missing."""
    means, _ = _mean_and_error(measured, "scattering", times)
    groups = [_groups(measured, "scattering", time)[:, reference] for time in times]
    n = len(groups[0])
    try:
        fit = fit_relaxation_time(times, means[:, reference])
    except ValueError as error:
        return None, float("nan"), str(error)
    if n < 2 or any(len(values) != n for values in groups):
        return fit, fit.error, ""
    values = np.transpose(groups)  # [n_groups, n_times]
    without = []
    for j in range(n):
        try:
            rest = fit_relaxation_time(times, np.delete(values, j, axis=0).mean(axis=0))
        except ValueError as error:
            left_out = _group_name(measured, j, n)
            return fit, float("nan"), f"it needs a fit without {left_out}, and there {error}"
        without.append(rest.tau_alpha)
    return fit, float(np.sqrt(n - 1) * np.std(without)), ""


def _group_name(measured: Sequence[Measured], j: int, n: int) -> str:
    """What a fit of the jackknife leaves out, for messages."""
    if len(measured) > 1:
        return measured[j].name
    return f"part {j + 1} of {n} of {measured[0].name}"


def _list(times: Iterable[float]) -> str:
    return ", ".join(f"{time:g}" for time in times)
