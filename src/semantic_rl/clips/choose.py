"""Chooses the moments that a clip shows: shots of consecutive states in one cluster, from as many episodes as possible.

Axes: B states in the order of a recording, S shots.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Shot(NamedTuple):
    """Consecutive states of one episode, all in one cluster."""

    episode: int
    level_seed: int
    first_row: int
    """Row of its first state among the states that shots were chosen from."""
    first_step: int
    """Step of this state within the episode."""
    num_frames: int


class Shots(NamedTuple):
    """Many shots, and the cluster of each; all fields are [S]."""

    code_index: NDArray[np.int64]
    episode: NDArray[np.int64]
    level_seed: NDArray[np.int64]
    first_row: NDArray[np.int64]
    first_step: NDArray[np.int64]
    num_frames: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> "Shots":
        """Return the shots for which `mask` [S] holds."""
        return Shots(*(values[mask] for values in self))

    def frames_of_clusters(self, num_codes: int) -> NDArray[np.int64]:
        """Return the total number of frames in the shots of each cluster, [K]."""
        return np.bincount(self.code_index, self.num_frames, num_codes).astype(np.int64)


def find_shots(
    episode: NDArray[np.integer],
    step: NDArray[np.integer],
    level_seed: NDArray[np.integer],
    code_index: NDArray[np.integer],
) -> Shots:
    """Cut states [B] into the longest possible shots; a missing step also ends a shot."""
    if not len(episode):
        return Shots(*(np.zeros(0, np.int64) for _ in Shots._fields))
    episode, step, code_index = (np.asarray(values, np.int64) for values in (episode, step, code_index))
    goes_on = (np.diff(episode) == 0) & (np.diff(step) == 1) & (np.diff(code_index) == 0)
    first = np.concatenate([[0], np.flatnonzero(~goes_on) + 1])
    num_frames = np.diff(np.append(first, len(episode)))
    return Shots(
        code_index[first], episode[first], np.asarray(level_seed, np.int64)[first], first, step[first], num_frames
    )


def choose_shots(shots: Shots, num_frames: int, min_shot: int, rng: np.random.Generator) -> list[Shot]:
    """Draw shots, in the order in which they are shown, until they have `num_frames` frames or all are drawn.

    No episode occurs a second time before every episode has occurred once, and among these no level occurs a second
    time before every level has; otherwise the order is random. Excess frames are cut off by `fit`.
    """
    shuffled = rng.permutation(len(shots.episode))
    times_before = _count_earlier(shots.episode[shuffled])
    level_times_before = _count_earlier(shots.level_seed[shuffled], times_before)
    order = shuffled[np.lexsort((level_times_before, times_before))]
    fields = (shots.episode, shots.level_seed, shots.first_row, shots.first_step, shots.num_frames)
    ordered = [Shot(*values) for values in zip(*(values[order].tolist() for values in fields), strict=True)]
    return fit(ordered, num_frames, min_shot)


def _count_earlier(*keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each position [S] how many earlier ones have the same keys."""
    order = np.lexsort(keys)
    table = np.stack([key[order] for key in keys])
    begins = np.concatenate([[True], (np.diff(table, axis=1) != 0).any(0)])[: len(order)]
    places = np.arange(len(order))
    counts = np.empty(len(order), np.int64)
    counts[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return counts


def fit(shots: list[Shot], num_frames: int, min_shot: int) -> list[Shot]:
    """Return the first shots, shortened to `num_frames` frames in total, or fewer if there are not enough.

    Excess frames are cut off the end of the last shot, then of the shot before it and so on, down to `min_shot` frames
    each; if that does not suffice, the last shot is shortened further.
    """
    totals = np.cumsum([shot.num_frames for shot in shots])
    fitted = shots[: int(np.searchsorted(totals, num_frames)) + 1]
    excess = max(0, sum(shot.num_frames for shot in fitted) - num_frames)
    for index in range(len(fitted) - 1, -1, -1):
        cut = min(excess, max(0, fitted[index].num_frames - min_shot))
        fitted[index] = fitted[index]._replace(num_frames=fitted[index].num_frames - cut)
        excess -= cut
    if excess:
        fitted[-1] = fitted[-1]._replace(num_frames=fitted[-1].num_frames - excess)
    return fitted
