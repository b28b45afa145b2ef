"""One episode, state by state: the data that the page's player shows beside the frames."""

from typing import Any

import numpy as np

from semantic_rl.explorer import contract
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.explorer.dataset.projections import PLANES


def list_episodes(explored: Explored) -> contract.Episodes:
    """Return all episodes as columns."""
    episodes = explored.episodes
    success = explored.success_of(np.arange(len(episodes.length)))
    return {
        "first_row": episodes.first_row,
        "num_rows": episodes.num_rows,
        "length": episodes.length,
        "episode_return": episodes.episode_return,
        "level_seed": episodes.level_seed if explored.recording.has("level_seed") else None,
        "end": [
            None if not ended else "truncated" if truncated else "terminated"
            for ended, truncated in zip(episodes.ended.tolist(), episodes.truncated.tolist(), strict=True)
        ],
        "success": [None if value == 255 else bool(value) for value in success.tolist()],
    }


def describe_episode(explored: Explored, episode: int) -> contract.EpisodeData:
    """Return the states of an episode as columns; planes that have not been computed are left out."""
    rows, states = explored.rows_of_episode(episode), explored.states
    return {
        "episode": episode,
        "first_row": rows.start,
        "length": int(explored.episodes.length[episode]),
        "episode_return": float(explored.episodes.episode_return[episode]),
        "step": states.step[rows],
        "action": states.action[rows] if explored.recording.num_known_actions else None,
        "action_parts": states.action_parts[rows].T,
        "value": states.value[rows] if explored.recording.has("value") else None,
        "reward": states.reward[rows],
        "cluster": None if states.code_index is None else states.code_index[rows],
        "uncertainty": None if states.uncertainty is None else states.uncertainty[rows],
        "planes": {name: _points(explored, name, rows) for name in PLANES if explored.is_ready(name)},
    }


def list_numbers(explored: Explored, frames: Frames, episode: int) -> contract.EpisodeNumbers:
    """Return the observations of an episode as numbers, if they have any, to six digits."""
    rows = explored.rows_of_episode(episode)
    numbers = frames.numbers(rows.start, rows.stop - rows.start)
    return {"numbers": [[float(f"{number:.6g}") for number in course] for course in numbers.T.tolist()]}


def _points(explored: Explored, name: Any, rows: slice) -> list[Any]:
    """Return the position [x, y] of each state, null if the plane does not include it."""
    placed = explored.plane(name)
    if placed.rows is None:
        return placed.points[rows].tolist()
    low, high = np.searchsorted(placed.rows, (rows.start, rows.stop)).tolist()
    found: list[Any] = [None] * (rows.stop - rows.start)
    for row, point in zip(placed.rows[low:high].tolist(), placed.points[low:high].tolist(), strict=True):
        found[row - rows.start] = point
    return found
