"""The frames of scored dumps as pictures show them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lammps_botan.figures.units import over_length
from lammps_botan.files.lammps_dump_text import read_header
from lammps_botan.files.scored_dump import PROPENSITY
from lammps_botan.files.text_file import DAMAGE, damage, open_text
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import Mixture, shipped_mixture

PERCENTILES = (5, 95)  # where the colors end


def find_column(dump: Path) -> str:
    """Find the column with the propensity in a dump of `score`, or of LAMMPS with `fix botan`.

    Parameters
    ----------
    dump : Path
        A LAMMPS text dump.

    Returns
    -------
    str
        The column d_propensity; without one, the only column of a fix.

    Raises
    ------
    FileNotFoundError
        If there is no such dump.
    ValueError
        If the dump has no such column, or columns of several fixes.
    """
    try:
        with open_text(dump) as file:
            columns = read_header(file, dump, 0, None).columns
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        raise ValueError(f"{dump}: {damage(error)}") from error
    if PROPENSITY in columns:
        return PROPENSITY
    of_fixes = [name for name in columns if name.startswith("f_")]
    if len(of_fixes) == 1:
        return of_fixes[0]
    raise ValueError(
        f"{dump}: no column {PROPENSITY} in ITEM: ATOMS {' '.join(columns)}; make one with "
        "`lammps-botan score`, or name a column with --column"
    )


def is_plane(frame: Configuration) -> bool:
    """Whether all particles have the same z."""
    return frame.n_particles > 1 and not np.ptp(frame.positions[:, 2])


def as_mixture(frame: Configuration, mixture: Mixture | None, column: str) -> Configuration:
    """Give a frame its mixture: the given one, or else the shipped one with its composition.

    Where there are more types than species, those without any value in the column, which were
    scored as NULL, are left out, and the others are the species in order. These must be all of
    them: a type without a value may also be a species that was outside the group of a fix.

    Parameters
    ----------
    frame : Configuration
    mixture : Mixture, optional
        If it is not given and no shipped mixture fits, or it cannot be told which types are its
        species, the frame stays as it is.
    column : str
        The column with the values.

    Returns
    -------
    Configuration

    Raises
    ------
    ValueError
        If the particles are not the mixture.
    """
    given = mixture
    if mixture is None:
        flat = is_plane(frame)
        space = frame.box.area if flat else frame.box.volume
        mixture = shipped_mixture(
            frame.species,
            dimension=2 if flat else 3,
            density=frame.n_particles / space,
            units=frame.units,
        )
    if mixture is None:
        return frame
    if frame.n_species <= mixture.n_species:
        return frame.as_mixture(mixture)[0]
    scored = set(frame.species[np.isfinite(scored_values(frame, column))])
    if len(scored) != mixture.n_species:
        if given is None:
            return frame
        raise ValueError(
            f"{frame.where}: found atoms of type {frame.n_species}, and values in {column} for "
            f"{len(scored)} types, but {mixture.name} has {mixture.n_species} species: "
            f"{', '.join(mixture.species)}; leave out --mixture, or give the mixture that these "
            "atoms are"
        )
    names = iter(mixture.species)
    words = [next(names) if k in scored else "NULL" for k in range(frame.n_species)]
    return frame.as_mixture(mixture, words)[0]


def scored_values(frame: Configuration, column: str) -> Floats:
    """Values of a column, float64 [n_particles]; NaN for particles that were not scored.

    `fix botan` gives exactly 0 to particles outside its group.
    """
    values = frame.columns[column]
    return np.where(values == 0, np.nan, values)


def color_limits(values: Sequence[Floats]) -> tuple[float, float]:
    """Where the colors of these arrays of values end; 0 and 1 where all values are NaN."""
    joined = np.concatenate(values)
    joined = joined[np.isfinite(joined)]
    if not len(joined):
        return 0.0, 1.0
    low, high = np.percentile(joined, PERCENTILES)
    return float(low), float(high)


def quantity(frame: Configuration, column: str) -> str:
    """Label of a color bar: the quantity and its unit, or the name of the column."""
    if "propensity" not in column:
        return column
    spread = "standard deviation of the " if column.endswith("_std") else ""
    return f"{spread}predicted propensity{unit(frame)}"


def unit(frame: Configuration) -> str:
    """Unit of length for a label of matplotlib, or nothing where the mixture is unknown."""
    text = over_length(frame.mixture)
    return f" ${text}$" if text else ""
