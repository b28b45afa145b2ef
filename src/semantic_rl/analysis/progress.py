"""Reads a run's scores over environment steps from its logs, which may still be growing or may be cut off."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.artifacts import held_out_logs
from semantic_rl.errors import UserError
from semantic_rl.json_files import shown
from semantic_rl.progress_log import read_progress_log

RETURN_COLUMN = "eprewmean"
STEP_COLUMN = "misc/total_timesteps"
LARGEST_RETURN = 1e9
"""Absolute value above which a number is no score of a game; it would make means and deviations overflow."""
MOST_STEPS = 1e15
"""Above this, float64 can no longer count single steps."""

Warn = Callable[[str], None]


class Progress(NamedTuple):
    """Scores of a run, one per update [T]."""

    steps: NDArray[np.float64]
    """Environment steps so far, over all workers; increasing; the first may be 0."""
    returns: NDArray[np.float64]
    """Mean raw return of the last 100 finished episodes; NaN before the first."""

    def until(self, max_steps: float | None, skip_updates: int, path: Path) -> "Progress":
        """Return the rows up to `max_steps`.

        Raises UserError, which names `path`, if none of them after the first `skip_updates` has a score.
        """
        end = len(self.steps) if max_steps is None else int(np.searchsorted(self.steps, max_steps, side="right"))
        if end <= skip_updates:
            until = "" if max_steps is None else f" up to {max_steps:,.0f} steps"
            raise UserError(
                f"{path} has {end} updates{until}, of which the first {skip_updates} are not drawn; "
                f"lower --skip-updates{' or raise --max-steps' if until else ''}."
            )
        if not np.isfinite(self.returns[skip_updates:end]).any():
            raise UserError(f"{path} has no score yet: no episode was finished.")
        return Progress(self.steps[:end], self.returns[:end])


def read_progress(path: Path, warn: Warn, step_factor: int = 1) -> Progress:
    """Read returns over steps; cut-off or damaged lines are skipped with a warning.

    Raises UserError if the file cannot be read, has no rows, lacks a column or has it twice, holds a needed field that
    is not a number or is out of range, or if the steps do not increase.
    """
    log = read_progress_log(path)
    columns = [log.column(name) for name in (STEP_COLUMN, RETURN_COLUMN)] if log.columns else []
    steps: list[float] = []
    returns: list[float] = []
    damaged: list[int] = []
    for line, fields in log.rows():
        if fields is None:
            damaged.append(line)
            continue
        step, score = (_number(fields[column], log.columns[column], line, path) for column in columns)
        if not (steps[-1] if steps else -1) < step * step_factor <= MOST_STEPS:
            raise UserError(f"{path}, line {line}: {STEP_COLUMN} is {step:.10g}, expected it to rise.")
        if abs(score) > LARGEST_RETURN:
            raise UserError(
                f"{path}, line {line}: {RETURN_COLUMN} is {score:.10g}, expected a return of at most "
                f"{LARGEST_RETURN:.0e} in size."
            )
        steps.append(step * step_factor)
        returns.append(score)
    if log.is_cut_off:
        warn(f"{path}: the last line is cut off and left out.")
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        warn(f"{path}: line {damaged[0]}{more} left out: not the {len(log.columns)} fields that the first line names.")
    if not steps:
        raise UserError(f"{path} has no rows yet.")
    return Progress(np.array(steps), np.array(returns))


def _number(text: str, column: str, line: int, path: Path) -> float:
    """Return a cell's number; an empty cell is NaN, since the original leaves unknown values empty."""
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise UserError(f"{path}, line {line}: {column} is {shown(text)}, expected a number.") from None


def read_held_out(run: Path, warn: Warn, step_factor: int = 1) -> Progress | None:
    """Read the scores on held-out levels from a run folder; None if it has none.

    Several logs come from several test workers. Their mean is taken at the steps that all of them have, as the
    original's logger averages test workers that log together. A log that cannot be used is skipped with a warning;
    raises UserError if none remains, or if the logs have no step in common.
    """
    read: dict[str, Progress] = {}
    errors: list[UserError] = []
    for path in held_out_logs(run):
        try:
            read[path.name] = read_progress(path, warn, step_factor)
        except UserError as error:
            errors.append(error)
    if errors and not read:
        raise errors[0]
    for error in errors:
        warn(f"left out: {error}")
    found = list(read.values())
    if len(found) < 2:
        return found[0] if found else None
    mean = mean_progress(found)
    if not len(mean.steps):
        raise UserError(f"{run}: {', '.join(read)} have no step in common, so they are not of one training.")
    warn(f"{run}: held-out scores are the mean of {', '.join(read)}, at the {len(mean.steps):,} steps that all have.")
    return mean


def mean_progress(found: Sequence[Progress]) -> Progress:
    """Return the mean score of several workers at the steps that all have, over the workers that have a score there."""
    steps = found[0].steps
    for progress in found[1:]:
        steps = np.intersect1d(steps, progress.steps, assume_unique=True)
    returns = np.stack([progress.returns[np.searchsorted(progress.steps, steps)] for progress in found])
    known = np.isfinite(returns)
    total, count = np.where(known, returns, 0).sum(0), known.sum(0)
    return Progress(steps, np.where(count > 0, total / np.maximum(count, 1), np.nan))
