"""Everything that the runs of one configuration tell, from dump files to one npz file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lammps_botan.analysis.runs import EnsembleFrame, IsoconfigurationalEnsemble
from lammps_botan.analysis.targets import (
    AVERAGE_CUTOFF,
    BONDED,
    BROKEN,
    RELATIVE_CUTOFF,
    SIGMA,
    bond_breakage,
    bonds,
    neighbor_averaged_displacement,
    pair_distance_change,
    pair_sigma,
    propensity,
    relative_displacement,
)
from lammps_botan.files.ensemble_npz_writer import write_configuration
from lammps_botan.structure.graph import Floats, Ints, build_graph

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
        within 2.0, every pair from both ends. See `lammps_botan.analysis.targets`.

    Raises
    ------
    ValueError
        If there are more than two species, or the box is smaller than two cutoffs.
    """
    initial, final, cell = frame.initial, frame.final, frame.cell
    n_species = int(frame.species.max()) + 1
    if n_species > len(SIGMA):
        raise ValueError(
            f"{n_species} species; expected the Kob-Andersen mixture, LAMMPS types 1 (A) and 2 (B)"
        )
    lowest = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0).max()
    if lowest < 2 * EDGE_CUTOFF:
        raise ValueError(
            f"the box is {lowest:.4g} wide at its narrowest, expected {2 * EDGE_CUTOFF:g} or more "
            "in three dimensions: particles would be neighbors of their own images"
        )
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


def chosen_frames(
    ensemble: IsoconfigurationalEnsemble, times: Sequence[float], output: str
) -> dict[Path, int]:
    """Which frame goes into which file.

    Parameters
    ----------
    ensemble : IsoconfigurationalEnsemble
    times : sequence of float
        Lag times; if there are none, all if `output` has {time}, else the last.
    output : str
        Name of the file, with {time} for the lag time.

    Raises
    ------
    ValueError
        If the ensemble has no such lag time, or several files would share a name.
    """
    there = ensemble.times()
    if len(there) < 2:
        raise ValueError(
            f"{ensemble.name}: one frame only; expected t = 0 and at least one lag time"
        )
    frames = list(range(1, len(there))) if "{time}" in output else [len(there) - 1]
    if times:
        frames = []
        for time in times:
            nearest = int(np.argmin(np.abs(there[1:] - time))) + 1
            if not abs(there[nearest] - time) <= 1e-6 * max(abs(time), 1e-3):
                found = ", ".join(f"{t:.12g}" for t in there[1:])
                raise ValueError(f"{ensemble.name}: no frame at lag time {time:g}; it has {found}")
            frames.append(nearest)
    files = {Path(output.replace("{time}", f"{there[k]:.12g}")): k for k in frames}
    if len(files) < len(set(frames)):
        raise ValueError(
            f"{len(set(frames))} lag times for one file; put {{time}} into its name: "
            f"{Path(output).stem}_{{time}}.npz"
        )
    return files


def write_ground_truth(
    ensemble: IsoconfigurationalEnsemble, files: dict[Path, int]
) -> Iterator[Path]:
    """Write the ensemble and all targets, one npz file for each lag time, all or none.

    The files are those of `files.ensemble_npz` with the keys of `ground_truth` besides.

    Parameters
    ----------
    ensemble : IsoconfigurationalEnsemble
    files : dict
        See `chosen_frames`.

    Yields
    ------
    Path
        Each file when its content is made; all have their names after the last.

    Raises
    ------
    OSError, ValueError
        If a frame cannot be read or a file not be written; no file is there then.
    """
    new = {path: path.with_name(path.name + ".new") for path in files}
    try:
        for path, k in files.items():
            frame = ensemble.at(k)
            try:
                targets = ground_truth(frame)
            except ValueError as error:
                raise ValueError(f"{ensemble.name}: frame {k}: {error}") from error
            write_configuration(
                new[path],
                species=frame.species,
                initial=frame.initial,
                final=frame.final,
                cell=frame.cell,
                time=frame.time,
                **targets,
            )
            yield path
    except BaseException:
        for part in new.values():
            part.unlink(missing_ok=True)
        raise
    for path, part in new.items():
        part.replace(path)
