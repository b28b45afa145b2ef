"""Trains the runs of `semantic-rl reproduce`: chooses the machines, and supervises until all runs have ended."""

import os
import secrets
from contextlib import suppress
from dataclasses import replace

from semantic_rl import __version__
from semantic_rl.atomic_write import make_own_folder
from semantic_rl.config import ReproduceConfig
from semantic_rl.cores import num_cores
from semantic_rl.errors import UserError
from semantic_rl.reproduce.display import Display
from semantic_rl.reproduce.job import LOGS_FOLDER
from semantic_rl.reproduce.local import LocalMachine, find_gpus
from semantic_rl.reproduce.ray_cluster import RayCluster
from semantic_rl.reproduce.supervise import Course, supervise
from semantic_rl.stop_signals import StopSignals


def train_runs(config: ReproduceConfig, courses: list[Course], signals: StopSignals) -> None:
    """Train the runs that are not finished, with a display of their progress, until all have ended or a signal comes.

    Raises UserError if the folder cannot be written, or if this machine has fewer cores than are asked for.
    """
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


def _machines(config: ReproduceConfig) -> tuple[LocalMachine | RayCluster, int]:
    """Return where to train, and the number of cores per run; 0 leaves it to PyTorch."""
    if config.ray is not None:
        cluster = RayCluster(config.ray, config.training.device, config.cores_per_run, config.jobs)
        return cluster, cluster.cores
    cores = num_cores()
    if (config.cores_per_run or 1) > cores:
        raise UserError(f"cores_per_run: got {config.cores_per_run}, expected at most the {cores} of this machine.")
    slots = config.jobs or 1
    share = config.cores_per_run or (0 if slots == 1 else max(1, cores // slots))
    return LocalMachine(slots, find_gpus(config.training.device, slots)), share
