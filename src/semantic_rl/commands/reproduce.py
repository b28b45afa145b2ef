"""semantic-rl reproduce: all runs of a table, one after another on this machine or over a Ray cluster."""

import os
import secrets
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from semantic_rl.commands.parse import parse
from semantic_rl.config import ReproduceConfig
from semantic_rl.errors import UserError

if TYPE_CHECKING:
    from semantic_rl.reproduce.job import Job
    from semantic_rl.reproduce.local import LocalMachine
    from semantic_rl.reproduce.ray_cluster import RayCluster
    from semantic_rl.reproduce.supervise import Course
    from semantic_rl.training.signals import StopSignals


def run(arguments: list[str]) -> None:
    """Train the unfinished runs, print states before and after, then scores and curves; exits with 1 on failures."""
    config = parse(ReproduceConfig, arguments, "reproduce")
    from semantic_rl.output_places import check_output_folder
    from semantic_rl.reproduce.job import make_jobs
    from semantic_rl.reproduce.supervise import make_courses
    from semantic_rl.training.signals import StopSignals

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
        _train(config, courses, signals)
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


def _train(config: ReproduceConfig, courses: "list[Course]", signals: "StopSignals") -> None:
    from semantic_rl import __version__
    from semantic_rl.atomic_write import make_own_folder
    from semantic_rl.reproduce.display import Display
    from semantic_rl.reproduce.job import LOGS_FOLDER
    from semantic_rl.reproduce.supervise import supervise

    machines, cores = _machines(config)
    witness = config.out / LOGS_FOLDER / f"asked-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        try:
            config.out.mkdir(parents=True, exist_ok=True)
            make_own_folder(config.out, LOGS_FOLDER)
            witness.touch(exist_ok=False)
        except OSError as error:
            raise UserError(f"out: cannot write to {config.out}: {error.strerror}; choose another --out.") from error
        for course in courses:
            if cores and not course.job.config.num_threads:
                course.job = course.job._replace(config=replace(course.job.config, num_threads=cores))
        print(f"training {machines.where}, up to {machines.slots} at once", flush=True)
        with signals, Display(courses, machines.slots) as display:  # after Ray, which sets its own SIGTERM handler
            supervise(courses, machines, witness, __version__, display.show, signals)
    finally:
        machines.close()
        with suppress(OSError):
            witness.unlink()


def _machines(config: ReproduceConfig) -> "tuple[LocalMachine | RayCluster, int]":
    """Return where to train, and the number of cores per run; 0 leaves it to PyTorch."""
    if config.ray is not None:
        from semantic_rl.reproduce.ray_cluster import RayCluster

        cluster = RayCluster(config.ray, config.training.device, config.cores_per_run, config.jobs)
        return cluster, cluster.cores
    from semantic_rl.reproduce.local import LocalMachine, find_gpus

    cores = os.process_cpu_count() if sys.version_info >= (3, 13) else os.cpu_count()
    cores = cores or 1
    if (config.cores_per_run or 1) > cores:
        raise UserError(f"cores_per_run: got {config.cores_per_run}, expected at most the {cores} of this machine.")
    slots = config.jobs or 1
    share = config.cores_per_run or (0 if slots == 1 else max(1, cores // slots))
    return LocalMachine(slots, find_gpus(config.training.device, slots)), share


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
