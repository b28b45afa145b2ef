"""Supervises many runs: starts them when there is room and restarts those that died; a failure stops no other run."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from semantic_rl.folder_lock import read_holder
from semantic_rl.reproduce.job import Job
from semantic_rl.reproduce.worker import Ending
from semantic_rl.stop_signals import StopSignals

DEATHS_WITHOUT_PROGRESS = 3
"""Number of deaths without a new checkpoint in between after which a run counts as failed."""
SECONDS_BETWEEN_LOOKS = 0.25

State = Literal["waiting", "starting", "training", "finished", "stopped", "failed"]


class Machines(Protocol):
    """The machines that train runs: this one or a Ray cluster."""

    @property
    def slots(self) -> int:
        """Return how many runs fit at once."""
        ...

    def start(self, job: Job, attempt: int, witness: Path, version: str) -> None:
        """Start or resume the training of a run."""
        ...

    def ended(self) -> list[tuple[str, Ending]]:
        """Return the runs that have ended since the last call."""
        ...

    def stop(self) -> None:
        """Make all runs save and exit."""
        ...


@dataclass
class Course:
    """The state of a run under supervision."""

    job: Job
    state: State
    reason: str = ""
    """Why it failed or was restarted."""
    attempt: int = 0
    deaths: int = 0
    """Consecutive deaths without a new checkpoint in between."""
    updates_at_start: int = 0
    where: str = ""
    """Host on which it trains or last trained."""


def make_courses(jobs: list[Job]) -> list[Course]:
    """Return the initial state of each job; finished runs are not trained again."""
    return [Course(job, "finished" if job.is_finished() else "waiting") for job in jobs]


def supervise(
    courses: list[Course],
    machines: Machines,
    witness: Path,
    version: str,
    show: Callable[[str], None],
    signals: StopSignals,
) -> None:
    """Train all waiting runs; returns when all have ended, or soon after a signal.

    `show` is called frequently, with a line that describes an event, or with an empty line.
    """
    waiting = deque(course for course in courses if course.state == "waiting")
    running: dict[str, Course] = {}
    stopping = False
    while running or (waiting and not stopping):
        if signals.received is not None and not stopping:
            stopping = True
            machines.stop()
            show(f"stopping: {len(running)} running, each saves its last finished update")
        while waiting and not stopping and len(running) < machines.slots:
            course = waiting.popleft()
            course.attempt += 1
            course.state, course.where = "starting", ""
            course.updates_at_start = course.job.standing().updates
            machines.start(course.job, course.attempt, witness, version)
            running[course.job.name] = course
            began = f" from update {course.updates_at_start}" if course.updates_at_start else ""
            show(f"{course.job.name}: begun{began}")
        for course in running.values():
            _look(course, witness)
        for name, ending in machines.ended():
            course = running.pop(name)
            _look(course, witness)
            _end(course, ending, stopping)
            if course.state == "waiting":
                waiting.appendleft(course)
            show(f"{name}: {_said(course)}")
        show("")
        time.sleep(SECONDS_BETWEEN_LOOKS)
    for course in waiting:
        course.state = "stopped" if course.attempt else "waiting"


def _look(course: Course, witness: Path) -> None:
    holder = read_holder(course.job.folder)
    mine = (holder.get("asked"), holder.get("attempt")) == (witness.name, course.attempt)
    if course.state == "starting" and mine:
        course.state, course.where = "training", str(holder.get("host"))


def _end(course: Course, ending: Ending, stopping: bool) -> None:
    course.reason = ending.reason
    if ending.kind != "died":
        course.state = ending.kind
        return
    course.deaths = 1 if course.job.standing().updates > course.updates_at_start else course.deaths + 1
    if stopping:
        course.state = "stopped"
    elif course.deaths < DEATHS_WITHOUT_PROGRESS:
        course.state = "waiting"
    else:
        course.state = "failed"
        course.reason = f"{ending.reason}, {course.deaths} times without a new checkpoint"


def _said(course: Course) -> str:
    done = f"update {course.job.standing().updates} of {course.job.num_updates}"
    match course.state:
        case "waiting":
            return f"{course.reason}; it continues from {done}"
        case "failed":
            return f"FAILED: {course.reason}. See {course.job.log}"
        case _:
            return f"{course.state} at {done}"
