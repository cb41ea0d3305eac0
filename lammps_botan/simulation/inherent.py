"""Inherent structures: minima of the energy next to configurations, and to ends of runs."""

import functools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.output_folder import (
    UNFINISHED,
    add_to_note,
    check_products,
    open_output,
    remove_unfinished,
)
from lammps_botan.files.sha256 import sha256_of
from lammps_botan.files.whole_file import keep_apart
from lammps_botan.simulation.dump_rows import read_dump_rows
from lammps_botan.simulation.further_keys import read_further_keys
from lammps_botan.simulation.jobs import Job, Task, run_tasks
from lammps_botan.simulation.liquid import INPUT, Liquid, open_liquid
from lammps_botan.simulation.protocol import versions_json
from lammps_botan.simulation.starts import (
    check_names,
    composition,
    of_one_liquid,
    write_start,
)
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import Mixture

_COLUMNS = 4  # of the dump of a minimum: position and energy


def inherent(
    configurations: Sequence[Path],
    output: Path,
    *,
    mixture: Mixture | str | Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> list[Path]:
    """Find inherent structures of configurations and of ends of their runs: `output`/NAME.npz.

    The files hold the content of the given files, with the further keys inherent_positions [1 +
    n_runs, n_particles, 3], that of the configuration first, inherent_energies [1 + n_runs,
    n_particles], and versions.

    Parameters
    ----------
    configurations : sequence of Path
        npz files of isoconfigurational runs.
    output : Path
        Folder; made if it is not there.
    mixture : Mixture, str or Path, optional
        Its name, or its TOML file; see `simulation.starts.of_one_liquid`.
    scheduler, workers : str and int, optional
        See `lammps_botan.simulation.jobs.run_tasks`.

    Returns
    -------
    list of Path
        The npz files.

    Raises
    ------
    ValueError
        If a file cannot be used, has no runs or is not of the mixture, two share a name, or
        `output` has another configuration of the same name.
    FileNotFoundError
        If there is no such file.
    ChildProcessError
        If LAMMPS stops with an error.

    Examples
    --------
    >>> paths = inherent(  # doctest: +SKIP
    ...     [Path("ensembles/t16.5/ka-0001.npz")], Path("inherent")
    ... )
    """
    check_names(configurations)
    liquid = None if mixture is None else open_liquid(mixture)
    known = None if liquid is None else liquid.mixture
    ensembles = [read_ensemble(path, mixture=known) for path in configurations]
    starts, liquid = of_one_liquid([each.configuration for each in ensembles], liquid)
    output = output.resolve()
    about = {path.stem: {"sha256": sha256_of(path)} for path in configurations}
    products = [output / f"{path.stem}.npz" for path in configurations]
    keep_apart(products, configurations)
    check_products(output, "inherent", products)
    with open_output(output, "inherent", liquid.identity(), about):
        tasks = [
            _task(
                _Minima(
                    ensemble=replace(ensemble, configuration=start),
                    liquid=liquid,
                    folder=output / UNFINISHED / "inherent" / product.stem,
                    product=product,
                )
            )
            for ensemble, start, product in zip(ensembles, starts, products, strict=True)
            if not product.exists()
        ]
        run_tasks(tasks, "inherent", scheduler, workers)
        add_to_note(output, "inherent", {path.stem: _measured(path) for path in products})
        remove_unfinished(output, "inherent", [path.stem for path in products])
    return products


@dataclass(frozen=True)
class _Minima:
    """The minima of one configuration and of the ends of its runs, and the file that holds them."""

    ensemble: Ensemble
    liquid: Liquid
    folder: Path
    product: Path


def _task(own: _Minima) -> Task:
    own.folder.mkdir(parents=True, exist_ok=True)
    own.liquid.write(own.folder)
    start, name = own.ensemble.configuration, own.ensemble.path.name
    jobs = []
    for k, positions in enumerate([start.positions, *own.ensemble.final]):
        data = own.folder / f"structure_{k:04d}.data"
        if not data.exists():
            title = f"{'End of run ' + str(k) if k else 'Start'} of {name}"
            write_start(data, replace(start, positions=positions), title)
        jobs.append(
            Job(
                folder=own.folder,
                script="in.inherent",
                product=f"inherent_{k:04d}.dump",
                log=f"inherent_{k:04d}.log",
                steps=1,
                variables={
                    "mixture": INPUT,
                    "data": data.name,
                    "out": f"inherent_{k:04d}.data",
                    "dump": f"inherent_{k:04d}.dump",
                },
                final=(own.product,),
            )
        )
    return Task(jobs=jobs, in_turn=False, finish=functools.partial(_collect, own))


def _collect(own: _Minima) -> None:
    """Turn the dumps into one npz file; a second call does nothing."""
    with FileLock(own.folder.with_suffix(".lock")):
        if own.product.exists():
            return
        count = 1 + own.ensemble.n_runs
        dumps = [own.folder / f"inherent_{k:04d}.dump" for k in range(count)]
        n = own.ensemble.configuration.n_particles
        rows = np.array([read_dump_rows(dump, n, _COLUMNS) for dump in dumps])
        positions, energies = rows[:, :, :3], rows[:, :, 3]
        start = replace(
            own.ensemble.configuration,
            inherent_positions=positions[0],
            inherent_energies=energies[0],
        )
        about: dict[str, Any] = read_further_keys(own.ensemble.path) | {
            "inherent_positions": positions,
            "inherent_energies": energies,
            "versions": versions_json(),
        }
        write_ensemble(own.product, replace(own.ensemble, configuration=start), **about)
        shutil.rmtree(own.folder)


def _measured(product: Path) -> dict[str, Any]:
    """Quantities of a configuration for the note, to compare with the mixture."""
    start = read_start(product)
    assert start.inherent_energies is not None
    return {
        "composition": composition(start),
        "density": start.density,
        "inherent_energy": float(start.inherent_energies.mean()),
    }
