"""A glass-forming mixture: its species, its units and the lengths of its bonds.

A mixture holds all that a program must know of a liquid beyond the positions of the particles. No
other module holds a number of a mixture. `KOB_ANDERSEN` and `KA2D` ship. A TOML file of the same
kind describes any other liquid (docs/how_to/own_mixture.md);
`lammps_botan.files.mixture_toml.find_mixture` reads such a file.

Lengths are in the unit of `units`. Cutoffs that the literature gives in units of sigma_AA are
multiplied by `diameter`, which is sigma_AA in that unit.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from lammps_botan.structure.box import Floats, Ints

UNITS = ("lj", "real", "metal", "si", "cgs", "electron", "micro", "nano")  # those of LAMMPS
BREAKING = 1.7 / 1.35  # A2 / A1: a bond is broken when it is so many times its length
COMPOSITION_TOLERANCE = 0.02  # fractions that differ by less are the same composition
LIKELY_LENGTHS = 2.0  # lengths that differ by a larger factor are in another unit

Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[^\s\"'$&#]+$", max_length=64)]


def _whole(given: object) -> object:
    """A literal takes 2.0 and True for numbers, which the fix refuses."""
    return given if type(given) is int else str(given)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Interactions(_Section):
    """The commands and times that LAMMPS needs to simulate a mixture.

    Attributes
    ----------
    commands : str
        Lines of a LAMMPS script for the forces between atoms without bonds: pair_style, pair_coeff
        and what these need. The lines follow `read_data` and `mass`.
    timestep : float
        Time unit.
    damping : float
        Damping time of the Nose-Hoover thermostat, time unit.
    skin : float
        Skin of the neighbor lists, length unit.
    melt_temperature : float
        Temperature at which the liquid forgets its start within `melt_time`, temperature unit.
    melt_time, cooling_time : float
        Duration of the melt, and of the cooling down from the melt; time unit.
    files : tuple of str
        Files that the commands name, such as potentials; they lie beside the TOML file.
    prefix : str
        First part of the names of equilibrated configurations. Default: the name of the mixture.

    Examples
    --------
    >>> KOB_ANDERSEN.interactions.timestep, KOB_ANDERSEN.interactions.melt_temperature
    (0.001, 5.0)
    """

    commands: str = Field(min_length=1)
    timestep: Positive
    damping: Positive
    skin: Positive
    melt_temperature: Positive
    melt_time: Positive
    cooling_time: Positive
    files: tuple[str, ...] = ()
    prefix: str = ""


class Mixture(_Section):
    """A mixture of one to many species.

    Attributes
    ----------
    name : str
    units : str
        LAMMPS's name of the unit system.
    species : tuple of str
        Names in the order of their numbers, which count from 0: LAMMPS type k is species k - 1
        unless a command says otherwise.
    masses : tuple of float
        Mass of a particle of each species, mass unit.
    fractions : tuple of float
        Share of each species among the particles; the shares sum to 1.
    bond_lengths : tuple of tuple of float
        [n_species, n_species], symmetric, length unit: two particles of these species that are
        closer than this are bonded. In the TOML file a table with keys such as "A-B".
    breaking : float
        A bond is broken when it is longer than `breaking` times its length (A2 / A1 of Yamamoto
        and Onuki, doi:10.1103/PhysRevE.58.3515).
    diameter : float
        sigma_AA, the unit of the cutoffs that the literature gives; length unit.
    density : float or None
        Particles per volume, or per area in two dimensions.
    dimension : int
        3, or 2.
    reference_species : str
        Species whose correlation is quoted where one number is given. Default: the first species.
    relaxation_times : dict of str to float
        tau_alpha by temperature, where it is known; time unit.
    lag_times : dict of str to tuple of float
        Lag times at which the mixture was studied, by temperature; time unit.
    interactions : Interactions or None
        Needed by `lammps-botan simulate` only.

    Raises
    ------
    ValueError
        If a value is missing, out of range, or does not fit the number of species.

    Examples
    --------
    >>> KOB_ANDERSEN.species, KOB_ANDERSEN.bond_lengths[0][1]
    (('A', 'B'), 1.08)
    >>> KOB_ANDERSEN.numbers(["B", "NULL", "A"]), KOB_ANDERSEN.counts(1000)
    (array([ 1, -1,  0]), [800, 200])
    """

    name: Name
    units: Literal["lj", "real", "metal", "si", "cgs", "electron", "micro", "nano"]
    species: tuple[Name, ...] = Field(min_length=1)
    masses: tuple[Positive, ...]
    fractions: tuple[Positive, ...]
    bond_lengths: tuple[tuple[Positive, ...], ...]
    breaking: Annotated[float, Field(gt=1)] = BREAKING
    diameter: Positive
    density: Positive | None = None
    dimension: Annotated[Literal[2, 3], BeforeValidator(_whole)] = 3
    reference_species: str = ""
    relaxation_times: dict[str, Positive] = {}
    lag_times: dict[str, tuple[Positive, ...]] = {}
    interactions: Interactions | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_pairs(cls, content: Any) -> Any:
        """Bond lengths as a table, {"A-A": 1.35, ...}, become a matrix."""
        if not isinstance(content, dict):
            return content
        table, species = content.get("bond_lengths"), content.get("species")
        if isinstance(table, dict) and isinstance(species, list | tuple) and species:
            content = content | {"bond_lengths": _matrix(table, [str(name) for name in species])}
        if isinstance(species, list | tuple) and species and not content.get("reference_species"):
            content = content | {"reference_species": species[0]}
        return content

    @field_validator("species")
    @classmethod
    def _are_different(cls, species: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(species)) < len(species) or "NULL" in species:
            raise ValueError(f"must be different names, none of them NULL, found {list(species)}")
        return species

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        n = len(self.species)
        for key in ("masses", "fractions"):
            if len(getattr(self, key)) != n:
                raise ValueError(
                    f"{key} needs one number for each of the {n} species, found "
                    f"{len(getattr(self, key))}"
                )
        if not np.isclose(sum(self.fractions), 1.0, atol=1e-3):
            raise ValueError(f"fractions must sum to 1, found a sum of {sum(self.fractions):g}")
        lengths = self.bond_lengths
        if len(lengths) != n or any(len(row) != n for row in lengths):
            raise ValueError(f"bond_lengths must be {n} rows of {n} numbers")
        if any(lengths[a][b] != lengths[b][a] for a in range(n) for b in range(a)):
            raise ValueError(f"bond_lengths must be symmetric, found {lengths}")
        if self.reference_species not in self.species:
            raise ValueError(
                f"reference_species must be one of {', '.join(self.species)}, found "
                f"{self.reference_species}"
            )
        return self

    @property
    def n_species(self) -> int:
        """Number of species."""
        return len(self.species)

    @property
    def reference(self) -> int:
        """Number of the reference species."""
        return self.species.index(self.reference_species)

    @property
    def longest_bond(self) -> float:
        """The largest bond length, length unit."""
        return max(max(row) for row in self.bond_lengths)

    def pair_lengths(self, first: Ints, second: Ints) -> Floats:
        """Give the bond length of each pair of species.

        Parameters
        ----------
        first, second : int64 [n_pairs]
            Species numbers.

        Returns
        -------
        float64 [n_pairs]
            Length unit.
        """
        return np.asarray(np.array(self.bond_lengths)[first, second])

    def counts(self, n_particles: int) -> list[int]:
        """Share particles out among the species, as near to the fractions as can be.

        Parameters
        ----------
        n_particles : int

        Returns
        -------
        list of int
            Particles of each species.
        """
        shares = np.cumsum(self.fractions) / sum(self.fractions)
        ends = np.rint(shares * n_particles).astype(int)
        return [int(n) for n in np.diff(ends, prepend=0)]

    def numbers(self, words: Sequence[str]) -> Ints:
        """Turn names of species into species numbers; no other place does this.

        Parameters
        ----------
        words : sequence of str
            Names of species, or NULL.

        Returns
        -------
        int64 [n_words]
            -1 for NULL.

        Raises
        ------
        ValueError
            If a word is no species, or all words are NULL.
        """
        known = {name: k for k, name in enumerate(self.species)} | {"NULL": -1}
        for word in words:
            if word not in known:
                raise ValueError(
                    f"{self.name} has no species '{word}'; it has {', '.join(self.species)} (and "
                    "NULL leaves an atom type out)"
                )
        if set(words) <= {"NULL"}:
            raise ValueError(
                f"no atom type has a species; give one word for each type, at least one of them of "
                f"{', '.join(self.species)}"
            )
        return np.array([known[word] for word in words], dtype=np.int64)

    def difference(self, other: "Mixture") -> str:
        """Say how two mixtures differ for a model.

        Units, species, dimension, diameter and bond lengths count. Interactions and names of
        mixtures do not count.

        Parameters
        ----------
        other : Mixture

        Returns
        -------
        str
            Empty where the mixtures are the same.
        """
        for key in ("units", "species", "dimension", "diameter"):
            mine, theirs = getattr(self, key), getattr(other, key)
            if mine != theirs:
                return f"{key} {_words(mine)} and {_words(theirs)}"
        if not np.allclose(self.bond_lengths, other.bond_lengths, rtol=1e-9, atol=0):
            return f"bond lengths {_words(self.bond_lengths)} and {_words(other.bond_lengths)}"
        return ""

    def wrong_composition(self, species: npt.NDArray[np.integer]) -> str:
        """Say why particles are not this mixture.

        Parameters
        ----------
        species : int [n_particles]
            Species numbers.

        Returns
        -------
        str
            Empty where number of species and fractions are those of the mixture.
        """
        if (n_found := int(np.max(species, initial=-1)) + 1) > self.n_species:
            return f"{n_found} species, {self.name} has {self.n_species}"
        counts = np.bincount(species, minlength=self.n_species)
        shares = counts / max(len(species), 1)
        if np.abs(shares - self.fractions).max() > COMPOSITION_TOLERANCE:
            found, expected = (
                ", ".join(f"{x:.3g} {name}" for x, name in zip(some, self.species, strict=True))
                for some in (shares, self.fractions)
            )
            return f"{found}; {self.name} is {expected}"
        return ""


def _matrix(table: dict[str, Any], species: list[str]) -> list[list[Any]]:
    """Bond lengths [n_species, n_species] from a table with keys such as "A-B"."""
    pairs = {f"{a}-{b}": (i, j) for i, a in enumerate(species) for j, b in enumerate(species)}
    matrix: list[list[Any]] = [[None] * len(species) for _ in species]
    for key, value in table.items():
        if key not in pairs:
            raise ValueError(
                f"bond_lengths has the key '{key}'; expected pairs of species such as "
                f"'{species[0]}-{species[-1]}'"
            )
        i, j = pairs[key]
        if matrix[i][j] is not None and matrix[i][j] != value:
            raise ValueError(f"bond_lengths gives two lengths for the pair '{key}'")
        matrix[i][j] = matrix[j][i] = value
    missing = [key for key, (i, j) in pairs.items() if matrix[i][j] is None and i <= j]
    if missing:
        raise ValueError(f"bond_lengths lacks the pairs {', '.join(missing)}")
    return matrix


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_words, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shipped(name: str) -> Mixture:
    path = Path(__file__).with_name(f"{name}.toml")
    return Mixture.model_validate(tomllib.loads(path.read_text()))


#: The Kob-Andersen mixture in three dimensions, of two species.
KOB_ANDERSEN = _shipped("kob-andersen")
#: The mixture of GlassBench in two dimensions, of three species.
KA2D = _shipped("ka2d")
#: Both, by their names.
SHIPPED = {mixture.name: mixture for mixture in (KOB_ANDERSEN, KA2D)}


def shipped_mixture(
    species: Ints, *, dimension: int, density: float | None = None, units: str | None = None
) -> Mixture | None:
    """Find the only shipped mixture that fits particles of unknown kind.

    A mixture fits if its composition and dimension are those of the particles, and if the distances
    between particles at its own density are less than twice and more than half as long.

    Parameters
    ----------
    species : int64 [n_particles]
    dimension : int
        2 or 3.
    density : float, optional
        Particles per volume, or per area in two dimensions, where it is known.
    units : str, optional
        LAMMPS's name of the unit system, where it is known.

    Returns
    -------
    Mixture or None
        None where no mixture fits, or several.

    Examples
    --------
    >>> shipped_mixture(np.repeat([0, 1], [80, 20]), dimension=3).name
    'kob-andersen'
    """
    fitting = [
        mixture
        for mixture in SHIPPED.values()
        if mixture.dimension == dimension
        and units in {None, mixture.units}
        and _likely(density, mixture)
        and not mixture.wrong_composition(species)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _likely(density: float | None, mixture: Mixture) -> bool:
    if density is None or mixture.density is None:
        return True
    lengths: float = (mixture.density / density) ** (1 / mixture.dimension)
    return 1 / LIKELY_LENGTHS < lengths < LIKELY_LENGTHS
