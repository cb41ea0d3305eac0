"""Commands that an attachment adds to LAMMPS: fixes, computes, variables and the column.

LAMMPS calls `fix external` where it computes forces: not at every step of each kind of run, and
before the fixes that act at the end of a step. The column must never hold numbers of another step.
The callback is therefore called at each step, and sets the column to zero where nothing is scored.
A run ends where a step should have been scored and was not, as under r-RESPA, or where the box was
changed after the scoring. `fix halt`, which also acts at the end of a step, checks this.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lammps_botan.network.metadata import HistoryInput
from lammps_botan.prediction.callbacks.particles import lammps_box
from lammps_botan.structure.configuration import Configuration

NEVER = -1  # no step
SAME = 1e-9  # relative change of a box that no float32 shows; LAMMPS reads variables with 15 digits
BOX = "lx + 3*ly + 7*lz + 11*xy + 13*xz + 17*yz"  # differs where boxes do


class Fixes:
    """The fixes and variables of one attachment, all named after its column.

    Parameters
    ----------
    lmp : lammps.lammps
    columns : sequence of str
        Columns of the fix property/atom.
    """

    def __init__(self, lmp: Any, columns: Sequence[str]) -> None:
        self._lmp, self._columns = lmp, columns
        self._id = f"botan_{columns[0]}"

    @property
    def energies(self) -> str:
        """ID of the `compute pe/atom`, for a model that sees a history."""
        return f"{self._id}_pe"

    def make(
        self, every: int, callback: Callable[..., None], asked: HistoryInput | None = None
    ) -> None:
        """Add the fixes and variables to LAMMPS.

        `callback` is called at each step, and must score each multiple of `every`. For a model that
        sees the history `asked`, LAMMPS computes the energies of the atoms at the steps of its
        samples.
        """
        command, name = self._lmp.command, self._id
        columns = " ".join(f"d_{column}" for column in self._columns)
        command(f"fix {name}_column all property/atom {columns}")
        # forces are added at the steps that are scored, where the callback sets them to zero
        command(f"fix {name} all external pf/callback 1 {every}")
        # no exception can cross LAMMPS: fix halt also ends the run when the callback has failed
        command(f"variable {name} internal {NEVER}")
        command(f"variable {name}_old_box internal 1")
        command(f'variable {name}_box equal "{BOX}"')
        change = f"abs(v_{name}_box/v_{name}_old_box - 1) > {SAME}"
        command(f'variable {name}_missed equal "v_{name} != step || {change}"')
        command(f"fix {name}_stop all halt {every} v_{name}_missed != 0 error hard")
        if asked is not None:
            self._tally(asked)
        self._lmp.set_fix_external_callback(name, callback, None)

    def _tally(self, asked: HistoryInput) -> None:
        command, name = self._lmp.command, self._id
        command(f"compute {self.energies} all pe/atom")
        # LAMMPS computes energies of atoms at steps that have been asked for before, which no
        # function of its library does: fix print does, of its next step, and needs one number
        command(f"compute {name}_sum all reduce sum c_{self.energies}")
        steps = f"round({asked.interval!r}/dt)"
        command(f'variable {name}_stride equal "ternary({steps} > 1, {steps}, 1)"')
        command(f'variable {name}_next equal "(floor(step/v_{name}_stride)+1)*v_{name}_stride"')
        command(f'fix {name}_tally all print v_{name}_next "$(c_{name}_sum)" screen no')

    def remove(self) -> None:
        """Remove the fixes, computes and variables that are there."""
        lmp, name = self._lmp, self._id
        for fix in (f"{name}_tally", f"{name}_stop", name, f"{name}_column"):
            if lmp.has_id("fix", fix):  # `clear` may have been there first
                lmp.command(f"unfix {fix}")
        for compute in (f"{name}_sum", self.energies):
            if lmp.has_id("compute", compute):
                lmp.command(f"uncompute {compute}")
        for suffix in ("_next", "_stride", "_missed", "_box", "_old_box", ""):
            if lmp.has_id("variable", f"{name}{suffix}"):
                lmp.command(f"variable {name}{suffix} delete")
        lmp.callback.pop(name, None)

    def scored(self, step: int) -> None:
        """Note that this step was scored, in the box that LAMMPS has now."""
        box = self._lmp.extract_variable(f"{self._id}_box")
        self._lmp.set_internal_variable(f"{self._id}_old_box", box)
        self._lmp.set_internal_variable(self._id, float(step))

    def failed(self) -> None:
        """Note that no step was scored: the run ends at the next one that is to be scored."""
        self._lmp.set_internal_variable(self._id, float(NEVER))

    def check_run_style(self) -> None:
        """Refuse r-RESPA.

        Raises
        ------
        ValueError
            With what to type.
        """
        if self._lmp.extract_global("respa_levels"):
            raise ValueError(
                "`run_style respa` calls fix external in the setup of a run only, so that attach "
                "would score no other step; write `run_style verlet`, or use fix botan"
            )

    def check_box(self, configuration: Configuration) -> None:
        """Refuse a box that is no longer that of the configuration scored at this step.

        Raises
        ------
        ValueError
            With what to type.
        """
        if configuration.step != self._lmp.extract_global("ntimestep"):
            return
        if not configuration.box.same_as(lammps_box(self._lmp), SAME):
            raise ValueError(
                f"step {configuration.step}: the box was changed after the scoring, by a fix that "
                "acts at the end of a step, such as deform or press/berendsen; use fix botan, "
                "defined after that fix, or change the box at steps that are not scored"
            )
