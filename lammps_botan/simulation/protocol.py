"""Lag times, seeds and arguments that all simulations share."""

import json
from collections.abc import Sequence

import numpy as np

from lammps_botan.files.output_folder import versions
from lammps_botan.structure.mixture import Mixture

PAPER = "paper"  # the name of the lag times at which a mixture was studied


def named_times(text: str, mixture: Mixture, temperature: float) -> tuple[float, ...]:
    """Read lag times from a list with commas or blanks; "paper" stands for those of the mixture.

    Raises
    ------
    ValueError
        If a word is no number, or the mixture has no lag times for this temperature.
    """
    if text == PAPER:
        known = {float(key): times for key, times in mixture.lag_times.items()}
        if temperature not in known:
            some = " and ".join(f"T = {key:g}" for key in sorted(known)) or "no temperature"
            raise ValueError(
                f"{mixture.name} has lag times for {some}, none for T = {temperature}; give a "
                "list, as in 0.13,1.3,13"
            )
        return known[temperature]
    try:
        return tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(
            f"expected lag times as in 0.13,1.3,13, or {PAPER}, found {text}"
        ) from error


def check_timestep(asked: float | None, own: float) -> float:
    """Give the time step of the user, or else that of the mixture.

    Raises
    ------
    ValueError
        If it is not positive.
    """
    timestep = own if asked is None else asked
    check_positive("the time step", timestep)
    return timestep


def check_window(window: float, interval: float, timestep: float) -> int:
    """Count the samples of a window.

    Raises
    ------
    ValueError
        If the window is no multiple of the interval, or the interval none of the time step.
    """
    check_positive("the window", window)
    check_positive("the interval", interval)
    steps = interval / timestep
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6:
        raise ValueError(
            f"the interval must be a multiple of the time step {timestep:g}, found {interval:g}; "
            "give another (--interval)"
        )
    samples = window / interval
    if round(samples) < 2 or abs(samples - round(samples)) > 1e-6 * samples:
        raise ValueError(
            f"the window must be a multiple of the interval {interval:g}, twice that or more, "
            f"found {window:g}"
        )
    return round(samples)


def relaxation_time(mixture: Mixture, temperature: float, density: float | None) -> float | None:
    """Give tau_alpha, where it is known: at the density of the mixture only, which None is too."""
    known = {float(key): time for key, time in mixture.relaxation_times.items()}
    return known.get(temperature) if density in (None, mixture.density) else None


def script_seed(seed: int, stream: int) -> int:
    """Make a seed for LAMMPS, which wants a positive int32 and correlates neighboring ones."""
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0]) % 900_000_000 + 1


def velocity_seeds(of_script: int, runs: int) -> np.ndarray:
    """Give the seeds of `velocity create` in each run, int64 [runs], as in.isoconfig has them."""
    run = np.arange(1, runs + 1, dtype=np.int64)
    return np.asarray((of_script * 7919 + run * 15485863) % 2147483646 + 1)


def versions_json() -> str:
    """Give the versions of the programs that make the data, as a JSON object."""
    return json.dumps(versions())


def check_positive(name: str, value: float) -> None:
    """Refuse zero, negative numbers and NaN."""
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be positive, found {value}")


def check_seed(seed: int) -> None:
    """Refuse negative seeds."""
    if seed < 0:
        raise ValueError(f"the seed must not be negative, found {seed}")


def check_times(times: Sequence[float], timestep: float) -> list[float]:
    """Give the lag times in ascending order, once each; all must be multiples of the time step."""
    if not times:
        raise ValueError("expected at least one lag time")
    steps = {}
    for time in times:
        check_positive("a lag time", time)
        step = round(time / timestep)
        if abs(time / timestep - step) > 1e-6:
            raise ValueError(
                f"a lag time must be a multiple of the time step {timestep:g}, found {time}"
            )
        steps[step] = float(time)
    return [steps[step] for step in sorted(steps)]
