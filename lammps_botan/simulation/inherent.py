"""Inherent structures: the minima of the energy next to configurations, and to ends of runs."""

import functools
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock

from lammps_botan.files.ensemble_npz import Configuration, read_future
from lammps_botan.files.ensemble_npz_writer import write_configuration
from lammps_botan.files.lammps_data_writer import write_data_file
from lammps_botan.files.output_folder import UNFINISHED, open_output
from lammps_botan.simulation.jobs import Job, Task, run_tasks
from lammps_botan.simulation.protocol import versions_json

_HEADER = 9  # lines of a dump before its atoms


def inherent(
    configurations: Sequence[Path], output: Path, *, scheduler: str | None = None
) -> list[Path]:
    """Inherent structures of configurations and of the ends of their runs: `output`/NAME.npz.

    The files are those of `files.ensemble_npz` as they were given, with the further keys
    inherent_positions [1 + n_runs, n_particles, 3], that of the configuration first,
    inherent_energies [1 + n_runs, n_particles], and versions.

    Parameters
    ----------
    configurations : sequence of Path
        npz files of isoconfigurational runs.
    output : Path
        Folder; made if it is not there.
    scheduler : str, optional
        See `lammps_botan.simulation.jobs.run_tasks`.

    Returns
    -------
    list of Path
        The npz files.

    Raises
    ------
    ValueError
        If a file cannot be used or has no runs, two share a name, or `output` has another
        configuration of the same name.
    FileNotFoundError
        If there is no such file.
    ChildProcessError
        If LAMMPS stops with an error.
    """
    output = output.resolve()
    names = [path.stem for path in configurations]
    for path in configurations:
        if names.count(path.stem) > 1:
            raise ValueError(f"{path}: another configuration is also called {path.stem}; rename it")
    read = [read_future(path) for path in configurations]
    about = {
        path.stem: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in configurations
    }
    products = [output / f"{name}.npz" for name in names]
    with open_output(output, "inherent", {}, about):
        tasks = [
            _task(one, output / UNFINISHED / product.stem, product)
            for one, product in zip(read, products, strict=True)
            if not product.exists()
        ]
        run_tasks(tasks, "inherent", scheduler)
        shutil.rmtree(output / UNFINISHED, ignore_errors=True)
    return products


def _task(one: Configuration, folder: Path, product: Path) -> Task:
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for k, positions in enumerate([one.initial, *one.final]):
        data = folder / f"structure_{k:04d}.data"
        if not data.exists():
            title = f"{'End of run ' + str(k) if k else 'Start'} of {one.path.name}"
            write_data_file(data, positions, one.species, one.cell, title)
        jobs.append(
            Job(
                folder=folder,
                script="in.inherent",
                product=f"inherent_{k:04d}.dump",
                log=f"inherent_{k:04d}.log",
                steps=1,
                variables={
                    "data": data.name,
                    "out": f"inherent_{k:04d}.data",
                    "dump": f"inherent_{k:04d}.dump",
                },
                final=(product,),
            )
        )
    return Task(jobs=jobs, in_turn=False, finish=functools.partial(_collect, one, folder, product))


def _collect(one: Configuration, folder: Path, product: Path) -> None:
    """Turn the dumps into one npz file; called twice, do it once."""
    with FileLock(folder.with_suffix(".lock")):
        if product.exists():
            return
        positions, energies = [], []
        for k in range(1 + len(one.final)):
            rows = np.loadtxt(folder / f"inherent_{k:04d}.dump", skiprows=_HEADER)
            positions.append(rows[:, :3])
            energies.append(rows[:, 3])
        write_configuration(
            product,
            species=one.species,
            initial=one.initial,
            final=one.final,
            cell=one.cell,
            time=one.time,
            inherent_positions=np.array(positions),
            inherent_energies=np.array(energies),
            versions=versions_json(),
        )
        shutil.rmtree(folder)
