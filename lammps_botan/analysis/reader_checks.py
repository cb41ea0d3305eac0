"""Checks of images, lengths and times that MDAnalysis's readers give.

Displacements need unwrapped positions in the length unit of the liquid, and lag times need its time
unit. `lammps_botan.files.trajectory.open_dump` gives both. Other readers wrap, convert nm to
Angstrom, or make up the time between frames; few of them say so.
"""

from typing import Any

import numpy as np
from MDAnalysis.coordinates.LAMMPS import DumpReader as WrappingReader

from lammps_botan.files.lammps_dump_universe import DumpReader
from lammps_botan.structure.box import Box, Floats

FAR = 0.25  # of the cell: a longer way between two frames may be a jump from face to face
# LAMMPS writes lj lengths and times as they are, whatever the format has, and converts all others
CONVERTED = {"lj": False, "nano": False, "metal": True, "real": True}  # from nm to Angstrom
IN_PICOSECONDS = {"lj", "metal"}
SKEWED = {"MEMORY", "LAMMPSDUMP", "XTC", "TRR"}  # formats whose triclinic cells are read rightly


def check_images(trajectory: Any, name: str) -> bool:
    """Whether MDAnalysis's own reader of LAMMPS dumps unwraps; False for all other readers.

    Parameters
    ----------
    trajectory : MDAnalysis reader
    name : str
        The file, for messages.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If the reader wraps the positions of a dump, or unwraps them wrongly.

    Examples
    --------
    >>> import MDAnalysis
    >>> check_images(MDAnalysis.Universe.empty(1, trajectory=True).trajectory, "in memory")
    False
    """
    if not isinstance(trajectory, WrappingReader):
        return False
    convention = trajectory.lammps_coordinate_convention
    # it adds image flags times the edges, which is right for unscaled positions in upright boxes
    upright = np.allclose(trajectory.ts.dimensions[3:], 90)
    unwraps = trajectory._unwrap and convention == "unscaled" and upright
    if not (
        unwraps or (convention in {"unwrapped", "scaled_unwrapped"} and not trajectory._unwrap)
    ):
        raise ValueError(
            f"{name}: MDAnalysis gives the positions of this dump as {convention!r}, where the "
            'displacements across the box are lost; add lammps_coordinate_convention="unwrapped" '
            "(columns xu yu zu) or, in orthogonal boxes, unwrap_images=True (columns x y z ix iy "
            "iz) to the Universe, or use lammps_botan.files.trajectory.open_dump"
        )
    return True


def check_step(before: Floats, after: Floats, box: Box, where: str) -> None:
    """Refuse two frames between which a particle may have been wrapped.

    A particle that is wrapped jumps by an edge of the box, less its own displacement. If no
    particle moves farther than a quarter of the box from frame to frame, none has been wrapped.

    Parameters
    ----------
    before, after : float [n_particles, 3]
        Positions of two successive frames, length unit.
    box : Box
    where : str
        File and frame, for messages.

    Raises
    ------
    ValueError
        If a particle moves farther along a periodic direction.

    Examples
    --------
    >>> box = Box(10.0, (True, True, True))
    >>> check_step(np.zeros((1, 3)), np.ones((1, 3)), box, "run.dcd: frame 1")
    """
    way = np.abs((after - before) @ np.linalg.inv(box.cell)) * np.array(box.periodic)
    if way.max(initial=0) > FAR:
        atom = int(way.max(axis=1).argmax())
        raise ValueError(
            f"{where}: atom {atom} in order is {way[atom].max():.3g} of the box away from where it "
            "was in the frame before, so that the positions may be wrapped, and displacements "
            "wrong: write unwrapped positions (LAMMPS: dump_modify ID unwrap yes, or dump custom "
            "with xu yu zu; GROMACS: trjconv -pbc nojump), or say unwrapped=True to Runs where "
            "they are unwrapped"
        )


def check_memory(trajectory: Any, name: str) -> None:
    """Refuse a copy of a file in memory, which does not say how the reader of the file made it.

    Parameters
    ----------
    trajectory : MDAnalysis reader
    name : str
        The file, for messages.

    Raises
    ------
    ValueError
        If the numbers in memory come from a file. Arrays that a Universe was made from pass.

    Examples
    --------
    >>> import MDAnalysis
    >>> check_memory(MDAnalysis.Universe.empty(1, trajectory=True).trajectory, "in memory")
    """
    if trajectory.format == "MEMORY" and getattr(trajectory, "filename", None):
        raise ValueError(
            f"{name}: a copy of the file in memory, whose lengths, times and box may not be "
            "those of the simulation; expected the file: leave out in_memory=True and "
            "transfer_to_memory(), or use lammps_botan.files.trajectory.open_dump"
        )


def check_lengths(trajectory: Any, units: str | None, name: str) -> None:
    """Refuse a reader that gives lengths in another unit than LAMMPS wrote.

    Parameters
    ----------
    trajectory : MDAnalysis reader
    units : str or None
        LAMMPS's name of the unit system; None counts as lj.
    name : str
        The file, for messages.

    Raises
    ------
    ValueError
        If the reader converts lengths to another unit than that of the liquid, or leaves out the
        conversion that the liquid needs.

    Examples
    --------
    >>> import MDAnalysis
    >>> check_lengths(MDAnalysis.Universe.empty(1, trajectory=True).trajectory, "lj", "in memory")
    """
    native = (getattr(trajectory, "units", None) or {}).get("length")
    if native in {None, "Angstrom"}:
        return
    converts = bool(getattr(trajectory, "convert_units", True))
    wanted = CONVERTED.get(units or "lj")
    if converts == wanted:
        return
    do = "take a LAMMPS dump" if wanted is None else f"say convert_units={wanted} to the Universe"
    told = f"in {units} units" if units else "in units that are not said"
    raise ValueError(
        f"{name}: MDAnalysis takes the lengths for {native} and "
        f"{'gives Angstrom' if converts else 'leaves them so'}, but the liquid is {told}; {do}"
        + ("" if units else " (or say the mixture, where its units are not lj)")
    )


def check_cell(trajectory: Any, name: str) -> None:
    """Refuse a triclinic cell by a reader that may give another cell than that of the simulation.

    Parameters
    ----------
    trajectory : MDAnalysis reader
    name : str
        The file, for messages.

    Raises
    ------
    ValueError
        If the cell is triclinic and the format is, for example, GSD, whose reader takes tilt
        factors for cosines, or DCD, for which there are four conventions.

    Examples
    --------
    >>> import MDAnalysis
    >>> check_cell(MDAnalysis.Universe.empty(1, trajectory=True).trajectory, "in memory")
    """
    dimensions = trajectory.ts.dimensions
    if dimensions is None or trajectory.format in SKEWED or np.allclose(dimensions[3:], 90):
        return
    raise ValueError(
        f"{name}: a triclinic box by MDAnalysis's reader of {trajectory.format}, which may give "
        "another cell than that of the simulation; take a LAMMPS dump "
        "(lammps_botan.files.trajectory.open_dump)"
    )


def check_times(trajectory: Any, units: str | None, name: str, dt: float | None = None) -> None:
    """Refuse a reader that does not know the times of its frames, or `dt` for one that does.

    Parameters
    ----------
    trajectory : MDAnalysis reader
        At its first frame, before its `dt` has been asked for.
    units : str or None
        LAMMPS's name of the unit system; None counts as lj.
    name : str
        The file, for messages.
    dt : float, optional
        Time between two frames that the user said, time unit.

    Raises
    ------
    ValueError
        If the file has no times, or times in a unit that LAMMPS does not write, and there is no
        `dt`; if a dump has steps and MDAnalysis was not told the time step; or if there are both
        steps or times and `dt`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> reader = SimpleNamespace(
    ...     format="XTC", units={"time": "ps"}, ts=SimpleNamespace(data={"time": 0.0})
    ... )
    >>> check_times(reader, "lj", "run.xtc")
    """
    if trajectory.format == "MEMORY":  # arrays, whose frames are one dt apart
        return
    if isinstance(trajectory, DumpReader | WrappingReader):
        _check_time_step(trajectory, name, dt)
        return
    native = (getattr(trajectory, "units", None) or {}).get("time")
    there = bool({"time", "dt"} & trajectory.ts.data.keys())
    known = there and (native is None or (native == "ps" and (units or "lj") in IN_PICOSECONDS))
    if known and dt is not None:
        raise ValueError(
            f"{name}: MDAnalysis knows the time of each frame of this file, found dt={dt:g} "
            "besides; leave dt out of Runs"
        )
    if not known and dt is None:
        found = f"times in {native}" if there else "no times"
        raise ValueError(
            f"{name}: MDAnalysis finds {found} in this file, from which the lag times do not "
            "follow; say dt=TIME to Runs, the time between two frames in the unit of the liquid"
        )


def _check_time_step(trajectory: DumpReader | WrappingReader, name: str, dt: float | None) -> None:
    """Refuse a dump without a time step, and the time between two frames for a dump."""
    own = isinstance(trajectory, DumpReader)
    say = "open_dump(path, dt=STEP)" if own else "dt=STEP to the Universe"
    if dt is not None:
        raise ValueError(
            f"{name}: dt={dt:g} of Runs is the time between two frames, but a dump says the step "
            f"of each frame; leave it out, and say the time step of the simulation: {say}"
        )
    if not own and "dt" not in trajectory._ts_kwargs:
        raise ValueError(
            f"{name}: MDAnalysis was not told the time step of this dump and takes 1, so that lag "
            f"times would be numbers of steps; say the time step of the simulation: {say}, or use "
            "lammps_botan.files.trajectory.open_dump(path, dt=STEP)"
        )
