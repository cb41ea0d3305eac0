"""Mixture, lag time and state of a training run, from its configuration and its data."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lammps_botan.analysis.state import SAME_DENSITY
from lammps_botan.analysis.targets import EDGE_CUTOFF
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.network.checkpoint import Physics
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import SHIPPED, Mixture
from lammps_botan.training.config import Config, Target
from lammps_botan.training.inputs import read_inputs

SAME = 0.01  # relative difference up to which lag times, or temperatures, are the same
NOMINAL_DENSITY = 0.005  # up to which data have the density that their mixture says


def read_ensembles(config: Config, folder: Path, paths: Iterable[Path]) -> list[Ensemble]:
    """Read the ensembles of a run, each of a known mixture.

    Parameters
    ----------
    config : Config
    folder : Path
        Folder of a mixture file that the configuration names.
    paths : iterable of Path

    Returns
    -------
    list of Ensemble

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file cannot be read, its final positions are wrapped, or it is of another mixture than
        `target.mixture` or of an unknown one.

    Examples
    --------
    >>> from lammps_botan.training.config import Data
    >>> data = Data(train=["a.npz"], validation=["b.npz"])
    >>> read_ensembles(Config(output="run", data=data), Path("."), [])
    []
    """
    named = _named_mixture(config.target, folder)
    read = [read_ensemble(path, time_index=config.data.time_index, mixture=named) for path in paths]
    for one in read:
        one.refuse_wrapped()
        if one.configuration.mixture is None:
            raise ValueError(
                f"{one.path}: does not say which mixture its particles are: write target.mixture "
                f"in the configuration, one of {', '.join(SHIPPED)} or the name of a TOML file "
                "(docs/how_to/own_mixture.md)"
            )
    return read


def agree(config: Config, folder: Path, ensembles: Sequence[Ensemble]) -> Physics:
    """Agree on the physics of a network that learns from these ensembles.

    Parameters
    ----------
    config : Config
        Missing values are taken from the ensembles, or from their mixture.
    folder : Path
        As for `read_ensembles`.
    ensembles : sequence of Ensemble
        Each of a known mixture.

    Returns
    -------
    Physics

    Raises
    ------
    ValueError
        If mixtures, lag times, temperatures or densities differ from those of the configuration or
        from each other, or neither says the lag time or the temperature.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN, Box, Configuration
    >>> from lammps_botan.training.config import Data
    >>> config = Config(output="run", data=Data(train=["a.npz"], validation=["b.npz"]))
    >>> box = Box(9.0, (True, True, True))
    >>> start = Configuration([[0, 0, 0]], [0], box, mixture=KOB_ANDERSEN, temperature=0.5)
    >>> agree(config, Path("."), [Ensemble(start, final=[[[0, 0, 1]]], lag_time=13.0)]).cutoff
    2.0
    """
    target = config.target
    mixture = _mixture(_named_mixture(target, folder), ensembles)
    return Physics(
        mixture=mixture,
        cutoff=target.cutoff or EDGE_CUTOFF * mixture.diameter,
        lag_times=(_agreed("lag_time", target.lag_time, ensembles, lambda one: one.lag_time),),
        temperature=_agreed(
            "temperature", target.temperature, ensembles, lambda one: one.configuration.temperature
        ),
        density=_density(target, mixture, ensembles),
        node=target.node,
        inputs=read_inputs(config, mixture, [one.path for one in ensembles]),
    )


def _named_mixture(target: Target, folder: Path) -> Mixture | None:
    if target.mixture is None:
        return None
    return find_mixture(target.mixture if target.mixture in SHIPPED else folder / target.mixture)


def _mixture(named: Mixture | None, ensembles: Sequence[Ensemble]) -> Mixture:
    first = ensembles[0]
    expected, whose = named, "target.mixture"
    for one in ensembles:
        mixture = one.configuration.mixture
        assert mixture is not None  # see read_ensembles
        if expected is None:
            expected, whose = mixture, str(first.path)
        if why := mixture.difference(expected):
            raise ValueError(
                f"{one.path}: holds the mixture {mixture.name}, but {whose} is {expected.name}; "
                f"they differ in {why}"
            )
    assert expected is not None
    return expected


def _agreed(
    key: str,
    given: float | None,
    ensembles: Sequence[Ensemble],
    own: Callable[[Ensemble], float | None],
) -> float:
    """Number that the configuration gives, or else that of all ensembles."""
    words = key.replace("_", " ")
    expected, whose = given, f"target.{key}"
    for one in ensembles:
        found = own(one)
        if found is None:
            if given is None:
                raise ValueError(
                    f"{one.path}: does not say its {words}: write target.{key} in the configuration"
                )
            continue
        if expected is None:
            expected, whose = found, f"that of {one.path}"
        if not math.isclose(found, expected, rel_tol=SAME):
            raise ValueError(
                f"{one.path}: holds the {words} {found:g}, but {whose} is {expected:g}"
            )
    assert expected is not None
    return expected


def _density(target: Target, mixture: Mixture, ensembles: Sequence[Ensemble]) -> float:
    """Density of the configuration, or of the mixture where the ensembles have it, else theirs."""
    found = [one.configuration.density for one in ensembles]

    def fits(density: float, tolerance: float = SAME_DENSITY) -> list[bool]:
        return [math.isclose(own, density, rel_tol=tolerance) for own in found]

    if target.density is not None:
        for one, own, right in zip(ensembles, found, fits(target.density), strict=True):
            if not right:
                raise ValueError(
                    f"{one.path}: has the density {own:g}, but target.density is {target.density:g}"
                )
        return target.density
    if mixture.density is not None and all(fits(mixture.density, NOMINAL_DENSITY)):
        return mixture.density
    for one, own, right in zip(ensembles, found, fits(found[0]), strict=True):
        if not right:
            raise ValueError(
                f"{one.path}: has the density {own:g}, but {ensembles[0].path} has {found[0]:g}; "
                "train on files of one density"
            )
    return float(f"{sum(found) / len(found):.6g}")
