"""The training loop: collect a rollout, estimate advantages, update, log, checkpoint.

The state after every update is kept in memory. On a signal this state is saved at once; the current, unfinished update
is lost and is repeated, bit for bit, when the run is resumed.
"""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from semantic_rl.artifacts import checkpoint_folders
from semantic_rl.called_flags import as_called
from semantic_rl.config import TrainConfig
from semantic_rl.control_factor import NO_LOSSES_NOTE, has_no_losses, untrained_note, was_ever_above_zero
from semantic_rl.errors import TrainingDiverged, UserError
from semantic_rl.progress_bar import OnProgress
from semantic_rl.stop_signals import Interrupted, StopSignals
from semantic_rl.training.batch import make_batch
from semantic_rl.training.checkpoint import Checkpoint, save_checkpoint
from semantic_rl.training.device import choose_device, choose_precision, keep_freed_memory, working_on
from semantic_rl.training.display import Display
from semantic_rl.training.distributed import Workers, local_device
from semantic_rl.training.run_folder import open_logs, open_run_folder
from semantic_rl.training.session import Session

STEPS_BETWEEN_AGREEMENTS = 8
"""Number of steps or minibatches after which several workers agree on whether to stop."""
HELD_OUT = "held out"


def train(config: TrainConfig, about: Mapping[str, str | int] | None = None) -> Path:
    """Train as `config` says and return the run folder; `about` is written into the folder's lock file.

    Raises UserError on a user's mistake and TrainingDiverged if a loss is not finite; after SIGINT or SIGTERM it saves
    and exits with 128 + the signal's number.
    """
    device = local_device(choose_device(config.device))
    precision = choose_precision(config.precision, device)
    if config.num_threads:
        torch.set_num_threads(config.num_threads)
    keep_freed_memory()
    workers = Workers.join(device)
    try:
        with working_on(device), open_run_folder(config, device, precision, workers, about) as (run, checkpoint):
            _train(config, device, precision, workers, run, checkpoint)
            return run
    finally:
        workers.leave()


def _train(
    config: TrainConfig,
    device: torch.device,
    precision: str,
    workers: Workers,
    run: Path,
    checkpoint: Checkpoint | None,
) -> None:
    session = Session(config, device, precision, workers)
    if checkpoint is not None:
        session.restore(checkpoint)
    num_updates = config.num_updates(workers.size)
    title = f"{run}: {num_updates} updates on {device.type} in {precision}"
    display = Display(title, num_updates, session.num_updates, workers.is_first)
    signals = StopSignals()
    snapshot = session.snapshot()

    def progress(phase: str) -> OnProgress:
        return _progress(phase, display, signals, workers)

    with _disk_errors(run), signals, display, open_logs(run, config, session, workers) as logs:
        try:
            while session.num_updates < num_updates:
                rollout = session.collect(progress("collecting"))
                batch, variance_explained = make_batch(rollout, config.ppo)
                statistics = session.update(batch, progress("learning"))
                row = session.finish_update(statistics, variance_explained)
                held_out_row = session.play_held_out(progress(HELD_OUT))
                snapshot = session.snapshot()
                logs.write(row, held_out_row)
                display.update(row)
                if session.num_updates % config.checkpoint_interval == 0 or session.num_updates == num_updates:
                    save_checkpoint(run, snapshot, config.keep_checkpoints, workers)
        except TrainingDiverged as error:
            raise TrainingDiverged(f"{error} {_after_divergence(run, precision)}") from error
        except Interrupted:
            if snapshot.state["update"]:
                save_checkpoint(run, snapshot, config.keep_checkpoints, workers)
            if workers.is_first:
                display.close()
                print(as_called(_farewell(snapshot.state["update"])), file=sys.stderr)
            sys.exit(signals.exit_code)
        finally:
            session.close()
    if workers.is_first and config.algorithm == "sppo" and has_no_losses(vars(config.semantic)):
        print(f"note: {NO_LOSSES_NOTE}", file=sys.stderr)
    elif workers.is_first and was_ever_above_zero(run, snapshot.state) is False:
        print(f"note: {untrained_note(session.num_updates)}", file=sys.stderr)


@contextmanager
def _disk_errors(run: Path) -> Generator[None]:
    """Turn a full or missing disk into a UserError; checkpoints are written atomically, so the last one is good."""
    try:
        yield
    except OSError as error:
        found = checkpoint_folders(run)
        last = f"the last good checkpoint is {found[-1]}" if found else "no checkpoint had been written yet"
        raise UserError(f"cannot write to {run}: {error.strerror or error}; {last}.") from error


def _after_divergence(run: Path, precision: str) -> str:
    """Return advice: a smaller step size always, float32 if it was not used, the last checkpoint if there is one."""
    anew = "start a new run in another --run-root with a smaller --learning-rate"
    if precision == "fp32":
        return f"To try again, {anew}."
    if checkpoint_folders(run):
        return f"Checkpoints hold only earlier updates; continue with --resume --precision fp32, or {anew}."
    return f"No checkpoint was written before it; {anew} or --precision fp32."


def _farewell(update: int) -> str:
    if not update:
        return "stopped before the first update was done; nothing to save"
    return f"stopped; saved after update {update}. Continue with the same command and --resume."


def _progress(phase: str, display: Display, signals: StopSignals, workers: Workers) -> OnProgress:
    """Return a callback that shows progress within an update, and ends the update if a signal has come.

    Several workers must stop at the same point, so they agree on it at regular intervals.
    """

    def show(done: int, total: int) -> None:
        display.phase(phase, done, total)
        stop = signals.received is not None
        if workers.size > 1:
            together = phase != HELD_OUT  # the first worker plays held-out levels alone
            stop = together and done % STEPS_BETWEEN_AGREEMENTS == 0 and workers.any(stop)
        if stop:
            raise Interrupted

    return show
