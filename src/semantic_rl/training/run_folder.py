"""Creates or resumes a run folder; a run is never overwritten and resumes only with the settings that made it."""

import json
import socket
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from semantic_rl.artifacts import (
    CONFIG_FILE,
    HELD_OUT_PROGRESS_FILE,
    OWN_RUN_COLUMNS,
    PROGRESS_FILE,
    RUN_COLUMNS,
    SEMANTIC_COLUMNS,
    checkpoint_folders,
)
from semantic_rl.atomic_write import whole_file
from semantic_rl.config import TrainConfig
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import hold_folder
from semantic_rl.training.checkpoint import Checkpoint, check_trainable, load_checkpoint
from semantic_rl.training.distributed import Workers
from semantic_rl.training.logger import RunLogger
from semantic_rl.training.resume_checks import (
    NUMBER_OF_WORKERS,
    check_same_run,
    check_same_settings,
    is_empty,
    remove_leftovers,
    run_folder,
    settings_of,
)
from semantic_rl.training.session import Session
from semantic_rl.training.shared_storage import comes_to_be_seen
from semantic_rl.training.versions import versions

HELD_OUT_COLUMNS = tuple(name for name in RUN_COLUMNS if not name.startswith("loss/") and "variance" not in name)

SECONDS_FOR_A_PREDECESSOR = 60.0
"""Time allowed for an orphaned process that still trains this run to save and exit."""


@contextmanager
def open_run_folder(
    config: TrainConfig,
    device: torch.device,
    precision: str,
    workers: Workers,
    about: Mapping[str, str | int] | None = None,
) -> Generator[tuple[Path, Checkpoint | None]]:
    """Create the run folder, or find the checkpoint to resume from; the first worker locks it against other trainings.

    `about` is written into the lock file. If the training is one that restarts automatically (`auto_resume`, or several
    workers), its predecessor has a minute to exit.

    Raises UserError if another process trains this run, if the folder exists and neither `resume` nor `auto_resume` is
    on, if the configuration differs from the one that made it, if it cannot be written to or is not visible to a
    worker, or if it holds no run.
    """
    run = run_folder(config)
    with ExitStack() as stack:
        held: bool | None = None

        def hold() -> bool:
            seconds = SECONDS_FOR_A_PREDECESSOR if config.auto_resume or workers.size > 1 else 0.0
            return stack.enter_context(hold_folder(run, about, seconds))

        with _agreeing(workers, f"cannot read {run}"):
            if workers.is_first and run.is_dir():
                held = hold()
        with _agreeing(
            workers, f"cannot read {run}"
        ):  # before the first worker writes, so that its new folder is not mistaken for an existing run
            checkpoint = _find_start(run, config, workers)
        with _agreeing(workers, f"cannot write to {run}"):
            if workers.is_first:
                if held is None:
                    run.mkdir(parents=True, exist_ok=True)
                    held = hold()
                    if not is_empty(run):
                        raise UserError(f"{run} was begun by another process just now; give the same command again.")
                remove_leftovers(run, held)
                _write_config(run, config, device, precision, workers)
        with _agreeing(workers, f"cannot read {run}"):
            if not comes_to_be_seen(run / CONFIG_FILE):
                raise UserError(
                    f"worker {workers.rank} on {socket.gethostname()} does not see {run}, which the first worker made: "
                    "with workers on several hosts, --run-root must be on storage that all of them share."
                )
        yield run, checkpoint


@contextmanager
def _agreeing(workers: Workers, failure: str) -> Generator[None]:
    """Raise an error on every worker if one failed; an OSError becomes a message that begins with `failure`."""
    error: UserError | None = None
    try:
        yield
    except UserError as problem:
        error = problem
    except OSError as problem:
        error = UserError(f"{failure}: {problem.strerror or problem}; choose another --run-root.")
    workers.all_succeed(error)


def _find_start(run: Path, config: TrainConfig, workers: Workers) -> Checkpoint | None:
    if config.num_updates(workers.size) < 1:
        raise UserError(
            f"timesteps: got {config.timesteps}, expected at least one update of {workers.size} workers × "
            f"{config.batch_size} = {workers.size * config.batch_size} steps."
        )
    if is_empty(run):
        if config.resume:
            raise UserError(f"resume: there is no run at {run}; leave --resume out to start one.")
        return None
    if not (config.resume or config.auto_resume):
        raise UserError(f"{run} exists already; add --resume to continue it, or choose another --seed or --run-root.")
    found = checkpoint_folders(run)
    if found:
        check_trainable(run)  # before the settings are compared, since an imported agent's settings are not ours
    check_same_run(run, config, workers.size)
    if not found:
        return None
    checkpoint = load_checkpoint(run, workers.rank)
    before = {**checkpoint.state["config"], NUMBER_OF_WORKERS: checkpoint.state["num_workers"]}
    check_same_settings(found[-1], before, config, workers.size)
    return checkpoint


def _write_config(run: Path, config: TrainConfig, device: torch.device, precision: str, workers: Workers) -> None:
    content = {
        "config": settings_of(config),
        "num_updates": config.num_updates(workers.size),
        "num_workers": workers.size,
        "device": device.type,
        "precision": precision,
        "num_threads": torch.get_num_threads(),
        "versions": versions(),
    }
    with whole_file(run / CONFIG_FILE) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


class RunLogs(NamedTuple):
    """The logs of training and of held-out levels; absent on all workers but the first."""

    training: RunLogger | None
    held_out: RunLogger | None

    def write(self, row: Mapping[str, Any], held_out_row: Mapping[str, Any] | None) -> None:
        """Log one update."""
        if self.training is not None:
            self.training.write(row)
        if self.held_out is not None and held_out_row is not None:
            self.held_out.write(held_out_row)


@contextmanager
def open_logs(run: Path, config: TrainConfig, session: Session, workers: Workers) -> Generator[RunLogs]:
    """Open the logs of a run; rows of updates later than those of `session` are dropped."""
    with ExitStack() as stack:

        def open_log(file: str, columns: tuple[str, ...], tag: str) -> RunLogger:
            logger = RunLogger(run / file, columns, session.num_updates, session.num_timesteps, tag)
            return stack.enter_context(logger)

        if not workers.is_first:
            yield RunLogs(None, None)
            return
        columns = tuple(
            name for name in RUN_COLUMNS + OWN_RUN_COLUMNS if config.num_codes or name not in SEMANTIC_COLUMNS
        )
        plays_held_out = config.environment.num_levels and config.held_out_interval
        yield RunLogs(
            open_log(PROGRESS_FILE, columns, "train"),
            open_log(HELD_OUT_PROGRESS_FILE, HELD_OUT_COLUMNS, "held-out") if plays_held_out else None,
        )
