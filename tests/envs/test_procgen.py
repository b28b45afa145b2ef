"""The real games: every mode runs, seeds decide everything, and a state brings back the same future, bit for bit."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from semantic_rl.config import EnvConfig
from semantic_rl.envs.base import EnvStep, VectorEnv, lend
from semantic_rl.envs.procgen.games import ACTION_NAMES, GAMES
from semantic_rl.envs.procgen.vector_env import ABANDON, ProcgenVectorEnv
from semantic_rl.errors import UserError

if sys.version_info < (3, 13):
    pytest.skip("needs Python 3.13 for the games", allow_module_level=True)

MODES = [(game, mode) for game, about in GAMES.items() for mode in about.modes]


@contextmanager
def playing(config: EnvConfig, num_envs: int = 3, seed: int = 0, render: bool = False) -> Iterator[ProcgenVectorEnv]:
    games = ProcgenVectorEnv(config, num_envs, seed, render=render)
    try:
        yield games
    finally:
        games.close()


def random_actions(num_steps: int, num_envs: int, seed: int = 0) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(0, 15, (num_steps, num_envs), np.int32)


def play(games: VectorEnv, actions: NDArray[np.int32]) -> list[EnvStep]:
    steps = [games.observe()]
    for action in actions:
        games.act(action)
        steps.append(games.observe())
    return steps


def assert_same(ours: list[EnvStep], theirs: list[EnvStep]) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        for name, value in one._asdict().items():
            np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


@pytest.mark.parametrize(("game", "mode"), MODES)
def test_a_state_brings_back_the_same_future_in_other_games_too(game: str, mode: str) -> None:
    """300 steps behind the state, across the ends of episodes; also in games that were made with another seed."""
    config = EnvConfig(game, mode)
    future = random_actions(300, 3, seed=1)
    with playing(config) as games, playing(config, seed=99) as others:
        play(games, random_actions(150, 3))
        state = games.state()
        expected = play(games, future)
        assert games.state() != state
        for place in (games, others):
            place.restore(state)
            assert place.state() == state
            assert_same(play(place, future), expected)


def test_states_are_one_item_an_environment_and_can_be_mixed() -> None:
    config = EnvConfig("coinrun")
    actions = random_actions(40, 3)
    with playing(config) as games:
        play(games, random_actions(20, 3))
        state = games.state()
        assert [type(item) for item in state] == [bytes] * 3
        games.restore(state)
        ahead = play(games, actions)
        games.restore(state[::-1])
        swapped = play(games, actions[:, ::-1])
    for one, other in zip(ahead, swapped, strict=True):
        np.testing.assert_array_equal(one.observation, other.observation[::-1])


@pytest.mark.parametrize(("game", "mode"), MODES)
def test_every_mode_of_every_game_runs(game: str, mode: str) -> None:
    with playing(EnvConfig(game, mode), num_envs=2) as games:
        steps = play(games, random_actions(25, 2))
    assert all(step.observation.shape == (2, 64, 64, 3) for step in steps)
    assert any((steps[0].observation != step.observation).any() for step in steps)


@pytest.mark.parametrize("mode", ["hard", "memory"])
def test_modes_are_different_games(mode: str) -> None:
    with playing(EnvConfig("maze")) as easy, playing(EnvConfig("maze", mode)) as other:
        assert (easy.observe().observation != other.observe().observation).any()


def test_seeds_decide_everything() -> None:
    config, actions = EnvConfig("starpilot"), random_actions(200, 3)
    with playing(config, seed=5) as one, playing(config, seed=5) as same, playing(config, seed=6) as other:
        expected = play(one, actions)
        assert_same(play(same, actions), expected)
        assert any(
            (ours.observation != theirs.observation).any()
            for ours, theirs in zip(play(other, actions), expected, strict=True)
        )


def test_types_and_shapes_are_the_protocols() -> None:
    with playing(EnvConfig("bigfish")) as games:
        env: VectorEnv = games
        assert (env.num_envs, env.num_actions, env.observation_shape) == (3, 15, (64, 64, 3))
        assert len(ACTION_NAMES) == env.num_actions
        for step in play(games, random_actions(3, 3)):
            assert (step.observation.dtype, step.observation.shape) == (np.uint8, (3, 64, 64, 3))
            assert (step.reward.dtype, step.reward.shape) == (np.float32, (3,))
            assert (step.level_seed.dtype, step.level_seed.shape) == (np.int64, (3,))
            for flags in (step.terminated, step.truncated, step.success, step.done):
                assert (flags.dtype, flags.shape) == (np.bool_, (3,))


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_actions_of_any_integer_type_do_the_same(kind: type) -> None:
    actions = random_actions(50, 3)
    with playing(EnvConfig("coinrun")) as games, playing(EnvConfig("coinrun")) as others:
        assert_same(play(games, actions), play(others, actions.astype(kind)))


def test_an_observation_stays_as_it_was_when_the_games_go_on() -> None:
    with playing(EnvConfig("starpilot")) as games:
        steps = play(games, random_actions(30, 3))
        before = [EnvStep(*(array.copy() for array in step)) for step in steps]
        play(games, random_actions(30, 3))
    assert_same(steps, before)


def test_levels_are_those_asked_for() -> None:
    with playing(EnvConfig("bigfish", num_levels=3, start_level=10), num_envs=8) as games:
        seeds = {int(seed) for step in play(games, random_actions(400, 8)) for seed in step.level_seed}
    assert seeds == {10, 11, 12}


def test_with_the_reward_that_ends_an_episode_comes_the_first_observation_of_the_next() -> None:
    """On one single level every episode begins with the same picture."""
    with playing(EnvConfig("bigfish", num_levels=1), num_envs=8) as games:
        steps = play(games, random_actions(400, 8))
    first = steps[0].observation[0]
    ends = [(step, index) for step in steps[1:] for index in np.flatnonzero(step.done)]
    assert len(ends) >= 8
    for step, index in ends:
        np.testing.assert_array_equal(step.observation[index], first)
        assert step.terminated[index]
        assert not step.truncated[index]


def test_an_episode_of_coinrun_is_a_success_where_it_brought_the_coin() -> None:
    """Running to the right with jumps reaches some coins: reward 10, and nothing else is a success."""
    generator = np.random.default_rng(0)
    actions = generator.choice(np.array([7, 8, 8], np.int32), (700, 16))
    with playing(EnvConfig("coinrun"), num_envs=16) as games:
        steps = play(games, actions)[1:]
    success = np.array([step.success for step in steps])
    reward = np.array([step.reward for step in steps])
    done = np.array([step.done for step in steps])
    assert success.any()
    assert (done & ~success).any()
    np.testing.assert_array_equal(success, reward == 10)
    assert not (success & ~done).any()


def test_pictures_for_people_are_those_of_the_last_observation() -> None:
    with playing(EnvConfig("coinrun"), num_envs=2, render=True) as games, playing(EnvConfig("coinrun"), 2) as plain:
        actions = random_actions(10, 2)
        steps = play(games, actions)
        assert_same(steps, play(plain, actions))
        frames = games.frames()
        assert (frames.dtype, frames.shape) == (np.uint8, (2, 512, 512, 3))
        small = frames.reshape(2, 64, 8, 64, 8, 3).mean((2, 4))
        matching = np.corrcoef(small.reshape(2, -1), steps[-1].observation.reshape(2, -1))[:2, 2:]
        assert (np.diag(matching) > 0.8).all()
        games.act(actions[0])
        games.observe()
        assert (games.frames() != frames).any()


def test_without_the_games_the_way_to_them_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "procgen_gym", None)
    with pytest.raises(UserError, match=r"pip install 'procgen-gym>=0\.1\.1,<0\.2'"):
        ProcgenVectorEnv(EnvConfig(), 1, 0)


def test_memory_that_is_lent_holds_what_observe_returns() -> None:
    config, actions = EnvConfig("bigfish"), random_actions(400, 3)
    rooms: list[NDArray[np.uint8]] = []

    def make_pictures(shape: tuple[int, ...]) -> NDArray[np.uint8]:
        rooms.append(np.zeros(shape, np.uint8))
        return rooms[-1]

    drawing = ProcgenVectorEnv(config, 3, 0, make_pictures=make_pictures)
    with playing(config) as games, playing(config) as plain:
        expected = play(plain, actions)
        assert any(step.done.any() for step in expected)
        for lender in (games, drawing):
            env = lend(lender)
            assert env is lender
            env.wait()
            buffers = env.buffers
            for action, step in zip([None, *actions], expected, strict=True):
                if action is not None:
                    env.act(action)
                    env.wait()
                assert env.buffers is buffers
                np.testing.assert_array_equal(buffers.observation, step.observation)
                np.testing.assert_array_equal(buffers.reward, step.reward)
                np.testing.assert_array_equal(buffers.done != 0, step.done)
                np.testing.assert_array_equal(step.done & (buffers.is_complete != 0), step.success)
    assert len(rooms) == 1
    assert drawing.buffers.observation is rooms[0]
    drawing.close()


def test_environments_that_lend_nothing_are_copied() -> None:
    class Plain:
        """The part of an environment that a rollout needs."""

        def __init__(self, games: ProcgenVectorEnv) -> None:
            self.num_envs, self.observation_shape = games.num_envs, games.observation_shape
            self.act, self.observe = games.act, games.observe

    actions = random_actions(60, 3)
    with playing(EnvConfig("bigfish")) as games, playing(EnvConfig("bigfish")) as other:
        env = lend(Plain(games))  # type: ignore[arg-type]
        env.wait()
        for action, step in zip(actions, play(other, actions)[1:], strict=True):
            env.act(action)
            env.wait()
            np.testing.assert_array_equal(env.buffers.observation, step.observation)
            np.testing.assert_array_equal(env.buffers.reward, step.reward)
            np.testing.assert_array_equal(env.buffers.done != 0, step.done)
            np.testing.assert_array_equal(env.buffers.is_complete != 0, step.success)


def test_states_are_those_of_procgen_gym() -> None:
    with playing(EnvConfig("coinrun")) as games:
        play(games, random_actions(5, 3))
        assert games.state() == games._games.get_state()


def test_an_abandoned_episode_is_followed_by_the_next_level() -> None:
    with playing(EnvConfig("coinrun"), num_envs=1) as games:
        before = play(games, random_actions(3, 1))[-1]
        games.act(np.array([ABANDON]))
        after = games.observe()
        assert after.done[0]
        assert not after.success[0]
        assert after.level_seed != before.level_seed
        games.act(np.zeros(1, np.int32))
        assert not games.observe().done[0]
