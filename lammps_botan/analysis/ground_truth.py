"""All targets of the runs of one configuration, from dump files to one npz file."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.analysis.runs import IsoconfigurationalRuns
from lammps_botan.analysis.sample import check_box
from lammps_botan.analysis.targets import (
    AVERAGE_CUTOFF,
    EDGE_CUTOFF,
    RELATIVE_CUTOFF,
    bond_breakage,
    bonded,
    neighbor_averaged_displacement,
    pair_distance_change,
    propensity,
    relative_displacement,
)
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.whole_file import whole_file
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import build_graph

ROUNDING = 1e-6  # a lag time and the time of its frame differ by less, relative to it


def ground_truth(ensemble: Ensemble) -> dict[str, Floats | Ints]:
    """Compute all targets of an isoconfigurational ensemble.

    Parameters
    ----------
    ensemble : Ensemble
        With runs. Its mixture gives the bonds, and the diameter that cutoffs are multiplied by.
        Without a mixture the cutoffs are in the length unit and there is no bond_breakage.

    Returns
    -------
    dict of arrays
        propensity, R, D, C, bond_breakage [n_particles], neighbor_averaged_displacement
        [n_particles, 3]; center, neighbor, distance, pair_distance_change [n_edges] for the pairs
        within 2 diameters, every pair from both ends; lengths in the length unit. See
        `lammps_botan.analysis.targets`.

    Raises
    ------
    ValueError
        If the box is smaller than two cutoffs, the units are not reduced ones and the mixture is
        not known, or final positions are wrapped.

    Examples
    --------
    >>> from lammps_botan import Box, Configuration
    >>> start = Configuration(np.eye(2, 3), [0, 0], Box(9.0, (True, True, True)))
    >>> targets = ground_truth(Ensemble(start, final=np.eye(2, 3)[None] + [0.3, 0, 0.4]))
    >>> targets["propensity"], targets["pair_distance_change"]
    (array([0.5, 0.5]), array([0., 0.]))
    """
    start, final = ensemble.configuration, ensemble.final
    initial, box, mixture, diameter = start.positions, start.box, start.mixture, start.diameter
    longest = max(EDGE_CUTOFF * diameter, 0.0 if mixture is None else mixture.longest_bond)
    check_box(start, longest)
    ensemble.refuse_wrapped()
    near = build_graph(start, longest)
    edges = near.within(EDGE_CUTOFF * diameter)
    relative = relative_displacement(initial, final, near.within(RELATIVE_CUTOFF * diameter))
    averages = neighbor_averaged_displacement(
        initial, final, near.within(AVERAGE_CUTOFF * diameter)
    )
    targets: dict[str, Floats | Ints] = {
        "propensity": propensity(initial, final),
        "R": relative.r,
        "D": relative.d,
        "C": relative.c,
        "neighbor_averaged_displacement": averages,
        "center": edges.center,
        "neighbor": edges.neighbor,
        "distance": edges.distances,
        "pair_distance_change": pair_distance_change(initial, final, edges, box),
    }
    if mixture is not None:
        bonds = bonded(near, mixture)
        targets["bond_breakage"] = bond_breakage(initial, final, bonds, box, mixture)
    return targets


def chosen_frames(
    runs: IsoconfigurationalRuns, times: Sequence[float], output: str
) -> dict[Path, int]:
    """Choose the frames to write, and the file of each.

    Parameters
    ----------
    runs : IsoconfigurationalRuns
    times : sequence of float
        Lag times, time unit. Default for an empty sequence: all if `output` has {time}, else the
        last.
    output : str
        Name of the file, with {time} for the lag time.

    Returns
    -------
    dict of Path to int
        Number of the frame of each file.

    Raises
    ------
    ValueError
        If the runs have no such lag time, or several files would share a name.

    Examples
    --------
    >>> import MDAnalysis
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> runs = IsoconfigurationalRuns(universe, dt=13.0)
    >>> {str(path): frame for path, frame in chosen_frames(runs, [], "c1_{time}.npz").items()}
    {'c1_13.npz': 1}
    """
    there = runs.times()
    if len(there) < 2:
        raise ValueError(f"{runs.name}: one frame only; expected t = 0 and at least one lag time")
    frames = list(range(1, len(there))) if "{time}" in output else [len(there) - 1]
    if times:
        frames = []
        for time in times:
            nearest = int(np.argmin(np.abs(there[1:] - time))) + 1
            if not abs(there[nearest] - time) <= ROUNDING * abs(time):
                found = ", ".join(f"{t:.12g}" for t in there[1:])
                raise ValueError(f"{runs.name}: no frame at lag time {time:g}; it has {found}")
            frames.append(nearest)
    files = {Path(output.replace("{time}", f"{there[k]:.12g}")): k for k in frames}
    if len(files) < len(set(frames)):
        raise ValueError(
            f"{len(set(frames))} lag times for one file; put {{time}} into its name: "
            f"{Path(output).stem}_{{time}}.npz"
        )
    return files


def write_ground_truth(runs: IsoconfigurationalRuns, files: dict[Path, int]) -> Iterator[Path]:
    """Write the ensemble and all targets, one npz file for each lag time, all or none.

    The files are those of `lammps_botan.files.ensemble_npz` with the keys of `ground_truth`
    besides.

    Parameters
    ----------
    runs : IsoconfigurationalRuns
    files : dict of Path to int
        See `chosen_frames`.

    Yields
    ------
    Path
        Each file when its content is made; all have their names after the last.

    Raises
    ------
    OSError, ValueError
        If a frame cannot be read or a file cannot be written; then no file is there.

    Examples
    --------
    >>> import MDAnalysis
    >>> universe = MDAnalysis.Universe.empty(2, trajectory=True)
    >>> universe.add_TopologyAttr("types", ["1", "1"])
    >>> frames = np.array([[[0, 0, 0], [1, 0, 0.5]], [[0, 1, 0], [1, 0, 0.5]]])
    >>> _ = universe.load_new(frames, dimensions=[9, 9, 9, 90, 90, 90])
    >>> runs = IsoconfigurationalRuns(universe, dt=13.0)
    >>> [path.name for path in write_ground_truth(runs, {Path("c1.npz"): 1})]
    ['c1.npz']
    """
    with contextlib.ExitStack() as stack:
        parts = {path: stack.enter_context(whole_file(path)) for path in files}
        for path, k in files.items():
            ensemble = runs.at(k)
            averages: dict[str, Any] = {**ground_truth(ensemble)}
            try:
                write_ensemble(parts[path], ensemble, **averages)
            except OSError as error:  # say which of the files it was
                raise OSError(f"{path}: {error.strerror or error}") from error
            yield path
