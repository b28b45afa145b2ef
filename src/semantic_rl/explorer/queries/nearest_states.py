"""Finds the states that are nearest to one: by the agent's features, in a plane, or by the pixels of their frames.

All states are searched, a piece at a time, so that memory holds a few bytes for each. Distances of features and in
planes are Euclidean; those of frames are mean absolute differences of pixels, 0 to 255.
Axes: B states, D features, N states found.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.explorer import contract
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.explorer.dataset.row_arrays import RowArrays, kept_arrays
from semantic_rl.explorer.dataset.small_frames import SIDE, SmallFrames
from semantic_rl.progress_bar import OnProgress

NUM_NEAREST = 96
"""Number of states that are found."""
CANDIDATES = 4 * NUM_NEAREST
"""Number of states, the nearest of the shrunk frames, whose whole frames are compared."""
COPIED_FROM = 100_000
"""Number of states from which features are copied to a file that is read many times faster than the table."""
ROWS_AT_ONCE = 512
"""Rows whose features fit a processor's cache as float32."""
_FLOAT16 = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
"""What each float16 stands for; looking it up is faster than converting it."""


class NearQuery(NamedTuple):
    """What is looked for."""

    row: int
    by: Literal["features", "plane", "pixels"]
    plane: PlaneName | None
    """The plane, if that is what is searched."""
    episodes: Literal["each", "others", "all"]
    """In which episodes: all others, at most one state of each other, or the state's own too."""


def copy_features(explored: Explored, on_progress: OnProgress) -> RowArrays | None:
    """Copy the features of a large recording to a file; None if it is small, or if nothing can be written."""
    if explored.num_states < COPIED_FROM:
        return None
    dtype = explored.recording.state_dtype["features"]

    def compute() -> Iterator[NDArray[Any]]:
        for start, features in explored.recording.feature_groups():
            yield features
            on_progress(start + len(features), explored.num_states)

    return kept_arrays(explored, "features", dtype.shape[0], dtype.base, {}, compute)


def find_nearest(
    explored: Explored,
    frames: Frames,
    query: NearQuery,
    among: NDArray[np.bool_] | None,
    on_progress: OnProgress,
    features: RowArrays | None = None,
    small: SmallFrames | None = None,
) -> contract.Near:
    """Find the nearest states, only among [B] if it is given, the nearest first; of equals, the earlier row first."""
    note = ""
    if query.by == "features":
        distances = feature_distances(explored, query.row, features, on_progress)
        rows = _best(explored, query, distances, among, NUM_NEAREST)
    elif query.by == "plane":
        assert query.plane is not None, "it was asked for"
        distances, note = plane_distances(explored, query.plane, query.row)
        rows = _best(explored, query, distances, among, NUM_NEAREST)
    else:
        assert small is not None, "made before"
        distances = small_distances(small, query.row, explored.num_states, on_progress)
        rows = _best(explored, query, distances, among, CANDIDATES)
        rows, found = _by_whole_frames(frames, query.row, rows)
        distances[rows] = found
        rows = rows[:NUM_NEAREST]
        note = f"Found by frames shrunk to {SIDE} × {SIDE} pixels; the distances are of whole frames."
    content = contract.Near(rows=rows, distances=distances[rows])
    return {**content, "note": note} if note else content


def feature_distances(
    explored: Explored, row: int, copied: RowArrays | None, on_progress: OnProgress
) -> NDArray[np.float32]:
    """Return the distance of each state's features to those of one, [B]."""
    wanted = explored.recording.features(np.array([row]))[0].astype(np.float32)
    distances = np.empty(explored.num_states, np.float32)
    pieces = explored.recording.feature_groups() if copied is None else copied.pieces()
    for first, features in pieces:
        for start in range(0, len(features), ROWS_AT_ONCE):
            part = features[start : start + ROWS_AT_ONCE]
            apart = _FLOAT16[part.view(np.uint16)] if part.dtype == np.float16 else part.astype(np.float32)
            apart -= wanted
            distances[first + start : first + start + len(part)] = np.einsum("ij,ij->i", apart, apart)
        on_progress(first + len(features), explored.num_states)
    return np.sqrt(distances, out=distances)


def plane_distances(explored: Explored, plane: PlaneName, row: int) -> tuple[NDArray[np.float32], str]:
    """Return the distance of each state to one in a plane [B], infinite if it is not in it, and a note on the latter.

    Raises UserError if the plane does not hold the state itself.
    """
    placed = explored.plane(plane)
    rows = np.arange(explored.num_states) if placed.rows is None else placed.rows
    place = int(np.searchsorted(rows, row))
    if place == len(rows) or rows[place] != row:
        raise UserError(f"state {row:,} does not lie in this plane, which holds {len(rows):,} states; take another.")
    distances = np.full(explored.num_states, np.inf, np.float32)
    distances[rows] = np.linalg.norm(placed.points.astype(np.float64) - placed.points[place], axis=1)
    is_sample = len(rows) < explored.num_states
    return distances, f"Of the {len(rows):,} states that lie in this plane." if is_sample else ""


def small_distances(small: SmallFrames, row: int, num_states: int, on_progress: OnProgress) -> NDArray[np.float32]:
    """Return the mean absolute difference of each shrunk frame to that of one, [B]; infinite without a frame.

    Raises UserError if the frame of the state itself cannot be read.
    """
    wanted = next(lines[row - start] for start, lines in small.pieces() if row < start + len(lines))
    if not wanted[-1]:
        raise UserError(f"the frame of state {row:,} cannot be read, so no others can be compared with it.")
    distances = np.empty(num_states, np.float32)
    for start, lines in small.pieces():
        apart = np.maximum(lines, wanted) - np.minimum(lines, wanted)
        total = apart[:, :-1].sum(1, dtype=np.uint32)
        distances[start : start + len(lines)] = np.where(lines[:, -1], total / (lines.shape[1] - 1), np.inf)
        on_progress(start + len(lines), num_states)
    return distances


def _by_whole_frames(
    frames: Frames, row: int, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Sort states by the difference of their whole frames to that of one; those that cannot be read are left out."""
    wanted = frames.observation(row).astype(np.int16)
    found: list[tuple[float, int]] = []
    for other in rows.tolist():
        try:
            found.append((float(np.abs(wanted - frames.observation(other)).mean()), other))
        except UserError:
            continue
    found.sort()
    return np.array([other for _, other in found], np.int64), np.array([apart for apart, _ in found], np.float32)


def _best(
    explored: Explored, query: NearQuery, distances: NDArray[np.float32], among: NDArray[np.bool_] | None, limit: int
) -> NDArray[np.int64]:
    """Return the rows with the least distances [B], ascending, at most `limit`; never the state's own row."""
    episode = int(explored.states.episode[query.row])
    mine = explored.rows_of_episode(episode)
    kept = np.isfinite(distances)
    if among is not None:
        kept &= among
    kept[query.row if query.episodes == "all" else mine] = False
    rows = np.flatnonzero(kept)
    if query.episodes == "each" and len(rows):
        episodes = explored.states.episode[rows]
        begins = np.flatnonzero(np.concatenate([[True], episodes[1:] != episodes[:-1]]))
        counts = np.diff(begins, append=len(rows))
        least = np.repeat(np.minimum.reduceat(distances[rows], begins), counts)
        rows = rows[distances[rows] == least]
        rows = rows[np.unique(explored.states.episode[rows], return_index=True)[1]]
    if len(rows) > limit:
        bound = np.partition(distances[rows], limit - 1)[limit - 1]
        rows = rows[distances[rows] <= bound]
    return rows[np.argsort(distances[rows], kind="stable")][:limit]
