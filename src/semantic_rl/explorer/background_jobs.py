"""Work that takes long: done once, in a thread of its own, while whoever waits is told how far it is."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, cast

Report = Callable[[int, int], None]
"""Called with (done, total)."""
PATIENCE = 0.4
"""Seconds that a request waits before it is told how far the work is."""
MOST_KEPT = 200
"""Results that are kept of work whose keys are without number."""
MOST_AT_WORK = 8
"""Of such work that is done at the same time; beyond, whoever asks is told to ask again."""


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
        self._asked_once: OrderedDict[Hashable, _Job] = OrderedDict()
        self._lock = threading.Lock()

    def get[Result](
        self,
        key: Hashable,
        compute: Callable[[Report], Result],
        patience: float | None = PATIENCE,
        is_asked_once: bool = False,
    ) -> Result:
        """Return the result, or raise Pending if it is not there after `patience` seconds (None: however long).

        What `compute` raises is raised here, every time. `is_asked_once` is for keys without number, like selections:
        the last results are kept, and little of it is begun before the rest has ended.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                if is_asked_once:
                    self._make_room(patience)
                job = self._jobs[key] = _Job()
                if is_asked_once:
                    self._asked_once[key] = job
                threading.Thread(target=job.run, args=(compute,), name=f"explorer {key}", daemon=True).start()
        if not job.finished.wait(patience):
            raise Pending(job.progress)
        if job.error is not None:
            raise job.error
        return cast(Result, job.result)

    def _make_room(self, patience: float | None) -> None:
        """Forget the oldest results of what is asked once; raises Pending if too much of it is under way."""
        at_work = sum(not job.finished.is_set() for job in self._asked_once.values())
        if at_work >= MOST_AT_WORK and patience is not None:
            raise Pending(None)
        for key in [key for key, job in self._asked_once.items() if job.finished.is_set()]:
            if len(self._asked_once) < MOST_KEPT:
                break
            del self._asked_once[key], self._jobs[key]

    def is_ready(self, key: Hashable) -> bool:
        """Say whether the result is there."""
        job = self._jobs.get(key)
        return job is not None and job.finished.is_set() and job.error is None
