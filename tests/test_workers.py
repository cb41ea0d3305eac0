"""`map_in_order`: results in order, few items read ahead, and how processes end."""

import functools
import os

import pytest
from worker_tasks import make

from lammps_botan.prediction.workers import map_in_order


def test_results_are_in_order_and_each_process_makes_the_function_once():
    found = list(map_in_order(make, range(20), workers=2))
    assert [number for number, _, _ in found] == list(range(20))
    processes = {process for _, process, _ in found}
    assert os.getpid() not in processes
    for process in processes:
        done = [count for _, own, count in found if own == process]
        assert sorted(done) == list(range(1, len(done) + 1))


def test_with_one_worker_the_function_runs_in_this_process():
    assert list(map_in_order(make, [7], workers=1)) == [(7, os.getpid(), 1)]


def test_few_items_are_read_ahead():
    asked = []

    def items():
        for number in range(1000):
            asked.append(number)
            yield number

    results = map_in_order(make, items(), workers=2)
    for k in range(5):
        assert next(results)[0] == k
        # two are worked on, two wait, and the one whose result this is
        assert len(asked) == k + 5
    results.close()
    assert len(asked) < 12


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_after_the_results_of_the_items_before(workers):
    found = []
    with pytest.raises(ValueError, match="three is no number"):
        found.extend(
            r[0] for r in map_in_order(functools.partial(make, "raise"), range(9), workers)
        )

    def items():
        yield from range(2)
        raise OSError("the file ends")

    results = map_in_order(make, items(), workers)
    assert [next(results)[0], next(results)[0]] == [0, 1]
    with pytest.raises(OSError, match="the file ends"):
        next(results)


def test_a_function_that_cannot_be_made_says_why():
    with pytest.raises(ValueError, match="no such function"):
        list(map_in_order(functools.partial(make, "make"), range(9), workers=2))


def test_a_process_that_is_killed_is_an_error_and_no_hang():
    with pytest.raises(ChildProcessError, match="if memory ran out, use fewer workers"):
        list(map_in_order(functools.partial(make, "kill"), range(9), workers=2))
