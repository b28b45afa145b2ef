"""Lists the differences between the agents of two recordings, with bootstrap intervals over episodes.

The episodes of both recordings are resampled independently; the rest is as in `analysis.effect_sizes`.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.clusters import find_visits
from semantic_rl.analysis.effect_sizes import Sums, add_up, draws_of, draws_of_mean, interval
from semantic_rl.explorer import contract
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.queries.cluster_matching import Match, Side, match_clusters, share_actions
from semantic_rl.recording.store.agent_info import agent_info

if TYPE_CHECKING:
    from semantic_rl.analysis.metrics.bootstrap import Bootstrap

LEAST_SHARE = 0.02
"""Actions that both agents take less often than this are not listed."""


class _Pair(NamedTuple):
    """Both recordings and the bootstrap draws of their episodes."""

    a: Explored
    b: Explored
    draws_a: "Bootstrap"
    draws_b: "Bootstrap"


AddUp = Callable[[Explored, int], Sums]
"""Sums numbers of one recording, the first (0) or the second (1), by episode."""


class _Number(NamedTuple):
    """A number that is compared: its name, how it is written, and how it is summed."""

    what: str
    group: Literal["play", "cluster", "action"]
    digits: int
    """Number of decimals; those of a share are decimals of its percentage."""
    is_share: bool
    add_up: AddUp
    clusters: tuple[int, int] | None = None

    @property
    def title(self) -> str:
        """Return what is compared, including the clusters that it refers to."""
        if self.clusters is None:
            return self.what
        ours, theirs = self.clusters
        return f"cluster {ours if ours == theirs else f'{ours} / {theirs}'}: {self.what}"


def compare(a: Side, b: Side) -> contract.Comparison:
    """Match the clusters of two recordings and list the differences, as JSON values."""
    match = match_clusters(a, b)
    first, second = a.explored, b.explored
    draws = (draws_of(len(side.episodes.length), seed) for seed, side in enumerate((first, second)))
    pair = _Pair(first, second, *draws)
    return {
        "match": match.pairs,
        "kind": match.kind,
        "how": match.how,
        "differences": [*_play(pair), *_clusters(pair, match), *_actions(pair)],
        "notes": [
            f"The recordings differ in {what}: {ours} and {theirs}."
            for what, ours, theirs in zip(_SETTINGS, _settings(first), _settings(second), strict=True)
            if ours != theirs and None not in (ours, theirs)
        ],
    }


_SETTINGS = (
    "algorithm",
    "environment",
    "layer",
    "clustering",
    "steps of training",
    "seed of training",
    "levels",
    "weights of the agent",
)


def _settings(explored: Explored) -> list[str | None]:
    """Return what is known, in the order of `_SETTINGS`; None where nothing is."""
    known = agent_info(explored.recording)
    seed = known.settings.get("seed")
    environment = known.environment
    levels, start = environment.get("num_levels"), environment.get("start_level", 0)
    return [
        known.algorithm or None,
        explored.recording.spec.title,
        known.layer,
        explored.recording.clustering_name,
        None if known.timesteps is None else f"{known.timesteps:,}",
        None if seed is None else str(seed),
        None if levels is None else f"{levels} levels from {start}" if levels else "all levels",
        known.sha256[:8] or None,
    ]


def _play(pair: _Pair) -> Iterator[contract.ComparedNumber]:
    """Compare returns, episode lengths and values."""
    numbers = (
        _Number("mean return", "play", 2, False, _of_ended(lambda one: one.episodes.episode_return)),
        _Number("success", "play", 0, True, _of_ended(lambda one: one.episodes.success)),
        _Number("steps of an episode", "play", 0, False, _of_ended(lambda one: one.episodes.length)),
        _Number("expected value", "play", 2, False, _of_states(lambda one: one.states.value)),
    )
    known = {"mean return": "reward", "success": "success", "expected value": "value"}
    for number in numbers:
        name = known.get(number.title)
        if name is None or all(one.recording.has(name) for one in (pair.a, pair.b)):
            yield _difference(pair, number)


def _actions(pair: _Pair) -> Iterator[contract.ComparedNumber]:
    """Compare how often the agents take each action."""
    if not share_actions(pair.a.recording, pair.b.recording):
        return
    for action in range(pair.a.recording.num_known_actions):
        name = pair.a.recording.spec.action.name(action)

        def taken(one: Explored, action: int = action) -> NDArray[np.bool_]:
            return one.states.action == action

        found = _difference(pair, _Number(f"action “{name}”", "action", 1, True, _of_states(taken)))
        if max(found["a"], found["b"]) >= LEAST_SHARE:
            yield found


def _clusters(pair: _Pair, match: Match) -> Iterator[contract.ComparedNumber]:
    """Compare the share of states and the dwell of clusters that match."""
    for ours, theirs, _ in match.pairs:
        both = (ours, theirs)
        yield _difference(pair, _Number("share of states", "cluster", 1, True, _shares(both), both))
        yield _difference(pair, _Number("dwell, steps", "cluster", 1, False, _dwells(both), both))


def _shares(clusters: tuple[int, int]) -> AddUp:
    """Count the states of a cluster, given one cluster per recording."""
    return lambda one, side: _of_states(lambda some: some.states.code_index == clusters[side])(one, side)


def _dwells(clusters: tuple[int, int]) -> AddUp:
    """Sum the dwells in a cluster, given one cluster per recording."""

    def sums(one: Explored, side: int) -> Sums:
        assert one.states.code_index is not None, "the clusters were matched"
        visits = find_visits(one.states.episode, one.states.step, one.states.code_index)
        chosen = visits.code_index == clusters[side]
        return add_up(visits.num_steps[chosen], visits.episode[chosen], len(one.episodes.length))

    return sums


def _of_ended(pick: Callable[[Explored], NDArray[Any]]) -> AddUp:
    """Sum a number of each episode that ended."""

    def sums(one: Explored, side: int) -> Sums:
        ended = np.flatnonzero(one.episodes.ended)
        return add_up(pick(one)[ended], ended, len(one.episodes.length))

    return sums


def _of_states(pick: Callable[[Explored], Any]) -> AddUp:
    """Sum a number of each state."""
    return lambda one, side: add_up(pick(one), one.states.episode, len(one.episodes.length))


def _difference(pair: _Pair, number: _Number) -> contract.ComparedNumber:
    """Return the number in both recordings, and the interval of the difference b − a."""
    sums_a, sums_b = number.add_up(pair.a, 0), number.add_up(pair.b, 1)
    low, high = interval(draws_of_mean(pair.draws_b, sums_b) - draws_of_mean(pair.draws_a, sums_a))
    found = contract.ComparedNumber(
        what=number.what,
        group=number.group,
        a=sums_a.mean,
        b=sums_b.mean,
        num_episodes_a=sums_a.num_episodes,
        num_episodes_b=sums_b.num_episodes,
        difference=sums_b.mean - sums_a.mean,
        low=low,
        high=high,
        certain=low is not None and high is not None and (low > 0 or high < 0),
        is_share=number.is_share,
        digits=number.digits,
        text="",
    )
    found["text"] = _text(number, found)
    return {**found, "clusters": number.clusters} if number.clusters else found


def _text(number: _Number, found: contract.ComparedNumber) -> str:
    """Return it as a line: 'mean return: 8.46 → 7.10 (difference −1.36, 95% interval −2.10 to −0.60)'."""

    def written(value: float) -> str:
        kind = "%" if number.is_share else "f"
        return "–" if np.isnan(value) else f"{value:.{number.digits}{kind}}".replace("-", "−")

    def difference(value: float) -> str:
        """A difference of shares is one of percentage points, which are no percent of anything."""
        if np.isnan(value) or not number.is_share:
            return written(value)
        return f"{100 * value:+.{number.digits}f} pts".replace("-", "−")

    line = f"{number.title}: {written(found['a'])} → {written(found['b'])}"
    if np.isnan(found["difference"]):
        return line
    low, high = found["low"], found["high"]
    interval = "" if low is None or high is None else f", 95% interval {difference(low)} to {difference(high)}"
    return f"{line} (difference {difference(found['difference'])}{interval})"
