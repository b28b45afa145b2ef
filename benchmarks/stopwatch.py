"""Adds up the time that a program spends in some calls, over all of its threads."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any


class Stopwatch:
    """Adds up the time of some calls, by name, in `seconds`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._lock = Lock()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its time added to `name`."""
        self.seconds[name] = 0.0

        def call(*arguments: Any) -> Any:
            start = time.perf_counter()
            result = function(*arguments)
            taken = time.perf_counter() - start
            with self._lock:
                self.seconds[name] += taken
            return result

        return call

    def time_methods(self, owner: Any, **names: str) -> None:
        """Time methods of an object, given the figure's name by the method's."""
        for method, name in names.items():
            if hasattr(owner, method):
                setattr(owner, method, self.timed(name, getattr(owner, method)))
