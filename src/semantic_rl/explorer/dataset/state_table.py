"""The columns that the explorer keeps in memory for every state, about 30 bytes each
and 4 for each part of a continuous action, so that queries cover all states.

Axes: B states, E episodes, K codes.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store import Recording

MOST_IN_A_BYTE = 256
MOST_ACTION_PARTS = 32
"""Parts of an action that are kept; a humanoid has 17."""


class States(NamedTuple):
    """Columns of all states, in the order of the recording."""

    episode: NDArray[np.int32]
    step: NDArray[np.int32]
    action: NDArray[np.integer[Any]]
    """Indices of actions; 0 if an action is no index."""
    action_parts: NDArray[np.float32]
    """[B, W]: the first parts of each action; W is 0 if an action is an index."""
    value: NDArray[np.float32]
    reward: NDArray[np.float32]
    code_index: NDArray[np.uint8] | None
    """None if the agent has no clusters; the same holds for the next two."""
    embedding: NDArray[np.float32] | None
    """[B, 2]: positions in the FDR space."""
    uncertainty: NDArray[np.float32] | None
    """[B], 0 to 1: see `uncertainty_of`."""
    uncertainty_scale: float
    """σ of `uncertainty_of`; NaN without clusters."""


class Episodes(NamedTuple):
    """Columns of all episodes; axis: E."""

    first_row: NDArray[np.int64]
    num_rows: NDArray[np.int64]
    length: NDArray[np.int64]
    episode_return: NDArray[np.float64]
    level_seed: NDArray[np.int64]
    ended: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    """Whether a time limit ended the episode."""
    success: NDArray[np.bool_]
    """Meaningful only if the episode ended; otherwise False."""


def read_states(recording: Recording, on_progress: OnProgress = lambda done, total: None) -> States:
    """Read the columns one at a time, so that memory holds little more than the result."""
    total = 9 if recording.num_codes else 6
    done = 0

    def read(name: str, dtype: type[np.generic]) -> NDArray[Any]:
        nonlocal done
        on_progress(done, total)
        done += 1
        return recording.table(name)[name].to_numpy().astype(dtype, copy=False)

    states = States(
        episode=read("episode", np.int32),
        step=read("step", np.int32),
        action=read("action", np.uint8 if recording.num_actions <= MOST_IN_A_BYTE else np.uint16),
        action_parts=_read_action_parts(recording),
        value=read("value", np.float32),
        reward=read("reward", np.float32),
        code_index=None,
        embedding=None,
        uncertainty=None,
        uncertainty_scale=float("nan"),
    )
    if recording.num_codes:
        code_index = read("code_index", np.uint8)
        embedding = np.stack([read(f"embedding_{axis}", np.float32) for axis in "xy"], 1)
        on_progress(done, total)
        uncertainty, scale = read_uncertainty(recording)
        states = states._replace(
            code_index=code_index, embedding=embedding, uncertainty=uncertainty, uncertainty_scale=scale
        )
    on_progress(total, total)
    return states


def _read_action_parts(recording: Recording) -> NDArray[np.float32]:
    """Return the first parts of each action, [B, W]."""
    width = 0 if recording.num_actions else min(recording.spec.action.width, MOST_ACTION_PARTS)
    found = np.zeros((recording.num_states, width), np.float32)
    if width:
        for start, columns in recording.groups(["action_vector"]):
            found[start : start + len(columns["action_vector"])] = columns["action_vector"][:, :width]
    return found


def read_episodes(recording: Recording) -> Episodes:
    """Read the episode table."""
    table = recording.episodes
    ended = table.select(pl.col("terminated") | pl.col("truncated")).to_series().to_numpy()
    return Episodes(
        first_row=table["first_row"].to_numpy().astype(np.int64),
        num_rows=table["num_rows"].to_numpy().astype(np.int64),
        length=table["length"].to_numpy().astype(np.int64),
        episode_return=table["return"].to_numpy().astype(np.float64),
        level_seed=table["level_seed"].to_numpy().astype(np.int64),
        ended=ended,
        truncated=table["truncated"].to_numpy(),
        success=table["success"].to_numpy(),
    )


def read_uncertainty(recording: Recording) -> tuple[NDArray[np.float32], float]:
    """Return `uncertainty_of` all states of a recording and its σ, in two passes over the distances to the codes."""
    nearest = np.concatenate([np.zeros(0, np.float32), *(part.min(1) for part in _distances(recording))])
    scale = float(np.median(nearest)) if len(nearest) else 0.0
    parts = [uncertainty_of(part, scale) for part in _distances(recording)]
    return np.concatenate([np.zeros(0, np.float32), *parts]), scale


def _distances(recording: Recording) -> Iterator[NDArray[np.float32]]:
    for _, columns in recording.groups(["code_distance"]):
        yield columns["code_distance"]


def uncertainty_of(distances: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Return how ambiguous the cluster of each state is, given distances [B, K]: 0 for one clear code, 1 if all tie.

    The entropy of softmax(−d²/(2σ²)) over the codes, divided by ln K; σ is `scale`, the median distance to the nearest
    code.
    """
    num_codes = distances.shape[1]
    if num_codes < 2 or not len(distances):
        return np.zeros(len(distances), np.float32)
    logits = -np.square(distances.astype(np.float64)) / max(2 * scale**2, 1e-12)
    logits -= logits.max(1, keepdims=True)
    weights = np.exp(logits)
    total = weights.sum(1)
    entropy = np.log(total) - (weights * logits).sum(1) / total
    return np.clip(entropy / np.log(num_codes), 0, 1).astype(np.float32)
