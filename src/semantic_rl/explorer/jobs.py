"""Work that takes long: done once, in a thread of its own, while whoever waits is told how far it is."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, cast

Report = Callable[[int, int], None]
"""Called with (done, total)."""
PATIENCE = 0.4
"""Seconds that a request waits before it is told how far the work is."""


class Pending(Exception):
    """The work is under way; the page asks again."""

    def __init__(self, progress: float | None) -> None:
        super().__init__()
        self.progress = progress
        """From 0 to 1; None where it is not known."""


class _Job:
    def __init__(self) -> None:
        self.finished = threading.Event()
        self.progress: float | None = None
        self.result: Any = None
        self.error: Exception | None = None

    def run(self, compute: Callable[[Report], Any]) -> None:
        def report(done: int, total: int) -> None:
            self.progress = done / total if total else None

        try:
            self.result = compute(report)
        except Exception as error:
            self.error = error  # raised where the result is asked for
        finally:
            self.finished.set()


class Jobs:
    """Results by key, each computed once."""

    def __init__(self) -> None:
        self._jobs: dict[Hashable, _Job] = {}
        self._lock = threading.Lock()

    def get[Result](
        self, key: Hashable, compute: Callable[[Report], Result], patience: float | None = PATIENCE
    ) -> Result:
        """Return the result, or raise Pending if it is not there after `patience` seconds (None: however long).

        What `compute` raises is raised here, every time.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = _Job()
                threading.Thread(target=job.run, args=(compute,), name=f"explorer {key}", daemon=True).start()
        if not job.finished.wait(patience):
            raise Pending(job.progress)
        if job.error is not None:
            raise job.error
        return cast(Result, job.result)

    def is_ready(self, key: Hashable) -> bool:
        """Say whether the result is there."""
        job = self._jobs.get(key)
        return job is not None and job.finished.is_set() and job.error is None
