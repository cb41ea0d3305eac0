"""A function over items in order, by several processes.

Each process makes the function for itself, once. Besides the item that a process works on one more
waits for it, so that it need not wait for our caller. No more items are read, so that memory does
not grow with their number.
"""

import functools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
ITEMS_EACH = 2  # one is worked on, one waits


def map_in_order(
    make: Callable[[], Callable[[Item], Result]], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Apply a function to all items, and give the results in the order of the items.

    An error in the reading of an item or in the function is raised after the results of all items
    before it.

    Parameters
    ----------
    make : function without arguments
        Returns the function to apply; `make`, items and results must be picklable.
    items : iterable
    workers : int
        Processes; with 1 the function runs in this one.

    Yields
    ------
    object
        The result for each item.

    Raises
    ------
    ChildProcessError
        If a process ends without a result.

    Examples
    --------
    >>> list(map_in_order(lambda: abs, [-1, 2, -3], workers=1))
    [1, 2, 3]
    """
    if workers == 1:
        yield from map(make(), items)
        return
    # threads of torch do not survive a fork
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(make,))
    busy: deque[Future[Result]] = deque()
    source = iter(items)
    failure: Exception | None = None
    try:
        while failure is None:
            try:
                item = next(source)
            except StopIteration:
                break
            except Exception as error:  # of an item: those before it come first
                failure = error
                break
            if len(busy) == ITEMS_EACH * workers:
                result = busy.popleft().result()
                busy.append(pool.submit(_work, item))
                yield result
            else:
                busy.append(pool.submit(_work, item))
        while busy:
            yield busy.popleft().result()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a worker process ended without a result; a script that asks for workers needs "
            'if __name__ == "__main__": around what it does; if memory ran out, use fewer workers'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
    if failure is not None:
        raise failure


_function: Callable[[], Callable[[Any], Any]]  # of a worker process


def _begin(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _function
    _function = functools.cache(make)  # made with the first item, whose error it then raises
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and ends this process
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    # the queue of the pool does not tell when the parent was killed
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(item: Any) -> Any:
    return _function()(item)
