"""Histories of configurations and of the ends of their runs, from short runs of their own.

A simulation has the past of its configuration; a file does not. In equilibrium a run with fresh
Maxwell-Boltzmann velocities stands for the past: the dynamics are reversible, and a velocity is as
likely as its opposite. The run read backwards is therefore one of the pasts that lead to the
configuration. Averages over a run do not depend on its direction.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lammps_botan.files.bapst_pickle import SUFFIX
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.output_folder import (
    UNFINISHED,
    add_to_note,
    check_products,
    open_output,
    remove_unfinished,
)
from lammps_botan.files.sha256 import sha256_of
from lammps_botan.files.whole_file import keep_apart
from lammps_botan.simulation.history_runs import HistoryRuns, make_task
from lammps_botan.simulation.jobs import run_tasks
from lammps_botan.simulation.liquid import open_liquid
from lammps_botan.simulation.protocol import (
    check_positive,
    check_seed,
    check_timestep,
    check_window,
)
from lammps_botan.simulation.starts import (
    check_atoms,
    check_masses,
    check_names,
    composition,
    of_one_liquid,
)
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture

SAMPLES = 150  # in a window, where the interval is not given


def history(
    configurations: Sequence[Path],
    output: Path,
    *,
    window: float,
    interval: float | None = None,
    velocities: int = 1,
    ends: int = 0,
    copies: int = 0,
    temperature: float | None = None,
    timestep: float | None = None,
    mixture: Mixture | str | Path | None = None,
    seed: int = 1,
    scheduler: str | None = None,
    workers: int | None = None,
) -> list[Path]:
    """Make histories of configurations, and of the ends of their runs: `output`/NAME.npz.

    Each history is that of an NVE run with fresh velocities: averages over `window / interval`
    samples, of which the first is the configuration itself. The files hold the content of the given
    files, with the further keys history_window, history_interval, history_displacement
    [n_structures, n_velocities, n_particles, 3], history_variance and history_energy [n_structures,
    n_velocities, n_particles], history_seeds [n_structures, n_velocities] (of the velocities in
    LAMMPS) and versions; with copies also history_copies [n_structures, n_velocities, n_copies,
    n_particles, 3]. The configuration is the first structure, the ends of its first runs are the
    others.

    Parameters
    ----------
    configurations : sequence of Path
        npz and pickle files of isoconfigurational runs, and LAMMPS data files.
    output : Path
        Folder; made if it is not there.
    window : float
        t_w, time unit of the mixture.
    interval : float, optional
        Time from one sample to the next. Default: a 150th of the window.
    velocities : int
        Number of histories of each structure.
    ends : int
        Number of runs of each configuration, from the first on, whose ends get histories.
    copies : int
        Number of positions of each run that are kept, at equally spaced samples up to the last one:
        copy k is that of sample k (n_samples - 1) / copies after the configuration, rounded.
    temperature : float, optional
        Temperature of the velocities, where a file does not say it.
    timestep : float, optional
        Default: that of the mixture.
    mixture : Mixture, str or Path, optional
        Its name, or its TOML file; see `simulation.starts.of_one_liquid`.
    seed : int
        Another seed gives other velocities. They depend on the positions of the configuration, not
        on its name.
    scheduler, workers : str and int, optional
        See `lammps_botan.simulation.jobs.run_tasks`.

    Returns
    -------
    list of Path
        The npz files.

    Raises
    ------
    ValueError
        If an argument is out of range, a file cannot be used, has fewer runs than `ends`, does not
        say its temperature or is not of the mixture, two share a name, or `output` was begun with
        other arguments or another configuration of the same name.
    FileNotFoundError
        If there is no such file.
    ChildProcessError
        If LAMMPS stops with an error.

    Examples
    --------
    >>> paths = history(  # doctest: +SKIP
    ...     [Path("ensembles/t16.5/ka-0001.npz")], Path("histories"), window=3.0
    ... )
    """
    check_names(configurations)
    window = float(window)
    check_positive("the number of velocities", velocities)
    check_seed(seed)
    liquid = None if mixture is None else open_liquid(mixture)
    known = None if liquid is None else liquid.mixture
    ensembles = [_read(path, known) for path in configurations]
    for each in ensembles:
        _check_ends(each, ends)
    starts, liquid = of_one_liquid([each.configuration for each in ensembles], liquid)
    for path in configurations:
        check_masses(path, liquid.mixture)
    starts = [_with_temperature(start, temperature) for start in starts]
    timestep = check_timestep(timestep, liquid.interactions.timestep)
    interval = window / SAMPLES if interval is None else float(interval)
    samples = check_window(window, interval, timestep)
    _check_copies(copies, samples)
    output = output.resolve()
    asked = {
        "window": window,
        "interval": interval,
        "velocities": velocities,
        "ends": ends,
        "copies": copies,
        "timestep": timestep,
        "seed": seed,
    }
    about = {
        path.stem: {"sha256": sha256_of(path), "temperature": start.temperature}
        for path, start in zip(configurations, starts, strict=True)
    }
    products = [output / f"{path.stem}.npz" for path in configurations]
    keep_apart(products, configurations)
    check_products(output, "history", products)
    with open_output(output, "history", asked | liquid.identity(), about):
        tasks = [
            make_task(
                HistoryRuns(
                    ensemble=replace(ensemble, configuration=start),
                    liquid=liquid,
                    folder=output / UNFINISHED / "history" / product.stem,
                    product=product,
                    window=window,
                    interval=interval,
                    samples=samples,
                    velocities=velocities,
                    ends=ends,
                    copies=copies,
                    timestep=timestep,
                    seed=seed,
                )
            )
            for ensemble, start, product in zip(ensembles, starts, products, strict=True)
            if not product.exists()
        ]
        run_tasks(tasks, "history", scheduler, workers)
        add_to_note(output, "history", {path.stem: _measured(path) for path in products})
        remove_unfinished(output, "history", [path.stem for path in products])
    return products


def _read(path: Path, mixture: Mixture | None) -> Ensemble:
    """Read a file with runs, or a LAMMPS data file, which has none."""
    if path.suffix in {".npz", SUFFIX}:
        return read_ensemble(path, mixture=mixture)
    check_atoms(path)
    start = read_start(path, mixture=mixture)
    start = start.select(np.argsort(start.ids))
    return Ensemble(start, np.zeros((0, start.n_particles, 3)), path=path)


def _check_ends(ensemble: Ensemble, ends: int) -> None:
    if not 0 <= ends <= ensemble.n_runs:
        raise ValueError(
            f"{ensemble.path}: has {ensemble.n_runs} runs, whose ends can have a history; expected "
            f"--ends from 0 to {ensemble.n_runs}, found {ends}"
        )


def _check_copies(copies: int, samples: int) -> None:
    if not 0 <= copies < samples:
        raise ValueError(
            f"the window has {samples} samples, of which the first is the configuration: expected "
            f"--copies from 0 to {samples - 1}, found {copies}"
        )


def _with_temperature(start: Configuration, given: float | None) -> Configuration:
    own = start.temperature
    if given is None and own is None:
        raise ValueError(
            f"{start.where}: does not say its temperature, which velocities need; give it "
            "(--temperature)"
        )
    if given is None or own is None:
        temperature = given if own is None else own
    elif math.isclose(given, own, rel_tol=1e-6):
        temperature = own
    else:
        raise ValueError(
            f"{start.where}: says the temperature {own:g}, found --temperature {given:g}; leave "
            "out --temperature"
        )
    assert temperature is not None
    check_positive("the temperature", temperature)
    return replace(start, temperature=float(temperature))


def _measured(product: Path) -> dict[str, Any]:
    """Quantities of a configuration for the note, to compare with the mixture."""
    start = read_start(product)
    with np.load(product, allow_pickle=False) as archive:
        variance, energy = (archive[f"history_{name}"][0].mean() for name in ("variance", "energy"))
    return {
        "composition": composition(start),
        "density": start.density,
        "variance": float(variance),
        "potential_energy": float(energy),
    }
