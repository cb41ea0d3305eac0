"""A configuration: particles in a box and all that is known of the particles.

Readers make configurations, writers take configurations, and `lammps_botan.Predictor.predict`
builds the graph of a configuration. A configuration is checked once, when it is made.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from lammps_botan.structure.box import LONGEST, Box, Floats, Ints
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import Mixture
from lammps_botan.structure.notebook_table import configuration_rows, html_table

GIVE_WORDS = "give --species with a word for each type, a species or NULL (species= in Python)"
DIGITS = 6  # decimals of positions that identify a configuration
MAX_SPECIES = 10_000  # more come from damaged files only
MAX_STEP = 2**63 - 1  # that of LAMMPS
MAX_ID = 2**53  # files are read in float64, which has no larger odd numbers


@dataclass(frozen=True, eq=False)
class Configuration:
    """Particles in a box.

    Parameters
    ----------
    positions : float [n_particles, 3], or [n_particles, 2] in two dimensions
        Wrapped or unwrapped, length unit of the mixture.
    species : int [n_particles]
        From 0: LAMMPS type k is species k - 1.
    box : Box
    ids : int [n_particles], optional
        Atom IDs, all different and from 1. Default: 1 to n_particles.
    species_names : sequence of str, optional
        Name of each species number, where it is known. Default: the names of the mixture.
    mixture : Mixture, optional
        What the particles are.
    units : str, optional
        LAMMPS's name of the unit system, where a file says it. Default: the units of the mixture.
    inherent_positions : float [n_particles, 3] or [n_particles, 2], optional
        Positions in the inherent structure, length unit.
    inherent_energies : float [n_particles], optional
        Potential energy of each particle in the inherent structure, energy unit.
    history : History, optional
        What the particles did in a window of time that ends with this configuration.
    temperature : float, optional
        Temperature unit.
    step : int
        Step of the simulation.
    time : float, optional
        Time of the simulation, where a file says it; time unit.
    columns : dict of float [n_particles]
        Further quantities of the particles, by name.
    where : str
        File and frame, for messages.

    Attributes
    ----------
    positions, inherent_positions : float64 [n_particles, 3]
    species, ids : int64 [n_particles]

    Raises
    ------
    ValueError
        If the arrays do not fit together or hold numbers that are not finite, IDs repeat, the
        species are not those of the mixture, or box, units or dimension do not fit the mixture.

    Examples
    --------
    >>> box = Box(10.0, (True, True, True))
    >>> one = Configuration(positions=np.zeros((1, 3)), species=[0], box=box)
    >>> one.n_particles, one.types, one.dimension
    (1, array([1]), 3)
    """

    positions: Floats
    species: Ints
    box: Box
    ids: Ints = None  # type: ignore[assignment]  # always there after __post_init__
    species_names: tuple[str, ...] = ()
    mixture: Mixture | None = None
    units: str | None = None
    inherent_positions: Floats | None = None
    inherent_energies: Floats | None = None
    history: History | None = None
    temperature: float | None = None
    step: int = 0
    time: float | None = None
    columns: Mapping[str, Floats] = field(default_factory=dict)
    where: str = "the configuration"

    def __post_init__(self) -> None:
        positions = self._in_space("positions", self.positions)
        n = len(positions)
        self._set("positions", positions)
        self._set("species", self._whole_numbers("species", self.species, n, 0, MAX_SPECIES - 1))
        ids = np.arange(1, n + 1) if self.ids is None else self.ids
        self._set("ids", self._whole_numbers("ids", ids, n, 1, MAX_ID))
        if n and len(np.unique(self.ids)) < n:
            found, times = np.unique(self.ids, return_counts=True)
            self._fail(f"atom ID {found[times > 1][0]} appears twice")
        if self.inherent_positions is not None:
            inherent = self._in_space("inherent_positions", self.inherent_positions)
            if len(inherent) != n:
                self._fail(f"inherent_positions must have shape [{n}, 3], found {inherent.shape}")
            self._set("inherent_positions", inherent)
        if self.inherent_energies is not None:
            self._set("inherent_energies", self._floats("inherent_energies", n))
        if self.history is not None and self.history.n_particles != n:
            self._fail(f"has {n} particles, but a history of {self.history.n_particles}")
        if abs(self.step) > MAX_STEP:
            self._fail(f"the step must be at most {MAX_STEP}, found {self.step}")
        if self.time is not None and not np.isfinite(self.time):
            self._fail(f"the time must be finite, found {self.time}")
        self._set("columns", {k: np.array(v, np.float64) for k, v in self.columns.items()})
        self._fit_the_mixture()

    def _fit_the_mixture(self) -> None:
        mixture = self.mixture
        if mixture is None:
            return
        if self.n_species > mixture.n_species:
            self._fail(
                f"found species number {self.n_species - 1}, but {mixture.name} has "
                f"{mixture.n_species} species: {', '.join(mixture.species)}"
            )
        if self.units not in {None, mixture.units}:
            self._fail(f"is in {self.units} units, but {mixture.name} in {mixture.units} units")
        self._set("units", mixture.units)
        self._set("species_names", mixture.species)
        if mixture.dimension == 2:
            if self.n_particles and np.ptp(self.positions[:, 2]):
                low, high = self.positions[:, 2].min(), self.positions[:, 2].max()
                self._fail(
                    f"{mixture.name} is two-dimensional: expected all particles in one plane, "
                    f"found z from {low:g} to {high:g}"
                )
            self._set("box", self.box.flat)
        elif self.is_planar:
            self._fail(
                f"{mixture.name} is three-dimensional, but all particles lie in one plane and the "
                "box is not periodic along z"
            )

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _fail(self, problem: str) -> None:
        raise ValueError(f"{self.where}: {problem}")

    def _in_space(self, name: str, given: npt.ArrayLike) -> Floats:
        array = np.asarray(given)
        if array.dtype.kind not in "iuf":
            self._fail(f"{name} must be numbers, found the type {array.dtype}")
        if array.ndim != 2 or array.shape[1] not in {2, 3}:
            self._fail(f"{name} must have shape [n_particles, 3], found {list(array.shape)}")
        if array.shape[1] == 2:
            if self.box.periodic[2]:
                self._fail(
                    f"{name} have two components, so that the box must not be periodic along z"
                )
            array = np.column_stack([array, np.zeros(len(array))])
        # of its own: buffers of readers and of LAMMPS change
        array = np.array(array, dtype=np.float64, order="C")
        if not np.isfinite(array).all():
            k = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
            self._fail(f"{name} must be finite, found {array[k]} for particle {k}")
        if (farthest := np.abs(array).max(initial=0.0)) > LONGEST:
            self._fail(f"{name} must be at most {LONGEST:g}, found {farthest:g}")
        return array

    def _whole_numbers(
        self, name: str, given: npt.ArrayLike, n: int, least: int, largest: int
    ) -> Ints:
        array = np.asarray(given)
        if array.shape != (n,):
            self._fail(f"{name} must have shape [{n}], one per position, found {list(array.shape)}")
        kind = array.dtype.kind
        broken = kind not in "iuf" or (kind == "f" and np.any(array != np.rint(array)))
        if broken or np.any(array < least):
            self._fail(f"{name} must be integers from {least}, found {np.unique(array)[:5]}")
        if np.any(array > largest):
            self._fail(f"{name} must be at most {largest}, found {array.max()}")
        return np.array(array, dtype=np.int64, order="C")

    def _floats(self, name: str, n: int) -> Floats:
        array = np.array(getattr(self, name), dtype=np.float64)
        if array.shape != (n,) or not np.isfinite(array).all():
            self._fail(f"{name} must be {n} finite numbers, found shape {list(array.shape)}")
        return array

    def _repr_html_(self) -> str:
        """Table for notebooks."""
        return html_table(self.where, configuration_rows(self))

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return len(self.positions)

    @property
    def n_species(self) -> int:
        """One more than the largest species number."""
        return int(self.species.max(initial=-1)) + 1

    @property
    def types(self) -> Ints:
        """LAMMPS types, int64 [n_particles]: species + 1."""
        return self.species + 1

    @property
    def dimension(self) -> int:
        """2 for particles in one plane in a box without images along z, else 3."""
        if self.mixture is not None:
            return self.mixture.dimension
        return 2 if self.is_planar else 3

    @property
    def is_planar(self) -> bool:
        """Whether the box has no images along z and all particles have the same z."""
        several = self.n_particles > 1
        return not self.box.periodic[2] and several and not np.ptp(self.positions[:, 2])

    @property
    def density(self) -> float:
        """Particles per volume, or per area in two dimensions."""
        return self.n_particles / (self.box.area if self.dimension == 2 else self.box.volume)

    @property
    def diameter(self) -> float:
        """sigma_AA of the mixture, the unit of the cutoffs that the literature gives; length unit.

        Without a mixture the diameter is 1, as in reduced units.

        Raises
        ------
        ValueError
            If no mixture is known and the units are not reduced ones.
        """
        if self.mixture is not None:
            return self.mixture.diameter
        if self.units not in {None, "lj"}:
            self._fail(
                f"is in {self.units} units, where cutoffs need the diameter of the particles; say "
                "the mixture (--mixture NAME or FILE.toml)"
            )
        return 1.0

    @property
    def sha256(self) -> str:
        """SHA-256 of the positions to six decimals, in order; it identifies the configuration.

        In units in which the box is smaller than 1 the decimals count from its first digit.
        """
        leading_zeros = max(0, -int(np.floor(np.log10(np.abs(self.box.cell).max()))))
        rounded = np.round(self.positions, DIGITS + leading_zeros) + 0.0  # no negative zero
        return hashlib.sha256(rounded.astype("<f8").tobytes()).hexdigest()

    def select(self, some: npt.NDArray[np.bool_] | Ints) -> "Configuration":
        """Give the same box with some of the particles.

        Parameters
        ----------
        some : bool [n_particles], or int [n_some]
            A mask, or indices.

        Returns
        -------
        Configuration
        """
        return replace(
            self,
            positions=self.positions[some],
            species=self.species[some],
            ids=self.ids[some],
            inherent_positions=_some(self.inherent_positions, some),
            inherent_energies=_some(self.inherent_energies, some),
            history=None if self.history is None else self.history.select(some),
            columns={name: values[some] for name, values in self.columns.items()},
        )

    def as_mixture(
        self, mixture: Mixture, words: Sequence[str] | None = None
    ) -> tuple["Configuration", Ints]:
        """Give the particles the species of a mixture, without the types that are left out.

        Parameters
        ----------
        mixture : Mixture
        words : sequence of str, optional
            One word for each species number, that is for each LAMMPS type in order: a species of
            the mixture, or NULL to leave the type out. Default: the names of the species where the
            configuration has names, else the species of the mixture in order.

        Returns
        -------
        Configuration
            With the species numbers of the mixture.
        int64 [n_left]
            Indices of its particles in this configuration, ascending.

        Raises
        ------
        ValueError
            If a species has no word, a word is no species of the mixture, or units or dimension
            are not those of the mixture.
        """
        if words is None:
            words = self.species_names or mixture.species
        names = self.species_names
        if self.n_species > len(words) or len(names) not in {0, len(words)}:
            found = ", ".join(names) or str(self.n_species)
            self._fail(
                f"found atoms of type {found}, but species for {len(words)} types: "
                f"{' '.join(words)}; {GIVE_WORDS} ({mixture.name} has {', '.join(mixture.species)})"
            )
        try:
            numbers = mixture.numbers(words)[self.species]
        except ValueError as error:
            raise ValueError(f"{self.where}: {error}; {GIVE_WORDS}") from error
        inside = np.flatnonzero(numbers >= 0)
        some = self.select(inside)
        return (
            replace(some, species=numbers[inside], species_names=(), mixture=mixture),
            inside,
        )


def _some(array: Floats | None, some: npt.NDArray[np.generic]) -> Floats | None:
    return None if array is None else array[some]
