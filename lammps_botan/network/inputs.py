"""Inputs of a model besides positions and species (docs/reference/model_file.md, "Inputs").

| input | vectors of each node | scalars of each node |
| --- | --- | --- |
| `history` | mean position - position | variance, mean energy |
| `inherent` | inherent position - position | energy of the inherent structure |
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lammps_botan.network.limits import LIMITS
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.history import History

Singles = npt.NDArray[np.float32]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]

# quantities of each node, in this order: lengths of its vectors, its scalars, and for each vector
# the distance to the nearest neighbor, in bond lengths of the pair
VECTORS = {
    "history": ("distance to the mean position",),
    "inherent": ("distance to the inherent position",),
}
SCALARS = {"history": ("variance", "mean energy"), "inherent": ("inherent energy",)}
NEAREST = {
    "history": ("distance to the nearest neighbor in the mean positions (in bond lengths)",),
    "inherent": ("distance to the nearest neighbor in the inherent positions (in bond lengths)",),
}
NEAREST_OF_POSITIONS = "distance to the nearest neighbor (in bond lengths)"
ROUNDING = 1e-6  # relative, of quotients of times


class HistoryInput(BaseModel):
    """Window and samples of the history that a model sees.

    Attributes
    ----------
    window : float
        t_w, time unit.
    interval : float
        Time from one sample to the next, time unit.
    parts : int
        The window has so many parts and moves on by one part.

    Examples
    --------
    >>> HistoryInput(window=30.0, interval=0.2, parts=10).samples_per_part
    15
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: Positive
    interval: Positive
    parts: Annotated[int, Field(ge=1, le=LIMITS["parts"], strict=True)]

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        samples = self.window / self.interval / self.parts
        possible = 1 - ROUNDING <= samples <= LIMITS["samples_per_part"]
        if not possible or abs(samples - round(samples)) > ROUNDING * samples:
            raise ValueError(
                f"expected a window of whole samples in each of its {self.parts} parts, found "
                f"window {self.window:g} and interval {self.interval:g}"
            )
        return self

    @property
    def samples_per_part(self) -> int:
        """Number of samples in a part of the window."""
        return round(self.window / self.interval / self.parts)

    @property
    def samples(self) -> int:
        """Number of samples in the window."""
        return self.parts * self.samples_per_part

    def steps_per_sample(self, timestep: float) -> int:
        """Steps from one sample to the next: samples are taken at multiples of this number."""
        return max(1, math.floor(self.interval / timestep + 0.5))  # as LAMMPS rounds

    def fits(self, window: float) -> bool:
        """Whether a history over `window` has this window, up to a part of it."""
        return abs(window - self.window) <= (1 + ROUNDING) * self.window / self.parts

    @property
    def words(self) -> str:
        """In words, as in an error message."""
        return (
            f"history (t_w = {self.window:g}, a sample every {self.interval:g}, {self.parts} parts)"
        )


class InherentInput(BaseModel):
    """Minimization that finds the inherent structure that a model sees.

    Attributes
    ----------
    force : float
        The minimization ends where no component of a force is larger, force unit.

    Examples
    --------
    >>> InherentInput(force=0.1).words
    'inherent structure (to a force of 0.1)'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    force: Positive

    @property
    def words(self) -> str:
        """In words, as in an error message."""
        return f"inherent structure (to a force of {self.force:g})"


class Inputs(BaseModel):
    """Inputs of a model besides positions and species.

    Attributes
    ----------
    history : HistoryInput or None
    inherent : InherentInput or None

    Examples
    --------
    >>> Inputs(inherent=InherentInput(force=0.1)).names
    ['inherent']
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: HistoryInput | None = None
    inherent: InherentInput | None = None

    @property
    def names(self) -> list[str]:
        """Names of the inputs that the model sees, in the order of their vectors and scalars."""
        return [name for name in VECTORS if getattr(self, name) is not None]

    @property
    def n_vectors(self) -> int:
        """Vectors of each node."""
        return sum(len(VECTORS[name]) for name in self.names)

    @property
    def n_scalars(self) -> int:
        """Scalars of each node."""
        return sum(len(SCALARS[name]) for name in self.names)

    def quantities(self, species: Sequence[str]) -> list[str]:
        """Quantities of a node that are compared with the training, in words and in order.

        Parameters
        ----------
        species : sequence of str
            Names of the species of the model.

        Examples
        --------
        >>> Inputs().quantities(["A"])
        ['number of A neighbors', 'distance to the nearest neighbor (in bond lengths)']
        """
        if not self.names:
            return [*(f"number of {name} neighbors" for name in species), NEAREST_OF_POSITIONS]
        tables = VECTORS, SCALARS, NEAREST
        return [words for table in tables for name in self.names for words in table[name]]

    @property
    def words(self) -> str:
        """The inputs in words, positions and species included."""
        seen = [one.words for one in (self.history, self.inherent) if one is not None]
        return ", ".join(["positions", "species", *seen])


def node_inputs(configuration: Configuration, inputs: Inputs) -> tuple[Singles, Singles]:
    """Make the inputs of the nodes for a model with inputs.

    Parameters
    ----------
    configuration : Configuration
        With a history, with inherent positions and energies, or with both, as the model needs.
    inputs : Inputs
        Inputs of the model.

    Returns
    -------
    node_vectors : float32 [n_particles, n_vectors, 3]
        Length unit.
    node_scalars : float32 [n_particles, n_scalars]

    Raises
    ------
    ValueError
        If the configuration lacks an input, or has a history over another window.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> pair = Configuration(
    ...     positions=[[0.0, 0, 0], [2.0, 0, 0]],
    ...     species=[0, 0],
    ...     box=Box(5.0, (True, True, True)),
    ...     inherent_positions=[[4.5, 0, 0], [2.5, 0, 0]],
    ...     inherent_energies=[-6.0, -7.0],
    ... )
    >>> vectors, scalars = node_inputs(pair, Inputs(inherent=InherentInput(force=0.1)))
    >>> vectors[:, 0, 0].tolist(), scalars[:, 0].tolist()
    ([-0.5, 0.5], [-6.0, -7.0])
    """
    n = configuration.n_particles
    vectors = np.zeros((n, inputs.n_vectors, 3), np.float32)
    scalars = np.zeros((n, inputs.n_scalars), np.float32)
    if inputs.history is not None:
        history = _history(configuration, inputs.history)
        vectors[:, 0] = history.displacement
        scalars[:, 0], scalars[:, 1] = history.variance, history.energy
    if inputs.inherent is not None:
        positions, energies = _inherent(configuration, inputs.inherent)
        vectors[:, -1] = configuration.box.minimum_image(positions - configuration.positions)
        scalars[:, -1] = energies
    return vectors, scalars


def _history(configuration: Configuration, asked: HistoryInput) -> History:
    where, history = configuration.where, configuration.history
    files = f"lammps-botan simulate history FILES -o FOLDER --window {asked.window:g}"
    if history is None:
        raise ValueError(
            f"{where}: the model sees {asked.words}, but the configuration has no history; files "
            f"with histories are made by `{files}`, and `fix botan`, `attach` and `lammps-botan "
            f"score` keep that of a run or of a dump with a frame every {asked.interval:g}"
        )
    if not asked.fits(history.window):
        raise ValueError(
            f"{where}: the model sees {asked.words}, found a history with t_w = "
            f"{history.window:g}: expected {asked.window:g} up to a part of "
            f"{asked.window / asked.parts:g}, as `{files}` makes it"
        )
    return history


def _inherent(configuration: Configuration, asked: InherentInput) -> tuple[Floats, Floats]:
    positions, energies = configuration.inherent_positions, configuration.inherent_energies
    if positions is None or energies is None:
        missing = [
            words
            for words, known in (("positions", positions), ("energies", energies))
            if known is None
        ]
        raise ValueError(
            f"{configuration.where}: the model sees {asked.words}, but the configuration has no "
            f"inherent {' and '.join(missing)}; files with inherent structures are made by "
            "`lammps-botan simulate inherent FILES -o FOLDER`, and `fix botan` and `lammps-botan "
            "score --inherent` find those of what they score"
        )
    return positions, energies
