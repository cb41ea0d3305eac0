"""Everything that the runs of one configuration tell, from dump files to one npz file."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lammps_botan.dataset import write_configuration
from lammps_botan.ensemble import EnsembleFrame
from lammps_botan.graph import Floats, Ints, build_graph
from lammps_botan.targets import (
    AVERAGE_CUTOFF,
    BONDED,
    BROKEN,
    RELATIVE_CUTOFF,
    bond_breakage,
    bonds,
    neighbor_averaged_displacement,
    pair_distance_change,
    pair_sigma,
    propensity,
    relative_displacement,
)
from lammps_botan.trajectory import open_dump, read_ensemble

EDGE_CUTOFF = 2.0


def ground_truth(frame: EnsembleFrame) -> dict[str, Floats | Ints]:
    """All targets of an isoconfigurational ensemble at one lag time, LJ units.

    Parameters
    ----------
    frame : EnsembleFrame
        Of the Kob-Andersen mixture, or of A particles alone.

    Returns
    -------
    dict of arrays
        propensity, R, D, C, bond_breakage [n_particles], neighbor_averaged_displacement
        [n_particles, 3]; center, neighbor, distance, pair_distance_change [n_edges] for the pairs
        within 2.0, every pair from both ends. See `lammps_botan.targets`.

    Raises
    ------
    ValueError
        If there are more than two species.
    """
    initial, final, cell = frame.initial, frame.final, frame.cell
    edges = build_graph(initial, cell, frame.species, cutoff=EDGE_CUTOFF)
    neighbors = bonds(edges, RELATIVE_CUTOFF)
    bonded = bonds(edges, BONDED * pair_sigma(edges))
    relative = relative_displacement(initial, final, neighbors)
    return {
        "propensity": propensity(initial, final),
        "R": relative.r,
        "D": relative.d,
        "C": relative.c,
        "neighbor_averaged_displacement": neighbor_averaged_displacement(
            initial, final, bonds(edges, AVERAGE_CUTOFF)
        ),
        "bond_breakage": bond_breakage(initial, final, bonded, cell, BROKEN * pair_sigma(bonded)),
        "center": edges.center,
        "neighbor": edges.neighbor,
        "distance": edges.distances,
        "pair_distance_change": pair_distance_change(initial, final, edges, cell),
    }


def chosen_times(
    dumps: Sequence[Path], times: Sequence[float], output: str, *, dt: float
) -> list[float]:
    """The lag times to write: those asked for, else all if `output` has {time}, else the last.

    Raises
    ------
    FileNotFoundError, ValueError
        If the first dump cannot be read, has no such lag time, or several files would share a name.
    """
    frames = open_dump(dumps[0], dt=dt).trajectory.times
    there = [float(time) for time in frames[1:] - frames[0]]
    if not there:
        raise ValueError(f"{dumps[0]}: one frame only; expected t = 0 and at least one lag time")
    if not times:
        return there if "{time}" in output else there[-1:]
    chosen = []
    for time in times:
        nearest = min(there, key=lambda t: abs(t - time))
        if abs(nearest - time) > 1e-6 * max(time, 1e-3):
            found = ", ".join(f"{t:g}" for t in there)
            raise ValueError(f"{dumps[0]}: no frame at lag time {time:g}; it has {found}")
        chosen.append(nearest)
    if len(chosen) > 1 and "{time}" not in output:
        raise ValueError(
            f"{len(chosen)} lag times for one file; put {{time}} into its name: "
            f"{Path(output).stem}_{{time}}.npz"
        )
    return chosen


def write_ground_truth(
    dumps: Sequence[Path], output: str, times: Sequence[float], *, dt: float
) -> Iterator[Path]:
    """Write the ensemble and all targets, one npz file for each lag time, all or none.

    The files are those of `lammps_botan.dataset` with the keys of `ground_truth` besides.

    Parameters
    ----------
    dumps : sequence of Path
        LAMMPS text dumps, one for each run.
    output : str
        Name of the file, with {time} for the lag time.
    times : sequence of float
        See `chosen_times`.
    dt : float
        Time step of the simulation, for dumps without `ITEM: TIME`.

    Yields
    ------
    Path
        Each file when its content is made; all have their names after the last.

    Raises
    ------
    FileNotFoundError, ValueError
        If the dumps are no isoconfigurational ensemble; nothing is written then.
    """
    whole: list[tuple[Path, Path]] = []
    try:
        for frame in read_ensemble(dumps, dt=dt):
            if not np.isclose(frame.time, times, rtol=1e-6, atol=1e-9).any():
                continue
            path = Path(output.replace("{time}", f"{frame.time:g}"))
            part = path.with_name(path.name + ".new")
            whole.append((part, path))
            write_configuration(
                part,
                species=frame.species,
                initial=frame.initial,
                final=frame.final,
                cell=frame.cell,
                time=frame.time,
                **ground_truth(frame),
            )
            yield path
    except BaseException:
        for part, _ in whole:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()
        raise
    for part, path in whole:
        part.replace(path)
