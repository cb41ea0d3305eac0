"""Isoconfigurational ensembles: runs that differ in their initial velocities only."""

import functools
import operator
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from lammps_botan.files.ensemble import read_start
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.output_folder import UNFINISHED, add_to_note, open_output, remove_unfinished
from lammps_botan.files.sha256 import sha256_of
from lammps_botan.files.trajectory import open_dump
from lammps_botan.files.whole_file import keep_apart
from lammps_botan.simulation.jobs import Job, Task, run_tasks
from lammps_botan.simulation.liquid import INPUT, Liquid
from lammps_botan.simulation.protocol import (
    check_positive,
    check_seed,
    check_times,
    check_timestep,
    named_times,
    script_seed,
    velocity_seeds,
    versions_json,
)
from lammps_botan.simulation.starts import (
    check_names,
    composition,
    read_starts,
    write_start,
)
from lammps_botan.simulation.thermo import read_thermo
from lammps_botan.structure.box import Floats
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture


def isoconfig(
    configurations: Sequence[Path],
    output: Path,
    *,
    temperature: float,
    times: Sequence[float] | str,
    mixture: Mixture | str | Path | None = None,
    runs: int = 32,
    seed: int = 1,
    timestep: float | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> list[Path]:
    """Run isoconfigurational ensembles: `output`/tTIME/NAME.npz by lag time and configuration.

    The files are those of `files.ensemble_npz`, with the keys time (the lag time of the file),
    times (all lag times of the runs), temperature, mixture, seed, seeds [runs] (of the velocities
    in LAMMPS), timestep, density, potential_energy (per particle, at the start) and versions.

    Parameters
    ----------
    configurations : sequence of Path
        LAMMPS data files, or npz files, whose initial positions are taken.
    output : Path
        Folder; made if it is not there.
    temperature : float
        Temperature of the Maxwell-Boltzmann velocities, temperature unit of the mixture.
    times : sequence of float, or str
        Lag times, multiples of the time step; or as text, see `simulation.named_times`.
    mixture : Mixture, str or Path, optional
        Its name, or its TOML file; see `simulation.starts.of_one_liquid`.
    runs : int
        Runs of each configuration.
    seed : int
        Another seed gives other velocities. The same seed gives each configuration the same
        velocities again, whatever the other configurations are.
    timestep : float, optional
        Default: that of the mixture.
    scheduler, workers : str and int, optional
        See `lammps_botan.simulation.jobs.run_tasks`.

    Returns
    -------
    list of Path
        The npz files, by lag time and then by configuration.

    Raises
    ------
    ValueError
        If an argument is out of range, a configuration is not of the mixture, two configurations
        share a name, or `output` was begun with other arguments or another configuration of the
        same name.
    FileNotFoundError
        If there is no such configuration.
    ChildProcessError
        If LAMMPS stops with an error.

    Examples
    --------
    >>> paths = isoconfig(  # doctest: +SKIP
    ...     [Path("glass/ka-0001.data")], Path("ensembles"), temperature=0.64, times=[1.65, 16.5]
    ... )
    """
    # LAMMPS and JSON know no numbers of NumPy
    temperature, runs, seed = float(temperature), operator.index(runs), operator.index(seed)
    check_positive("the temperature", temperature)
    check_positive("the number of runs", runs)
    check_seed(seed)
    check_names(configurations)
    starts, liquid = read_starts(configurations, mixture)
    timestep = check_timestep(timestep, liquid.interactions.timestep)
    if isinstance(times, str):
        times = named_times(times, liquid.mixture, temperature)
    lag_times = check_times(times, timestep)
    output = output.resolve()
    names = [path.stem for path in configurations]
    asked = {
        "temperature": temperature,
        "times": lag_times,
        "runs": runs,
        "seed": seed,
        "timestep": timestep,
    }
    about = {path.stem: {"sha256": sha256_of(path)} for path in configurations}
    products = {
        name: tuple(output / f"t{t:.12g}" / f"{name}.npz" for t in lag_times) for name in names
    }
    keep_apart([path for each in products.values() for path in each], configurations)
    with open_output(output, "isoconfig", asked | liquid.identity(), about):
        tasks = [
            _task(
                _Runs(
                    start=replace(start, temperature=temperature),
                    liquid=liquid,
                    folder=output / UNFINISHED / "isoconfig" / path.stem,
                    products=products[path.stem],
                    times=lag_times,
                    runs=runs,
                    seed=seed,
                    timestep=timestep,
                )
            )
            for path, start in zip(configurations, starts, strict=True)
            if not all(product.exists() for product in products[path.stem])
        ]
        run_tasks(tasks, "isoconfig", scheduler, workers)
        add_to_note(output, "isoconfig", {name: _measured(products[name][0]) for name in names})
        remove_unfinished(output, "isoconfig", names)
    return [products[name][k] for k in range(len(lag_times)) for name in names]


@dataclass(frozen=True)
class _Runs:
    """The runs of one configuration, and the files that hold them."""

    start: Configuration
    liquid: Liquid
    folder: Path
    products: tuple[Path, ...]
    times: list[float]
    runs: int
    seed: int
    timestep: float

    @property
    def numbers(self) -> list[str]:
        """Names of the runs: 01 to 32."""
        width = len(str(self.runs))
        return [f"{k + 1:0{width}d}" for k in range(self.runs)]

    def script_seed(self) -> int:
        return script_seed(self.seed, zlib.crc32((self.folder / "initial.data").read_bytes()))


def _task(own: _Runs) -> Task:
    own.folder.mkdir(parents=True, exist_ok=True)
    own.liquid.write(own.folder)
    data = own.folder / "initial.data"
    if not data.exists():
        write_start(data, own.start, f"Start of {own.products[0].stem}")
    variables = {
        "mixture": INPUT,
        "timestep": repr(own.timestep),
        "data": data.name,
        "temperature": repr(own.start.temperature),
        "seed": str(own.script_seed()),
        "times": " ".join(f"{t:.12g}" for t in own.times),
    }
    jobs = [
        Job(
            folder=own.folder,
            script="in.isoconfig",
            product=f"run_{run}.dump",
            log=f"run_{run}.log",
            steps=round(max(own.times) / own.timestep),
            variables=variables | {"run": run},
            final=own.products,
        )
        for run in own.numbers
    ]
    return Task(jobs=jobs, in_turn=False, finish=functools.partial(_collect, own))


def _collect(own: _Runs) -> None:
    """Turn the dumps of all runs into an npz file for each lag time; a second call does nothing."""
    with FileLock(own.folder.with_suffix(".lock")):
        if all(product.exists() for product in own.products):
            return
        dumps = [own.folder / f"run_{run}.dump" for run in own.numbers]
        runs = [_open_whole(dump, len(own.times) + 1, own.timestep) for dump in dumps]
        start = _as_lammps_read(own.start, _positions(runs[0], 0))
        energy = read_thermo(own.folder / f"run_{own.numbers[0]}.log")["PotEng"][0]
        about: dict[str, Any] = {
            "times": np.array(own.times),
            "seed": own.seed,
            "seeds": velocity_seeds(own.script_seed(), own.runs),
            "timestep": own.timestep,
            "density": start.density,
            "potential_energy": energy,
            "versions": versions_json(),
        }
        for k, (product, time) in enumerate(zip(own.products, own.times, strict=True), 1):
            product.parent.mkdir(exist_ok=True)
            final = np.array([_positions(run, k) for run in runs])
            write_ensemble(product, Ensemble(start, final, lag_time=time), **about)
        shutil.rmtree(own.folder)


def _open_whole(dump: Path, n_frames: int, timestep: float) -> Any:
    """Open the trajectory of a dump; a dump that a full disk has cut short is removed."""
    try:
        trajectory = open_dump(dump, dt=timestep).trajectory
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
    return trajectory


def _positions(trajectory: Any, frame: int) -> Floats:
    """float64 [n_particles, 3], in the order of the atom IDs."""
    return np.array(trajectory[frame].positions, dtype=np.float64)


def _as_lammps_read(start: Configuration, positions: Floats) -> Configuration:
    """The start in the order of the atom IDs, with the positions [n_particles, 3] of the dump."""
    ordered = start.select(np.argsort(start.ids))
    return replace(ordered, positions=positions)


def _measured(product: Path) -> dict[str, Any]:
    """Quantities of a configuration for the note, to compare with the mixture."""
    start = read_start(product)
    with np.load(product, allow_pickle=False) as archive:
        energy = float(archive["potential_energy"])
    return {
        "composition": composition(start),
        "density": start.density,
        "potential_energy": energy,
    }
