"""Scoring by `fix external` in a LAMMPS that Python drives."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from lammps_botan.prediction.callbacks.fixes import Fixes
from lammps_botan.prediction.callbacks.particles import gather_particles, has_column
from lammps_botan.prediction.callbacks.ranks import Ranks
from lammps_botan.prediction.callbacks.relay import Relay
from lammps_botan.prediction.callbacks.scoring import Scored, Scoring
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph

OnFrame = Callable[["Attachment"], object]


def attach(
    lmp: Any,
    *,
    model: str | Path,
    every: int,
    species: str | Sequence[str],
    on_frame: OnFrame | None = None,
    column: str = "propensity",
    inherent: bool = False,
) -> "Attachment":
    """Score a LAMMPS instance at every step that is a multiple of `every`.

    A run that starts on such a step is scored in its setup, `run 0` included. Forces and trajectory
    stay the same to the last bit. The call is collective: all ranks must make it.

    If the model sees a history, recording starts here. Until the window of the history is full
    (`Attachment.history_share` is 1) the fallback of the model predicts. Without a fallback nothing
    is scored: the column is 0, and `on_frame` is not called.

    Parameters
    ----------
    lmp : lammps.lammps
        With a box and atoms, in the `units` and the `dimension` of the model, and not under
        `run_style respa`.
    model : str or Path
        A model file, or the name of a model that ships.
    every : int
        Steps from one scoring to the next.
    species : str or sequence of str
        One word for each atom type, as in `fix botan`: a species of the model, or NULL for types
        that are left out of the graph; ("A", "B").
    on_frame : callable, optional
        Called with the `Attachment` after each scoring, on every rank that gave one. An exception
        of it on any rank stops the run on all, and is raised from the `lmp.command` that ran.
    column : str
        Name of the per-atom column that is made: the propensity is d_`column` in `dump custom` and
        `compute property/atom`, further node outputs are d_`column`_2 and so on. It is 0 before
        the first scoring, for types that are NULL, and at steps that are not scored.
    inherent : bool
        Minimize a copy at each scoring, for a model that sees inherent structures
        (docs/reference/inherent.md).

    Returns
    -------
    Attachment

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If an argument, or the state of LAMMPS, is not as described above.
    RuntimeError
        If LAMMPS is running or closed.
    ModuleNotFoundError
        If LAMMPS runs on several ranks and mpi4py is not installed.

    Examples
    --------
    >>> from lammps import lammps
    >>> lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
    >>> lmp.commands_string('''
    ... lattice fcc 1.2
    ... region box block 0 4 0 4 0 4
    ... create_box 2 box
    ... create_atoms 1 box
    ... set group all type/subset 2 51 1
    ... mass * 1.0
    ... pair_style zero 2.5
    ... pair_coeff * *
    ... ''')
    >>> with attach(lmp, model="ka-t044", every=1000, species="A B") as mob:
    ...     lmp.command("run 0")
    >>> mob.propensities.shape
    (256, 1)
    >>> lmp.close()
    """
    _check_idle(lmp, "attach")
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(f"every must be a number of steps, 1 or more; found {every!r}")
    ranks = Ranks(lmp)
    scoring = ranks.together(lambda: Scoring(model, species, column, inherent=inherent))
    scoring.check(lmp)
    Fixes(lmp, scoring.columns).check_run_style()
    if lmp.get_natoms() < 1:
        raise ValueError("LAMMPS has no atoms yet; use read_data or create_atoms first")
    for name in scoring.columns:
        if has_column(lmp, name):
            raise ValueError(
                f"LAMMPS has a per-atom column d_{name} already; choose another name with column="
            )
    ranks.together(lambda: gather_particles(lmp, ranks))  # the first run would be late for errors
    return Attachment(lmp, ranks, scoring, every, on_frame)


class Attachment:
    """A model attached to a LAMMPS instance by `attach`; leaving a `with` block detaches it.

    All arrays are the same on every MPI rank, cover the whole box, and are new at each scoring.
    Particles are in the order of their atom IDs; particles of a type that is NULL are left out.

    Parameters
    ----------
    lmp : lammps.lammps
    ranks : Ranks
    scoring : Scoring
    every : int
        Steps from one scoring to the next.
    on_frame : callable or None
        Called with the attachment after each scoring.

    Examples
    --------
    See `attach`, which makes attachments.

    >>> from lammps import lammps
    >>> lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
    >>> attach(lmp, model="ka-t044", every=1000, species="A B")
    Traceback (most recent call last):
    ValueError: LAMMPS has no box yet; define one first, with read_data for example
    >>> lmp.close()
    """

    def __init__(
        self, lmp: Any, ranks: Ranks, scoring: Scoring, every: int, on_frame: OnFrame | None
    ) -> None:
        self._lmp, self._ranks, self._scoring, self._on_frame = lmp, ranks, scoring, on_frame
        self._every, self._relay = every, Relay.of(lmp)
        self._empty = True  # the column
        self._scored: Scored | None = None
        self._fixes = Fixes(lmp, scoring.columns)
        self.attached = True
        self._relay.enter(self._check)
        try:
            self._fixes.make(every, self._call, scoring.metadata.inputs.history)
        except BaseException:
            self.detach()
            raise

    @property
    def step(self) -> int:
        """Step of the latest scoring."""
        return self._latest.snapshot.step

    @property
    def ids(self) -> Ints:
        """Atom IDs of the particles of the graph, int64 [n_particles], ascending."""
        return self._latest.snapshot.ids

    @property
    def positions(self) -> Floats:
        """Unwrapped positions, float64 [n_particles, 3], length unit."""
        return self._latest.snapshot.positions

    @property
    def configuration(self) -> Configuration:
        """The particles of the graph, in the box of the latest scoring."""
        return self._latest.snapshot.configuration

    @property
    def graph(self) -> Graph:
        """The graph that was scored; its `center` and `neighbor` are rows of `ids`."""
        return self._latest.snapshot.graph

    @property
    def propensities(self) -> Floats:
        """Predicted node outputs, float32 [n_particles, n_node_outputs], length unit."""
        return self._latest.propensities

    @property
    def bond_changes(self) -> Floats:
        """Predicted edge outputs, float32 [n_edges, n_edge_outputs], length unit, for `graph`."""
        return self._latest.bond_changes

    @property
    def history_share(self) -> float:
        """Recorded share of the window of the history, 0 to 1, at the latest multiple of `every`.

        It is that of the particle with the least. Below 1 the arrays are those of the fallback of
        the model. 1 for a model that sees no history.
        """
        return self._scoring.history_share

    def detach(self) -> None:
        """Remove the fixes and the column; the arrays stay. Collective.

        Raises
        ------
        RuntimeError
            If the attachment is detached already, or LAMMPS is running.
        """
        if not self.attached:
            raise RuntimeError(f"the model of column d_{self._scoring.columns[0]} is detached")
        lmp = self._lmp
        if lmp.lmp:  # else closed, and all is gone
            _check_idle(lmp, "detach")
            self._fixes.remove()
        self._relay.leave(self._check)
        self.attached = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.attached:
            self.detach()

    @property
    def _latest(self) -> Scored:
        if self._scored is None and self._scoring.sampling and not self._scoring.has_fallback:
            raise RuntimeError(
                f"nothing has been scored: the model sees {self._scoring.sampling.asked.words}, of "
                f"which {self.history_share:.3g} is there; run on until history_share is 1"
            )
        if self._scored is None:
            raise RuntimeError("nothing has been scored yet; run first: lmp.command('run 0')")
        return self._scored

    def _call(
        self, caller: object, step: int, n_own: int, ids: Ints, positions: Floats, forces: Floats
    ) -> None:
        try:
            self._sample(step, n_own, ids, positions)
            if step % self._every:
                self._clear()
                return
            if n_own:
                forces[:] = 0.0
            # an interrupt, or another attachment that has failed in this step
            self._ranks.together(self._relay.check)
            self._fixes.check_run_style()
            self._empty = False
            self._scored = self._scoring.score(self._lmp, self._ranks)
            if self._scored is not None:
                # also on ranks without on_frame, which the others would wait for
                self._ranks.together(self._show)
            self._fixes.scored(step)
        except BaseException as error:
            self._relay.keep(error)
            self._clear()
            self._fixes.failed()

    def _sample(self, step: int, n_own: int, ids: Ints, positions: Floats) -> None:
        if (sampling := self._scoring.sampling) is not None:
            if not n_own:
                ids, positions = np.empty(0, np.int64), np.empty((0, 3))
            energies = self._fixes.energies
            sampling.follow(self._lmp, self._ranks, step, ids, positions, energies)

    def _clear(self) -> None:
        if not self._empty:
            self._scoring.clear_columns(self._lmp)
            self._empty = True

    def _check(self) -> None:
        """Check that the column holds values of this step."""
        self._fixes.check_run_style()
        if self._scored is not None:
            self._fixes.check_box(self._scored.snapshot.configuration)

    def _show(self) -> None:
        if self._on_frame is not None:
            self._on_frame(self)


def _check_idle(lmp: Any, what: str) -> None:
    if not lmp.lmp:
        raise RuntimeError(f"{what}: this LAMMPS is closed")
    if lmp.is_running:
        raise RuntimeError(f"{what}: LAMMPS is in a run; wait until it has ended")
