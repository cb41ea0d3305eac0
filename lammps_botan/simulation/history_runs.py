"""Runs for the histories of one configuration and of the ends of its runs."""

import functools
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.history_arrays import COPIES
from lammps_botan.simulation.dump_rows import read_dump_rows
from lammps_botan.simulation.further_keys import read_further_keys
from lammps_botan.simulation.jobs import Job, Task
from lammps_botan.simulation.liquid import INPUT, Liquid
from lammps_botan.simulation.protocol import script_seed, velocity_seeds, versions_json
from lammps_botan.simulation.starts import write_start
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.ensemble import Ensemble

_COLUMNS = 5  # of the dump of a run: mean displacement, mean squared displacement, mean energy


@dataclass(frozen=True)
class HistoryRuns:
    """The runs from one configuration and the ends of its runs, and the file of their histories.

    Attributes
    ----------
    ensemble : Ensemble
        Its configuration says its temperature.
    liquid : Liquid
    folder : Path
        Folder of the runs.
    product : Path
        The npz file.
    window, interval : float
        t_w, and the time from one sample to the next; time unit.
    samples : int
        Samples in a window.
    velocities, ends, copies : int
        As for `lammps_botan.simulation.history.history`.
    timestep : float
    seed : int
    """

    ensemble: Ensemble
    liquid: Liquid
    folder: Path
    product: Path
    window: float
    interval: float
    samples: int
    velocities: int
    ends: int
    copies: int
    timestep: float
    seed: int

    @property
    def structures(self) -> list[Floats]:
        """Positions [n_particles, 3] of each structure."""
        start = self.ensemble.configuration
        return [start.positions, *self.ensemble.final[: self.ends]]

    def velocity_seeds(self) -> Ints:
        """Give the seeds of the velocities, int64 [n_structures, n_velocities].

        They differ from those of isoconfigurational runs, which a model is to predict.
        """
        of_script = script_seed(self.seed, int(self.ensemble.configuration.sha256[:8], 16))
        n = len(self.structures)
        return velocity_seeds(of_script, n * self.velocities).reshape(n, self.velocities)

    def dump(self, structure: int, velocity: int) -> str:
        """Name the file that a run writes; that of its copies ends in .copies."""
        return f"history_{structure:04d}_{velocity:02d}.dump"

    def read_averages(self, structure: int, velocity: int) -> Floats:
        """Rows [n_particles, 5] of a run."""
        dump = self.folder / self.dump(structure, velocity)
        return read_dump_rows(dump, self.ensemble.configuration.n_particles, _COLUMNS)

    def read_copies(self, structure: int, velocity: int) -> Floats:
        """Positions [n_copies, n_particles, 3] in a run."""
        n = self.ensemble.configuration.n_particles
        name = self.dump(structure, velocity)
        try:
            moved = read_dump_rows(self.folder / f"{name}.copies", self.copies * n, 3, header=0)
        except ChildProcessError:
            (self.folder / name).unlink()  # the run is made again where it is missing
            raise
        return np.asarray(self.structures[structure] + moved.reshape(self.copies, n, 3))


def make_task(own: HistoryRuns) -> Task:
    """Make the jobs of the runs, and the function that makes one file of their products."""
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
                    "copies": str(own.copies),
                    "out": own.dump(k, v),
                },
                final=(own.product,),
            )
            for v in range(own.velocities)
        ]
    return Task(jobs=jobs, in_turn=False, finish=functools.partial(_collect, own))


def _collect(own: HistoryRuns) -> None:
    """Turn the dumps of all runs into one npz file; a second call does nothing."""
    with FileLock(own.folder.with_suffix(".lock")):
        if own.product.exists():
            return
        runs = [[(k, v) for v in range(own.velocities)] for k in range(len(own.structures))]
        rows = np.array([[own.read_averages(*run) for run in several] for several in runs])
        displacement, squared, energy = rows[..., :3], rows[..., 3], rows[..., 4]
        # <|d|^2> - |<d>|^2: in double precision only rounding makes it negative
        variance = np.maximum(squared - (displacement**2).sum(axis=-1), 0.0)
        further = read_further_keys(own.ensemble.path)
        further.pop(COPIES, None)  # of former histories
        about: dict[str, Any] = further | {
            "history_window": own.window,
            "history_interval": own.interval,
            "history_displacement": displacement.astype(np.float32),
            "history_variance": variance.astype(np.float32),
            "history_energy": energy.astype(np.float32),
            "history_seeds": own.velocity_seeds(),
            "versions": versions_json(),
        }
        if own.copies:
            copies = [[own.read_copies(*run) for run in several] for several in runs]
            about[COPIES] = np.array(copies, dtype=np.float32)
        write_ensemble(own.product, own.ensemble, **about)
        shutil.rmtree(own.folder)
