"""Isoconfigurational ensembles: runs that differ in their initial velocities only."""

import functools
import hashlib
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from lammps_botan.analysis.runs import open_ensemble
from lammps_botan.files.ensemble_npz import read_configuration
from lammps_botan.files.ensemble_npz_writer import write_configuration
from lammps_botan.files.lammps_data_writer import write_data_file
from lammps_botan.files.output_folder import UNFINISHED, open_output
from lammps_botan.files.trajectory import open_dump
from lammps_botan.simulation.jobs import Job, Task, run_tasks
from lammps_botan.simulation.protocol import (
    TIME_STEP,
    check_positive,
    check_seed,
    check_times,
    script_seed,
    velocity_seeds,
    versions_json,
)


def isoconfig(
    configurations: Sequence[Path],
    output: Path,
    *,
    temperature: float,
    times: Sequence[float],
    runs: int = 32,
    seed: int = 1,
    scheduler: str | None = None,
) -> list[Path]:
    """Isoconfigurational ensembles: `output`/tTIME/NAME.npz by configuration and lag time.

    The files are those of `files.ensemble_npz`, with the keys time (the lag time of the file),
    times (all lag times of the runs), temperature, seed, seeds [runs] (of the velocities in
    LAMMPS), and versions.

    Parameters
    ----------
    configurations : sequence of Path
        LAMMPS data files, or npz files whose initial positions are taken.
    output : Path
        Folder; made if it is not there.
    temperature : float
        Of the Maxwell-Boltzmann velocities.
    times : sequence of float
        Lag times, multiples of the time step 0.001.
    runs : int
        Per configuration.
    seed : int
        Another seed, other velocities. The same seed gives each configuration the same velocities
        again, whatever other configurations are asked for.
    scheduler : str, optional
        See `lammps_botan.simulation.jobs.run_tasks`.

    Returns
    -------
    list of Path
        The npz files, by lag time and then by configuration.

    Raises
    ------
    ValueError
        If an argument is out of range, two configurations share a name, or `output` was begun with
        other arguments or another configuration of the same name.
    FileNotFoundError
        If there is no such configuration.
    ChildProcessError
        If LAMMPS stops with an error.
    """
    check_positive("the temperature", temperature)
    check_positive("the number of runs", runs)
    check_seed(seed)
    lag_times = check_times(times)
    output = output.resolve()
    names = [path.stem for path in configurations]
    for path in configurations:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        if names.count(path.stem) > 1:
            raise ValueError(f"{path}: another configuration is also called {path.stem}; rename it")
    asked = {"temperature": temperature, "times": lag_times, "runs": runs, "seed": seed}
    about = {
        path.stem: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in configurations
    }
    products = {
        name: tuple(output / f"t{t:.12g}" / f"{name}.npz" for t in lag_times) for name in names
    }
    with open_output(output, "isoconfig", asked, about):
        tasks = [
            _task(path, output / UNFINISHED / name, products[name], asked)
            for path, name in zip(configurations, names, strict=True)
            if not all(product.exists() for product in products[name])
        ]
        run_tasks(tasks, "isoconfig", scheduler)
        shutil.rmtree(output / UNFINISHED, ignore_errors=True)
    return [products[name][k] for k in range(len(lag_times)) for name in names]


def _task(path: Path, folder: Path, products: tuple[Path, ...], asked: dict[str, Any]) -> Task:
    folder.mkdir(parents=True, exist_ok=True)
    data, part = folder / "initial.data", folder / "initial.part"
    if not data.exists():
        if path.suffix == ".npz":
            content = read_configuration(path)
            title = f"Initial configuration of {path.name}"
            write_data_file(part, content.initial, content.species, content.cell, title)
        else:
            shutil.copyfile(path, part)
        part.replace(data)
    seed = script_seed(asked["seed"], zlib.crc32(data.read_bytes()))
    width = len(str(asked["runs"]))
    jobs = []
    for k in range(asked["runs"]):
        run = f"{k + 1:0{width}d}"
        variables = {
            "data": data.name,
            "temperature": repr(asked["temperature"]),
            "seed": str(seed),
            "run": run,
            "times": " ".join(f"{t:.12g}" for t in asked["times"]),
        }
        jobs.append(
            Job(
                folder=folder,
                script="in.isoconfig",
                product=f"run_{run}.dump",
                log=f"run_{run}.log",
                steps=round(max(asked["times"]) / TIME_STEP),
                variables=variables,
                final=products,
            )
        )
    collect = functools.partial(_collect, folder, products, asked, seed)
    return Task(jobs=jobs, in_turn=False, finish=collect)


def _collect(folder: Path, products: Sequence[Path], asked: dict[str, Any], seed: int) -> None:
    """Turn the dumps of all runs into one npz file per lag time; called twice, do it once."""
    with FileLock(folder.with_suffix(".lock")):
        if all(product.exists() for product in products):
            return
        dumps = sorted(folder.glob("run_*.dump"))
        for dump in dumps:
            _check_whole(dump, n_frames=len(products) + 1)
        about = {
            "times": np.array(asked["times"]),
            "temperature": asked["temperature"],
            "seed": asked["seed"],
            "seeds": velocity_seeds(seed, asked["runs"]),
            "versions": versions_json(),
        }
        ensemble = open_ensemble(dumps, dt=TIME_STEP)
        for k, (product, time) in enumerate(zip(products, asked["times"], strict=True), 1):
            frame = ensemble.at(k)
            product.parent.mkdir(exist_ok=True)
            write_configuration(
                product,
                species=frame.species,
                initial=frame.initial,
                final=frame.final,
                cell=frame.cell,
                time=time,
                **about,
            )
        shutil.rmtree(folder)


def _check_whole(dump: Path, n_frames: int) -> None:
    """Remove a dump that a full disk has cut short, so that the next call runs it again."""
    try:
        trajectory = open_dump(dump, dt=TIME_STEP).trajectory
        if (found := len(trajectory)) != n_frames:
            raise ValueError(f"{dump}: {found} frames, expected {n_frames}")
        for _ in trajectory:
            pass
    except ValueError as error:
        dump.unlink()
        raise ChildProcessError(
            f"{error}; was the disk full? The file is removed: start again, and the run is made "
            "again"
        ) from error
