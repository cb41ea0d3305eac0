"""Equilibrated configurations: melt, quench and Nose-Hoover thermostat."""

import functools
import shutil
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from lammps_botan.files.output_folder import UNFINISHED, open_output
from lammps_botan.simulation.jobs import Job, Task, run_tasks
from lammps_botan.simulation.protocol import (
    PAPER_RELAXATION_TIMES,
    TIME_STEP,
    check_positive,
    check_seed,
    script_seed,
)

PRODUCTS = ("melt.data", "quenched.data", "equilibrated.data")


def equilibrate(
    output: Path,
    *,
    temperature: float,
    time: float | None = None,
    configurations: int = 1,
    n_particles: int = 4096,
    density: float = 1.2,
    melt_time: float = 100.0,
    cooling_time: float = 20.0,
    seed: int = 1,
    scheduler: str | None = None,
) -> list[Path]:
    """Equilibrated configurations, each from its own melt: `output`/ka-0001.data and so on.

    Beside each data file lies the log of its equilibration, and in equilibrate.json what was asked
    for, with the seed of each configuration.

    Parameters
    ----------
    output : Path
        Folder; made if it is not there.
    temperature : float
        Of the Nose-Hoover thermostat after the quench.
    time : float, optional
        How long it acts; 40 tau_alpha at the temperatures and the density of the paper.
    configurations : int
        How many; they run in parallel.
    n_particles : int
        80 % A, 20 % B.
    density : float
        N/V.
    melt_time, cooling_time : float
        Duration of the melt at T = 5 and of the ramp down from it.
    seed : int
        Another seed, other configurations.
    scheduler : str, optional
        See `lammps_botan.simulation.jobs.run_tasks`.

    Returns
    -------
    list of Path
        The data files.

    Raises
    ------
    ValueError
        If an argument is out of range, or `output` was begun with other arguments.
    ChildProcessError
        If LAMMPS stops with an error.
    """
    if time is None:
        if temperature not in PAPER_RELAXATION_TIMES or density != 1.2:
            raise ValueError(
                f"how long is 40 tau_alpha at T = {temperature} and N/V = {density}? It is known "
                "for T = 0.44, 0.50 and 0.64 at N/V = 1.2; else give the time to equilibrate"
            )
        time = 40 * PAPER_RELAXATION_TIMES[temperature]
    for name, value in (
        ("the temperature", temperature),
        ("the time to equilibrate", time),
        ("the number of configurations", configurations),
        ("the density", density),
        ("the duration of the melt", melt_time),
        ("the duration of the cooling", cooling_time),
    ):
        check_positive(name, value)
    if n_particles < 10:
        raise ValueError(f"expected 10 particles or more, found {n_particles}")
    check_seed(seed)
    output = output.resolve()
    asked = {
        "temperature": temperature,
        "time": time,
        "n_particles": n_particles,
        "density": density,
        "melt_time": melt_time,
        "cooling_time": cooling_time,
        "seed": seed,
    }
    names = [f"ka-{k + 1:04d}" for k in range(configurations)]
    seeds = {name: script_seed(seed, k) for k, name in enumerate(names)}
    variables = (
        {"n": str(n_particles), "density": repr(density), "time": repr(melt_time)},
        {"temperature": repr(temperature), "time": repr(cooling_time)},
        {"temperature": repr(temperature), "time": repr(time)},
    )
    about = {name: {"seed": seeds[name]} for name in names}
    with open_output(output, "equilibrate", asked, about):
        tasks = [
            _task(output, name, ({**variables[0], "seed": str(seeds[name])}, *variables[1:]))
            for name in names
            if not (output / f"{name}.data").exists()
        ]
        run_tasks(tasks, "equilibrate", scheduler)
        shutil.rmtree(output / UNFINISHED, ignore_errors=True)
    return [output / f"{name}.data" for name in names]


def _task(output: Path, name: str, variables: Sequence[dict[str, str]]) -> Task:
    folder, data = output / UNFINISHED / name, output / f"{name}.data"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        Job(
            folder=folder,
            script=script,
            product=product,
            log=f"{product}.log",
            steps=round(float(own["time"]) / TIME_STEP),
            variables=own,
            final=(data,),
        )
        for script, product, own in zip(
            ("in.melt", "in.quench", "in.equilibrate"), PRODUCTS, variables, strict=True
        )
    ]
    return Task(jobs=jobs, in_turn=True, finish=functools.partial(_keep, folder, data))


def _keep(folder: Path, data: Path) -> None:
    """Move the last product and its log to their final names; called twice, do it once."""
    with FileLock(folder.with_suffix(".lock")):
        if data.exists():
            return
        log = folder / f"{PRODUCTS[-1]}.log"
        if log.exists():  # unless killed after this line
            log.replace(data.with_suffix(".log"))
        (folder / PRODUCTS[-1]).replace(data)
