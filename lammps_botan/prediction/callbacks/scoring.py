"""A model at work in a LAMMPS instance: from its particles to per-atom columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lammps_botan.files.snapshot import Particles, Snapshot
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.shipped import find_model
from lammps_botan.prediction.callbacks.particles import (
    gather_particles,
    has_column,
    write_column,
)
from lammps_botan.prediction.callbacks.ranks import Ranks
from lammps_botan.structure.graph import Floats, build_graph

if TYPE_CHECKING:
    from lammps_botan.network.predictor import Scorer


@dataclass(frozen=True)
class Scored:
    """A snapshot and what the model says of it.

    Attributes
    ----------
    snapshot : Snapshot
        Of the particles whose type is not NULL.
    propensities : float32 [n_particles, n_node_outputs]
    bond_changes : float32 [n_edges, n_edge_outputs]
    """

    snapshot: Snapshot
    propensities: Floats
    bond_changes: Floats


class Scoring:
    """A model, the species of the atom types and the columns to write.

    Parameters
    ----------
    model : str or Path
        A model file, or the name of a model that ships.
    species : str or sequence of str
        One word for each atom type, as in `fix botan`: a species of the model, or NULL for types
        that are left out of the graph. A single str is split at blanks.
    column : str
        The first node output goes into the column d_`column` of a fix property/atom, a second one
        into d_`column`_2 and so on.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the file is not a model file, or has no such species.
    """

    def __init__(self, model: str | Path, species: str | Sequence[str], column: str) -> None:
        self._path = find_model(model).resolve()  # the input script may change folders
        self.metadata = read_metadata(self._path)
        self._words = species.split() if isinstance(species, str) else list(species)
        names = self.metadata.species
        for word in self._words:
            if word not in {*names, "NULL"}:
                raise ValueError(
                    f"{model} has no species {word!r}; it has {', '.join(names)} (and NULL leaves "
                    "an atom type out)"
                )
        if set(self._words) <= {"NULL"}:
            raise ValueError(
                "no atom type has a species; give one word for each atom type, at least one of "
                f"them of {', '.join(names)}"
            )
        # species of each type, from 0; -1 is left out
        self._numbers = np.array([[*names, "NULL"].index(word) for word in self._words])
        self._numbers[self._numbers == len(names)] = -1
        n_outputs = len(self.metadata.node_outputs)
        self.columns = [column, *(f"{column}_{k}" for k in range(2, n_outputs + 1))]

    def check(self, lmp: Any) -> None:
        """Whether this LAMMPS can be scored; the answer is the same on every rank.

        Raises
        ------
        ValueError
            If there is no box, or units or atom types do not fit.
        """
        if not lmp.extract_setting("box_exist"):
            raise ValueError("LAMMPS has no box yet; define one first, with read_data for example")
        if (units := lmp.extract_global("units")) != "lj":
            raise ValueError(
                f"the model is in lj units, but this input uses `units {units}`; write `units lj` "
                "and use reduced quantities"
            )
        if len(self._words) != (n_types := lmp.extract_setting("ntypes")):
            raise ValueError(
                f"found {n_types} atom types, but {len(self._words)} species: "
                f"{' '.join(self._words)}; give one word for each type, a species of the model "
                f"({', '.join(self.metadata.species)}) or NULL"
            )

    def check_columns(self, lmp: Any) -> None:
        """Whether the columns are there.

        Raises
        ------
        ValueError
            If not; with the line to add.
        """
        if not all(has_column(lmp, name) for name in self.columns):
            columns = " ".join(f"d_{name}" for name in self.columns)
            raise ValueError(
                f"no per-atom column {columns} to write to; add the line\n"
                f"  fix columns all property/atom {columns}"
            )

    def score(self, lmp: Any, ranks: Ranks) -> Scored:
        """Score all particles and write the columns; collective, the same result on every rank."""
        particles = ranks.together(lambda: gather_particles(lmp, ranks))
        scored = ranks.on_first(lambda: self._score(particles))
        for name, values in zip(self.columns, scored.propensities.T, strict=True):
            write_column(lmp, name, scored.snapshot.ids, values)
        return scored

    def _score(self, particles: Particles | None) -> Scored:
        assert particles is not None  # rank 0 has them
        species = self._numbers[particles.types - 1]
        inside = species >= 0
        kept = replace(
            particles,
            ids=particles.ids[inside],
            types=particles.types[inside],
            positions=particles.positions[inside],
        )
        graph = build_graph(
            kept.positions,
            kept.cell,
            species[inside],
            cutoff=self.metadata.cutoff,
            periodic=kept.periodic,
        )
        prediction = self._scorer.score(graph)
        if not (np.isfinite(prediction.node).all() and np.isfinite(prediction.edge).all()):
            raise ValueError(f"step {kept.step}: {self._path} predicts numbers that are not finite")
        return Scored(Snapshot(**vars(kept), graph=graph), prediction.node, prediction.edge)

    @cached_property
    def _scorer(self) -> "Scorer":
        from lammps_botan.network.predictor import Scorer  # imports torch, which only rank 0 needs

        return Scorer(self._path)
