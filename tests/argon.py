"""The Kob-Andersen mixture in units metal, with the numbers of argon.

A simulation in these units is one in reduced units, scaled: lengths by SIGMA, energies by EPSILON,
times by TIME, temperatures by TEMPERATURE.
"""

import math
import re
from dataclasses import replace
from pathlib import Path

from lammps_botan.files.mixture_toml import parse_mixture
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

SIGMA = 3.405  # Angstrom
EPSILON = 0.0104  # eV
MASS = 39.95  # g/mol
# as LAMMPS has them in units metal
MASS_TIMES_VELOCITY_SQUARED = 1.0364269e-4  # eV
BOLTZMANN = 8.617343e-5  # eV/K
TIME = SIGMA * math.sqrt(MASS * MASS_TIMES_VELOCITY_SQUARED / EPSILON)  # ps, 2.149
TEMPERATURE = EPSILON / BOLTZMANN  # K, 120.7

COEFFICIENT = re.compile(r"pair_coeff (\d) (\d) +(\S+) +(\S+) +(\S+)")


def in_metal() -> Mixture:
    """The mixture, with its interactions."""
    content = KOB_ANDERSEN.model_dump(mode="json")
    content["name"] = "argon-like"
    content["units"] = "metal"
    content["masses"] = [mass * MASS for mass in content["masses"]]
    content["bond_lengths"] = [[b * SIGMA for b in row] for row in content["bond_lengths"]]
    content["diameter"] *= SIGMA
    content["density"] /= SIGMA**3
    for key in ("relaxation_times", "lag_times"):
        content[key] = {
            f"{float(t) * TEMPERATURE:.6f}": _scaled(value, TIME)
            for t, value in content[key].items()
        }
    own = content["interactions"]
    own["commands"] = COEFFICIENT.sub(_coefficient, own["commands"]).replace(
        "lj/smooth/linear 2.5", f"lj/smooth/linear {2.5 * SIGMA!r}"
    )
    for key in ("timestep", "damping", "melt_time", "cooling_time"):
        own[key] *= TIME
    own["skin"] *= SIGMA
    own["melt_temperature"] *= TEMPERATURE
    own["prefix"] = "argon"
    return parse_mixture(content, "the mixture")


def write_toml(path: Path) -> Path:
    """The mixture as a file of a user."""
    mixture = in_metal()
    content = mixture.model_dump(exclude={"interactions", "relaxation_times", "lag_times"})
    names = mixture.species
    pairs = {
        f"{a}-{b}": mixture.bond_lengths[i][j]
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i <= j
    }
    tables = {
        "bond_lengths": pairs,
        "relaxation_times": mixture.relaxation_times,
        "lag_times": mixture.lag_times,
        "interactions": mixture.interactions.model_dump(),
    }
    del content["bond_lengths"]
    lines = [f"{key} = {_toml(value)}" for key, value in content.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f'"{key}" = {_toml(value)}' for key, value in table.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def to_metal(configuration: Configuration) -> Configuration:
    """A Kob-Andersen configuration in reduced units, in units metal."""
    box = configuration.box
    inherent = configuration.inherent_positions
    temperature = configuration.temperature
    return replace(
        configuration,
        positions=configuration.positions * SIGMA,
        box=Box(box.cell * SIGMA, box.periodic, box.origin * SIGMA),
        inherent_positions=None if inherent is None else inherent * SIGMA,
        temperature=None if temperature is None else temperature * TEMPERATURE,
        mixture=in_metal(),
        units="metal",
    )


def _coefficient(match: re.Match[str]) -> str:
    first, second, epsilon, sigma, cutoff = match.groups()
    return (
        f"pair_coeff {first} {second} {float(epsilon) * EPSILON!r} {float(sigma) * SIGMA!r} "
        f"{float(cutoff) * SIGMA!r}"
    )


def _scaled(value: float | list[float], scale: float) -> float | list[float]:
    return [x * scale for x in value] if isinstance(value, list) else value * scale


def _toml(value: object) -> str:
    if isinstance(value, str):
        return "'''\n" + value + "'''" if "\n" in value else f'"{value}"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)
