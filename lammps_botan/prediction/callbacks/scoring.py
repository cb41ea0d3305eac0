"""Scoring in a LAMMPS instance: from its particles to per-atom columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lammps_botan.files.snapshot import Snapshot
from lammps_botan.network.archive import Archive
from lammps_botan.network.fallback import read_fallback
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.shipped import find_model
from lammps_botan.prediction.callbacks.inherent import add_inherent, check_choice, check_plugin
from lammps_botan.prediction.callbacks.particles import (
    gather_particles,
    has_column,
    write_column,
)
from lammps_botan.prediction.callbacks.ranks import Ranks
from lammps_botan.prediction.callbacks.sampling import Sampling
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration

if TYPE_CHECKING:
    from lammps_botan.network.predictor import Predictor


@dataclass(frozen=True)
class Scored:
    """A snapshot with the predictions of the model.

    Attributes
    ----------
    snapshot : Snapshot
        Particles whose type is not NULL.
    propensities : float32 [n_particles, n_node_outputs]
        Length unit.
    bond_changes : float32 [n_edges, n_edge_outputs]
        Length unit.
    """

    snapshot: Snapshot
    propensities: Floats
    bond_changes: Floats


class Scoring:
    r"""A model, the species of the atom types and the columns to write.

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
    inherent : bool
        Whether to find the inherent structures that the model sees.

    Attributes
    ----------
    metadata : Metadata
        Metadata of the model.
    columns : list of str
        Names of the columns, without d\_.
    has_fallback : bool
        Whether the model has a fallback, which predicts until the history is full.
    sampling : Sampling or None
        Samples of the history, where the model sees one.
    history_share : float
        Recorded share of the window of the history at the latest scoring, 0 to 1; else 1. Below 1
        the fallback of the model predicts, or there is no prediction.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the file is not a model file, its fallback does not fit, it has no such species, or
        `inherent` does not fit the model.
    """

    def __init__(
        self,
        model: str | Path,
        species: str | Sequence[str],
        column: str,
        *,
        inherent: bool = False,
    ) -> None:
        self._path = find_model(model).resolve()  # the input script may change folders
        self.metadata = read_metadata(self._path)
        self.has_fallback = read_fallback(Archive(self._path), self.metadata) is not None
        self._words = species.split() if isinstance(species, str) else list(species)
        self.metadata.mixture.numbers(self._words)  # all of them are words of the model
        n_outputs = len(self.metadata.node_outputs)
        self.columns = [column, *(f"{column}_{k}" for k in range(2, n_outputs + 1))]
        check_choice(self.metadata, inherent)
        self.sampling: Sampling | None = None
        if asked := self.metadata.inputs.history:
            self.sampling = Sampling(asked, self.metadata.mixture, self._words)
        self.history_share = 0.0 if self.sampling else 1.0

    def check(self, lmp: Any) -> None:
        """Refuse a LAMMPS that cannot be scored; all ranks get the same answer.

        Raises
        ------
        ValueError
            If there is no box, units, dimension or atom types do not fit, or the plugin, which
            finds inherent structures, is for another LAMMPS.
        """
        if not lmp.extract_setting("box_exist"):
            raise ValueError("LAMMPS has no box yet; define one first, with read_data for example")
        if self.metadata.inputs.inherent is not None:
            check_plugin(lmp)
        mixture = self.metadata.mixture
        if (units := lmp.extract_global("units")) != mixture.units:
            raise ValueError(
                f"the model is in {mixture.units} units, but this input uses `units {units}`; "
                f"write `units {mixture.units}`, or use a model in {units} units"
            )
        if (dimension := lmp.extract_setting("dimension")) != mixture.dimension:
            raise ValueError(
                f"the model is for {mixture.dimension} dimensions ({mixture.name}), but this input "
                f"has `dimension {dimension}`; use a model of a mixture in {dimension} dimensions"
            )
        if len(self._words) != (n_types := lmp.extract_setting("ntypes")):
            raise ValueError(
                f"found {n_types} atom types, but {len(self._words)} species: "
                f"{' '.join(self._words)}; give one word for each type, a species of the model "
                f"({', '.join(self.metadata.species)}) or NULL"
            )

    def check_columns(self, lmp: Any) -> None:
        """Refuse a LAMMPS without the columns.

        Raises
        ------
        ValueError
            With the line to add.
        """
        if not all(has_column(lmp, name) for name in self.columns):
            columns = " ".join(f"d_{name}" for name in self.columns)
            raise ValueError(
                f"no per-atom column {columns} to write to; add the line\n"
                f"  fix columns all property/atom {columns}"
            )

    def clear_columns(self, lmp: Any) -> None:
        """Write zeros into the columns that are there."""
        for name in self.columns:
            if has_column(lmp, name):
                write_column(lmp, name, np.empty(0, np.int64), ())

    def score(self, lmp: Any, ranks: Ranks) -> Scored | None:
        """Score all particles and write the columns; collective, the same result on every rank.

        Until the window of the history is full the fallback of the model predicts; a model without
        a fallback gives None, and columns of zeros.
        """
        configuration = ranks.together(lambda: self._gather(lmp, ranks))
        scored, self.history_share = ranks.on_first(lambda: self._score(configuration))
        if scored is None:
            self.clear_columns(lmp)
            return None
        for name, values in zip(self.columns, scored.propensities.T, strict=True):
            write_column(lmp, name, scored.snapshot.ids, values)
        return scored

    def _gather(self, lmp: Any, ranks: Ranks) -> Configuration | None:
        configuration = gather_particles(lmp, ranks)
        if (asked := self.metadata.inputs.inherent) is None:
            return configuration
        diameter = self.metadata.mixture.diameter
        return add_inherent(lmp, ranks, configuration, asked.force, diameter)

    def _score(self, configuration: Configuration | None) -> tuple[Scored | None, float]:
        assert configuration is not None  # rank 0 has it
        predictor, share = self._predictor, 1.0
        if self.sampling is not None:
            remembered, share = self.sampling.remember(configuration)
            if remembered is not None:
                configuration = remembered
            elif (fallback := predictor.fallback) is not None:
                predictor = fallback
            else:
                return None, share
        prediction = predictor.predict(configuration, self._words)
        snapshot = Snapshot(configuration.select(prediction.inside), prediction.graph)
        return Scored(snapshot, prediction.node, prediction.edge), share

    @cached_property
    def _predictor(self) -> "Predictor":
        from lammps_botan.network.predictor import Predictor  # only rank 0 needs it

        return Predictor(self._path)
