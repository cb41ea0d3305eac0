"""Score one frame, by the conventions of `fix botan`.

There is a word for each atom type, which is a species of the model or NULL; atoms of a type mapped
to NULL are not in the graph and are given 0; bonds are pairs closer than a length, each of them
twice. One difference: a box that is not larger than the cutoff of the model, where each particle
would be its own neighbor, is refused.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lammps_botan.files.lammps_dump import Frame
from lammps_botan.files.scored_dump import ScoredFrame
from lammps_botan.network.metadata import Metadata
from lammps_botan.network.predictor import Scorer
from lammps_botan.structure.graph import Floats, Ints, build_graph, cell_matrix


class FrameScorer:
    """Scores frames with one model.

    Parameters
    ----------
    model : Path
        A model file.
    species : sequence of str, or None
        As for `lammps_botan.prediction.trajectory.score`.
    bonds : float
        Pairs closer than this are returned, LJ units.
    share : int
        Processes that score on this machine; each takes as many cores as the others.
    device : str
        A device of torch.

    Raises
    ------
    FileNotFoundError, ValueError
        As `Scorer`.
    """

    def __init__(
        self,
        model: Path,
        species: Sequence[str] | None,
        bonds: float,
        share: int,
        device: str,
    ) -> None:
        if share > 1:
            torch.set_num_threads(max(1, torch.get_num_threads() // share))
        self._scorer = Scorer(model, device)
        self._species, self._bonds = species, bonds

    def __call__(self, frame: Frame) -> ScoredFrame:
        """Score a frame.

        Raises
        ------
        ValueError
            If it cannot be scored; names file and frame.
        """
        metadata = self._scorer.metadata
        positions = np.asarray(frame.positions, dtype=np.float64)
        types = np.asarray(frame.types, dtype=np.int64)
        ids = np.arange(1, len(types) + 1) if frame.ids is None else np.asarray(frame.ids)
        _check(frame, positions, types, ids)
        _check_box(frame, metadata.cutoff)
        species = species_of_types(frame, self._species, metadata, self._scorer.path)
        inside = np.flatnonzero(species >= 0)
        propensity = np.zeros((len(types), len(metadata.node_outputs)), np.float32)
        try:
            graph = build_graph(
                positions[inside],
                frame.box,
                species[inside],
                cutoff=metadata.cutoff,
                periodic=frame.periodic,
            )
            prediction = self._scorer.score(graph)
        except (ValueError, RuntimeError, torch.jit.Error) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            raise ValueError(f"{frame.where}: cannot be scored: {reason}") from error
        propensity[inside] = prediction.node
        distances = graph.distances
        near = distances < self._bonds
        changes = prediction.edge[near]
        if not (np.isfinite(propensity).all() and np.isfinite(changes).all()):
            raise ValueError(
                f"{frame.where}: {self._scorer.path} predicts numbers that are not finite"
            )
        return ScoredFrame(
            frame=frame,
            ids=ids,
            types=types,
            propensity=propensity,
            center=ids[inside[graph.center[near]]],
            neighbor=ids[inside[graph.neighbor[near]]],
            distances=distances[near],
            changes=changes,
            node_outputs=metadata.node_outputs,
            edge_outputs=metadata.edge_outputs,
        )


def species_of_types(
    frame: Frame, words: Sequence[str] | None, metadata: Metadata, model: str | Path
) -> Ints:
    """The model's species number of each atom, int64 [n_atoms]; -1 for NULL.

    Parameters
    ----------
    frame : Frame
    words : sequence of str, or None
        As `species` of `score`.
    metadata : Metadata
        Of the model.
    model : str or Path
        For messages.

    Raises
    ------
    ValueError
        If a type has no species.
    """
    types = np.asarray(frame.types)
    known = f"{model} knows {', '.join(metadata.species)}"
    if words is None:
        words = frame.type_names or metadata.species
        if foreign := [word for word in words if word not in metadata.species]:
            raise ValueError(
                f"{frame.where}: the types {', '.join(frame.type_names)} are in this order, and "
                f"{foreign[0]} is no species: {known}; give --species with a word for each type"
            )
    low, high = int(types.min()), int(types.max())
    if low < 1 or high > len(words) or (frame.type_names and len(frame.type_names) != len(words)):
        found = ", ".join(frame.type_names) or str(high if low >= 1 else low)
        raise ValueError(
            f"{frame.where}: atoms of type {found}, but species for {len(words)} types: "
            f"{' '.join(words)}; give --species with a word for each type, a species or NULL "
            f"({known})"
        )
    numbers = {name: k for k, name in enumerate(metadata.species)} | {"NULL": -1}
    return np.asarray(np.array([numbers[word] for word in words], dtype=np.int64)[types - 1])


def _check(frame: Frame, positions: Floats, types: Ints, ids: Ints) -> None:
    n = len(types)
    if n == 0 or types.ndim != 1 or positions.shape != (n, 3) or ids.shape != (n,):
        raise ValueError(
            f"{frame.where}: expected positions [n, 3], types [n] and ids [n] of at least one "
            f"atom, found {list(positions.shape)}, {list(types.shape)} and {list(ids.shape)}"
        )
    if not np.isfinite(positions).all():
        k = int(np.flatnonzero(~np.isfinite(positions).all(axis=1))[0])
        raise ValueError(
            f"{frame.where}: atom ID {ids[k]} is at {positions[k]}, not a number; leave the frame "
            "out"
        )


def _check_box(frame: Frame, cutoff: float) -> None:
    try:
        cell = cell_matrix(frame.box)
    except ValueError as error:
        raise ValueError(f"{frame.where}: {error}") from error
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    for axis, height, periodic in zip("xyz", heights, frame.periodic, strict=True):
        if periodic and height <= cutoff:
            raise ValueError(
                f"{frame.where}: the box is {height:.6g} wide along {axis}, not more than the "
                f"cutoff of the model, {cutoff:g}: each particle would be its own neighbor; check "
                "the units of the box, or replicate it (two-dimensional systems are not scored)"
            )
