"""Which moments a clip shows: runs of consecutive frames in one cluster, drawn from as many episodes as there are.

Axes: B states in the order of a recording, R runs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Run(NamedTuple):
    """Consecutive states of one episode, all in one cluster."""

    episode: int
    level_seed: int
    first_row: int
    """Row of its first state among those it was chosen from."""
    first_step: int
    """Step of this state within the episode."""
    num_frames: int


class Runs(NamedTuple):
    """Many runs, and the cluster of each; all fields are [R]."""

    code_index: NDArray[np.int64]
    episode: NDArray[np.int64]
    level_seed: NDArray[np.int64]
    first_row: NDArray[np.int64]
    first_step: NDArray[np.int64]
    num_frames: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> "Runs":
        """Return the runs for which `mask` [R] holds."""
        return Runs(*(values[mask] for values in self))

    def frames_of_clusters(self, num_codes: int) -> NDArray[np.int64]:
        """Return how many frames there are in the runs of each cluster, [K]."""
        return np.bincount(self.code_index, self.num_frames, num_codes).astype(np.int64)


def find_runs(
    episode: NDArray[np.integer],
    step: NDArray[np.integer],
    level_seed: NDArray[np.integer],
    code_index: NDArray[np.integer],
) -> Runs:
    """Cut states [B] into the longest possible runs; a run ends where a step is missing, too."""
    if not len(episode):
        return Runs(*(np.zeros(0, np.int64) for _ in Runs._fields))
    episode, step, code_index = (np.asarray(values, np.int64) for values in (episode, step, code_index))
    goes_on = (np.diff(episode) == 0) & (np.diff(step) == 1) & (np.diff(code_index) == 0)
    first = np.concatenate([[0], np.flatnonzero(~goes_on) + 1])
    num_frames = np.diff(np.append(first, len(episode)))
    return Runs(
        code_index[first], episode[first], np.asarray(level_seed, np.int64)[first], first, step[first], num_frames
    )


def choose_runs(runs: Runs, num_frames: int, min_run: int, rng: np.random.Generator) -> list[Run]:
    """Draw runs, in the order in which they are shown, until they have `num_frames` frames or all are drawn.

    No episode comes a second time before every episode has come once, and among these no level a second time before
    every level has; otherwise the order is random. What is too much at the end is cut off as `fit` does it.
    """
    shuffled = rng.permutation(len(runs.episode))
    times_before = _count_earlier(runs.episode[shuffled])
    level_times_before = _count_earlier(runs.level_seed[shuffled], times_before)
    order = shuffled[np.lexsort((level_times_before, times_before))]
    fields = (runs.episode, runs.level_seed, runs.first_row, runs.first_step, runs.num_frames)
    ordered = [Run(*values) for values in zip(*(values[order].tolist() for values in fields), strict=True)]
    return fit(ordered, num_frames, min_run)


def _count_earlier(*keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each place [R] how many earlier ones have the same keys."""
    order = np.lexsort(keys)
    table = np.stack([key[order] for key in keys])
    begins = np.concatenate([[True], (np.diff(table, axis=1) != 0).any(0)])[: len(order)]
    places = np.arange(len(order))
    counts = np.empty(len(order), np.int64)
    counts[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return counts


def fit(runs: list[Run], num_frames: int, min_run: int) -> list[Run]:
    """Return the first runs, with `num_frames` frames if there are so many.

    What is too much is cut off the ends of the last run, then of the one before it and so on, down to `min_run` frames
    each; where that does not suffice, the last run gets shorter still.
    """
    totals = np.cumsum([run.num_frames for run in runs])
    fitted = runs[: int(np.searchsorted(totals, num_frames)) + 1]
    excess = max(0, sum(run.num_frames for run in fitted) - num_frames)
    for index in range(len(fitted) - 1, -1, -1):
        cut = min(excess, max(0, fitted[index].num_frames - min_run))
        fitted[index] = fitted[index]._replace(num_frames=fitted[index].num_frames - cut)
        excess -= cut
    if excess:
        fitted[-1] = fitted[-1]._replace(num_frames=fitted[-1].num_frames - excess)
    return fitted
