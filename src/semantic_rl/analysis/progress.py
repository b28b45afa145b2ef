"""Reads a run's scores over environment steps from `progress.csv`, which may still be growing or be cut off."""

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError

RETURN_COLUMN = "eprewmean"
STEP_COLUMN = "misc/total_timesteps"

Warn = Callable[[str], None]


class Progress(NamedTuple):
    """Scores of a run, one an update [T]."""

    steps: NDArray[np.float64]
    """Environment steps so far, of all workers; rising."""
    returns: NDArray[np.float64]
    """Mean raw return of the last 100 finished episodes; NaN before the first."""

    def until(self, max_steps: float | None, skip_updates: int, path: Path) -> "Progress":
        """Return the rows up to `max_steps`.

        Raises UserError, which names `path`, where none of them behind the first `skip_updates` has a score.
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
    """Read returns over steps; lines that are cut off are left out with a warning.

    Raises UserError where there are no rows, a column is missing, or steps do not rise.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    complete, _, rest = text.rpartition("\n")  # every row is written with its line break
    reader = csv.reader(io.StringIO(complete))
    header = next(reader, [])
    columns = [_column(header, name, path) for name in (STEP_COLUMN, RETURN_COLUMN)] if header else []
    steps: list[float] = []
    returns: list[float] = []
    damaged: list[int] = []
    for row in reader:
        if len(row) != len(header):
            damaged += [reader.line_num] if row else []
            continue
        step, score = (_number(row[column], header[column], reader.line_num, path) for column in columns)
        if not (steps[-1] if steps else 0) < step * step_factor < math.inf:
            raise UserError(f"{path}, line {reader.line_num}: {STEP_COLUMN} is {step:.10g}, expected it to rise.")
        steps.append(step * step_factor)
        returns.append(score)
    if rest:
        warn(f"{path}: the last line is cut off and left out.")
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        warn(f"{path}: line {damaged[0]}{more} left out: not the {len(header)} fields that the first line names.")
    if not steps:
        raise UserError(f"{path} has no rows yet.")
    return Progress(np.array(steps), np.array(returns))


def _column(header: list[str], name: str, path: Path) -> int:
    if name not in header:
        raise UserError(f"{path} has no column '{name}'; its columns: {', '.join(header)}.")
    return header.index(name)


def _number(text: str, column: str, line: int, path: Path) -> float:
    """A cell's number; an empty one is NaN, as the original leaves what it does not know."""
    try:
        return float(text) if text.strip() else float("nan")
    except ValueError:
        raise UserError(f"{path}, line {line}: {column} is {text!r}, expected a number.") from None
