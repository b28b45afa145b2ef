"""The columns of the points on the map, as integers that a browser can load into typed arrays."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.explorer import contract
from semantic_rl.explorer.background_jobs import PATIENCE
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.projections import PLANES
from semantic_rl.explorer.dataset.state_table import MOST_IN_A_BYTE
from semantic_rl.explorer.encoding import LEVELS_16_BIT, quantise, quantise_share
from semantic_rl.recording.store.extra_columns import ExtraColumn

NOT_PLACED = LEVELS_16_BIT
"""Both coordinates of a point that is not in a plane; no other point has them, since planes have a margin."""
MOST_LEVELS = 255
PART, OWN = "part-", "own-"
"""Beginnings of the names of columns with a part of the action, or with what the recording's maker added."""


class Column(NamedTuple):
    """The description of a column for the page; arrays are little-endian."""

    name: str
    dtype: Literal["uint8", "uint16", "uint32"]
    width: int = 1
    low: float | None = None
    """The value that 0 encodes; `high` is encoded by the type's largest integer. None if integers are the values."""
    high: float | None = None
    levels: list[float] | None = None
    """The values that the integers 0, 1, … encode."""
    num_unknown: int = 0
    """Number of points whose value is not finite; they get the lowest value."""
    unknown: int | None = None
    """The integer of points whose value is not known, if they do not get the lowest value."""
    title: str | None = None
    """Name of what only this recording has."""
    categories: tuple[str, ...] | None = None
    """The texts that the integers 0, 1, … stand for."""

    def to_json(self) -> contract.Column:
        """Return the description as JSON values, without the fields that are absent."""
        found = contract.Column(name=self.name, dtype=self.dtype, width=self.width)
        if self.low is not None and self.high is not None:
            found["low"], found["high"] = self.low, self.high
        if self.levels is not None:
            found["levels"] = self.levels
        if self.num_unknown:
            found["num_unknown"] = self.num_unknown
        if self.unknown is not None:
            found["unknown"] = self.unknown
        if self.title is not None:
            found["title"] = self.title
        if self.categories is not None:
            found["categories"] = list(self.categories)
        return found


def describe_columns(explored: Explored) -> list[Column]:
    """Return the descriptions of a recording's columns."""
    states = explored.states
    planes = [Column(name, "uint16", 2) for name in PLANES if explored.why_not(name) is None]
    semantic = [Column("cluster", "uint8"), Column("uncertainty", "uint8", 1, 0.0, 1.0)] if explored.num_codes else []
    step_type = "uint16" if not len(states.step) or int(states.step.max()) <= LEVELS_16_BIT else "uint32"
    recording = explored.recording
    action_type = "uint8" if recording.num_actions <= MOST_IN_A_BYTE else "uint16"
    own = (recording.extra_column(name) for name in recording.extra)
    return [
        Column("row", "uint32"),
        *planes,
        *semantic,
        *([_describe_numbers(explored, "value", states.value)] if recording.has("value") else []),
        *([Column("action", action_type)] if recording.num_known_actions else []),
        *([_describe_rewards(states.reward)] if recording.has("reward") else []),
        *([_describe_return_to_go(explored)] if recording.has("return_to_go") else []),
        Column("step", step_type),
        Column("episode", "uint32"),
        Column("progress", "uint8", 1, 0.0, 1.0),
        *([Column("success", "uint8")] if recording.has("success") else []),
        *(_describe_part(explored, index) for index in range(states.action_parts.shape[1])),
        *(_describe_own(explored, f"{OWN}{index}", extra) for index, extra in enumerate(own)),
    ]


def _describe_part(explored: Explored, index: int) -> Column:
    """Describe a part of the action: a number, or one of a few choices."""
    action, name = explored.recording.spec.action, f"{PART}{index}"
    values = explored.states.action_parts[:, index]
    if (
        action.kind != "continuous"
        and action.sizes[index] <= MOST_LEVELS
        and np.isin(values, np.arange(action.sizes[index])).all()
    ):
        return Column(
            name, "uint8", levels=[float(choice) for choice in range(action.sizes[index])], title=action.name(index)
        )
    return _describe_numbers(explored, name, values, action.name(index))


def _describe_own(explored: Explored, name: str, extra: ExtraColumn) -> Column:
    if extra.categories is not None:
        return Column(name, "uint16", title=extra.name, categories=extra.categories)
    return _describe_numbers(explored, name, extra.values, extra.name)


def _describe_numbers(explored: Explored, name: str, values: NDArray[Any], title: str | None = None) -> Column:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    num_unknown = int((~np.isfinite(values[explored.shown])).sum())
    return Column(name, "uint16", 1, low, high, num_unknown=num_unknown, title=title)


def _describe_return_to_go(explored: Explored) -> Column:
    """Describe the sum of the rewards from a state on, which is not known where the episode did not end."""
    values = _return_to_go(explored)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    # the integer below the largest one encodes the greatest value
    above = low + (high - low) * LEVELS_16_BIT / (LEVELS_16_BIT - 1)
    return Column("return_to_go", "uint16", 1, low, above, unknown=LEVELS_16_BIT)


def _return_to_go(explored: Explored) -> NDArray[np.float32]:
    return explored.recording.table("return_to_go")["return_to_go"].to_numpy()


def _describe_rewards(reward: NDArray[np.float32]) -> Column:
    levels = np.unique(reward)
    if len(levels) <= MOST_LEVELS:
        return Column("reward", "uint8", levels=[float(level) for level in levels])
    return Column("reward", "uint16", 1, float(levels[0]), float(levels[-1]))


def column_bytes(explored: Explored, column: Column, patience: float | None = PATIENCE) -> bytes:
    """Return a column of the points [P, width] as bytes; raises Pending while it is being computed."""
    return np.ascontiguousarray(_values(explored, column, patience)).tobytes()


def _values(explored: Explored, column: Column, patience: float | None) -> NDArray[Any]:
    rows, states = explored.shown, explored.states
    match column.name:
        case "row":
            return rows.astype("<u4")
        case "fdr" | "tsne" | "pca":
            return _plane(explored, column.name, patience)
        case "cluster":
            assert states.code_index is not None, "described"
            return states.code_index[rows]
        case "uncertainty":
            assert states.uncertainty is not None, "described"
            return quantise_share(states.uncertainty[rows])
        case "value":
            return _numbers(states.value[rows], column)
        case "action":
            return states.action[rows].astype(f"<u{states.action.itemsize}")
        case "reward":
            return _rewards(states.reward[rows], column)
        case "return_to_go":
            values = _return_to_go(explored)[rows]
            return np.where(np.isfinite(values), _numbers(values, column), LEVELS_16_BIT).astype("<u2")
        case "step":
            return states.step[rows].astype("<u2" if column.dtype == "uint16" else "<u4")
        case "episode":
            return states.episode[rows].astype("<u4")
        case "progress":
            return quantise_share(explored.progress[rows])
        case "success":
            return explored.success_of(states.episode[rows])
        case name if name.startswith(PART):
            part = states.action_parts[rows, int(name.removeprefix(PART))]
            return _numbers(part, column) if column.levels is None else part.astype(np.uint8)
        case name if name.startswith(OWN):
            recording = explored.recording
            extra = recording.extra_column(recording.extra[int(name.removeprefix(OWN))])
            values = extra.values[rows]
            return _numbers(values, column) if extra.categories is None else values.astype("<u2")
        case _:
            raise KeyError(column.name)


def _numbers(values: NDArray[np.floating[Any]], column: Column) -> NDArray[np.uint16]:
    assert column.low is not None and column.high is not None, "described"
    return quantise(np.where(np.isfinite(values), values, column.low), column.low, column.high)


def _plane(explored: Explored, name: PlaneName, patience: float | None) -> NDArray[np.uint16]:
    placed = explored.plane(name, patience)
    left, right, bottom, top = explored.limits(name)
    found = np.full((len(explored.shown), 2), NOT_PLACED, "<u2")
    if placed.rows is None:
        index, points = slice(None), placed.points[explored.shown]
    else:
        has_point = np.isin(placed.rows, explored.shown)
        index, points = np.searchsorted(explored.shown, placed.rows[has_point]), placed.points[has_point]
    found[index, 0] = quantise(points[:, 0], left, right)
    found[index, 1] = quantise(points[:, 1], bottom, top)
    return found


def _rewards(reward: NDArray[np.float32], column: Column) -> NDArray[Any]:
    if column.levels is None:
        assert column.low is not None and column.high is not None, "described"
        return quantise(reward, column.low, column.high)
    return np.searchsorted(np.array(column.levels, np.float32), reward).astype(np.uint8)
