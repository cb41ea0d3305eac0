"""Tries in a process of their own, so that a crash, a hang or a bomb is an outcome and no end."""

import contextlib
import faulthandler
import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from fault import BROKEN

MEMORY = 12 << 30  # bytes of addresses: torch alone takes 6 GB of them, hardly any in use
READY = ("", "ready")
STARTING = 120.0  # seconds that a process may take before its first try
Attempt = Callable[[int], tuple[str, str]]  # from a seed to an outcome and a text


def make_tries(
    prepare: Callable[[Path], Attempt], seeds: Iterable[int], *, seconds: float = 20.0
) -> Iterator[tuple[int, str, str]]:
    """Seed, outcome and text of each try.

    Parameters
    ----------
    prepare : callable
        Given an empty folder, returns what makes a try. It is called in the process of the tries.
    seeds : iterable of int
    seconds : float
        That a try may take.

    Raises
    ------
    RuntimeError
        If `prepare` fails.
    """
    process, pipe = _start(prepare)
    try:
        for seed in seeds:
            if not process.is_alive():
                process, pipe = _start(prepare)
            pipe.send(seed)
            outcome, text = _answer(process, pipe, seconds)
            yield seed, outcome, text
    finally:
        process.kill()
        process.join()


def _start(prepare: Callable[[Path], Attempt]) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(prepare, theirs), daemon=True)
    process.start()
    theirs.close()
    said = _answer(process, ours, STARTING)
    if said != READY:
        raise RuntimeError(f"no try can be made: {': '.join(said)}")
    return process, ours


def _answer(process: BaseProcess, pipe: Connection, seconds: float) -> tuple[str, str]:
    if not pipe.poll(seconds):
        process.kill()
        process.join()
        return BROKEN, f"hangs: no answer after {seconds:g} s"
    with contextlib.suppress(EOFError, ConnectionError):
        return pipe.recv()
    process.join()
    return BROKEN, f"crash: the process ended with {process.exitcode}"


def _work(prepare: Callable[[Path], Attempt], pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # libraries print to standard output and error past Python
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    if "RELIABILITY_LOUD" not in os.environ:
        os.dup2(quiet, 2)
    faulthandler.enable(sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            attempt = prepare(Path(folder))
        except Exception as error:
            pipe.send((BROKEN, f"{type(error).__name__}: {error}"))
            raise
        pipe.send(READY)
        while True:
            try:
                seed = pipe.recv()
            except EOFError:
                return
            try:
                pipe.send(attempt(seed))
            except Exception as error:
                pipe.send((BROKEN, f"traceback: {type(error).__name__}: {error}"[:500]))
