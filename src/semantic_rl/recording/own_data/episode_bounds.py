"""Finds where and how episodes end, from columns of states."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.recording.own_data.arrays import floats, integers, rows_of
from semantic_rl.recording.own_data.folder import Ending, return_of
from semantic_rl.recording.own_data.source import Source

FLAGS = ("done", "terminated", "truncated")
LARGEST_LEVEL = 2**31 - 1


class ImportedEpisode(NamedTuple):
    """An episode in a table of states."""

    end: int
    """The row after its last one."""
    ending: Ending
    episode_return: float
    """NaN if it is not known."""


def find_episodes(source: Source) -> list[ImportedEpisode]:
    """Return the episodes of a table, in order; raises UserError if its columns contradict each other.

    Where `episode` changes an episode ends, or, without that column, where `done`, `terminated` or `truncated` is true;
    without any of them, the table is one episode that has not ended. An episode that only `episode` bounds counts as
    terminated.
    """
    count, path = source.num_rows, source.path
    flags = {name: _flags(source, name) for name in FLAGS if name in source.names}
    over = np.logical_or.reduce([*flags.values(), np.zeros(count, np.bool_)])
    ends = _changes(source.whole("episode"), path) if "episode" in source.names else np.flatnonzero(over) + 1
    ends = ends if len(ends) and ends[-1] == count else np.append(ends, count)
    inside = over.copy()
    inside[ends - 1] = False
    if inside.any():
        row = int(np.argmax(inside))
        name = next(name for name, values in flags.items() if values[row])
        raise UserError(f"{path}: '{name}' is true in row {row:,}, but the next row has the same 'episode'.")
    rewards = floats("reward", source.whole("reward"), count) if "reward" in source.names else None
    successes = _flags(source, "success") if "success" in source.names else np.zeros(count, np.bool_)
    levels = _levels(source, ends)
    truncated = flags.get("truncated", np.zeros(count, np.bool_))
    terminated = flags.get("terminated", flags.get("done", np.zeros(count, np.bool_)) & ~truncated)
    if not flags and "episode" in source.names:
        terminated[ends - 1] = True
    found: list[ImportedEpisode] = []
    for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        last = end - 1
        ending = Ending(bool(terminated[last]), bool(truncated[last]), bool(successes[last]), int(levels[last]))
        has_ended = ending.terminated or ending.truncated
        total = return_of(rewards[start:end] if rewards is not None and has_ended else None)
        found.append(ImportedEpisode(end, ending, total))
    return found


def _changes(episodes: Any, path: Path) -> NDArray[np.int64]:
    """Return the row after each episode's last one; raises UserError if the rows of an episode are not consecutive."""
    values = np.asarray(episodes)
    if values.ndim != 1:
        raise UserError(f"{path}: 'episode' has the shape {values.shape}, expected one value a row.")
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), np.bool_)
    if missing.any():
        raise UserError(
            f"{path}: 'episode' is missing in row {int(np.argmax(missing)):,}, expected a number or text in each row."
        )
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]) + 1, len(values))
    names = values[ends - 1].tolist()
    if len(set(names)) != len(names):
        again = next(name for index, name in enumerate(names) if name in names[:index])
        raise UserError(f"{path}: the rows of episode {again!r} are not consecutive; sort them by episode and step.")
    return ends


def _flags(source: Source, name: str) -> NDArray[np.bool_]:
    values = rows_of(name, source.whole(name), source.num_rows, ())
    if not np.isin(values, (0, 1)).all():
        raise UserError(f"{source.path}: '{name}' holds other values than true and false, or 1 and 0.")
    return values.astype(np.bool_)


def _levels(source: Source, ends: NDArray[np.int64]) -> NDArray[np.int64]:
    if "level" not in source.names:
        return np.zeros(source.num_rows, np.int64)
    levels = integers("level", source.whole("level"), source.num_rows, (LARGEST_LEVEL + 1,))[:, 0]
    changes = np.flatnonzero(np.diff(levels)) + 1
    inside = changes[~np.isin(changes, ends)]
    if len(inside):
        raise UserError(f"{source.path}: 'level' changes in row {inside[0]:,}, inside an episode.")
    return levels
