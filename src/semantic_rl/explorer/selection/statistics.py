"""Statistics of the states inside a selection, compared with the rest.

Axes: B states, E episodes, A actions, K clusters.
"""

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.clusters import find_visits
from semantic_rl.analysis.effect_sizes import (
    COHENS_D,
    CRAMERS_V,
    Difference,
    Sums,
    add_up,
    contrast,
    contrast_shares,
    cramers_v,
    draws_of,
    not_compared,
)
from semantic_rl.explorer import contract
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.selection.selection import Selected

if TYPE_CHECKING:
    from semantic_rl.analysis.metrics.bootstrap import Bootstrap

NUM_EXAMPLES = 12
ORDER_FACTOR = 2_654_435_761
"""Multiplier of Knuth's multiplicative hash."""
NOT_IN_A_SAMPLE = "only a sample of the states is compared, so the dwell cannot be measured"
OF_A_SAMPLE = (
    "Of {known:,} of the {total:,} states, drawn at random: an episode passes through where one of them is inside."
)

NOT_FILTERED = "a filter leaves out steps in between, so the dwell cannot be measured"
OF_FILTERED = (
    "Only the states that pass the filter are compared: {known:,} of {total:,}. An episode passes through where one of "
    "them is inside."
)


def describe_inside(explored: Explored, selected: Selected) -> contract.InsideNumbers:
    """Return counts, and the differences between inside and rest.

    `frontend/src/data/inside.ts` computes the same in an exported page; it is tested against golden cases made by this
    function.
    """
    recording, states, episodes = explored.recording, explored.states, explored.episodes
    inside, rest = np.flatnonzero(selected.inside), np.flatnonzero(selected.rest)
    num_episodes = len(episodes.length)
    bootstrap = draws_of(num_episodes, explored.settings.seed)

    def of(values: NDArray[Any], rows: NDArray[np.int64]) -> Sums:
        return add_up(values[rows], states.episode[rows], num_episodes)

    def compare(values: NDArray[Any]) -> Difference:
        return contrast(bootstrap, of(values, inside), of(values, rest))

    passes = np.bincount(states.episode[inside], minlength=num_episodes) > 0
    present = np.bincount(states.episode[rest], minlength=num_episodes) if selected.is_filtered else episodes.num_rows
    success = [_success(explored, passes), _success(explored, ~passes & (present > 0))]
    found: contract.InsideNumbers = {
        "count": len(inside),
        "of": len(inside) + len(rest),
        "num_episodes": int(passes.sum()),
        "num_levels": len(np.unique(episodes.level_seed[passes])) if recording.has("level_seed") else None,
        "parts": [compare(part) for part in states.action_parts.T],
        "progress": compare(explored.progress),
        "dwell": _dwell(explored, selected, bootstrap),
        **_actions(explored, inside, rest, bootstrap),
        "clusters": _clusters(explored, inside),
        "clusters_rest": _clusters(explored, rest),
        "examples": _examples(explored, inside),
    }
    if recording.has("value"):
        found["value"] = compare(states.value)
    if recording.has("reward"):
        found["reward"] = compare(states.reward)
    if recording.has("success"):
        found["success"] = contrast_shares(bootstrap, *success)
    if states.uncertainty is not None:
        found["uncertainty"] = compare(states.uncertainty)
    if selected.known is not None:
        text = OF_FILTERED if selected.is_filtered else OF_A_SAMPLE
        found["note"] = text.format(known=found["of"], total=explored.num_states)
    return found


def _success(explored: Explored, which: NDArray[np.bool_]) -> Sums:
    """Return one number for each of the episodes [E] that ended: 1 for success, 0 for failure."""
    chosen = np.flatnonzero(which & explored.episodes.ended)
    return add_up(explored.episodes.success[chosen], chosen, len(which))


def _dwell(explored: Explored, selected: Selected, bootstrap: "Bootstrap") -> Difference:
    """Compare for how many consecutive steps the agent stays inside and outside."""
    if selected.known is not None:
        return not_compared(COHENS_D, NOT_FILTERED if selected.is_filtered else NOT_IN_A_SAMPLE)
    states, num_episodes = explored.states, len(explored.episodes.length)
    visits = find_visits(states.episode, states.step, selected.inside.astype(np.uint8))

    def of(side: int) -> Sums:
        chosen = visits.code_index == side
        return add_up(visits.num_steps[chosen], visits.episode[chosen], num_episodes)

    return contrast(bootstrap, of(1), of(0))


class _Actions(TypedDict):
    """The part of the result that concerns actions."""

    actions: contract.Floats
    actions_rest: contract.Floats
    actions_low: contract.FloatsOrNaN
    actions_high: contract.FloatsOrNaN
    actions_effect: contract.FloatOrNaN
    actions_effect_name: str


def _actions(
    explored: Explored, inside: NDArray[np.int64], rest: NDArray[np.int64], bootstrap: "Bootstrap"
) -> _Actions:
    """Compare the shares of actions; the overall effect size is Cramér's V."""
    num_actions, num_episodes = explored.recording.num_known_actions, len(explored.episodes.length)
    if not num_actions:
        return {
            "actions": np.zeros(0),
            "actions_rest": np.zeros(0),
            "actions_low": [],
            "actions_high": [],
            "actions_effect": float("nan"),
            "actions_effect_name": CRAMERS_V,
        }

    def count(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        cells = explored.states.episode[rows].astype(np.int64) * num_actions + explored.states.action[rows]
        counts = np.bincount(cells, minlength=num_episodes * num_actions)
        return counts.reshape(num_episodes, num_actions).astype(np.float64)

    def of(table: NDArray[np.float64], action: int) -> Sums:
        return Sums(table[:, action], table[:, action], table.sum(1))

    tables = [count(inside), count(rest)]
    differences = [
        contrast_shares(bootstrap, *(of(table, action) for table in tables)) for action in range(num_actions)
    ]
    return {
        "actions": tables[0].sum(0) / max(len(inside), 1),
        "actions_rest": tables[1].sum(0) / max(len(rest), 1),
        "actions_low": [difference["low"] for difference in differences],
        "actions_high": [difference["high"] for difference in differences],
        "actions_effect": cramers_v(np.stack([table.sum(0) for table in tables])),
        "actions_effect_name": CRAMERS_V,
    }


def _clusters(explored: Explored, rows: NDArray[np.int64]) -> list[int]:
    if explored.states.code_index is None:
        return []
    return np.bincount(explored.states.code_index[rows], minlength=explored.num_codes).tolist()


def _examples(explored: Explored, inside: NDArray[np.int64]) -> list[int]:
    """Choose some of the rows, each from a different episode: the first in a pseudorandom order.

    The order is that of row · `ORDER_FACTOR` modulo 2³².
    """
    order = inside.astype(np.uint32) * np.uint32(ORDER_FACTOR)
    shuffled = inside[np.argsort(order)]
    first = np.unique(explored.states.episode[shuffled], return_index=True)[1]
    return shuffled[np.sort(first)[:NUM_EXAMPLES]].tolist()
