"""Logs of a run: progress.csv in the original's format, and TensorBoard events."""

import csv
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from semantic_rl.artifacts import TENSORBOARD_FOLDER
from semantic_rl.atomic_write import make_own_folder, whole_file
from semantic_rl.output_places import exists
from semantic_rl.progress_log import whole_rows
from semantic_rl.training.tensorboard_events import EventFile

UPDATE_COLUMN = "misc/nupdates"
STEP_COLUMN = "misc/total_timesteps"


class ProgressCSV:
    """Writes one row per update, which is on disk when `write` returns."""

    def __init__(self, path: Path, columns: Sequence[str], after_update: int = 0) -> None:
        """Create the file, or continue it after the row of `after_update`; later rows and a cut-off last line go.

        Raises OSError, and UserError if something other than a regular file is there.
        """
        self._columns = columns
        kept = rows_until(path, after_update) if after_update and exists(path, "run_root") else []
        write_rows(path, columns, kept)
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        self._file = open(os.open(path, flags), "w", newline="", encoding="utf-8")  # noqa: SIM115
        self._writer = csv.DictWriter(self._file, columns, restval="", extrasaction="ignore")

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one row; missing columns stay empty."""
        self._writer.writerow({name: _format(row[name]) for name in self._columns if name in row})
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _format(value: object) -> object:
    return f"{value:.8g}" if isinstance(value, float) else value


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """Write a complete log; missing columns of a row stay empty. Raises OSError."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def rows_until(path: Path, update: int | None) -> list[dict[str, str]]:
    """Return the complete rows of a log up to an update (None: all); raises UserError if the file cannot be read."""
    last = math.inf if update is None else update
    return [row for row in whole_rows(path) if 0 < _update_of(row) <= last]


def _update_of(row: Mapping[str, str]) -> int:
    """Return a row's update number; 0 if it has none."""
    text = row.get(UPDATE_COLUMN, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


class RunLogger:
    """Writes each update's row to the CSV and to TensorBoard."""

    def __init__(
        self, csv_path: Path, columns: Sequence[str], after_update: int = 0, after_step: int = 0, tag: str = ""
    ) -> None:
        """Create or continue the logs; raises OSError, and UserError if a log or its folder is a link or no file."""
        folder = make_own_folder(csv_path.parent, TENSORBOARD_FOLDER)
        self._csv = ProgressCSV(csv_path, columns, after_update)
        self._events = EventFile(
            make_own_folder(folder, tag) if tag else folder, after_step + 1 if after_update else None
        )

    def write(self, row: Mapping[str, Any]) -> None:
        """Log one update."""
        self._csv.write(row)
        scalars = {name: value for name, value in row.items() if name not in (STEP_COLUMN, UPDATE_COLUMN)}
        self._events.write(scalars, int(row[STEP_COLUMN]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._csv.close()
        finally:
            self._events.close()
