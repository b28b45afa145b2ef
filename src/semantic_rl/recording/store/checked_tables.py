"""Checks that the tables of a recording are consistent with each other and that all their numbers are in range.

All scalar columns are checked once, when a recording is opened. The list columns, which hold most of a recording, are
checked in parts when they are read (`check_lists`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.recording.store.schema import SHARD_ROWS
from semantic_rl.recording.store.table_file import Columns, TableFile

LARGEST_LEVEL = 2**31 - 1
"""Largest level seed."""


class Limits(NamedTuple):
    """Properties of the agent that limit the values in the tables."""

    num_actions: int
    num_codes: int
    num_texts: Mapping[str, int] = MappingProxyType({})
    """Number of categories of the columns of texts, by name."""


def check_episodes(file: TableFile) -> Columns:
    """Return the columns of the episode table; raises UserError unless they are consistent."""
    columns = file.read(file.dtype.names or ())
    count = file.num_rows
    num_rows = columns["num_rows"].astype(np.int64)
    first_row = np.cumsum(num_rows) - num_rows
    _require(file, "episode", columns, np.arange(count), "the episodes in order")
    _require_least(file, "num_rows", columns, 0)
    _require(file, "first_row", columns, first_row, "the rows of the episodes before")
    _require(file, "frame_shard", columns, first_row // SHARD_ROWS, "that of its first row")
    _require(file, "frame_offset", columns, first_row % SHARD_ROWS, "that of its first row")
    _refuse(file, "length", columns, columns["length"] < num_rows, "at least its number of rows")
    _require_least(file, "env", columns, 0)
    _check_levels(file, columns)
    check_finite(file, "return", columns["return"], 0)
    return columns


def check_states(file: TableFile, episodes: Columns, limits: Limits) -> Columns:
    """Return the scalar columns of the state table; raises UserError unless they are consistent with `episodes`."""
    names = [name for name in file.dtype.names or () if not file.dtype[name].shape]
    columns = file.read(names)
    num_rows = episodes["num_rows"]
    episode = np.repeat(np.arange(len(num_rows)), num_rows)
    _require(file, "episode", columns, episode, "the episode that episodes.parquet has there")
    step = columns["step"].astype(np.int64)
    _refuse(file, "step", columns, (step < 0) | (step >= episodes["length"][episode]), "a step of its episode")
    runs_on = np.ones(len(step), np.bool_)
    runs_on[1:] = (np.diff(step) > 0) | (np.diff(episode) != 0)
    _refuse(file, "step", columns, ~runs_on, "a later one than that of the row before")
    _check_levels(file, columns)
    _require(file, "level_seed", columns, episodes["level_seed"][episode], "that of its episode")
    _refuse(file, "action", columns, columns["action"] >= limits.num_actions, f"less than {limits.num_actions}")
    if limits.num_codes:
        _refuse(file, "code_index", columns, columns["code_index"] >= limits.num_codes, f"less than {limits.num_codes}")
    for name, count in limits.num_texts.items():
        _refuse(file, name, columns, columns[name] >= count, f"less than {count}, the number of its categories")
    for name in names:
        if columns[name].dtype.kind == "f":
            check_finite(file, name, columns[name], 0)
    return columns


def check_lists(file: TableFile, name: str, values: NDArray[Any], start: int) -> None:
    """Raise UserError unless the lists of a column, [B, …] from row `start` on, hold only valid numbers."""
    check_finite(file, name, values, start)
    if name == "code_distance" and (values < 0).any():
        row, place = np.argwhere(values < 0)[0].tolist()
        file.wrong(start + row, f"{name}[{place}]", values[row, place], "a distance of at least 0")


def check_finite(file: TableFile, name: str, values: NDArray[Any], start: int) -> None:
    """Raise UserError unless all numbers are finite; NaN is allowed as a missing value in nullable columns."""
    finite = can_be_stored(values, name in file.nullable)
    if not finite.all():
        row, *place = np.argwhere(~finite)[0].tolist()
        where = f"{name}[{place[0]}]" if place else name
        file.wrong(start + row, where, values[row, *place], "a finite number")


def can_be_stored(values: NDArray[Any], is_nullable: bool) -> NDArray[np.bool_]:
    """Say which numbers a recording may hold: finite ones, and NaN where a number may be unknown."""
    return np.isfinite(values) | np.isnan(values) if is_nullable else np.isfinite(values)


def _check_levels(file: TableFile, columns: Columns) -> None:
    level = columns["level_seed"]
    _refuse(file, "level_seed", columns, (level < 0) | (level > LARGEST_LEVEL), f"from 0 to {LARGEST_LEVEL:,}")


def _require(file: TableFile, name: str, columns: Columns, expected: NDArray[Any], why: str) -> None:
    wrong = columns[name] != expected
    if wrong.any():
        row = int(np.argmax(wrong))
        file.wrong(row, name, columns[name][row], f"{expected[row]}, {why}")


def _require_least(file: TableFile, name: str, columns: Columns, least: int) -> None:
    _refuse(file, name, columns, columns[name] < least, f"at least {least}")


def _refuse(file: TableFile, name: str, columns: Columns, wrong: NDArray[np.bool_], expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        file.wrong(row, name, columns[name][row], expected)
