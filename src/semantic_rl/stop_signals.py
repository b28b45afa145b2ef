"""Handles SIGINT and SIGTERM so that a run can save its state before it exits."""

import signal
import sys
import threading
from types import FrameType
from typing import Any, Self


class Interrupted(Exception):
    """The run was asked to stop."""


class StopSignals:
    """Context in which the first SIGINT or SIGTERM is only noted; a second one has its usual effect.

    Signals reach a process's main thread alone, so in another one nothing changes.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        for number in (signal.SIGINT, signal.SIGTERM) if is_main else ():
            self._previous[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore()

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self.received = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def stop(self) -> None:
        """Do now what a signal that has come usually does: raise KeyboardInterrupt, or exit with its code."""
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is not None:
            sys.exit(self.exit_code)

    @property
    def exit_code(self) -> int:
        """Return the exit code by the shell's convention: 128 + the signal's number."""
        return 128 + (self.received or 0)
