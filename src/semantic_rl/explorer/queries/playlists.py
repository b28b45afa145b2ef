"""Lists of interesting moments: failures, extreme values, ambiguous states, long dwells, rare moves.

All states are searched. Axes: B states, N moments, E episodes, K clusters.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.clusters import find_visits
from semantic_rl.explorer import contract
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.recording.store import Recording

BEFORE, AFTER = 12, 12
"""Number of states played before and after the state that a moment is about."""
BEFORE_END = 40
"""Number of states played before the end of a failed episode."""
MOST_OF_A_PAIR = 5
"""Most rare moves listed for one pair of clusters."""


class Kind(NamedTuple):
    """The title of a list, and a short description of its content."""

    title: str
    text: str
    needs_clusters: bool = False
    needs: str | None = None
    """What the recording must know."""
    instead_of: str | None = None
    """What the recording must not know, because another list is better then."""


LOOKALIKES = "lookalikes"
LISTS: dict[str, Kind] = {
    "failures": Kind("Failures", "how episodes without success end", needs="success"),
    "lowest_return": Kind("Lowest returns", "how the worst episodes end", needs="reward", instead_of="success"),
    "highest_return": Kind("Highest returns", "how the best episodes end", needs="reward", instead_of="success"),
    "highest_value": Kind("Highest value", "where the agent expects most", needs="value"),
    "lowest_value": Kind("Lowest value", "where it expects least", needs="value"),
    "value_drops": Kind("Value drops", "where it is let down within a step", needs="value"),
    "highest_reward": Kind("Highest reward", "the step that brings most", needs="reward", instead_of="value"),
    "lowest_reward": Kind("Lowest reward", "the step that costs most", needs="reward", instead_of="value"),
    "boundary": Kind("Boundary states", "between clusters, least certain", needs_clusters=True),
    "longest_dwells": Kind("Longest dwells", "where it remains in one cluster", needs_clusters=True),
    "rarest_transitions": Kind("Rarest transitions", "moves that hardly ever happen", needs_clusters=True),
    LOOKALIKES: Kind("Lookalikes", "same-looking frames, other cluster", needs_clusters=True, needs="frames"),
}
"""All lists, in the order of the page's menu."""


def list_names(explored: Explored) -> list[contract.ListName]:
    """Return the lists that are available for a recording."""
    return [
        {"name": name, "title": kind.title, "text": kind.text}
        for name, kind in LISTS.items()
        if is_offered(explored.recording, kind)
    ]


def is_offered(recording: Recording, kind: Kind) -> bool:
    """Say whether a list makes sense for a recording."""
    if kind.needs_clusters and not recording.num_codes:
        return False
    if kind.instead_of is not None and recording.has(kind.instead_of):
        return False
    return kind.needs is None or recording.has(kind.needs)


class Found(NamedTuple):
    """Moments, the most interesting first."""

    title: str
    row: NDArray[np.int64]
    """[N]: the state that each moment is about."""
    first: NDArray[np.int64]
    """[N]: the first and, in `last`, the last of the states that are played."""
    last: NDArray[np.int64]
    text: Callable[[int], str]
    """Returns why the moment at a position is in the list."""
    other: NDArray[np.int64] | None = None
    """[N]: a state to compare each one with."""
    note: str = ""
    """A note on what the list leaves out."""


def to_playlist(
    explored: Explored, name: str, found: Found, limit: int, kept: NDArray[np.bool_] | None = None
) -> contract.Playlist:
    """Return the first `limit` moments as JSON values, only those for which `kept` [N] is true, if it is given."""
    places = np.arange(len(found.row)) if kept is None else np.flatnonzero(kept)
    items: list[contract.PlaylistItem] = []
    for place in places[:limit].tolist():
        row = int(found.row[place])
        item: contract.PlaylistItem = {
            "episode": int(explored.states.episode[row]),
            "row": row,
            "first": int(found.first[place]),
            "last": int(found.last[place]),
            "text": found.text(place),
        }
        if found.other is not None:
            item["other"] = int(found.other[place])
        items.append(item)
    content = contract.Playlist(name=name, title=found.title, total=len(places), items=items)
    return {**content, "note": found.note} if found.note else content


def failures(explored: Explored) -> Found:
    """Find the ends of the episodes that ended without success, the lowest return and then the shortest first."""
    episodes = explored.episodes
    failed = np.flatnonzero(episodes.ended & ~episodes.success & (episodes.num_rows > 0))
    failed = failed[np.lexsort((episodes.length[failed], episodes.episode_return[failed]))]
    return _ends(explored, LISTS["failures"].title, failed)


def lowest_return(explored: Explored) -> Found:
    """Find the ends of the episodes that ended, those with the lowest return first."""
    return _ends(explored, LISTS["lowest_return"].title, _by_return(explored, 1))


def highest_return(explored: Explored) -> Found:
    """Find the ends of the episodes that ended, those with the highest return first."""
    return _ends(explored, LISTS["highest_return"].title, _by_return(explored, -1))


def _by_return(explored: Explored, sign: int) -> NDArray[np.int64]:
    episodes = explored.episodes
    ended = np.flatnonzero(episodes.ended & (episodes.num_rows > 0))
    return ended[np.argsort(sign * episodes.episode_return[ended], kind="stable")]


def _ends(explored: Explored, title: str, chosen: NDArray[np.int64]) -> Found:
    """Return the ends of episodes as a list."""
    episodes = explored.episodes
    row = episodes.first_row[chosen] + episodes.num_rows[chosen] - 1

    def text(place: int) -> str:
        episode = chosen[place]
        return (
            f"{_where(explored, int(episode))}: ended after {_count(episodes.length[episode], 'step')}, return "
            f"{episodes.episode_return[episode]:g}"
        )

    return Found(title, row, np.maximum(row - BEFORE_END, episodes.first_row[chosen]), row, text)


def _where(explored: Explored, episode: int) -> str:
    """Name an episode by its level, or by its number if there are no levels."""
    word = explored.recording.spec.level_word if explored.recording.has("level_seed") else None
    return f"{word} {explored.episodes.level_seed[episode]}" if word else f"episode {episode}"


def _extreme(
    explored: Explored, which: Literal["highest", "lowest"], what: Literal["value", "reward"], form: str
) -> Found:
    """Find the state with the highest or lowest number in each episode; `form` is how the number is written."""
    numbers: NDArray[np.float32] = getattr(explored.states, what)
    row = _best_of_episodes(explored, numbers if which == "highest" else -numbers)
    title = LISTS[f"{which}_{what}"].title
    return _around(explored, title, row, lambda at: f"{what} {numbers[row[at]]:{form}}, the {which} of its episode")


def highest_value(explored: Explored) -> Found:
    """Find the state with the highest value in each episode, the highest of all first."""
    return _extreme(explored, "highest", "value", ".2f")


def lowest_value(explored: Explored) -> Found:
    """Find the state with the lowest value in each episode, the lowest of all first."""
    return _extreme(explored, "lowest", "value", ".2f")


def value_drops(explored: Explored) -> Found:
    """Find the step with the largest drop of the value in each episode: an event that the agent did not expect."""
    value = explored.states.value
    drop = np.full(len(value), -np.inf, np.float32)
    here = np.flatnonzero(_follows(explored))
    drop[here] = value[here] - value[here + 1]
    row = _best_of_episodes(explored, drop)
    row = row[drop[row] > 0]
    return _around(
        explored,
        LISTS["value_drops"].title,
        row,
        lambda place: f"value falls from {value[row[place]]:.2f} to {value[row[place] + 1]:.2f} in one step",
    )


def highest_reward(explored: Explored) -> Found:
    """Find the step with the highest reward in each episode, the highest of all first."""
    return _extreme(explored, "highest", "reward", "g")


def lowest_reward(explored: Explored) -> Found:
    """Find the step with the lowest reward in each episode, the lowest of all first."""
    return _extreme(explored, "lowest", "reward", "g")


def boundary(explored: Explored) -> Found:
    """Find the state of each episode whose cluster is most ambiguous."""
    states, codebook = explored.states, explored.recording.codebook
    assert states.uncertainty is not None and states.embedding is not None, "there are clusters"
    uncertainty, embedding = states.uncertainty, states.embedding
    row = _best_of_episodes(explored, uncertainty)

    def text(place: int) -> str:
        distances = np.linalg.norm(codebook - embedding[row[place]], axis=1)
        nearest = np.argsort(distances, kind="stable")[:2].tolist()
        return f"uncertainty {uncertainty[row[place]]:.2f}, between clusters {' and '.join(map(str, nearest))}"

    return _around(explored, LISTS["boundary"].title, row, text)


def longest_dwells(explored: Explored) -> Found:
    """Find the longest dwells in one cluster, played in full."""
    states = explored.states
    assert states.code_index is not None, "there are clusters"
    title = LISTS["longest_dwells"].title
    if not explored.num_states:
        nothing = np.zeros(0, np.int64)
        return Found(title, nothing, nothing, nothing, str)
    visits = find_visits(states.episode, states.step, states.code_index)
    ends = np.append(visits.first_row[1:], explored.num_states) - 1
    means = _means(visits.num_steps, visits.code_index, explored.num_codes)
    order = np.argsort(-visits.num_steps, kind="stable")

    def text(place: int) -> str:
        visit = order[place]
        cluster = int(visits.code_index[visit])
        dwell = _count(visits.num_steps[visit], "step")
        return f"{dwell} in a row in cluster {cluster}, where the mean is {means[cluster]:.1f}"

    return Found(title, visits.first_row[order], visits.first_row[order], ends[order], text)


def rarest_transitions(explored: Explored) -> Found:
    """Find moves between the pairs of clusters with the fewest moves, a few for each pair."""
    code_index = explored.states.code_index
    assert code_index is not None, "there are clusters"
    here = np.flatnonzero(_follows(explored))
    here = here[code_index[here] != code_index[here + 1]]
    pair = code_index[here].astype(np.int64) * explored.num_codes + code_index[here + 1]
    counts = np.bincount(pair, minlength=explored.num_codes**2)
    order = np.lexsort((here, pair, counts[pair]))
    here, pair = here[order], pair[order]
    few = _earlier(pair) < MOST_OF_A_PAIR
    here, pair = here[few], pair[few]

    def text(place: int) -> str:
        before, after = divmod(int(pair[place]), explored.num_codes)
        return f"{before} → {after}, seen {_count(counts[pair[place]], 'time')} in all"

    return _around(explored, LISTS["rarest_transitions"].title, here, text)


def moves(explored: Explored, before: int, after: int) -> Found:
    """Find all moves from one cluster to another, in random order, from as many episodes as possible."""
    states = explored.states
    assert states.code_index is not None, "there are clusters"
    here = np.flatnonzero(_follows(explored))
    here = here[(states.code_index[here] == before) & (states.code_index[here + 1] == after)]
    shuffled = np.random.default_rng(explored.settings.seed).permutation(here)
    row = shuffled[np.argsort(_earlier(states.episode[shuffled]), kind="stable")]

    def text(place: int) -> str:
        episode = states.episode[row[place]]
        return f"{_where(explored, int(episode))}, step {states.step[row[place]]}"

    return _around(explored, f"From cluster {before} to {after}", row, text)


Finder = Callable[[Explored], Found]
PLAYLISTS: dict[str, Finder] = {
    "failures": failures,
    "lowest_return": lowest_return,
    "highest_return": highest_return,
    "highest_value": highest_value,
    "lowest_value": lowest_value,
    "value_drops": value_drops,
    "highest_reward": highest_reward,
    "lowest_reward": lowest_reward,
    "boundary": boundary,
    "longest_dwells": longest_dwells,
    "rarest_transitions": rarest_transitions,
}


def _around(explored: Explored, title: str, row: NDArray[np.int64], text: Callable[[int], str]) -> Found:
    episodes = explored.episodes
    episode = explored.states.episode[row]
    first = np.maximum(row - BEFORE, episodes.first_row[episode])
    last = np.minimum(row + AFTER, episodes.first_row[episode] + episodes.num_rows[episode] - 1)
    return Found(title, row, first, last, text)


def _follows(explored: Explored) -> NDArray[np.bool_]:
    """Say for each state [B] whether the next row is its successor in the episode."""
    states = explored.states
    follows = np.zeros(explored.num_states, np.bool_)
    follows[:-1] = (np.diff(states.episode) == 0) & (np.diff(states.step) == 1)
    return follows


def _best_of_episodes(explored: Explored, score: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the first row with the highest finite score [B] in each episode that has one, the highest first."""
    if not len(score):
        return np.zeros(0, np.int64)
    score = np.where(np.isfinite(score), score, -np.inf)
    filled = np.flatnonzero(explored.episodes.num_rows > 0)
    best = np.full(len(explored.episodes.num_rows), -np.inf)
    best[filled] = np.maximum.reduceat(score, explored.episodes.first_row[filled])
    rows = np.flatnonzero((score == best[explored.states.episode]) & (score > -np.inf))
    rows = rows[np.unique(explored.states.episode[rows], return_index=True)[1]]
    return rows[np.argsort(-score[rows], kind="stable")]


def _earlier(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return for each position [N] how many earlier ones have the same label."""
    order = np.argsort(labels, kind="stable")
    sorted_labels = labels[order]
    places = np.arange(len(order))
    begins = np.concatenate([[True], sorted_labels[1:] != sorted_labels[:-1]])[: len(order)]
    counts = np.empty(len(order), np.int64)
    counts[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return counts


def _means(values: NDArray[np.integer], labels: NDArray[np.int64], num_labels: int) -> NDArray[np.float64]:
    totals = np.bincount(labels, values, num_labels)
    return totals / np.maximum(np.bincount(labels, minlength=num_labels), 1)


def _count(number: Any, word: str) -> str:
    return f"{int(number):,} {word}{'' if int(number) == 1 else 's'}"
