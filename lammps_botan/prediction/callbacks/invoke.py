"""Callbacks for `fix python/invoke`, named in an input script.

Lines of a script ::

    python score here "from lammps_botan.prediction.callbacks import Score; &
        score = Score('ka-t044', 'A B')"
    fix columns all property/atom d_propensity
    fix mob all python/invoke 1000 end_of_step score

LAMMPS must contain the package PYTHON. An exception ends the run on all ranks: LAMMPS prints it
with its traceback, then `Fix python/invoke end_of_step() method failed`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lammps_botan.files.snapshot import Snapshot, write_snapshot
from lammps_botan.prediction.callbacks.particles import gather_particles
from lammps_botan.prediction.callbacks.ranks import Ranks
from lammps_botan.prediction.callbacks.sampling import Sampling
from lammps_botan.prediction.callbacks.scoring import Scoring
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph

CUTOFF = {"lj": 2.0}  # by units; other ones have no usual length


class Score:
    """Score the running simulation into a column of fix property/atom.

    Parameters
    ----------
    model : str or Path
        A model file, or the name of a model that ships.
    species : str or sequence of str
        One word for each atom type, as in `fix botan`: a species of the model, or NULL; "A B".
    column : str
        The propensity goes into d_`column`, further node outputs of the model into d_`column`_2
        and so on; 0 for types that are NULL. Until the window of the history is full the column has
        the values of the fallback of the model, or 0 where the model has none.
    every : int
        Score at the calls whose step is a multiple of this number. A model that sees a history must
        be called at each of its samples, and need not score at each of them.
    energies : str
        ID of a `compute pe/atom`, for a model that sees a history.
    inherent : bool
        Minimize a copy at each scoring, for a model that sees inherent structures
        (docs/reference/inherent.md).

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the file is not a model file, or has no such species, or `every` is not positive.

    Examples
    --------
    >>> score = Score("ka-t044", "A B")
    >>> score.history_share
    1.0
    """

    def __init__(
        self,
        model: str | Path,
        species: str | Sequence[str],
        column: str = "propensity",
        *,
        every: int = 1,
        energies: str = "pe",
        inherent: bool = False,
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be a number of steps, 1 or more; found {every}")
        self._scoring = Scoring(model, species, column, inherent=inherent)
        self._every, self._energies = every, energies

    @property
    def history_share(self) -> float:
        """Recorded share of the window of the history, 0 to 1, at the latest scoring; else 1.

        Below 1 the columns are those of the fallback of the model.
        """
        return self._scoring.history_share

    def __call__(self, pointer: object) -> None:
        """Score the instance that LAMMPS points to.

        Raises
        ------
        ValueError
            If units, dimension, atom types, columns or atom IDs do not fit, or there are no
            energies, or samples are missing.
        """
        lmp = _open(pointer)
        self._scoring.check(lmp)
        self._scoring.check_columns(lmp)
        ranks = Ranks(lmp)
        if self._scoring.sampling is not None:
            self._sample(lmp, ranks, self._scoring.sampling)
        if lmp.extract_global("ntimestep") % self._every == 0:
            self._scoring.score(lmp, ranks)

    def _sample(self, lmp: Any, ranks: Ranks, sampling: Sampling) -> None:
        stride = sampling.asked.steps_per_sample(lmp.extract_global("dt"))
        if not lmp.has_id("compute", self._energies):
            raise ValueError(
                f"the model sees {sampling.asked.words}, and there is no compute "
                f"{self._energies} with the energies of the atoms; add the lines\n"
                f"  compute {self._energies} all pe/atom\n"
                f"  fix {self._energies} all ave/atom {stride} 1 {stride} c_{self._energies}"
            )
        sampling.take(lmp, ranks, self._energies)
        if sampling.sampler.n_gaps and sampling.sampler.most_in_a_row < 2:
            raise ValueError(
                f"the model sees {sampling.asked.words}: expected to be called at each multiple of "
                f"{stride} steps; write `fix ... python/invoke {stride} end_of_step ...`, or a "
                f"number of which {stride} is a multiple"
            )


class DumpNeighbors:
    """Write positions and neighbor lists, one file for each call; see `read_snapshots`.

    The lists hold every ordered pair closer than the cutoff, with all images. They are computed
    from the positions: LAMMPS's own lists are half lists, reach as far as the pair style does and
    miss the pairs that `neigh_modify exclude` or `special_bonds` take out.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there. Files of other steps stay, so that a continued run adds to them.
    cutoff : float, optional
        Length unit. Default: 2 under `units lj`, none in other units.

    Raises
    ------
    ValueError
        If the cutoff is not positive.

    Examples
    --------
    >>> dump = DumpNeighbors("run", cutoff=-1.0)
    Traceback (most recent call last):
    ValueError: DumpNeighbors: the cutoff must be positive, found -1.0
    """

    def __init__(self, folder: str | Path, cutoff: float | None = None) -> None:
        if cutoff is not None and not cutoff > 0:
            raise ValueError(f"DumpNeighbors: the cutoff must be positive, found {cutoff}")
        self._folder = Path(folder).resolve()  # the input script may change folders
        self._cutoff = cutoff

    def __call__(self, pointer: object) -> None:
        """Write a snapshot of the instance that LAMMPS points to.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If atoms have no IDs, or there is no cutoff.
        """
        lmp = _open(pointer)
        ranks = Ranks(lmp)
        cutoff = self._cutoff or CUTOFF.get(lmp.extract_global("units"))
        if cutoff is None:
            raise ValueError(
                f"DumpNeighbors: there is no usual cutoff in {lmp.extract_global('units')} units; "
                "give one, as in DumpNeighbors('run', cutoff=5.0)"
            )
        configuration = ranks.together(lambda: gather_particles(lmp, ranks))
        ranks.on_first(lambda: self._write(configuration, cutoff))

    def _write(self, configuration: Configuration | None, cutoff: float) -> None:
        assert configuration is not None  # rank 0 has it
        graph = build_graph(configuration, cutoff)
        write_snapshot(self._folder, Snapshot(configuration, graph))


def _open(pointer: object) -> Any:
    """Open the LAMMPS instance that calls."""
    import lammps

    try:
        return lammps.lammps(ptr=pointer)
    except (AttributeError, OSError) as error:
        raise ImportError(
            f"the Python module {lammps.__file__} is not of the LAMMPS that runs: {error}; put the "
            "folder with the module of this LAMMPS first in PYTHONPATH"
        ) from error
