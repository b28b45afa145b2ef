"""Handles SIGINT and SIGTERM so that a run can save its state before it exits."""

import signal
from types import FrameType
from typing import Any, Self


class Interrupted(Exception):
    """The run was asked to stop."""


class StopSignals:
    """Context in which the first SIGINT or SIGTERM is only noted; a second one has its usual effect."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
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

    @property
    def exit_code(self) -> int:
        """Return the exit code by the shell's convention: 128 + the signal's number."""
        return 128 + (self.received or 0)
