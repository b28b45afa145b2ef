"""Logs of a run: progress.csv as the original writes it, and TensorBoard events beside it."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from semantic_rl.artifacts import TEMPORARY_SUFFIX, TENSORBOARD_FOLDER
from semantic_rl.progress_log import whole_rows

UPDATE_COLUMN = "misc/nupdates"
STEP_COLUMN = "misc/total_timesteps"


class ProgressCSV:
    """One row an update, on disk when `write` returns."""

    def __init__(self, path: Path, columns: Sequence[str], after_update: int = 0) -> None:
        """Begin the file, or go on after the row of `after_update`: later rows and a cut-off last line go."""
        self._columns = columns
        kept = _rows_until(path, after_update) if after_update and path.exists() else []
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(kept)
        os.replace(temporary, path)
        self._file = path.open("a", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, columns, restval="", extrasaction="ignore")

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one row; columns that it lacks stay empty."""
        self._writer.writerow({name: _format(row[name]) for name in self._columns if name in row})
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _format(value: object) -> object:
    return f"{value:.8g}" if isinstance(value, float) else value


def _rows_until(path: Path, update: int) -> list[dict[str, str]]:
    """Return the whole rows up to an update; raises UserError where the file cannot be read."""
    return [row for row in whole_rows(path) if 0 < _update_of(row) <= update]


def _update_of(row: Mapping[str, str]) -> int:
    """Return the number of a row's update; 0 where it has none."""
    text = row.get(UPDATE_COLUMN, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


class RunLogger:
    """Writes each update's row to the CSV and to TensorBoard."""

    def __init__(
        self, csv_path: Path, columns: Sequence[str], after_update: int = 0, after_step: int = 0, tag: str = ""
    ) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._csv = ProgressCSV(csv_path, columns, after_update)
        purge = after_step + 1 if after_update else None
        self._events = SummaryWriter(str(csv_path.parent / TENSORBOARD_FOLDER / tag), purge_step=purge)

    def write(self, row: Mapping[str, Any]) -> None:
        """Log one update."""
        self._csv.write(row)
        step = int(row[STEP_COLUMN])
        for name, value in row.items():
            if name not in (STEP_COLUMN, UPDATE_COLUMN):
                self._events.add_scalar(name, value, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._csv.close()
        self._events.close()
