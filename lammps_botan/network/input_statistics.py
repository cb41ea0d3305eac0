"""What a model saw in training, and whether the inputs of a configuration are like it.

A model that sees energies knows those of its own interactions only: where their zero is another
one, it predicts nonsense that looks like a prediction. So it does where displacements have the
wrong sign, or are those of other particles; and a model that sees positions alone does where the
density is another one, or the species are in another order.

Means over many particles hardly differ between configurations in equilibrium at one temperature and
density. The mean of a quantity over the n particles of a species is unlike that of the training
where ::

    |m - mean| > c deviation + 5 deviation / sqrt(n).

For energies, displacements and what else a history or an inherent structure gives, c is 0.5: twice
the largest difference between configurations of the Kob-Andersen mixture, and half of what another
shift of the energy makes. For positions alone, c is 0.2: their means in configurations of 130 to
4096 particles at one temperature and density differ by at most 3.7 deviation / sqrt(n), and the
rest is for the error of the training, which may be one configuration of some 300 particles.
"""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lammps_botan.network.input_quantities import input_quantities
from lammps_botan.network.inputs import Inputs, Singles
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import Mixture

# deviations, of a mean over many particles
LARGEST_DIFFERENCE = 0.5
OF_POSITIONS_ALONE = 0.2
LARGEST_ERROR = 5.0  # standard errors of a mean, on top of it

# strict, as the fix reads them: no number in quotation marks
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]


class InputStatistics(BaseModel):
    """Mean and standard deviation of the inputs in training, by species and quantity.

    Quantities are those of `Inputs.quantities`, see `network.input_quantities`.

    Attributes
    ----------
    mean, deviation : [n_species, n_quantities]
        Over the particles of the training data; deviations are larger than 0.

    Examples
    --------
    >>> InputStatistics(mean=[[0.1, -7.0, 0.78]], deviation=[[0.05, 0.5, 0.02]]).shape
    (1, 3)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: tuple[tuple[Number, ...], ...]
    deviation: tuple[tuple[Positive, ...], ...]

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        widths = {len(row) for row in (*self.mean, *self.deviation)}
        if len(widths) != 1 or len(self.mean) != len(self.deviation):
            raise ValueError(
                "expected a mean and a deviation of each quantity for each species, found "
                f"{_lengths(self.mean)} means and {_lengths(self.deviation)} deviations"
            )
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """Number of species, number of quantities."""
        return len(self.mean), len(self.mean[0])

    def check(self, inputs: Inputs, species: Sequence[str]) -> None:
        """Refuse statistics of something else than a model sees.

        Raises
        ------
        ValueError
            If the model has another number of species or of quantities.
        """
        quantities = inputs.quantities(species)
        expected = len(species), len(quantities)
        if self.shape != expected:
            raise ValueError(
                f"expected {expected[0]} species with {expected[1]} quantities "
                f"({', '.join(quantities)}), found {self.shape[0]} with {self.shape[1]}"
            )

    def unlike(
        self,
        graph: Graph,
        node_vectors: Singles,
        node_scalars: Singles,
        *,
        mixture: Mixture,
        quantities: Sequence[str],
    ) -> list[str]:
        """Which means of a configuration are unlike those of the training, in words.

        Parameters
        ----------
        graph : Graph
            With the cutoff of the model.
        node_vectors : float32 [n_nodes, n_vectors, 3]
        node_scalars : float32 [n_nodes, n_scalars]
        mixture : Mixture
            Of the model.
        quantities : sequence of str
            Their names (`Inputs.quantities`).

        Returns
        -------
        list of str
            Empty where all of them are like those of the training. A species without particles is
            not compared, and one without neighbors not in its distance to the nearest of them.
        """
        values = input_quantities(graph, node_vectors, node_scalars, mixture)
        largest = LARGEST_DIFFERENCE if node_vectors.shape[1] else OF_POSITIONS_ALONE
        found = []
        for kind, name in enumerate(mixture.species):
            own = values[graph.species == kind]
            for column, quantity in enumerate(quantities):
                known = own[~np.isnan(own[:, column]), column]
                if len(known) == 0:
                    continue
                value = known.mean()
                mean, deviation = self.mean[kind][column], self.deviation[kind][column]
                most = (largest + LARGEST_ERROR / np.sqrt(len(known))) * deviation
                if not abs(value - mean) <= most:
                    found.append(
                        f"{quantity} of {name} is {value:.4g} on average, {mean:.4g} +- "
                        f"{deviation:.2g} in training"
                    )
        return found


def input_statistics(
    samples: Sequence[tuple[Graph, Singles, Singles]], mixture: Mixture
) -> InputStatistics | None:
    """The statistics of training data.

    Parameters
    ----------
    samples : sequence of (graph, node_vectors, node_scalars)
        Of each history or inherent structure, see `lammps_botan.network.inputs.node_inputs`.
    mixture : Mixture

    Returns
    -------
    InputStatistics or None
        None where a species is absent or nowhere has a neighbor, or a quantity never varies, so
        that nothing can be said of it.

    Examples
    --------
    >>> from lammps_botan.structure.mixture import Mixture
    >>> atoms = Mixture(
    ...     name="atoms",
    ...     units="lj",
    ...     species=["A"],
    ...     masses=[1],
    ...     fractions=[1],
    ...     bond_lengths=[[1.5]],
    ...     diameter=1,
    ... )
    >>> ends = np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1])
    >>> ways = np.array([[3.0, 0, 0], [-3, 0, 0], [6, 0, 0], [-6, 0, 0]])
    >>> row = Graph(np.zeros(3, np.int64), *ends, ways, cutoff=7.0)
    >>> vectors = np.array([[[-1.5, 0, 0]], [[0, 0, 0]], [[0, 0, 0]]], np.float32)
    >>> scalars = np.array([[-6.0], [-8.0], [-7.0]], np.float32)
    >>> input_statistics([(row, vectors, scalars)], atoms).mean
    ((0.5, -7.0, 2.0),)
    """
    shape = mixture.n_species, 1
    number, total, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    # one sample at a time: histories of hundreds of configurations take gigabytes
    for graph, vectors, scalars in samples:
        values = input_quantities(graph, vectors, scalars, mixture)
        number = number + _sums(graph.species, 1.0 - np.isnan(values), mixture)
        total = total + _sums(graph.species, values, mixture)
    if not np.all(number):
        return None
    mean = total / number
    for graph, vectors, scalars in samples:
        values = input_quantities(graph, vectors, scalars, mixture) - mean[graph.species]
        squares = squares + _sums(graph.species, values**2, mixture)
    deviation = np.sqrt(squares / number)
    if not np.all(deviation):
        return None
    return InputStatistics(mean=mean.tolist(), deviation=deviation.tolist())


def pool(several: Sequence[InputStatistics | None]) -> InputStatistics | None:
    """Combine the statistics of the members of a committee; members with statistics count equally.

    Parameters
    ----------
    several : sequence of InputStatistics or None

    Returns
    -------
    InputStatistics or None
        None where no member has statistics.

    Examples
    --------
    >>> one, other = (InputStatistics(mean=[[m]], deviation=[[3.0]]) for m in (-4.0, 4.0))
    >>> pool([one, None, other])
    InputStatistics(mean=((0.0,),), deviation=((5.0,),))
    """
    known = [one for one in several if one is not None]
    if not known:
        return None
    means = np.array([one.mean for one in known])
    deviations = np.array([one.deviation for one in known])
    mean = means.mean(axis=0)
    deviation = np.sqrt((deviations**2 + (means - mean) ** 2).mean(axis=0))
    return InputStatistics(mean=mean.tolist(), deviation=deviation.tolist())


def _sums(species: Ints, values: Floats, mixture: Mixture) -> Floats:
    """Sums of the rows of each species, NaN left out: [n_species, n_columns]."""
    return np.stack([np.nansum(values[species == k], axis=0) for k in range(mixture.n_species)])


def _lengths(rows: Sequence[Sequence[float]]) -> list[int]:
    return [len(row) for row in rows]
