"""What the processes of `map_in_order` do in its tests; in a module that they can import."""

import os
import signal


class Work:
    """What a worker does with a number, and where."""

    def __init__(self, fault: str = "") -> None:
        self._fault, self._done = fault, 0

    def __call__(self, number):
        self._done += 1
        if self._fault == "kill" and number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault == "raise" and number == 3:
            raise ValueError("three is no number")
        return number, os.getpid(), self._done


def make(fault: str = ""):
    if fault == "make":
        raise ValueError("no such function")
    return Work(fault)
