"""Inherent structure of one configuration, with the interactions of its mixture."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from lammps_botan.simulation.jobs import Job, run_job
from lammps_botan.simulation.liquid import INPUT, open_liquid
from lammps_botan.simulation.starts import of_one_liquid, write_start
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration

HEADER = 9  # lines of a dump before its atoms


def inherent_structure(configuration: Configuration, force: float) -> tuple[Floats, Floats]:
    """Find positions and energies at the minimum of the potential energy next to a configuration.

    LAMMPS minimizes by conjugate gradients, in this process.

    Parameters
    ----------
    configuration : Configuration
        Its mixture gives the interactions; without a mixture, the shipped mixture of its
        composition. Files of the interactions lie in the current folder.
    force : float
        The minimization ends where no component of a force is larger, force unit.

    Returns
    -------
    positions : float64 [n_particles, 3]
        Near those of the configuration or near an image of them, length unit.
    energies : float64 [n_particles]
        Potential energy of each particle, energy unit.

    Raises
    ------
    ValueError
        If the force is not positive, the configuration is of no mixture whose interactions are
        known, or the box has faces without images.
    FileNotFoundError
        If a file of the interactions is not there.
    ChildProcessError
        If LAMMPS stops with an error.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> from lammps_botan.structure.mixture import KOB_ANDERSEN
    >>> pair = Configuration(
    ...     positions=[[4.0, 5, 5], [5.5, 5, 5]],
    ...     species=[0, 0],
    ...     box=Box(10.0, (True, True, True)),
    ...     mixture=KOB_ANDERSEN,
    ... )
    >>> positions, energies = inherent_structure(pair, 1e-4)  # doctest: +SKIP
    >>> round(float(positions[1, 0] - positions[0, 0]), 2)  # doctest: +SKIP
    1.12
    """
    if not 0 < force < np.inf:
        raise ValueError(f"the force where a minimization ends must be positive, found {force}")
    start = configuration
    if start.mixture is None:
        (start,), _ = of_one_liquid([configuration], None)
    assert start.mixture is not None  # of_one_liquid gave one
    liquid = open_liquid(start.mixture)
    _check_faces(start)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        liquid.write(folder)
        # without gaps, and in order: the dump is sorted by them
        ids = np.arange(1, start.n_particles + 1)
        write_start(folder / "structure.data", replace(start, ids=ids), configuration.where)
        run_job(
            Job(
                folder=folder,
                script="in.inherent",
                product="inherent.dump",
                log="none",
                steps=1,
                variables={
                    "mixture": INPUT,
                    "data": "structure.data",
                    "force_tolerance": f"{force:.17g}",
                    "norm": "inf",
                },
            )
        )
        rows = np.loadtxt(folder / "inherent.dump", skiprows=HEADER, ndmin=2)
    positions = rows[:, :3].copy()
    if start.dimension == 2:
        positions[:, 2] = start.positions[:, 2]  # the plane of a data file is z = 0
    return positions, rows[:, 3].copy()


def _check_faces(start: Configuration) -> None:
    periodic = (True, True, start.dimension == 3)
    if start.box.periodic != periodic:
        raise ValueError(
            f"{start.where}: a minimization in Python needs a box with images along all directions "
            f"of the space, periodic = {periodic}, found {start.box.periodic}; `fix botan` finds "
            "inherent structures between walls as well"
        )
