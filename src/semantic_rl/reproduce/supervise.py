"""Has many runs trained: begins them where there is room, tries again those that died, lets none stop the others."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from semantic_rl.folder_lock import read_holder
from semantic_rl.reproduce.job import Job
from semantic_rl.reproduce.worker import Ending
from semantic_rl.training.signals import StopSignals

DEATHS_WITHOUT_PROGRESS = 3
"""A run that dies so often without a new checkpoint in between has failed: another try would end like these."""
SECONDS_BETWEEN_LOOKS = 0.25

State = Literal["waiting", "starting", "training", "finished", "stopped", "failed"]


class Machines(Protocol):
    """Where runs are trained."""

    @property
    def slots(self) -> int:
        """Runs that have room at once."""
        ...

    def start(self, job: Job, attempt: int, witness: Path, version: str) -> None:
        """Begin to train a run, or go on with it."""
        ...

    def ended(self) -> list[tuple[str, Ending]]:
        """Return the runs that have ended since the last call."""
        ...

    def stop(self) -> None:
        """Let all runs save and end."""
        ...


@dataclass
class Course:
    """What has become of a run so far."""

    job: Job
    state: State
    reason: str = ""
    """Why it failed, or was begun anew."""
    attempt: int = 0
    deaths: int = 0
    """In a row, without a new checkpoint in between."""
    updates_at_start: int = 0
    where: str = ""
    """Host on which it trains, or did."""


def make_courses(jobs: list[Job]) -> list[Course]:
    """Return what there is to do: what is finished is not done again."""
    return [Course(job, "finished" if job.is_finished() else "waiting") for job in jobs]


def supervise(
    courses: list[Course],
    machines: Machines,
    witness: Path,
    version: str,
    show: Callable[[str], None],
    signals: StopSignals,
) -> None:
    """Train all that is waiting; returns when everything has ended, which a signal makes soon.

    `show` is called often; with a line that says what has happened, or an empty one.
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
            return f"{course.reason}; it goes on from {done}"
        case "failed":
            return f"FAILED: {course.reason}. See {course.job.log}"
        case _:
            return f"{course.state} at {done}"
