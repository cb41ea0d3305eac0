"""Make the glass: equilibrated configurations, and isoconfigurational ensembles from them.

The protocol is that of Shiba et al., J. Chem. Phys. 158, 084503 (2023), sec. III,
doi:10.1063/5.0129791, in the LAMMPS scripts of inputs/. LJ units.

Everything here can be interrupted at any moment and called again with the same arguments: what is
whole is kept, what was begun goes on. Files appear under their final names when they are whole.
"""

import contextlib
import functools
import json
import shutil
import zlib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from lammps_botan.datafile import write_data_file
from lammps_botan.dataset import read_configuration, write_configuration
from lammps_botan.jobs import Job, Task, run_tasks
from lammps_botan.trajectory import read_ensemble

TIME_STEP = 0.001
WORK = "unfinished"  # folder of the runs that are under way

# Table I: lag times that the paper sampled, by temperature
PAPER_TIMES = {
    0.44: (0.13, 1.3, 13.0, 130.0, 412.0, 1300.0, 4120.0, 13000.0, 41200.0, 130000.0),
    0.50: (0.108, 0.434, 2.17, 6.86, 21.7, 68.6, 217.0, 686.0, 2170.0, 6860.0),
    0.64: (0.1, 0.165, 0.52, 1.65, 5.2, 16.5, 52.0, 165.0, 520.0),
}
# relaxation times at N/V = 1.2, sec. III
PAPER_RELAXATION_TIMES = {0.44: 4120.0, 0.50: 217.0, 0.64: 16.5}


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
        See `lammps_botan.jobs.run_tasks`.

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
        _check_positive(name, value)
    if n_particles < 10:
        raise ValueError(f"expected 10 particles or more, found {n_particles}")
    _check_seed(seed)
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
    seeds = {name: _script_seed(seed, k) for k, name in enumerate(names)}
    with _open_output(output, "equilibrate", asked, {"seeds": seeds}):
        tasks = []
        for name in names:
            folder = output / WORK / name
            if (output / f"{name}.data").exists():
                if folder.exists():  # killed before it was cleared away
                    shutil.rmtree(folder)
                continue
            stages = {
                "melt": {
                    "n": str(n_particles),
                    "density": repr(density),
                    "time": repr(melt_time),
                    "seed": str(seeds[name]),
                },
                "quench": {"temperature": repr(temperature), "time": repr(cooling_time)},
                "equilibrate": {"temperature": repr(temperature), "time": repr(time)},
            }
            folder.mkdir(parents=True, exist_ok=True)
            products = ["melt.data", "quenched.data", "equilibrated.data"]
            jobs = [
                Job(
                    folder=folder,
                    script=f"in.{stage}",
                    product=product,
                    log=f"{product}.log",
                    steps=round(float(variables["time"]) / TIME_STEP),
                    variables=variables,
                )
                for (stage, variables), product in zip(stages.items(), products, strict=True)
            ]
            finish = functools.partial(_keep_equilibrated, folder, output / f"{name}.data")
            tasks.append(Task(jobs=jobs, in_turn=True, finish=finish))
        run_tasks(tasks, "equilibrate", scheduler)
        _remove_if_empty(output / WORK)
    return [output / f"{name}.data" for name in names]


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

    The files are those of `lammps_botan.dataset`, with the keys time (the lag time of the file),
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
        See `lammps_botan.jobs.run_tasks`.

    Returns
    -------
    list of Path
        The npz files, by lag time and then by configuration.

    Raises
    ------
    ValueError
        If an argument is out of range, two configurations share a name, or `output` was begun with
        other arguments.
    FileNotFoundError
        If there is no such configuration.
    ChildProcessError
        If LAMMPS stops with an error.
    """
    _check_positive("the temperature", temperature)
    _check_positive("the number of runs", runs)
    _check_seed(seed)
    lag_times = _check_times(times)
    output = output.resolve()
    names = [path.stem for path in configurations]
    for path in configurations:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        if names.count(path.stem) > 1:
            raise ValueError(f"{path}: another configuration is also called {path.stem}; rename it")
    asked = {"temperature": temperature, "times": lag_times, "runs": runs, "seed": seed}
    products = {name: [output / f"t{t:g}" / f"{name}.npz" for t in lag_times] for name in names}
    with _open_output(output, "isoconfig", asked, {}):
        tasks = []
        for path, name in zip(configurations, names, strict=True):
            folder = output / WORK / name
            if not all(product.exists() for product in products[name]):
                tasks.append(_ensemble_task(path, folder, products[name], asked))
            elif folder.exists():  # killed before it was cleared away
                shutil.rmtree(folder)
        run_tasks(tasks, "isoconfig", scheduler)
        _remove_if_empty(output / WORK)
    return [products[name][k] for k in range(len(lag_times)) for name in names]


def _ensemble_task(
    path: Path, folder: Path, products: Sequence[Path], asked: dict[str, Any]
) -> Task:
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "initial.data"
    if path.suffix == ".npz":
        content = read_configuration(path)
        title = f"Initial configuration of {path.name}"
        write_data_file(data, content.initial, content.species, content.cell, title)
    else:
        part = data.with_name("initial.part")
        shutil.copyfile(path, part)
        part.replace(data)
    script_seed = _script_seed(asked["seed"], zlib.crc32(data.read_bytes()))
    width = len(str(asked["runs"]))
    jobs = []
    for k in range(asked["runs"]):
        run = f"{k + 1:0{width}d}"
        jobs.append(
            Job(
                folder=folder,
                script="in.isoconfig",
                product=f"run_{run}.dump",
                log=f"run_{run}.log",
                steps=round(max(asked["times"]) / TIME_STEP),
                variables={
                    "data": data.name,
                    "temperature": repr(asked["temperature"]),
                    "seed": str(script_seed),
                    "run": run,
                    "times": " ".join(f"{t:.12g}" for t in asked["times"]),
                },
            )
        )
    return Task(
        jobs=jobs,
        in_turn=False,
        finish=functools.partial(_collect, folder, products, asked, script_seed),
    )


def _collect(
    folder: Path, products: Sequence[Path], asked: dict[str, Any], script_seed: int
) -> None:
    """Turn the dumps of all runs into one npz file per lag time, and remove the folder."""
    dumps = sorted(folder.glob("run_*.dump"))
    about = {
        "times": np.array(asked["times"]),
        "temperature": asked["temperature"],
        "seed": asked["seed"],
        "seeds": velocity_seeds(script_seed, asked["runs"]),
        "versions": versions(),
    }
    ensemble = read_ensemble(dumps, dt=TIME_STEP)
    for product, time, frame in zip(products, asked["times"], ensemble, strict=True):
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


def _keep_equilibrated(folder: Path, data: Path) -> None:
    log = folder / "equilibrated.data.log"
    if log.exists():  # unless killed after this line
        log.replace(data.with_suffix(".log"))
    (folder / "equilibrated.data").replace(data)
    shutil.rmtree(folder)


def named_times(text: str, temperature: float) -> tuple[float, ...]:
    """Lag times from a list with commas or blanks, or the paper's table by the name "paper".

    Raises
    ------
    ValueError
        If a word is no number, or the paper has no table for this temperature.
    """
    if text == "paper":
        if temperature not in PAPER_TIMES:
            raise ValueError(
                f"the paper has lag times for T = 0.44, 0.50 and 0.64, none for T = {temperature}; "
                "give a list, as in 0.13,1.3,13"
            )
        return PAPER_TIMES[temperature]
    try:
        return tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(f"expected lag times as in 0.13,1.3,13, or paper, found {text}") from error


def velocity_seeds(script_seed: int, runs: int) -> np.ndarray:
    """int64 [runs]: what in.isoconfig gives to `velocity create` in each run."""
    run = np.arange(1, runs + 1, dtype=np.int64)
    return np.asarray((script_seed * 7919 + run * 15485863) % 2147483646 + 1)


def versions() -> str:
    """JSON object: the programs that make the data, and their versions."""
    names = ("lammps-botan", "lammps", "numpy", "MDAnalysis")
    return json.dumps({name: metadata.version(name) for name in names})


def _script_seed(seed: int, stream: int) -> int:
    """A seed for LAMMPS, which wants a positive int32 and correlates neighboring ones."""
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0]) % 900_000_000 + 1


def _check_positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be positive, found {value}")


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise ValueError(f"the seed must not be negative, found {seed}")


def _check_times(times: Sequence[float]) -> list[float]:
    if not times:
        raise ValueError("expected at least one lag time")
    for time in times:
        _check_positive("a lag time", time)
        if abs(time / TIME_STEP - round(time / TIME_STEP)) > 1e-6:
            raise ValueError(f"a lag time must be a multiple of the time step 0.001, found {time}")
    return sorted({float(time) for time in times})


@contextlib.contextmanager
def _open_output(
    folder: Path, name: str, asked: dict[str, Any], derived: dict[str, Any]
) -> Iterator[None]:
    """Hold the folder for one process, and check that it was begun with the same arguments."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(
            f"{folder}: another process is writing here; wait for it, or choose another folder"
        ) from error
    try:
        about = folder / f"{name}.json"
        before = json.loads(about.read_text()) if about.exists() else asked
        for key, value in asked.items():
            if before.get(key) != value:
                raise ValueError(
                    f"{folder} was begun with {key} = {before.get(key)}, now {key} = {value} is "
                    "asked for; give the former value or choose another folder"
                )
        part = about.with_suffix(".part")
        content = {**asked, **derived, "versions": json.loads(versions())}
        part.write_text(json.dumps(content, indent=1) + "\n")
        part.replace(about)
        yield
    finally:
        lock.release()


def _remove_if_empty(folder: Path) -> None:
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
