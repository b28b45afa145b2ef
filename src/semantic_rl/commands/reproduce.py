"""semantic-rl reproduce: all runs of a table, one after another on this machine or over a Ray cluster."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from semantic_rl.commands.parse import parse
from semantic_rl.config import ReproduceConfig
from semantic_rl.errors import UserError

if TYPE_CHECKING:
    from semantic_rl.reproduce.job import Job
    from semantic_rl.reproduce.supervise import Course


def run(arguments: list[str]) -> None:
    """Train the unfinished runs, print states before and after, then scores and curves; exits with 1 on failures."""
    config = parse(ReproduceConfig, arguments, "reproduce")
    from semantic_rl.output_places import check_output_folder
    from semantic_rl.reproduce.job import make_jobs
    from semantic_rl.reproduce.supervise import make_courses
    from semantic_rl.reproduce.train_runs import train_runs
    from semantic_rl.stop_signals import StopSignals

    config = replace(config, out=Path(os.path.abspath(config.out)))
    check_output_folder(config.out)
    jobs = make_jobs(config.runs())
    courses = make_courses(jobs)
    _print_states(courses, f"{_runs(len(courses))} of {jobs[0].total_steps:,} steps in {config.out}")
    finished = sum(course.state == "finished" for course in courses)
    if finished:
        print(f"{finished} of {len(courses)} are finished and are skipped.")
    signals = StopSignals()
    if finished < len(courses):
        train_runs(config, courses, signals)
        _print_states(courses, "all runs" if signals.received is None else "stopped")
    failed = [course for course in courses if course.state == "failed"]
    for course in failed:
        print(f"FAILED {course.job.name}: {course.reason}. See {course.job.log}", file=sys.stderr)
    if signals.received is not None:
        print("Stopped; the same command continues from here.", file=sys.stderr)
        sys.exit(signals.exit_code)
    _print_results(jobs)
    if failed:
        print(
            f"{len(failed)} of {_runs(len(courses))} failed; the same command tries them again, and skips what is "
            "finished.",
            file=sys.stderr,
        )
        sys.exit(1)


def _print_states(courses: "list[Course]", title: str) -> None:
    from rich.console import Console

    from semantic_rl.reproduce.display import states_table

    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(f"\n{title}\n", soft_wrap=True, markup=False)
    console.print(states_table(courses))


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def _print_results(jobs: "list[Job]") -> None:
    from semantic_rl.reproduce.results import make_results

    def warn(text: str) -> None:
        print(f"note: {text}", file=sys.stderr)

    try:
        results = make_results(jobs, warn)
    except UserError as error:
        print(f"\nno curves and scores: {error}", file=sys.stderr)
        return
    print(f"\n{results.table}\n\n{results.comparison}")
    for path in results.paths:
        print(path)
