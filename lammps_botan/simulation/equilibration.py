"""Equilibrated configurations: melt, quench and Nose-Hoover thermostat."""

import functools
import operator
import os
from pathlib import Path
from typing import Any

from filelock import FileLock

from lammps_botan.files.ensemble import read_start
from lammps_botan.files.output_folder import UNFINISHED, add_to_note, open_output, remove_unfinished
from lammps_botan.simulation.jobs import Job, Task, run_tasks
from lammps_botan.simulation.liquid import INPUT, Liquid, open_liquid
from lammps_botan.simulation.protocol import (
    check_positive,
    check_seed,
    check_timestep,
    relaxation_time,
    script_seed,
)
from lammps_botan.simulation.starts import composition
from lammps_botan.simulation.thermo import read_thermo
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

PRODUCTS = ("melt.data", "quenched.data", "equilibrated.data")
RELAXATION_TIMES = 40  # how many of them an equilibration lasts


def equilibrate(
    output: Path,
    *,
    temperature: float,
    time: float | None = None,
    mixture: Mixture | str | Path = KOB_ANDERSEN,
    configurations: int = 1,
    n_particles: int = 4096,
    density: float | None = None,
    melt_time: float | None = None,
    cooling_time: float | None = None,
    spacing: float | None = None,
    timestep: float | None = None,
    seed: int = 1,
    scheduler: str | None = None,
    workers: int | None = None,
) -> list[Path]:
    """Make equilibrated configurations: `output`/ka-0001.data and so on.

    Each configuration comes from a melt of its own, or all come from one liquid, one after the
    other. The log of its equilibration lies beside each data file. equilibrate.json records the
    arguments, and the seed, composition, density and potential energy per particle of each
    configuration.

    Parameters
    ----------
    output : Path
        Folder; made if it is not there.
    temperature : float
        Temperature of the Nose-Hoover thermostat after the quench, temperature unit of the mixture.
    time : float, optional
        Duration of the thermostat, time unit. Default: 40 tau_alpha where the mixture says it.
    mixture : Mixture, str or Path
        With its interactions; or its name, or its TOML file.
    configurations : int
        Number of configurations; those with a melt of their own run in parallel.
    n_particles : int
        Particles of all species together.
    density : float, optional
        Particles per volume, or per area in two dimensions. Default: that of the mixture.
    melt_time, cooling_time : float, optional
        Duration of the melt, and of the ramp down from it, time unit. Default: those of the
        mixture.
    spacing : float, optional
        Time from one configuration to the next of one equilibration, which stays at the
        temperature; take several tau_alpha. Default: each configuration has a melt of its own.
    timestep : float, optional
        Time step of the equilibration. Default: that of the mixture, which the melt always has.
    seed : int
        Another seed gives other configurations.
    scheduler, workers : str and int, optional
        See `lammps_botan.simulation.jobs.run_tasks`.

    Returns
    -------
    list of Path
        The data files.

    Raises
    ------
    ValueError
        If an argument is out of range, the mixture lacks a value that is not given, or `output` was
        begun with other arguments.
    FileNotFoundError
        If the file of the mixture, or one that its interactions need, is not there.
    ChildProcessError
        If LAMMPS stops with an error.

    Examples
    --------
    >>> paths = equilibrate(Path("glass"), temperature=0.64)  # doctest: +SKIP
    """
    liquid = open_liquid(mixture)
    asked = _asked(liquid, temperature, time, density, melt_time, cooling_time)
    for name, value in asked.items():
        check_positive(f"the {name.replace('_', ' ')}", value)
    check_positive("the number of configurations", configurations)
    if spacing is not None:
        spacing = float(spacing)
        check_positive("the spacing", spacing)
    n_particles, seed = operator.index(n_particles), operator.index(seed)
    timestep = check_timestep(timestep, liquid.interactions.timestep)
    check_seed(seed)
    _check_number(liquid.mixture, n_particles)
    output = output.resolve()
    prefix = _prefix(liquid)
    names = [f"{prefix}-{k + 1:04d}" for k in range(configurations)]
    melts = [0 if spacing else k for k in range(configurations)]
    about = {name: {"seed": script_seed(seed, k)} for name, k in zip(names, melts, strict=True)}
    note = {
        **asked,
        "n_particles": n_particles,
        "seed": seed,
        "spacing": spacing,
        "timestep": timestep,
        **liquid.identity(),
    }
    paths = [output / f"{name}.data" for name in names]
    with open_output(output, "equilibrate", note, about):
        tasks = [
            _task(liquid, path, note | about[path.stem], paths[k - 1] if spacing and k else None)
            for k, path in enumerate(paths)
            if not path.exists()
        ]
        run_tasks(tasks, "equilibrate", scheduler, workers)
        add_to_note(output, "equilibrate", {p.stem: _measured(p, liquid.mixture) for p in paths})
        remove_unfinished(output, "equilibrate", names)
    return paths


def _asked(
    liquid: Liquid,
    temperature: float,
    time: float | None,
    density: float | None,
    melt_time: float | None,
    cooling_time: float | None,
) -> dict[str, float]:
    """State and durations; the mixture gives those that are not given."""
    mixture, own = liquid.mixture, liquid.interactions
    density = mixture.density if density is None else density
    if density is None:
        raise ValueError(f"{mixture.name} has no density; give the density (--density)")
    if time is None:
        tau = relaxation_time(mixture, temperature, density)
        if tau is None:
            some = ", ".join(f"{float(t):g}" for t in mixture.relaxation_times) or "no temperature"
            raise ValueError(
                f"how long is {RELAXATION_TIMES} tau_alpha of {mixture.name} at T = {temperature} "
                f"and the density {density}? It is known for T = {some} at the density "
                f"{mixture.density}; else give the time to equilibrate (--time)"
            )
        time = RELAXATION_TIMES * tau
    asked = {
        "temperature": temperature,
        "time": time,
        "density": density,
        "melt_time": own.melt_time if melt_time is None else melt_time,
        "cooling_time": own.cooling_time if cooling_time is None else cooling_time,
    }
    # LAMMPS and JSON know no numbers of NumPy
    return {name: float(value) for name, value in asked.items()}


def _prefix(liquid: Liquid) -> str:
    prefix = liquid.interactions.prefix or liquid.mixture.name.replace("/", "-")
    if "/" in prefix or len(prefix.split()) != 1 or set(prefix) & set("\"'$&#"):
        raise ValueError(
            f"interactions.prefix of {liquid.mixture.name}: expected the first part of names of "
            f"files, without blanks and without / \" ' $ & #, found '{prefix}'"
        )
    return prefix


def _check_number(mixture: Mixture, n_particles: int) -> None:
    if n_particles < 10:
        raise ValueError(f"expected 10 particles or more, found {n_particles}")
    for name, count in zip(mixture.species, mixture.counts(n_particles), strict=True):
        if count == 0:
            raise ValueError(f"{n_particles} particles of {mixture.name} hold no {name}; take more")


def _task(liquid: Liquid, data: Path, asked: dict[str, Any], earlier: Path | None) -> Task:
    """One configuration, from its melt or from an earlier configuration of the same liquid."""
    folder = data.parent / UNFINISHED / "equilibrate" / data.stem
    folder.mkdir(parents=True, exist_ok=True)
    liquid.write(folder)
    own = liquid.interactions.timestep
    at = {"temperature": repr(asked["temperature"])}
    melt = {"n": str(asked["n_particles"]), "density": repr(asked["density"])}
    begin = [
        ("in.melt", PRODUCTS[0], asked["melt_time"], own, melt | {"seed": str(asked["seed"])}),
        ("in.quench", PRODUCTS[1], asked["cooling_time"], own, at),
    ]
    stay = {**at, "timestep": repr(asked["timestep"])}
    if earlier is not None:
        begin, stay = [], stay | {"data": os.path.relpath(earlier, folder)}
    time = asked["time"] if earlier is None else asked["spacing"]
    jobs = [
        Job(
            folder=folder,
            script=script,
            product=product,
            log=f"{product}.log",
            steps=round(time / timestep),
            variables={"mixture": INPUT, "time": repr(time), **variables},
            final=(data,),
        )
        for script, product, time, timestep, variables in (
            *begin,
            ("in.equilibrate", PRODUCTS[2], time, asked["timestep"], stay),
        )
    ]
    return Task(
        jobs=jobs,
        in_turn=True,
        finish=functools.partial(_keep, folder, data),
        follows=earlier is not None,
    )


def _keep(folder: Path, data: Path) -> None:
    """Move the last product and its log to their final names; a second call does nothing."""
    with FileLock(folder.with_suffix(".lock")):
        if data.exists():
            return
        log = folder / f"{PRODUCTS[-1]}.log"
        if log.exists():  # unless killed after this line
            log.replace(data.with_suffix(".log"))
        (folder / PRODUCTS[-1]).replace(data)


def _measured(data: Path, mixture: Mixture) -> dict[str, Any]:
    """Quantities of a configuration for the note, to compare with the mixture."""
    start = read_start(data, mixture=mixture)
    return {
        "composition": composition(start),
        "density": start.density,
        "potential_energy": float(read_thermo(data.with_suffix(".log"))["PotEng"][-1]),
    }
