"""Chooses the episodes whose frames go into an export, evenly over returns and clusters.

Axes: E episodes, K clusters.
"""

import numpy as np
from numpy.typing import NDArray

from semantic_rl.explorer.dataset.dataset import Explored

NUM_RETURN_BINS = 5


def choose_episodes(explored: Explored, num_frames: int) -> NDArray[np.int64]:
    """Choose whole episodes with at most `num_frames` states in all, ascending.

    Groups of episodes with similar returns take turns; each time, the group's episode that shows most of the clusters
    shown least so far is chosen. An episode that is too long for the remaining number of frames is skipped.
    """
    num_rows = explored.episodes.num_rows
    if num_rows.sum() <= num_frames:
        return np.flatnonzero(num_rows > 0)
    shares = _cluster_shares(explored)
    group = _return_groups(explored)
    shown = np.zeros(shares.shape[1])
    open_ = (num_rows > 0) & (num_rows <= num_frames)
    chosen: list[int] = []
    left = num_frames
    turn = 0
    while open_.any():
        groups = np.unique(group[open_])
        mine = np.flatnonzero(open_ & (group == groups[turn % len(groups)]))
        turn += 1
        # Clusters that are scarce so far count most; ties go to the first, so that the choice is deterministic.
        best = int(mine[np.argmax(shares[mine] @ (1 / (1 + shown)))])
        chosen.append(best)
        shown += shares[best] * num_rows[best]
        left -= int(num_rows[best])
        open_[best] = False
        open_ &= num_rows <= left
    return np.sort(np.array(chosen, np.int64))


def _cluster_shares(explored: Explored) -> NDArray[np.float64]:
    """Return the share of each cluster in the states of each episode, [E, K]; one column if there are no clusters."""
    num_episodes = len(explored.episodes.length)
    code_index = explored.states.code_index
    if code_index is None:
        return np.ones((num_episodes, 1))
    cells = explored.states.episode.astype(np.int64) * explored.num_codes + code_index
    counts = np.bincount(cells, minlength=num_episodes * explored.num_codes).reshape(num_episodes, -1)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def _return_groups(explored: Explored) -> NDArray[np.int64]:
    """Return the group of each episode, [E], by return; groups have equal sizes as far as returns differ."""
    returns = explored.episodes.episode_return
    edges = np.quantile(returns, np.arange(1, NUM_RETURN_BINS) / NUM_RETURN_BINS)
    groups = np.searchsorted(np.unique(edges), returns, side="left")
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)
