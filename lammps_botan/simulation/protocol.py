"""Numbers of the paper, and seeds: what all simulations share."""

import json
from collections.abc import Sequence

import numpy as np

from lammps_botan.files.output_folder import versions

TIME_STEP = 0.001

# Table I: lag times that the paper sampled, by temperature
PAPER_TIMES = {
    0.44: (0.13, 1.3, 13.0, 130.0, 412.0, 1300.0, 4120.0, 13000.0, 41200.0, 130000.0),
    0.50: (0.108, 0.434, 2.17, 6.86, 21.7, 68.6, 217.0, 686.0, 2170.0, 6860.0),
    0.64: (0.1, 0.165, 0.52, 1.65, 5.2, 16.5, 52.0, 165.0, 520.0),
}
# relaxation times at N/V = 1.2, sec. III
PAPER_RELAXATION_TIMES = {0.44: 4120.0, 0.50: 217.0, 0.64: 16.5}


def named_times(text: str, temperature: float) -> tuple[float, ...]:
    """Lag times from a list with commas or blanks, or the paper's table by the name "paper".

    Raises
    ------
    ValueError
        If a word is no number, or the paper has no table for this temperature.
    """
    if text == "paper":
        if temperature not in PAPER_TIMES:
            raise ValueError(
                f"the paper has lag times for T = 0.44, 0.50 and 0.64, none for T = {temperature}; "
                "give a list, as in 0.13,1.3,13"
            )
        return PAPER_TIMES[temperature]
    try:
        return tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(f"expected lag times as in 0.13,1.3,13, or paper, found {text}") from error


def script_seed(seed: int, stream: int) -> int:
    """A seed for LAMMPS, which wants a positive int32 and correlates neighboring ones."""
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0]) % 900_000_000 + 1


def velocity_seeds(of_script: int, runs: int) -> np.ndarray:
    """int64 [runs]: what in.isoconfig gives to `velocity create` in each run."""
    run = np.arange(1, runs + 1, dtype=np.int64)
    return np.asarray((of_script * 7919 + run * 15485863) % 2147483646 + 1)


def versions_json() -> str:
    """The same as a JSON object."""
    return json.dumps(versions())


def check_positive(name: str, value: float) -> None:
    """Refuse zero, negative numbers and NaN."""
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be positive, found {value}")


def check_seed(seed: int) -> None:
    """Refuse negative seeds."""
    if seed < 0:
        raise ValueError(f"the seed must not be negative, found {seed}")


def check_times(times: Sequence[float]) -> list[float]:
    """The lag times in ascending order, once each."""
    if not times:
        raise ValueError("expected at least one lag time")
    for time in times:
        check_positive("a lag time", time)
        if abs(time / TIME_STEP - round(time / TIME_STEP)) > 1e-6:
            raise ValueError(f"a lag time must be a multiple of the time step 0.001, found {time}")
    return sorted({round(time / TIME_STEP) * TIME_STEP: float(time) for time in times}.values())
