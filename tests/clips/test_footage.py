"""Which episodes and shots count, by the original's rule and by others; several recordings are as one."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import polars as pl
import pytest

import semantic_rl
from semantic_rl.clips import ClipSettings
from semantic_rl.clips.footage import (
    Footage,
    episodes_that_count,
    find_candidates,
    read_footage,
    require_episodes,
)
from semantic_rl.errors import UserError
from semantic_rl.json_files import JsonObject
from semantic_rl.recording.store import Recording, open_recording

from ..recording.other_recordings import cartpole
from ..recording.synthetic import make_recording


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return make_recording(tmp_path_factory.mktemp("recordings") / "r", num_episodes=10)


def with_episodes(recording: Recording, env: str, mode: str, **columns: list[float]) -> Footage:
    """The footage of a recording of another game, with other returns, lengths or ends."""
    environment = {"env": env, "distribution_mode": mode}
    content = JsonObject({**recording.description, "environment": environment}, recording.path, "record again.")
    other = Recording(recording.path, content)
    names = {"returns": "episode_return", "steps": "episode_steps", "ended": "episode_ended"}
    return read_footage([other])._replace(**{names[name]: np.array(values) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("env", "mode", "returns", "expected"),
    [
        ("coinrun", "easy", [0, 8, 8.1, 10], [False, False, True, True]),
        ("fruitbot", "easy", [25, 25.9, 26, 33], [False, False, True, True]),  # 0.8 × 32.4 = 25.92
        ("fruitbot", "hard", [21, 21.7, 22, 33], [False, False, True, True]),  # 0.8 × 27.2 = 21.76
        ("dodgeball", "memory", [15, 15.2, 15.3, 19], [False, False, True, True]),  # 0.8 × 19 = 15.2
    ],
)
def test_an_episode_counts_above_eight_tenths_of_the_games_maximum(
    recording: Recording, env: str, mode: str, returns: list[float], expected: list[bool]
) -> None:
    footage = with_episodes(recording, env, mode, returns=returns, steps=[50] * 4, ended=[True] * 4)
    assert episodes_that_count(footage, ClipSettings()).tolist() == expected


@pytest.mark.parametrize(
    ("env", "settings", "expected"),
    [
        ("coinrun", {}, [True, True, False]),
        ("coinrun", {"max_episode_steps": 199}, [True, False, False]),
        ("coinrun", {"max_episode_steps": 0}, [True, True, True]),
        ("coinrun", {"all_episodes": True}, [True, True, True]),
        ("starpilot", {}, [True, True, True]),
        ("fruitbot", {}, [True, True, True]),
        ("fruitbot", {"max_episode_steps": 199}, [True, False, False]),
    ],
)
def test_long_episodes_count_in_endless_games_or_if_wanted(
    recording: Recording, env: str, settings: dict[str, int], expected: list[bool]
) -> None:
    footage = with_episodes(recording, env, "easy", returns=[99] * 3, steps=[100, 200, 201], ended=[True] * 3)
    assert episodes_that_count(footage, ClipSettings(**settings)).tolist() == expected  # type: ignore[arg-type]


def test_an_episode_that_did_not_end_counts_only_among_all(recording: Recording) -> None:
    footage = with_episodes(recording, "coinrun", "easy", returns=[10, 10], steps=[9, 9], ended=[True, False])
    assert episodes_that_count(footage, ClipSettings()).tolist() == [True, False]
    assert episodes_that_count(footage, ClipSettings(all_episodes=True)).tolist() == [True, True]


def test_where_the_greatest_return_is_not_known_the_environment_s_word_of_success_counts(
    recording: Recording, tmp_path: Path
) -> None:
    footage = with_episodes(recording, "coinrun", "easy", returns=[0, 9, 9], steps=[50, 300, 9], ended=[True] * 3)
    success = np.array([True, True, False])
    footage = footage._replace(recordings=[cartpole(tmp_path / "pole", 0)], episode_success=success)
    assert episodes_that_count(footage, ClipSettings()).tolist() == [True, True, False]
    assert episodes_that_count(footage, ClipSettings(max_episode_steps=100)).tolist() == [True, False, False]
    failed = footage._replace(episode_success=np.zeros(3, np.bool_))
    with pytest.raises(UserError, match="not one of 3 episodes was successful; take every episode with"):
        require_episodes(failed, ClipSettings())
    with pytest.raises(UserError, match="was successful within 8 steps; take every"):
        require_episodes(footage, ClipSettings(max_episode_steps=8))


def test_candidates_are_runs_of_the_right_length_in_successful_episodes(recording: Recording) -> None:
    found = find_candidates(read_footage([recording]), ClipSettings(min_shot=4, max_shot=11))
    lengths: list[int] = []
    for episode in recording.episodes.filter(pl.col("success")).iter_rows(named=True):
        codes = recording.states["code_index"].slice(episode["first_row"], episode["num_rows"])
        lengths += codes.rle().struct.field("len").to_list()
    assert sorted(found.num_frames.tolist()) == sorted(length for length in lengths if 4 <= length <= 11)
    assert (found.episode % 2 == 1).all()
    assert (found.level_seed == 100 + found.episode).all()
    assert found.frames_of_clusters(4).sum() == found.num_frames.sum()


def test_several_recordings_are_laid_end_to_end(tmp_path: Path) -> None:
    parts = [make_recording(tmp_path / f"{seed}", num_episodes=4, seed=seed) for seed in range(3)]
    footage = read_footage(parts)
    assert len(footage.episode_return) == 12
    assert footage.shots.num_frames.sum() == len(footage.action) == sum(part.num_states for part in parts)
    assert set(footage.shots.episode.tolist()) == set(range(12))
    for row, code_index in zip(footage.shots.first_row.tolist(), footage.shots.code_index.tolist(), strict=True):
        part, there = footage.locate(row)
        assert part.states["code_index"][there] == code_index
        assert part.states["action"][there] == footage.action[row]


def test_that_no_episode_counts_is_said_with_what_loosens_the_rule(recording: Recording) -> None:
    footage = with_episodes(recording, "coinrun", "easy", returns=[5, 7], steps=[9, 9], ended=[True, True])
    with pytest.raises(UserError, match=r"not one of 2 episodes .* above 8 within 200 steps; the best return is 7"):
        require_episodes(footage, ClipSettings())
    with pytest.raises(UserError, match="--all-episodes"):
        require_episodes(footage._replace(episode_ended=np.zeros(2, np.bool_)), ClipSettings())
    require_episodes(footage, ClipSettings(success_fraction=0.5))


def test_an_agent_without_clusters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no semantic clustering module"):
        read_footage([make_recording(tmp_path / "ppo", num_episodes=2, num_codes=0)])


class ManyActions(gym.Env):  # type: ignore[type-arg]
    """An environment with more actions than a byte can number."""

    observation_space = gym.spaces.Box(0, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(300)


def test_actions_that_need_more_than_a_byte_keep_their_numbers(tmp_path: Path) -> None:
    action = np.arange(30) * 10
    with semantic_rl.RecordingWriter(tmp_path / "r", ManyActions()) as writer:
        for rows in np.split(np.arange(30), 3):
            features = np.eye(30)[rows]
            writer.add_episode(features=features, actions=action[rows], terminated=True)
    semantic_rl.fit(tmp_path / "r", 2, method="kmeans", steps=20, minibatch_size=8, baselines=False, num_threads=1)
    footage = read_footage([open_recording(tmp_path / "r")])
    assert footage.action.tolist() == action.tolist()
