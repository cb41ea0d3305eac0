"""Inherent structures of a LAMMPS instance, found by the plugin as `fix botan` finds them.

The plugin makes a second LAMMPS instance with box, atoms and pair style of the first one and
minimizes there; the first one stays untouched (docs/reference/inherent.md).
"""

import ctypes
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.network.metadata import Metadata
from lammps_botan.plugin import folder
from lammps_botan.prediction.callbacks.ranks import Ranks
from lammps_botan.prediction.inherent import check_use
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration

PLUGIN = "botanplugin.so"
LONGEST_MESSAGE = 1000


def check_choice(metadata: Metadata, inherent: bool) -> None:
    """Refuse a choice to minimize, or not to minimize, that does not fit the model.

    Parameters
    ----------
    metadata : Metadata
    inherent : bool
        Whether to minimize.

    Raises
    ------
    ValueError
        With what to type.
    """
    if metadata.inputs.inherent is None:
        if inherent:
            check_use(metadata, "inherent=True")
    elif not inherent:
        raise ValueError(
            "the model sees inherent structures: each scoring minimizes a copy of the simulation, "
            "which takes as long as some hundred steps; write inherent=True"
        )


def check_plugin(lmp: Any) -> None:
    """Refuse a plugin that was compiled for another LAMMPS.

    Parameters
    ----------
    lmp : lammps.lammps

    Raises
    ------
    ValueError
        If versions differ, or there is no plugin.
    """
    expected, found = _plugin().botan_lammps_version(), lmp.version()
    if found != expected:
        raise ValueError(
            "the model sees inherent structures, which the plugin finds; the plugin was compiled "
            f"for LAMMPS {expected}, and this is LAMMPS {found}: compile it for this one "
            "(docs/reference/fix_botan.md), or take a model without inherent structures"
        )


def add_inherent(
    lmp: Any, ranks: Ranks, configuration: Configuration | None, force: float, diameter: float
) -> Configuration | None:
    """Add the inherent structure of the particles that LAMMPS has now; collective.

    Parameters
    ----------
    lmp : lammps.lammps
        In a run.
    ranks : Ranks
    configuration : Configuration or None
        All particles of LAMMPS in the order of their IDs; on rank 0, None on the others.
    force : float
        The minimization ends where no component of a force is larger, force unit.
    diameter : float
        Diameter of the mixture, length unit.

    Returns
    -------
    Configuration or None
        On rank 0, None on the others.

    Raises
    ------
    ValueError
        If the simulation cannot be copied, or the minimization fails; says why.
    """
    parts = ranks.gather(_own(lmp, force, diameter))
    if parts is None or configuration is None:
        return None
    ids, displacement, energy = (np.concatenate(some) for some in zip(*parts, strict=True))
    order = np.argsort(ids)
    return replace(
        configuration,
        inherent_positions=configuration.positions + displacement[order],
        inherent_energies=energy[order],
    )


def _own(lmp: Any, force: float, diameter: float) -> tuple[Ints, Floats, Floats]:
    """IDs, displacements and energies of the atoms of this rank."""
    n_own = int(lmp.extract_global("nlocal"))
    displacement, energy = np.zeros((n_own, 3)), np.zeros(n_own)
    message = ctypes.create_string_buffer(LONGEST_MESSAGE)
    _plugin().botan_inherent_structure(
        lmp.lmp,
        force,
        diameter,
        displacement.ctypes.data,
        energy.ctypes.data,
        message,
        LONGEST_MESSAGE,
    )
    if message.value:
        raise ValueError(message.value.decode())
    ids = lmp.numpy.extract_atom("id")[:n_own] if n_own else np.empty(0, np.int64)
    return ids.astype(np.int64), displacement, energy


@cache
def _plugin() -> ctypes.CDLL:
    path = Path(folder()) / PLUGIN
    try:
        plugin = ctypes.CDLL(str(path))
    except OSError as error:
        raise ValueError(
            f"the model sees inherent structures, which the plugin finds, and it cannot be opened: "
            f"{error}"
        ) from error
    plugin.botan_inherent_structure.restype = None
    plugin.botan_inherent_structure.argtypes = [
        ctypes.c_void_p,
        ctypes.c_double,
        ctypes.c_double,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int,
    ]
    return plugin
