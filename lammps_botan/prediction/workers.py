"""A function over items in order, by several processes.

Each process makes the function for itself, once. An item is read only when a process is free for
it, so that memory does not grow with the number of items.
"""

import contextlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    make: Callable[[], Callable[[Item], Result]], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """The results for all items, in their order.

    An error while an item is read or worked on is raised after the results of all items before.

    Parameters
    ----------
    make : function without arguments
        Returns the function to apply; `make`, items and results must be picklable.
    items : iterable
    workers : int
        Processes; with 1 the function runs in this one.

    Raises
    ------
    ChildProcessError
        If a process ends without a result.
    """
    if workers == 1:
        yield from map(make(), items)
        return
    with contextlib.ExitStack() as stack:
        team = deque(stack.enter_context(_Worker(make)) for _ in range(workers))
        busy: deque[_Worker[Item, Result]] = deque()
        source = iter(items)
        failure: Exception | None = None
        while failure is None:
            try:
                item = next(source)
            except StopIteration:
                break
            except Exception as error:  # of an item: those before it come first
                failure = error
                break
            if team:
                worker = team.popleft()
                worker.send(item)
                busy.append(worker)
            else:
                worker = busy.popleft()
                result = worker.receive()
                worker.send(item)  # before the result is used, so that it need not wait for that
                busy.append(worker)
                yield result
        while busy:
            yield busy.popleft().receive()
        if failure is not None:
            raise failure


class _Worker(Generic[Item, Result]):
    """A process, and this end of the pipe to it; killed when the context ends."""

    def __init__(self, make: Callable[[], Callable[[Item], Result]]) -> None:
        context = multiprocessing.get_context("spawn")  # threads of torch do not survive a fork
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self._process.start()
        theirs.close()  # so that reading fails when the process has gone

    def __enter__(self) -> "_Worker[Item, Result]":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def send(self, item: Item) -> None:
        with contextlib.suppress(BrokenPipeError):  # receive tells
            self._pipe.send(item)

    def receive(self) -> Result:
        try:
            result, error = self._pipe.recv()
        except (EOFError, ConnectionResetError) as gone:
            self._process.join()
            raise ChildProcessError(
                f"a worker process ended with code {self._process.exitcode}; if memory ran out, "
                "use fewer workers"
            ) from gone
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]


def _serve(pipe: Connection, make: Callable[[], Callable[[Any], Any]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and ends this process
    work: Callable[[Any], Any] | None = None
    answer: tuple[Any, Exception | None]
    with contextlib.suppress(EOFError, OSError):  # the parent has gone
        while True:
            item = pipe.recv()
            try:
                work = work or make()
                answer = (work(item), None)
            except Exception as error:
                answer = (None, error)
            pipe.send(answer)
