"""Finds pairs of states that look alike but belong to different clusters: differences the agent sees and the eye not.

The pairs come from a sample of states and from different episodes, since neighbours in time look alike anyway.
Axes: B states of the sample, P pixels.
"""

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.explorer.dataset.small_frames import NUM_PIXELS, shrunk
from semantic_rl.explorer.queries.playlists import AFTER, BEFORE, LISTS, LOOKALIKES, Found
from semantic_rl.progress_bar import OnProgress

MOST_COMPARED = 6_000
"""Number of states that are compared with each other."""
CANDIDATES = 400
"""Number of pairs whose full frames are compared."""
CHUNK = 500


def lookalikes(explored: Explored, frames: Frames, on_progress: OnProgress = lambda done, total: None) -> Found:
    """Find pairs of states from different clusters and episodes, sorted by the difference of their frames."""
    code_index, episode = explored.states.code_index, explored.states.episode
    assert code_index is not None, "there are clusters"
    rng = np.random.default_rng(explored.settings.seed)
    chosen = np.sort(rng.permutation(explored.num_states)[:MOST_COMPARED])
    rows, small = _small_frames(chosen, frames, on_progress)
    pairs = _nearest_pairs(small, code_index[rows], episode[rows])
    scored: list[tuple[float, int, int]] = []
    for first, second in pairs:
        a, b = int(rows[first]), int(rows[second])
        difference = frames.observation(a).astype(np.int16) - frames.observation(b)
        scored.append((float(np.abs(difference).mean()), a, b))
    scored = _without_repeats(sorted(scored), episode)
    row = np.array([a for _, a, _ in scored], np.int64)
    other = np.array([b for _, _, b in scored], np.int64)
    episodes = explored.episodes
    begin = episodes.first_row[episode[row]]
    end = begin + episodes.num_rows[episode[row]] - 1

    def text(place: int) -> str:
        difference, a, b = scored[place]
        return f"clusters {code_index[a]} and {code_index[b]}; pixels differ by {difference:.1f} of 255 on average"

    note = "" if len(rows) == explored.num_states else f"Looked for among {len(rows):,} states, drawn at random."
    first, last = np.maximum(row - BEFORE, begin), np.minimum(row + AFTER, end)
    return Found(LISTS[LOOKALIKES].title, row, first, last, text, other, note)


def _small_frames(
    chosen: NDArray[np.int64], frames: Frames, on_progress: OnProgress
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows whose frames can be read, and their shrunk frames [B, P]."""
    rows: list[int] = []
    small: list[NDArray[np.float32]] = []
    for index, row in enumerate(chosen.tolist()):
        try:
            frame = frames.observation(row)
        except UserError:
            continue
        rows.append(row)
        small.append(shrunk(frame))
        if index % CHUNK == 0:
            on_progress(index, len(chosen))
    pixels = np.array(small, np.float32).reshape(len(rows), NUM_PIXELS)
    return np.array(rows, np.int64), pixels


def _nearest_pairs(
    small: NDArray[np.float32], cluster: NDArray[np.uint8], episode: NDArray[np.int32]
) -> list[tuple[int, int]]:
    """Return for each frame [B, P] the pair with the nearest frame of another cluster and episode, nearest first."""
    if len(small) < 2:
        return []
    small = small - small.mean(0)
    squares = np.square(small).sum(1)
    best = np.empty(len(small), np.int64)
    distance = np.empty(len(small), np.float32)
    for start in range(0, len(small), CHUNK):
        part = slice(start, start + CHUNK)
        distances = squares[part, None] - 2 * small[part] @ small.T + squares
        distances[(cluster[part, None] == cluster) | (episode[part, None] == episode)] = np.inf
        best[part] = distances.argmin(1)
        distance[part] = distances.min(1)
    order = np.argsort(distance, kind="stable")
    order = order[np.isfinite(distance[order])][: 2 * CANDIDATES]
    pairs = dict.fromkeys((min(a, b), max(a, b)) for a, b in zip(order.tolist(), best[order].tolist(), strict=True))
    return list(pairs)[:CANDIDATES]


def _without_repeats(scored: list[tuple[float, int, int]], episode: NDArray[np.int32]) -> list[tuple[float, int, int]]:
    """Keep only the best pair of any two episodes: the others are a step away and show the same."""
    seen: set[frozenset[int]] = set()
    kept: list[tuple[float, int, int]] = []
    for item in scored:
        both = frozenset((int(episode[item[1]]), int(episode[item[2]])))
        if both not in seen:
            seen.add(both)
            kept.append(item)
    return kept
