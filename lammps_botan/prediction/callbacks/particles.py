"""Particles of a LAMMPS instance: reading them, and writing a column of values."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.prediction.callbacks.ranks import Ranks
from lammps_botan.prediction.sampler import ENERGY
from lammps_botan.structure.box import Box, Floats, Ints
from lammps_botan.structure.configuration import Configuration

LMP_STYLE_ATOM, LMP_TYPE_VECTOR = 1, 1  # of LAMMPS's library.h


def gather_particles(lmp: Any, ranks: Ranks, energies: str | None = None) -> Configuration | None:
    """Gather all particles of LAMMPS on rank 0.

    The particles are in the order of their atom IDs, unwrapped, with their present types.

    Parameters
    ----------
    lmp : lammps.lammps
    ranks : Ranks
    energies : str, optional
        ID of a `compute pe/atom`, whose numbers become the column `c_pe`.

    Returns
    -------
    Configuration or None
        None on the other ranks.

    Raises
    ------
    ValueError
        If atoms have no IDs of their own.
    """
    box = lammps_box(lmp)
    own = [*_own(lmp, box.cell), *([] if energies is None else [_own_energies(lmp, energies)])]
    parts = ranks.gather(own)
    if parts is None:
        return None
    ids, types, positions, *more = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    order = np.argsort(ids)
    ids = ids[order]
    if len(ids) and (ids[0] < 1 or not np.diff(ids).all()):
        raise ValueError("atoms need IDs, each its own: remove the line `atom_modify id no`")
    step = int(lmp.extract_global("ntimestep"))
    return Configuration(
        positions=positions[order],
        species=types[order] - 1,
        box=box,
        ids=ids,
        units=lmp.extract_global("units"),
        step=step,
        columns={} if energies is None else {ENERGY: more[0][order]},
        where=f"step {step}",
    )


def lammps_box(lmp: Any) -> Box:
    """Read the box of LAMMPS; it has no images along z in two dimensions."""
    # not extract_box, which raises an error of LAMMPS that is waiting to be raised
    names = ("boxlo", "boxhi", "xy", "xz", "yz", "periodicity")
    low, high, xy, xz, yz, (x, y, z) = (lmp.extract_global(name) for name in names)
    box = Box.from_lammps(low, high, (xy, xz, yz), (bool(x), bool(y), bool(z)))
    return box.flat if int(lmp.extract_setting("dimension")) == 2 else box


def has_column(lmp: Any, name: str) -> bool:
    """Whether a fix property/atom has made the per-atom column d_`name`."""
    return bool(lmp.extract_atom_datatype(f"d_{name}") != -1)


def write_column(lmp: Any, name: str, ids: Ints, values: npt.ArrayLike) -> None:
    """Write values into the column d_`name` of the atoms of this rank, 0 for atoms without a value.

    Parameters
    ----------
    lmp : lammps.lammps
    name : str
    ids : int64 [n_values]
        Atom IDs, ascending; atoms of other ranks are passed over.
    values : float [n_values]
    """
    n_own = int(lmp.extract_global("nlocal"))
    if n_own == 0:
        return
    own = lmp.numpy.extract_atom("id")[:n_own]
    column = lmp.numpy.extract_atom(f"d_{name}", nelem=n_own)
    column[:] = 0.0
    if len(ids):
        place = np.searchsorted(ids, own).clip(max=len(ids) - 1)
        known = ids[place] == own
        column[known] = np.asarray(values)[place[known]]


def _own_energies(lmp: Any, compute: str) -> Floats:
    """Energies of the atoms of this rank; collective, since ghosts hold a part of them."""
    n_own = int(lmp.extract_global("nlocal"))
    energies = lmp.extract_compute(compute, LMP_STYLE_ATOM, LMP_TYPE_VECTOR)
    return np.array(energies[:n_own]) if n_own else np.empty(0)


def _own(lmp: Any, cell: Floats) -> tuple[Ints, Ints, Floats]:
    """IDs, types and unwrapped positions of the atoms of this rank."""
    n_own = int(lmp.extract_global("nlocal"))
    if n_own == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 3))
    ids, types, wrapped, images = (
        lmp.numpy.extract_atom(name)[:n_own] for name in ("id", "type", "x", "image")
    )
    # three image flags share one integer, see IMGMASK in lmptype.h
    bits = 10 if images.itemsize == 4 else 21
    packed = images.astype(np.int64).reshape(-1, 1) >> (bits * np.arange(3))
    flags = (packed & (2**bits - 1)) - 2 ** (bits - 1)
    return ids.astype(np.int64), types.astype(np.int64), wrapped + flags @ cell
