"""The material for clips: the shots of one or several recordings that pass the selection rule.

The rule is the original's: shots of 5 to 20 frames in successful episodes, which are those with a return above 0.8 of
the game's maximum and at most 200 steps, so that an agent that got stuck does not fill the clips. Two games continue
until the agent fails, so that their best episodes are long; for these any length is allowed. Where no greatest return
is known, episodes of any length are taken: the successful ones, or the better half by return where nothing counts as
success.

Axes: B states, E episodes, S shots.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.clusters import require_clusters
from semantic_rl.clips.choose import Shots, find_shots
from semantic_rl.config.clips import MAX_EPISODE_STEPS, ClipSettings
from semantic_rl.envs.spec import EnvSpec
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.writer import ShardWriter


class Footage(NamedTuple):
    """The states of one or several recordings of the same agent and game, concatenated."""

    recordings: Sequence[Recording]
    first_rows: NDArray[np.int64]
    """Row of each recording's first state."""
    action: NDArray[np.integer]
    """[B]."""
    shots: Shots
    """All shots of all episodes, of any length."""
    episode_return: NDArray[np.float64]
    """[E]; for an unfinished episode, the return so far."""
    episode_steps: NDArray[np.int64]
    """[E]."""
    episode_ended: NDArray[np.bool_]
    """[E]."""
    episode_success: NDArray[np.bool_] | None
    """[E]; None if nothing counts as success."""

    @property
    def num_codes(self) -> int:
        """Return the number of the agent's clusters."""
        return self.recordings[0].num_codes

    def locate(self, row: int) -> tuple[Recording, int]:
        """Return the recording that contains a state, and the state's row in it."""
        index = int(np.searchsorted(self.first_rows, row, side="right")) - 1
        return self.recordings[index], row - int(self.first_rows[index])


def read_footage(recordings: Sequence[Recording]) -> Footage:
    """Read the data needed to choose shots; raises UserError if the agent has no clusters."""
    require_clusters(recordings[0])
    tables = [recording.table(*_COLUMNS) for recording in recordings]
    first_rows = _starts([recording.num_states for recording in recordings])
    first_episodes = _starts([recording.num_episodes for recording in recordings])

    def joined(name: str) -> NDArray[np.int64]:
        return np.concatenate([table[name].to_numpy() for table in tables]).astype(np.int64)

    def of_episodes(name: str) -> NDArray[np.float64]:
        return np.concatenate([recording.episodes[name].to_numpy() for recording in recordings]).astype(np.float64)

    episode = joined("episode") + np.repeat(first_episodes, [len(table) for table in tables])
    return Footage(
        recordings,
        first_rows,
        np.concatenate([table["action"].to_numpy() for table in tables]),
        find_shots(episode, joined("step"), joined("level_seed"), joined("code_index")),
        of_episodes("return"),
        of_episodes("length").astype(np.int64),
        (of_episodes("terminated") + of_episodes("truncated")) > 0,
        of_episodes("success") > 0 if all(recording.has("success") for recording in recordings) else None,
    )


_COLUMNS = ("episode", "step", "level_seed", "code_index", "action")


def footage_so_far(writer: ShardWriter) -> Footage:
    """Return the footage that a recording in progress, of an agent with clusters in a game, holds so far."""
    states, episodes = writer.taken(*_COLUMNS)
    return Footage(
        [Recording(writer.folder, writer.content_so_far)],
        np.zeros(1, np.int64),
        states["action"],
        find_shots(*(states[name] for name in _COLUMNS[:-1])),
        episodes["return"].astype(np.float64),
        episodes["length"].astype(np.int64),
        episodes["terminated"] | episodes["truncated"],
        episodes["success"],
    )


def _starts(counts: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)


def episodes_that_count(footage: Footage, settings: ClipSettings) -> NDArray[np.bool_]:
    """Say for each episode [E] whether it may be shown."""
    if settings.all_episodes:
        return np.ones(len(footage.episode_return), np.bool_)
    max_steps = max_episode_steps(footage.recordings[0].spec, settings)
    is_short = footage.episode_steps <= max_steps if max_steps else np.ones_like(footage.episode_ended)
    is_good = _deciding_success(footage)
    if is_good is None:
        is_good = footage.episode_return > _return_to_exceed(footage, settings)
    return footage.episode_ended & is_short & is_good


def _deciding_success(footage: Footage) -> NDArray[np.bool_] | None:
    """Return the environment's own word of success [E], which decides where the greatest return is unknown."""
    return footage.episode_success if footage.recordings[0].spec.greatest_return is None else None


def max_episode_steps(spec: EnvSpec, settings: ClipSettings) -> int:
    """Return the largest number of steps of an episode that may be shown; 0 for any number."""
    if settings.all_episodes:
        return 0
    if settings.max_episode_steps is not None:
        return settings.max_episode_steps
    return 0 if spec.is_endless or spec.greatest_return is None else MAX_EPISODE_STEPS


def _return_to_exceed(footage: Footage, settings: ClipSettings) -> float:
    greatest = footage.recordings[0].spec.greatest_return
    if greatest is not None:
        return settings.success_fraction * greatest
    returns = footage.episode_return[footage.episode_ended]
    # Just below the median, so that an agent whose episodes all end with the same return has clips too.
    return float(np.nextafter(np.median(returns), -np.inf)) if len(returns) else 0.0


def find_candidates(footage: Footage, settings: ClipSettings) -> Shots:
    """Return the shots that pass the rule."""
    shots = footage.shots
    has_length = (shots.num_frames >= settings.min_shot) & (shots.num_frames <= settings.max_shot)
    return shots.where(has_length & episodes_that_count(footage, settings)[shots.episode])


def require_episodes(footage: Footage, settings: ClipSettings) -> None:
    """Raise UserError if no episode passes the rule, saying how far the best one falls short."""
    if episodes_that_count(footage, settings).any():
        return
    max_steps = max_episode_steps(footage.recordings[0].spec, settings)
    within = f" within {max_steps} steps" if max_steps else ""
    ended = footage.episode_ended
    if _deciding_success(footage) is not None:
        raise UserError(
            f"all_episodes: not one of {len(ended):,} episodes was successful{within}; take every episode with "
            "--all-episodes."
        )
    what = f"a return above {_return_to_exceed(footage, settings):g}{within}"
    best = f"; the best return is {footage.episode_return[ended].max():g}" if ended.any() else "; none of them ended"
    raise UserError(
        f"success_fraction: not one of {len(ended):,} episodes has {what}{best}. Loosen the rule with "
        "--success-fraction or --max-episode-steps, or take every episode with --all-episodes."
    )
