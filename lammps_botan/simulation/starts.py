"""Configurations from which simulations start: read, and compared with the mixture."""

import math
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lammps_botan.files.bapst_pickle import SUFFIX
from lammps_botan.files.ensemble import read_start
from lammps_botan.files.lammps_data import read_masses, write_lammps_data
from lammps_botan.simulation.liquid import Liquid, open_liquid
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import SHIPPED, Mixture

DENSITY_TOLERANCE = 0.05  # densities that differ by a smaller share are the same
MASS_TOLERANCE = 0.01  # masses that differ by a smaller share are rounded
_BONDS = re.compile(rb"^\s*[1-9]\d*\s+(bonds|angles|dihedrals|impropers)\s*$", re.MULTILINE)
_ASK = "give the mixture by --mixture FILE.toml (docs/how_to/own_mixture.md)"


def check_names(paths: Sequence[Path]) -> None:
    """Refuse missing files, and two files of one name, since their products would share it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If two files share a name.
    """
    times = Counter(path.stem for path in paths)
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        if times[path.stem] > 1:
            raise ValueError(f"{path}: another configuration is also called {path.stem}; rename it")


def read_starts(
    paths: Sequence[Path], mixture: Mixture | str | Path | None
) -> tuple[list[Configuration], Liquid]:
    """Read the configurations of one mixture, and its interactions; see `of_one_liquid`.

    Parameters
    ----------
    paths : sequence of Path
        npz, pickle and LAMMPS data files.
    mixture : Mixture, str or Path, optional
        Its name, or its TOML file.
    """
    liquid = None if mixture is None else open_liquid(mixture)
    for path in paths:
        check_atoms(path)
    known = None if liquid is None else liquid.mixture
    starts, liquid = of_one_liquid([read_start(path, mixture=known) for path in paths], liquid)
    for path in paths:
        check_masses(path, liquid.mixture)
    return starts, liquid


def of_one_liquid(
    starts: Sequence[Configuration], liquid: Liquid | None
) -> tuple[list[Configuration], Liquid]:
    """Give configurations their mixture, and find the liquid of all of them.

    Parameters
    ----------
    starts : sequence of Configuration
    liquid : Liquid, optional
        Default: the mixture of the configurations, or the one shipped mixture of their composition.

    Raises
    ------
    ValueError
        If a configuration is not the mixture or of none that is known, two are different ones, or
        the box has faces without images.

    Warns
    -----
    UserWarning
        If a density differs from that of the mixture by more than 5 %.
    """
    known = []
    whose = "the others are" if liquid is None else "--mixture says"
    for start in starts:
        own = start.mixture or _shipped(start)
        if liquid is None:
            liquid = Liquid(own)
        elif why := own.difference(liquid.mixture) or _other_forces(own, liquid.mixture):
            raise ValueError(
                f"{start.where}: is {own.name}, but {whose} {liquid.mixture.name}; they differ in "
                f"{why}: simulate each liquid by a call of its own"
            )
        known.append(_checked(start, liquid.mixture))
    if liquid is None:
        raise ValueError("expected at least one configuration")
    return known, liquid


def check_masses(path: Path, mixture: Mixture) -> None:
    """Warn of masses of a data file that are not those of the mixture, which the runs take."""
    if path.suffix in {".npz", SUFFIX}:
        return
    names, masses = read_masses(path)
    if set(masses) == {1.0}:  # as in files of ours without a mixture
        return
    own = dict(zip(mixture.species, mixture.masses, strict=True))
    for name, mass in zip(names or mixture.species, masses, strict=False):
        if name in own and not math.isclose(mass, own[name], rel_tol=MASS_TOLERANCE):
            warnings.warn(
                f"{path}: has the mass {mass:g} for {name}; the simulation takes {own[name]:g}, "
                f"which {mixture.name} has: {_ASK}",
                stacklevel=4,
            )


def _other_forces(one: Mixture, other: Mixture) -> str:
    """How two mixtures differ for a simulation, beyond what differs for a model."""
    if one.masses != other.masses:
        return f"masses {list(one.masses)} and {list(other.masses)}"
    mine, theirs = one.interactions, other.interactions
    if mine and theirs and mine.commands.split() != theirs.commands.split():
        return "interactions.commands"
    return ""


def write_start(path: Path, start: Configuration, title: str) -> None:
    """Write a LAMMPS data file; the plane of two dimensions is z = 0, in the middle of the box.

    IDs with gaps are counted anew, in their order: LAMMPS gives velocities to IDs from 1 to N.
    """
    if start.ids.max(initial=0) > start.n_particles:
        start = replace(start, ids=np.argsort(np.argsort(start.ids)) + 1)
    if start.dimension == 2:
        box = start.box
        origin = [*box.origin[:2], -box.cell[2, 2] / 2]
        flat = start.positions * [1.0, 1.0, 0.0]
        start = replace(start, positions=flat, box=Box(box.cell, box.periodic, np.array(origin)))
    write_lammps_data(path, start, title)


def composition(start: Configuration) -> dict[str, int]:
    """Count the particles of each species of the mixture, by name."""
    assert start.mixture is not None
    counts = np.bincount(start.species, minlength=start.mixture.n_species)
    return {name: int(n) for name, n in zip(start.mixture.species, counts, strict=True)}


def check_atoms(path: Path) -> None:
    """Refuse a data file with bonds: the simulation would leave the bonds out."""
    if path.suffix != ".npz" and (match := _BONDS.search(path.read_bytes()[:65536])):
        raise ValueError(
            f"{path}: has {match[1].decode()}; `lammps-botan simulate` knows atoms without bonds "
            "only: run molecules with a script of your own, and make the targets from its dumps"
        )


def _shipped(start: Configuration) -> Mixture:
    """The only shipped mixture of this composition and dimension."""
    dimension = 3 if np.ptp(start.positions[:, 2]) else 2
    why = {
        mixture.name: (
            mixture.wrong_composition(start.species)
            if mixture.dimension == dimension
            else f"{dimension} dimensions; {mixture.name} has {mixture.dimension}"
        )
        for mixture in SHIPPED.values()
    }
    fitting = [SHIPPED[name] for name, reason in why.items() if not reason]
    if len(fitting) != 1:
        reasons = "; ".join(f"not {name}: found {reason}" for name, reason in why.items() if reason)
        raise ValueError(f"{start.where}: which liquid is it? {reasons}; {_ASK}")
    return fitting[0]


def _checked(start: Configuration, mixture: Mixture) -> Configuration:
    start = start.as_mixture(mixture)[0]
    if wrong := mixture.wrong_composition(start.species):
        raise ValueError(f"{start.where}: is not {mixture.name}: found {wrong}; {_ASK}")
    periodic = (True, True, mixture.dimension == 3)
    if start.box.periodic != periodic:
        raise ValueError(
            f"{start.where}: expected a box with images along all directions of the space, "
            f"periodic = {periodic}, found {start.box.periodic}"
        )
    if mixture.density and abs(start.density / mixture.density - 1) > DENSITY_TOLERANCE:
        warnings.warn(
            f"{start.where}: has the density {start.density:.4g}, "
            f"{mixture.name} has {mixture.density:.4g}",
            stacklevel=4,
        )
    return start
