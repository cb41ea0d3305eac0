"""Inputs of networks in training: histories and inherent structures of the data."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lammps_botan.files.ensemble_npz import read_histories, read_history_interval
from lammps_botan.files.inherent_structures import read_structures
from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.melt import melt_energy
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture
from lammps_botan.training.config import Config

MOST_PARTS = 10  # of a window
FORCE = 0.02  # k_B T of the melt / diameter: where the model runs, minimizations end at this force
DIGITS = 6  # of the force


def read_inputs(config: Config, mixture: Mixture, paths: Sequence[Path]) -> Inputs:
    """Give the inputs that a configuration asks for, as its data have them.

    Parameters
    ----------
    config : Config
        `inputs` says which.
    mixture : Mixture
        Of the data.
    paths : sequence of Path
        npz files; with histories where the network sees them.

    Returns
    -------
    Inputs

    Raises
    ------
    ValueError
        If a file has no histories, files differ in window or interval, or the network sees inherent
        structures of a mixture whose forces have no scale.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> from lammps_botan.training.config import Data
    >>> config = Config(output="run", data=Data(train=["a.npz"], validation=["b.npz"]))
    >>> read_inputs(config, KOB_ANDERSEN, []).words
    'positions, species'
    """
    history = None
    if config.inputs.history:
        windows = {path: _window(path) for path in paths}
        first = paths[0]
        for path, found in windows.items():
            if found != windows[first]:
                raise ValueError(
                    f"{path}: holds histories over {found[0]:g}, sampled every {found[1]:g}, but "
                    f"{first} over {windows[first][0]:g}, every {windows[first][1]:g}; train on "
                    "histories of one kind"
                )
        window, interval = windows[first]
        samples = round(window / interval)
        parts = max(n for n in range(1, MOST_PARTS + 1) if samples % n == 0)
        history = HistoryInput(window=window, interval=interval, parts=parts)
    inherent = InherentInput(force=_force(mixture)) if config.inputs.inherent else None
    return Inputs(history=history, inherent=inherent)


def _force(mixture: Mixture) -> float:
    energy = melt_energy(mixture)
    if energy is None and mixture.units == "lj":
        energy = melt_energy(KOB_ANDERSEN)  # energies are about one in reduced units
    if energy is None:
        raise ValueError(
            f"the mixture {mixture.name} has no interactions, so that nothing says how large its "
            f"forces are in units {mixture.units}, and at which force a minimization for the model "
            "may end; give it a table [interactions] (docs/how_to/own_mixture.md)"
        )
    return float(f"{FORCE * energy / mixture.diameter:.{DIGITS}g}")


def starts(ensemble: Ensemble, inputs: Inputs) -> list[Configuration]:
    """Give the configuration of an ensemble, once with each of its histories.

    Parameters
    ----------
    ensemble : Ensemble
    inputs : Inputs
        Inputs of the network.

    Returns
    -------
    list of Configuration

    Raises
    ------
    ValueError
        If the network sees histories and the file has none.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration([[0, 0, 0]], [0], Box(9.0, (True, True, True)))
    >>> len(starts(Ensemble(start, final=[[[0, 0, 1]]]), Inputs()))
    1
    """
    start = ensemble.configuration
    if inputs.history is None:
        return [start]
    return [replace(start, history=one) for one in read_histories(ensemble.path)[0]]


def count_ends(ensemble: Ensemble, inputs: Inputs) -> int:
    """Count the runs of an ensemble whose ends have the inputs of a network: the first ones.

    Parameters
    ----------
    ensemble : Ensemble
    inputs : Inputs
        Inputs of the network.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration([[0, 0, 0]], [0], Box(9.0, (True, True, True)))
    >>> count_ends(Ensemble(start, final=[[[0, 0, 1]]]), Inputs())
    1
    """
    if inputs.history is None:
        return ensemble.n_runs
    n = len(read_histories(ensemble.path)) - 1
    if n == 0:
        raise ValueError(
            f"{ensemble.path}: has histories of the start only, but recipe.reversed needs those of "
            "ends of runs: make them by `lammps-botan simulate history --ends "
            f"{ensemble.n_runs}`, or leave out recipe.reversed"
        )
    return n


def ends(ensemble: Ensemble, inputs: Inputs, n: int) -> Iterator[list[Configuration]]:
    """Give the end of each of the first `n` runs of an ensemble, once with each of its histories.

    Parameters
    ----------
    ensemble : Ensemble
    inputs : Inputs
        Inputs of the network.
    n : int

    Yields
    ------
    list of Configuration

    Raises
    ------
    ValueError
        If the network sees histories, or inherent structures, and the file has none of these ends.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> start = Configuration([[0, 0, 0]], [0], Box(9.0, (True, True, True)))
    >>> [[end]] = ends(Ensemble(start, final=[[[0, 0, 1]]]), Inputs(), n=1)
    >>> end.positions
    array([[0., 0., 1.]])
    """
    if n == 0:
        return  # a file of pseudo-labels has the start alone
    path, runs = ensemble.path, range(n)
    start = replace(
        ensemble.configuration, history=None, inherent_positions=None, inherent_energies=None
    )
    structures = [replace(start, positions=positions) for positions in ensemble.final[:n]]
    if inputs.inherent is not None:
        structures = read_structures(path, mixture=start.mixture)[1 : 1 + n]
    if inputs.history is None:
        yield from ([one] for one in structures)
        return
    histories = read_histories(path)[1:]
    if len(histories) < n:
        raise ValueError(
            f"{path}: has histories of the ends of {len(histories)} runs, but recipe.reversed "
            f"needs {n}: make them by `lammps-botan simulate history --ends {n}`, or lower "
            "recipe.reversed"
        )
    for run in runs:
        yield [replace(structures[run], history=one) for one in histories[run]]


def _window(path: Path) -> tuple[float, float]:
    return read_histories(path)[0][0].window, read_history_interval(path)
