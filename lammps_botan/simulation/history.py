"""Histories of configurations and of the ends of their runs, from short runs of their own.

A simulation has the past of its configuration; a file does not. In equilibrium a run with fresh
Maxwell-Boltzmann velocities stands for the past: the dynamics are reversible, and a velocity is as
likely as its opposite, so that the run read backwards is one of the pasts that lead to the
configuration. Averages over a run do not depend on its direction.
"""

import functools
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from lammps_botan.files.bapst_pickle import SUFFIX
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.output_folder import UNFINISHED, add_to_note, open_output
from lammps_botan.files.whole_file import keep_apart
from lammps_botan.simulation.dump_rows import read_dump_rows
from lammps_botan.simulation.further_keys import read_further_keys
from lammps_botan.simulation.jobs import Job, Task, run_tasks
from lammps_botan.simulation.liquid import INPUT, Liquid, open_liquid
from lammps_botan.simulation.protocol import (
    check_positive,
    check_seed,
    check_timestep,
    check_window,
    script_seed,
    velocity_seeds,
    versions_json,
)
from lammps_botan.simulation.starts import (
    check_atoms,
    check_names,
    composition,
    of_one_liquid,
    sha256_of,
    write_start,
)
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture

SAMPLES = 150  # in a window, where the interval is not given
_COLUMNS = 5  # of the dump of a run: mean displacement, mean squared displacement, mean energy


def history(
    configurations: Sequence[Path],
    output: Path,
    *,
    window: float,
    interval: float | None = None,
    velocities: int = 1,
    ends: int = 0,
    temperature: float | None = None,
    timestep: float | None = None,
    mixture: Mixture | str | Path | None = None,
    seed: int = 1,
    scheduler: str | None = None,
    workers: int | None = None,
) -> list[Path]:
    """Histories of configurations, and of the ends of their runs: `output`/NAME.npz.

    Each history is that of an NVE run with fresh velocities: averages over `window / interval`
    samples, of which the first is the configuration itself. The files hold what the given ones
    did, with the further keys history_window, history_interval, history_displacement [n_structures,
    n_velocities, n_particles, 3], history_variance and history_energy [n_structures, n_velocities,
    n_particles], history_seeds [n_structures, n_velocities] (of the velocities in LAMMPS) and
    versions. The configuration is the first structure, the ends of its first runs are the others.

    Parameters
    ----------
    configurations : sequence of Path
        npz and pickle files of isoconfigurational runs, and LAMMPS data files.
    output : Path
        Folder; made if it is not there.
    window : float
        t_w, time unit of the mixture.
    interval : float, optional
        Time from one sample to the next; a 150th of the window without it.
    velocities : int
        How many histories of each structure.
    ends : int
        How many runs of each configuration, from the first on, get histories of their ends.
    temperature : float, optional
        Of the velocities, where a file does not say it.
    timestep : float, optional
        That of the mixture without it.
    mixture : Mixture, str or Path, optional
        Its name, or its TOML file; see `simulation.starts.of_one_liquid`.
    seed : int
        Another seed, other velocities. They depend on the positions of the configuration, not on
        its name.
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
    check_positive("the number of velocities", velocities)
    check_seed(seed)
    liquid = None if mixture is None else open_liquid(mixture)
    known = None if liquid is None else liquid.mixture
    ensembles = [_read(path, known) for path in configurations]
    for each in ensembles:
        _check_ends(each, ends)
    starts, liquid = of_one_liquid([each.configuration for each in ensembles], liquid)
    starts = [_with_temperature(start, temperature) for start in starts]
    timestep = check_timestep(timestep, liquid.interactions.timestep)
    interval = window / SAMPLES if interval is None else interval
    samples = check_window(window, interval, timestep)
    output = output.resolve()
    asked = {
        "window": window,
        "interval": interval,
        "velocities": velocities,
        "ends": ends,
        "timestep": timestep,
        "seed": seed,
    }
    about = {
        path.stem: {"sha256": sha256_of(path), "temperature": start.temperature}
        for path, start in zip(configurations, starts, strict=True)
    }
    products = [output / f"{path.stem}.npz" for path in configurations]
    keep_apart(products, configurations)
    with open_output(output, "history", asked | liquid.identity(), about):
        tasks = [
            _task(
                _Histories(
                    ensemble=replace(ensemble, configuration=start),
                    liquid=liquid,
                    folder=output / UNFINISHED / product.stem,
                    product=product,
                    window=window,
                    interval=interval,
                    samples=samples,
                    velocities=velocities,
                    ends=ends,
                    timestep=timestep,
                    seed=seed,
                )
            )
            for ensemble, start, product in zip(ensembles, starts, products, strict=True)
            if not product.exists()
        ]
        run_tasks(tasks, "history", scheduler, workers)
        add_to_note(output, "history", {path.stem: _measured(path) for path in products})
        shutil.rmtree(output / UNFINISHED, ignore_errors=True)
    return products


@dataclass(frozen=True)
class _Histories:
    """The runs from one configuration and the ends of its runs, and the file made of them."""

    ensemble: Ensemble
    liquid: Liquid
    folder: Path
    product: Path
    window: float
    interval: float
    samples: int
    velocities: int
    ends: int
    timestep: float
    seed: int

    @property
    def structures(self) -> list[Floats]:
        """Positions [n_particles, 3] of each structure."""
        start = self.ensemble.configuration
        return [start.positions, *self.ensemble.final[: self.ends]]

    def velocity_seeds(self) -> Ints:
        """int64 [n_structures, n_velocities].

        Others than those of isoconfigurational runs, which a model is to predict.
        """
        of_script = script_seed(self.seed, int(self.ensemble.configuration.sha256[:8], 16))
        n = len(self.structures)
        return velocity_seeds(of_script, n * self.velocities).reshape(n, self.velocities)

    def dump(self, structure: int, velocity: int) -> str:
        return f"history_{structure:04d}_{velocity:02d}.dump"


def _read(path: Path, mixture: Mixture | None) -> Ensemble:
    """A file with runs, or a LAMMPS data file, without any."""
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
    return replace(start, temperature=temperature)


def _task(own: _Histories) -> Task:
    own.folder.mkdir(parents=True, exist_ok=True)
    own.liquid.write(own.folder)
    start, name = own.ensemble.configuration, own.ensemble.path.name
    seeds = own.velocity_seeds()
    jobs = []
    for k, positions in enumerate(own.structures):
        data = own.folder / f"structure_{k:04d}.data"
        if not data.exists():
            title = f"{'End of run ' + str(k) if k else 'Start'} of {name}"
            write_start(data, replace(start, positions=positions), title)
        jobs += [
            Job(
                folder=own.folder,
                script="in.history",
                product=own.dump(k, v),
                log=f"{own.dump(k, v)}.log",
                steps=own.samples * round(own.interval / own.timestep),
                variables={
                    "mixture": INPUT,
                    "data": data.name,
                    "temperature": repr(start.temperature),
                    "seed": str(seeds[k, v]),
                    "timestep": repr(own.timestep),
                    "interval": repr(own.interval),
                    "samples": str(own.samples),
                    "out": own.dump(k, v),
                },
                final=(own.product,),
            )
            for v in range(own.velocities)
        ]
    return Task(jobs=jobs, in_turn=False, finish=functools.partial(_collect, own))


def _collect(own: _Histories) -> None:
    """Turn the dumps of all runs into one npz file; called twice, do it once."""
    with FileLock(own.folder.with_suffix(".lock")):
        if own.product.exists():
            return
        n = own.ensemble.configuration.n_particles
        rows = np.array(
            [
                [
                    read_dump_rows(own.folder / own.dump(k, v), n, _COLUMNS)
                    for v in range(own.velocities)
                ]
                for k in range(len(own.structures))
            ]
        )
        displacement, squared, energy = rows[..., :3], rows[..., 3], rows[..., 4]
        # <|d|^2> - |<d>|^2: double precision leaves no more than rounding below zero
        variance = np.maximum(squared - (displacement**2).sum(axis=-1), 0.0)
        about: dict[str, Any] = read_further_keys(own.ensemble.path) | {
            "history_window": own.window,
            "history_interval": own.interval,
            "history_displacement": displacement.astype(np.float32),
            "history_variance": variance.astype(np.float32),
            "history_energy": energy.astype(np.float32),
            "history_seeds": own.velocity_seeds(),
            "versions": versions_json(),
        }
        write_ensemble(own.product, own.ensemble, **about)
        shutil.rmtree(own.folder)


def _measured(product: Path) -> dict[str, Any]:
    """What is noted of a configuration, for comparison with what is known of the mixture."""
    start = read_start(product)
    with np.load(product, allow_pickle=False) as archive:
        variance, energy = (archive[f"history_{name}"][0].mean() for name in ("variance", "energy"))
    return {
        "composition": composition(start),
        "density": start.density,
        "variance": float(variance),
        "potential_energy": float(energy),
    }
