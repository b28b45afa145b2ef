"""Runs long computations once, each in its own thread, and reports their progress to the requests that wait."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, cast

from semantic_rl.progress_bar import OnProgress

PATIENCE = 0.4
"""Seconds that a request waits for a result before it is told the progress instead."""
MOST_KEPT = 200
"""Number of results that are kept for jobs with an unlimited number of possible keys."""
GIVEN_UP_AFTER = 6.0
"""Seconds after which such a job ends early if nobody has asked for it again."""
MOST_AT_WORK = 8
"""Number of such jobs that run at the same time; further requests are told to ask again."""


class Pending(Exception):
    """The result is still being computed; the page asks again."""

    def __init__(self, progress: float | None) -> None:
        super().__init__()
        self.progress = progress
        """From 0 to 1; None if unknown."""


class _GivenUp(Exception):
    """Nobody waits for the result any more."""


class _Job:
    def __init__(self, is_asked_once: bool) -> None:
        self.finished = threading.Event()
        self.is_asked_once = is_asked_once
        self.asked = time.monotonic()
        """When the result was last asked for; infinite if a caller waits for it."""
        self.progress: float | None = None
        self.result: Any = None
        self.error: Exception | None = None

    def run(self, compute: Callable[[OnProgress], Any]) -> None:
        def on_progress(done: int, total: int) -> None:
            self.progress = done / total if total else None
            if self.is_asked_once and time.monotonic() - self.asked > GIVEN_UP_AFTER:
                raise _GivenUp

        try:
            self.result = compute(on_progress)
        except Exception as error:
            self.error = error  # raised where the result is requested
        finally:
            self.finished.set()


class Jobs:
    """Results by key, each computed once."""

    def __init__(self) -> None:
        self._jobs: dict[Hashable, _Job] = {}
        self._asked_once: OrderedDict[Hashable, _Job] = OrderedDict()
        self._lock = threading.Lock()

    def get[Result](
        self,
        key: Hashable,
        compute: Callable[[OnProgress], Result],
        patience: float | None = PATIENCE,
        is_asked_once: bool = False,
    ) -> Result:
        """Return the result, or raise Pending if it is not available after `patience` seconds (None: wait for it).

        An exception of `compute` is raised here, on every call. `is_asked_once` is for unlimited numbers of keys, such
        as selections: only the latest results are kept, only a few such jobs run at a time, and one that reports
        progress ends early if it is not asked for again.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None or isinstance(job.error, _GivenUp):
                if is_asked_once:
                    self._make_room(patience)
                job = self._jobs[key] = _Job(is_asked_once)
                if is_asked_once:
                    self._asked_once[key] = job
                threading.Thread(target=job.run, args=(compute,), name=f"explorer {key}", daemon=True).start()
            job.asked = math.inf if patience is None else max(job.asked, time.monotonic())
        if not job.finished.wait(patience):
            raise Pending(job.progress)
        if isinstance(job.error, _GivenUp):  # a moment before it was asked for again
            raise Pending(None)
        if job.error is not None:
            raise job.error
        return cast(Result, job.result)

    def _make_room(self, patience: float | None) -> None:
        """Drop the oldest results of `is_asked_once` jobs; raises Pending if too many of these jobs are running."""
        at_work = sum(not job.finished.is_set() for job in self._asked_once.values())
        if at_work >= MOST_AT_WORK and patience is not None:
            raise Pending(None)
        for key in [key for key, job in self._asked_once.items() if job.finished.is_set()]:
            if len(self._asked_once) < MOST_KEPT:
                break
            del self._asked_once[key], self._jobs[key]

    def is_ready(self, key: Hashable) -> bool:
        """Say whether the result is available."""
        job = self._jobs.get(key)
        return job is not None and job.finished.is_set() and job.error is None
