"""What a network with inputs is given on the structures of a training run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lammps_botan.files.ensemble_npz import read_histories, read_history_interval
from lammps_botan.network.inputs import (
    ROUNDING,
    HistoryInput,
    InherentInput,
    Inputs,
    Singles,
    node_inputs,
)
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.training.config import Network
from lammps_botan.training.pseudo_labels import read_structures

MOST_PARTS = 10  # of a window


@dataclass(frozen=True, eq=False)
class NodeInputs:
    """Vectors and scalars of the particles of a structure, see `network.inputs`.

    Attributes
    ----------
    vectors : float32 [n_particles, n_vectors, 3]
    scalars : float32 [n_particles, n_scalars]
    """

    vectors: Singles
    scalars: Singles


def agree_on_inputs(network: Network, ensembles: Sequence[Ensemble]) -> Inputs:
    """The inputs that a network sees, as its configuration and the files say them.

    Raises
    ------
    ValueError
        If a file has no histories, or they are over another window or sampled at another interval
        than those of the first.
    """
    inherent = None
    if "inherent" in network.inputs:
        assert network.inherent_force is not None  # see Network
        inherent = InherentInput(force=network.inherent_force)
    if "history" not in network.inputs:
        return Inputs(inherent=inherent)
    kept = [
        (read_histories(one.path)[0][0].window, read_history_interval(one.path))
        for one in ensembles
    ]
    for one, (window, interval) in zip(ensembles, kept, strict=True):
        if (window, interval) != kept[0]:
            raise ValueError(
                f"{one.path}: has histories over {window:g}, sampled every {interval:g}, but those "
                f"of {ensembles[0].path} are over {kept[0][0]:g}, sampled every {kept[0][1]:g}"
            )
    window, interval = kept[0]
    return Inputs(
        history=HistoryInput(window=window, interval=interval, parts=_parts(window / interval)),
        inherent=inherent,
    )


def _parts(n_samples: float) -> int:
    whole = round(n_samples)
    if whole < 1 or abs(whole - n_samples) > ROUNDING * n_samples:
        return 1  # which HistoryInput refuses in words
    return max(parts for parts in range(1, MOST_PARTS + 1) if whole % parts == 0)


def inputs_of_start(ensemble: Ensemble, inputs: Inputs) -> tuple[NodeInputs, ...]:
    """What is known of a configuration, once for each of its histories; empty without inputs.

    Raises
    ------
    ValueError
        If it lacks an input.
    """
    return _each(ensemble, [ensemble.configuration], inputs)[0]


def inputs_of_ends(ensemble: Ensemble, inputs: Inputs) -> list[tuple[NodeInputs, ...]]:
    """What is known of the end of each run, likewise.

    Raises
    ------
    ValueError
        If the file has no inputs of the ends.
    """
    start = ensemble.configuration
    if inputs.inherent is None:
        structures = [replace(start, positions=end) for end in (ensemble.initial, *ensemble.final)]
    else:
        structures = read_structures(ensemble.path, mixture=start.mixture)
    return _each(ensemble, structures, inputs)[1:]


def _each(
    ensemble: Ensemble, structures: Sequence[Configuration], inputs: Inputs
) -> list[tuple[NodeInputs, ...]]:
    if not inputs.names:
        return [() for _ in structures]
    if inputs.history is None:
        return [(NodeInputs(*node_inputs(one, inputs)),) for one in structures]
    histories = read_histories(ensemble.path)
    if len(histories) < len(structures):
        raise ValueError(
            f"{ensemble.path}: has histories of its start only, and recipe.reversed needs those of "
            "the ends of its runs: make them by `lammps-botan simulate history --ends`"
        )
    return [
        tuple(NodeInputs(*node_inputs(replace(one, history=known), inputs)) for known in several)
        for one, several in zip(structures, histories, strict=False)
    ]
