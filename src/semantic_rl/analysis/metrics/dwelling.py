"""Measures dwell time and self-transitions of clusters, and compares them with the same episodes shuffled in time.

Shuffling keeps which clusters occur in an episode and how often, and discards their order. The dwell time that remains
is due to the frequency of the clusters alone.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.clusters import find_visits
from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.result import Estimate

NUM_SHUFFLES = 20


class Counts(NamedTuple):
    """Counts of each episode, or of each group of episodes."""

    steps: NDArray[np.float64]
    """Steps spent in visits."""
    visits: NDArray[np.float64]
    self_transitions: NDArray[np.float64]
    """Steps from a state to one in the same cluster."""
    moves: NDArray[np.float64]
    """Moves from a recorded state to the next one, if that was recorded too."""


def count(episode: NDArray[np.int64], step: NDArray[np.int64], labels: NDArray[np.int64]) -> Counts:
    """Count visits and moves in states [B], ordered by episode (numbered from 0) and step."""
    num_episodes = int(episode.max()) + 1
    visits = find_visits(episode, step, labels)
    follows = (np.diff(episode) == 0) & (np.diff(step) == 1)
    same = follows & (np.diff(labels) == 0)

    def per(episodes: NDArray[np.int64], weights: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        return np.bincount(episodes, weights, num_episodes).astype(np.float64)

    return Counts(
        per(visits.episode, visits.num_steps), per(visits.episode), per(episode[1:][same]), per(episode[1:][follows])
    )


def shuffle_within_episodes(
    episode: NDArray[np.int64], labels: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Shuffle the labels [B] within each episode; labels never move between episodes."""
    return labels[np.lexsort((rng.random(len(labels)), episode))]


def time_in_clusters(
    episode: NDArray[np.int64],
    step: NDArray[np.int64],
    labels: NDArray[np.int64],
    bootstrap: Bootstrap,
    seed: int,
) -> dict[str, Estimate]:
    """Return dwell times and self-transitions of states [B], ordered by episode (numbered from 0) and step.

    The shuffled reference is the mean of 20 shuffles; a bootstrap draw takes an episode together with its shuffles.
    """
    rng = np.random.default_rng(seed)
    unit = bootstrap.unit[np.unique(episode, return_index=True)[1]]

    def by_unit(labels: NDArray[np.int64]) -> Counts:
        counts = count(episode, step, labels)
        return Counts(*(np.bincount(unit, values, bootstrap.num_units) for values in counts))

    real = by_unit(labels)
    shuffles = [by_unit(shuffle_within_episodes(episode, labels, rng)) for _ in range(NUM_SHUFFLES)]
    shuffled = Counts(*(np.mean(values, 0) for values in zip(*shuffles, strict=True)))
    found = {
        "dwell": bootstrap.ratio(real.steps, real.visits),
        "dwell_shuffled": bootstrap.ratio(shuffled.steps, shuffled.visits),
        "self_transition": bootstrap.ratio(real.self_transitions, real.moves),
        "self_transition_shuffled": bootstrap.ratio(shuffled.self_transitions, shuffled.moves),
    }
    dwell = bootstrap.ratio_draws(real.steps, real.visits)
    dwell_shuffled = bootstrap.ratio_draws(shuffled.steps, shuffled.visits)
    longer = real.steps.sum() / real.visits.sum() / (shuffled.steps.sum() / shuffled.visits.sum())
    found["dwell_ratio"] = bootstrap.estimate(float(longer), dwell / dwell_shuffled)
    # Both have the same moves, so the gain is a ratio too.
    found["self_transition_gain"] = bootstrap.ratio(real.self_transitions - shuffled.self_transitions, real.moves)
    return found
