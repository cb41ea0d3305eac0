"""Units and steps of MDAnalysis's readers, and how to get the numbers of LAMMPS from them.

MDAnalysis is made for chemistry: it converts lengths to Angstrom, keeps the types of the first
frame, and guesses the conventions of cells. These formats are read, since their conversions are
known and undone:

| format | lengths | steps |
| --- | --- | --- |
| DCD | as LAMMPS has them | of a regular file of LAMMPS; else frame numbers |
| XTC, TRR | in `lj` units as LAMMPS has them, else nm | yes |
| in memory | as they were given | frame numbers |
| `lammps_botan.files.trajectory.open_dump` | as LAMMPS has them | yes |

Other formats are refused; the message names the dump line that writes a readable file.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from MDAnalysis.units import get_conversion_factor

from lammps_botan.files.lammps_dump_text import DUMP_LINE
from lammps_botan.structure.box import Ints
from lammps_botan.structure.mixture import UNITS

NANOMETERS = ("XTC", "TRR")  # LAMMPS converts to nm in all units but lj
DCD = ("DCD", "LAMMPS")
READ = (*DCD, "MEMORY", "LAMMPSDUMP64", *NANOMETERS)
TIMED = ("LAMMPSDUMP64", "MEMORY", *NANOMETERS)

# length units in a nanometer, by units of LAMMPS
_PER_NANOMETER = {
    "real": 10.0,
    "metal": 10.0,
    "si": 1e-9,
    "cgs": 1e-7,
    "electron": 10.0 / 0.529177210903,
    "micro": 1e-3,
    "nano": 1.0,
}
_LAMMPS = "Written by LAMMPS"  # remarks of its DCD files


def length_scale(trajectory: Any, units: str | None) -> float:
    """Give the factor from the positions of a trajectory to lengths in the units of LAMMPS.

    Parameters
    ----------
    trajectory : MDAnalysis reader
    units : str or None
        LAMMPS's name of the unit system, where it is known.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the format is not one of the known ones, or is in nm and the units are not known.

    Examples
    --------
    >>> import MDAnalysis
    >>> universe = MDAnalysis.Universe.empty(1, trajectory=True)
    >>> length_scale(universe.trajectory, "lj")
    1.0
    """
    readers = getattr(trajectory, "readers", [trajectory])  # of several files, one after the other
    scales = {_scale(reader, units) for reader in readers}
    if len(scales) > 1:
        raise ValueError(f"{reader_name(trajectory)}: files in different units; read one at a time")
    return scales.pop()


def _scale(reader: Any, units: str | None) -> float:
    name, form = reader_name(reader), str(reader.format)
    if form == "MEMORY" and getattr(reader, "filename", None):
        raise ValueError(
            f"{name}: a copy in memory, which may be in other units than the file; read the file: "
            "lammps_botan.files.trajectory.open_frames"
        )
    if form not in READ:
        raise ValueError(
            f"{name}: MDAnalysis's reader of {form} is not known to give the numbers of LAMMPS in "
            "each frame; use lammps_botan.files.trajectory.open_frames for a file that LAMMPS or "
            f"HOOMD wrote, or write a dump: {DUMP_LINE}"
        )
    _check_cell(reader, name)
    unit = reader.units.get("length")
    to_angstrom = get_conversion_factor("length", unit, "Angstrom") if unit else 1.0
    # a reader of arrays in memory has nothing to convert
    converted = to_angstrom if getattr(reader, "convert_units", False) else 1.0
    if converted != 1.0 and reader.transformations:
        raise ValueError(
            f"{name}: is converted from {unit} to Angstrom and transformed then; open it with "
            "convert_units=False"
        )
    if form not in NANOMETERS or units == "lj":
        return 1.0 / converted
    if units not in _PER_NANOMETER:
        raise ValueError(
            f"{name}: {form} files are in nm, but in lj units as LAMMPS has the lengths; say the "
            f"units of the simulation, one of {', '.join(UNITS)}, by `lammps-botan score --units` "
            "or lammps_botan.files.trajectory.open_frames(..., units=...); as the topology, a data "
            "file of write_data or a dump with 'dump_modify 1 units yes' says them too"
        )
    return _PER_NANOMETER[units] / converted


def _check_cell(reader: Any, name: str) -> None:
    """Refuse a skewed cell in a DCD file that LAMMPS did not write: there are four conventions."""
    if reader.format not in DCD or reader.ts.dimensions is None:
        return
    upright = np.allclose(reader.ts.dimensions[3:], 90.0, atol=1e-4)
    if not upright and not _remarks(reader).startswith(_LAMMPS):
        raise ValueError(
            f"{name}: a triclinic box in a DCD file that LAMMPS did not write, whose convention "
            f"cannot be told; write a dump: {DUMP_LINE}"
        )


def frame_steps(trajectory: Any) -> Ints | None:
    """Read the steps of all frames from the header of a trajectory.

    The header of a DCD file has the first step, the distance of the steps and the last one. They
    count where LAMMPS wrote the file and they fit together; else the frame numbers stand for them.

    Parameters
    ----------
    trajectory : MDAnalysis reader

    Returns
    -------
    int64 [n_frames], or None
        None where each frame says its step.

    Examples
    --------
    >>> import MDAnalysis
    >>> frame_steps(MDAnalysis.Universe.empty(1, trajectory=True).trajectory) is None
    True
    """
    n = int(trajectory.n_frames)
    if any(reader.format in DCD for reader in getattr(trajectory, "readers", [])):
        return np.arange(n, dtype=np.int64)
    if trajectory.format not in DCD:
        return None
    with Path(trajectory.filename).open("rb") as file:
        start = file.read(24)
    if len(start) == 24 and _remarks(trajectory).startswith(_LAMMPS):
        # after the length of the record and the word CORD
        for order in "<>":
            size, frames, first, every, last = struct.unpack(f"{order}i4x4i", start)
            if size == 84 and frames == n and last == first + (n - 1) * every:
                return np.asarray(first + every * np.arange(n, dtype=np.int64))
    return np.arange(n, dtype=np.int64)


def reader_name(trajectory: Any) -> str:
    """Name the file of a trajectory, for messages.

    Parameters
    ----------
    trajectory : MDAnalysis reader

    Returns
    -------
    str

    Examples
    --------
    >>> import MDAnalysis
    >>> reader_name(MDAnalysis.Universe.empty(1, trajectory=True).trajectory)
    'universe'
    """
    return str(getattr(trajectory, "filename", None) or "universe")


def _remarks(reader: Any) -> str:
    return str(reader._file.header["remarks"])  # MDAnalysis has no public way to them
