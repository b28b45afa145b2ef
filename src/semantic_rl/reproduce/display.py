"""Shows the progress of many runs: a live table on a terminal, lines elsewhere."""

import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from semantic_rl.reproduce.supervise import Course
from semantic_rl.training.display import duration

SECONDS_BETWEEN_REDRAWS = 1.0
SECONDS_BETWEEN_LINES = 60.0
STYLES = {"finished": "green", "training": "bold", "starting": "bold", "failed": "red", "stopped": "yellow"}


def states_table(courses: Sequence[Course]) -> Table:
    """Make a table with one row per run."""
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    for name in ("run", "state", "steps", "of", "steps/s", "left", "return", "where"):
        table.add_column(name, justify="left" if name in ("run", "state", "where") else "right", no_wrap=True)
    for course in courses:
        at = course.job.standing()
        active = course.state == "training"
        style = STYLES.get(course.state, "dim")
        table.add_row(
            course.job.name,
            Text(course.state, style),
            f"{at.steps:,}",
            f"{course.job.total_steps:,}",
            f"{at.steps_per_second:,.0f}" if active and not math.isnan(at.steps_per_second) else "",
            _left(seconds_left(course)) if active else "",
            "" if math.isnan(at.mean_return) else f"{at.mean_return:.2f}",
            course.where if active else "",
        )
    return table


def seconds_left(course: Course, rate: float = math.nan) -> float:
    """Estimate the remaining seconds from a run's own mean pace, else from `rate`; NaN if both are unknown."""
    at = course.job.standing()
    own = at.steps / at.seconds if at.seconds and at.steps else rate
    return max(course.job.total_steps - at.steps, 0) / own if own else math.nan


def summary(courses: Sequence[Course], slots: int) -> str:
    """Return the overall progress as one line."""
    counts = Counter(course.state for course in courses)
    training = [course for course in courses if course.state in ("training", "starting")]
    numbers = [str(courses.index(course) + 1) for course in training]
    which = f"run {', '.join(numbers)} of {len(courses)}" if numbers else f"{len(courses)} runs"
    states = ", ".join(
        f"{counts[state]} {state}" for state in ("finished", "waiting", "stopped", "failed") if counts[state]
    )
    paces = _paces(training)
    known = paces or _paces(courses)
    rate = sum(known) / len(known) if known else math.nan
    open_runs = [course for course in courses if course.state in ("training", "starting", "waiting")]
    left = sum(seconds_left(course, rate) for course in open_runs) / max(1, min(slots, len(open_runs)))
    speed = f", {sum(paces):,.0f} steps/s" if paces else ""
    return f"{which}{': ' if states else ''}{states}{speed}{f', about {_left(left)} left' if open_runs else ''}"


def _paces(courses: Sequence[Course]) -> list[float]:
    """Return the steps per second of each run that has any, averaged over all of its updates."""
    return [at.steps / at.seconds for at in (course.job.standing() for course in courses) if at.seconds and at.steps]


def _left(seconds: float) -> str:
    return "–" if math.isnan(seconds) else duration(seconds)


class Display:
    """Shows the table on a terminal; elsewhere prints a line per event, and a summary at intervals."""

    def __init__(self, courses: Sequence[Course], slots: int) -> None:
        self._courses = courses
        self._slots = slots
        self._console = Console(stderr=True)
        self._drawn = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, line: str) -> None:
        """Print an event, if there is one, and the overall progress, if it is due."""
        now = time.monotonic()
        if line:
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
        if self._live is not None and (line or now - self._drawn > SECONDS_BETWEEN_REDRAWS):
            self._drawn = now
            table = states_table(self._courses)
            table.title = summary(self._courses, self._slots)
            self._live.update(table, refresh=True)
        elif self._live is None and now - self._drawn > SECONDS_BETWEEN_LINES:
            self._drawn = now
            self._console.print(summary(self._courses, self._slots), highlight=False, markup=False, soft_wrap=True)
