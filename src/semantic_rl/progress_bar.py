"""The progress bar of long computations: drawn on a terminal, on stderr; elsewhere nothing is shown."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

SECONDS_BEFORE_PROGRESS = 2.0
"""For commands that are usually done before a bar would help."""

type OnProgress = Callable[[int, int], None]
"""Called with how much is done, and of how much. It may raise an exception to end the work."""
type OnPhase = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


@contextmanager
def progress_bar(
    title: str, total: int | None = None, after_seconds: float = 0.0, counts: bool = False
) -> Generator[OnProgress]:
    """Show one bar with a title while the block runs; it appears after some seconds at the earliest.

    `counts` shows how many are done and the time that is left instead of a percentage.
    """
    with phase_bar(title, total, after_seconds, counts) as on_phase:
        yield lambda done, total: on_phase(title, done, total)


@contextmanager
def phase_bar(
    title: str, total: int | None = None, after_seconds: float = 0.0, counts: bool = False
) -> Generator[OnPhase]:
    """Show one bar, as `progress_bar` does, whose title changes with what is being done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = Progress.get_default_columns()
    if counts:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    begun = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(title, total=total, visible=not after_seconds)

        def on_phase(what: str, done: int, total: int) -> None:
            visible = time.monotonic() - begun >= after_seconds
            bars.update(task, description=what, completed=done, total=total, visible=visible)

        yield on_phase
