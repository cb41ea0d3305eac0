"""Ctrl-C and SIGTERM, which end a training between two steps."""

import os
import signal
import threading
from types import FrameType
from typing import Any, Self

from lightning.pytorch import Callback


class InterruptionError(Exception):
    """The training was asked to end; its best weights are in its files."""


class Interruption(Callback):
    """End a training between two steps when a signal asks for it.

    An exception of a signal handler at any place of the training could leave a lock of another
    thread taken, and the process would wait without end. A second signal ends the process at once.
    Signals belong to the main thread: in another thread this does nothing.

    Examples
    --------
    >>> with Interruption() as interruption:
    ...     interruption.on_train_batch_end()
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                    self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _ask(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            os._exit(128 + number)  # files are whole, or not there
        self._asked = True

    def on_train_batch_end(self, *_: object) -> None:
        """End the training after a step."""
        self._stop()

    def on_validation_batch_end(self, *_: object) -> None:
        """End the training after the validation of a configuration."""
        self._stop()

    def _stop(self) -> None:
        if self._asked:
            raise InterruptionError
