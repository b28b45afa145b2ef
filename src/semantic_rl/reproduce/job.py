"""A requested run, and its progress, which is read from its folder without PyTorch."""

import math
from pathlib import Path
from typing import NamedTuple

from semantic_rl.artifacts import CHECKPOINT_PREFIX, PROGRESS_FILE, STATE_FILE, checkpoint_folders
from semantic_rl.config import TrainConfig
from semantic_rl.errors import UserError
from semantic_rl.input_places import shown_path
from semantic_rl.json_files import read_json_object
from semantic_rl.progress_log import last_row
from semantic_rl.training.resume_checks import check_same_run, is_empty, run_folder

LOGS_FOLDER = "logs"
RESULTS_FOLDER = "results"


class Standing(NamedTuple):
    """The progress of a run."""

    updates: int
    """Number of updates up to the last checkpoint."""
    steps: int
    """Logged environment steps, which may be ahead of the checkpoint."""
    steps_per_second: float
    """Steps per second in the last update; NaN before the first."""
    mean_return: float
    """Mean return of the last 100 episodes; NaN before the first."""
    seconds: float
    """Seconds of training, over all sessions."""


class Job(NamedTuple):
    """A run that is requested."""

    config: TrainConfig
    name: str

    @property
    def folder(self) -> Path:
        """Return the run's folder."""
        return run_folder(self.config)

    @property
    def num_updates(self) -> int:
        """Return the number of updates after which it is finished."""
        return self.config.num_updates()

    @property
    def total_steps(self) -> int:
        """Return the number of environment steps after which it is finished."""
        return self.num_updates * self.config.batch_size

    @property
    def log(self) -> Path:
        """Return the log file of its process."""
        return self.config.run_root / LOGS_FOLDER / f"{self.name}.log"

    def standing(self) -> Standing:
        """Read its progress."""
        found = checkpoint_folders(self.folder)
        updates = _checkpointed(found[-1]) if found else 0
        row = last_row(self.folder / PROGRESS_FILE)

        def number(name: str) -> float:
            try:
                value = float(row.get(name) or math.nan)
            except ValueError:
                return math.nan
            return value if math.isfinite(value) else math.nan

        steps, seconds = number("misc/total_timesteps"), number("misc/time_elapsed")
        return Standing(
            updates,
            0 if math.isnan(steps) else int(steps),
            number("fps"),
            number("eprewmean"),
            0.0 if math.isnan(seconds) else seconds,
        )

    def is_finished(self) -> bool:
        """Say whether there is a checkpoint of the last update, or of a later one."""
        return self.standing().updates >= self.num_updates


def make_jobs(configs: list[TrainConfig]) -> list[Job]:
    """Return the jobs; raises UserError if a folder holds a run with other settings, or something else."""
    jobs = [Job(config, run_folder(config).name) for config in configs]
    for job in jobs:
        try:
            if not is_empty(job.folder):
                check_same_run(job.folder, job.config)
        except (OSError, ValueError) as error:
            if isinstance(error, UserError):
                raise UserError(f"out: {str(error).replace('--run-root', '--out')}") from error
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"out: cannot read {shown_path(job.folder)}: {reason}; choose another --out.") from error
    return jobs


def _checkpointed(folder: Path) -> int:
    """Return the number of updates of a checkpoint, from its name; 0 if it is empty or unreadable."""
    try:
        read_json_object(folder / STATE_FILE, "it counts for nothing.")
    except UserError:
        return 0
    return int(folder.name.removeprefix(CHECKPOINT_PREFIX))
