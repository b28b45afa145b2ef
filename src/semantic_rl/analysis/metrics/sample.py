"""The sample of states that the metrics are computed on: whole episodes of a recording."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording

NUM_VALUE_BINS = 10
"""Value deciles."""


class Sample(NamedTuple):
    """B states of E whole episodes, in the order of the recording. Labels are numbered from 0 without gaps."""

    rows: NDArray[np.int64]
    """[B], ascending: which states of the recording."""
    episode: NDArray[np.int64]
    """[B], 0 to E−1."""
    step: NDArray[np.int64]
    """[B]: step within the episode."""
    action: NDArray[np.int64]
    """[B]."""
    value_bin: NDArray[np.int64]
    """[B]: decile of the agent's value among these states; fewer than ten where many states share a value."""
    level: NDArray[np.int64]
    """[B]: number of the level."""
    features: NDArray[np.float32]
    """[B, D]."""
    absent: frozenset[str] = frozenset()
    """Those of the columns action, value and level_seed that the recording does not have: they are 0 here."""

    @property
    def num_episodes(self) -> int:
        """E."""
        return int(self.episode.max()) + 1


def episode_rows(recording: Recording, max_states: int, seed: int) -> NDArray[np.int64]:
    """Draw whole episodes at random until the next one would exceed `max_states`; return their rows, ascending.

    Takes all episodes if they fit. Raises UserError if the first episode drawn does not fit.
    """
    if recording.num_states <= max_states:
        return np.arange(recording.num_states)
    first: NDArray[np.int64] = recording.episodes["first_row"].to_numpy()
    count: NDArray[np.int64] = recording.episodes["num_rows"].to_numpy().astype(np.int64)
    order: NDArray[np.int64] = np.random.default_rng(seed).permutation(np.flatnonzero(count > 0))
    # The first episode that does not fit ends the draw: going on with shorter ones would favour them.
    taken = order[np.cumsum(count[order]) <= max_states]
    if not len(taken):
        raise UserError(
            f"max_states: {max_states} is less than one episode of {recording.path}, of {count[order[0]]} states; "
            f"give --max-states {count.max()} or more."
        )
    begins = zip(first[taken].tolist(), count[taken].tolist(), strict=True)
    return np.sort(np.concatenate([np.arange(begin, begin + length) for begin, length in begins]))


def read_sample(recording: Recording, rows: NDArray[np.int64]) -> Sample:
    """Read the states `rows` of a recording; all other states take only a few numbers of memory each."""
    columns = ("episode", "step", "action", "value", "level_seed")
    states = recording.table(*columns)
    episode, step, action, value, level = (states[name].to_numpy()[rows] for name in columns)
    return Sample(
        rows,
        number(episode),
        step.astype(np.int64),
        number(action),
        quantile_bins(value, NUM_VALUE_BINS),
        number(level),
        recording.features(rows).astype(np.float32),
        frozenset(name for name in ("action", "value", "level_seed") if not recording.has(name)),
    )


def number(labels: NDArray[np.generic]) -> NDArray[np.int64]:
    """Number labels [B] from 0 without gaps, in ascending order."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def quantile_bins(values: NDArray[np.floating], num_bins: int) -> NDArray[np.int64]:
    """Sort values [B] into bins of the same size; equal values share a bin."""
    edges = np.quantile(values, np.arange(1, num_bins) / num_bins)
    return number(np.searchsorted(edges, values, side="left"))
