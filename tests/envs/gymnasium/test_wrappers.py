"""Wrappers by name do what the libraries that agents come from do."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from semantic_rl.envs.gymnasium.make import open_recipe
from semantic_rl.envs.gymnasium.wrappers import WRAPPERS, check_wrapper, wrap_env
from semantic_rl.errors import UserError


def wrapped(name: str, *wrap: str, **arguments: Any) -> gym.Env[Any, Any]:
    return open_recipe(name, arguments, wrap, None, None).make(render=False)


def test_atari_with_a_frame_stack_equals_stable_baselines() -> None:
    from stable_baselines3.common.atari_wrappers import AtariWrapper
    from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack

    ours = wrapped("BreakoutNoFrameskip-v4", "atari", "frame-stack=4")
    raw = gym.make("BreakoutNoFrameskip-v4")
    theirs = VecFrameStack(
        DummyVecEnv([lambda: AtariWrapper(raw, terminal_on_life_loss=False, clip_reward=False)]), n_stack=4
    )
    theirs.seed(7)
    observation, _ = ours.reset(seed=7)
    assert observation.shape == (84, 84, 4)
    np.testing.assert_array_equal(observation, theirs.reset()[0])
    generator = np.random.default_rng(0)
    for _ in range(40):
        action = int(generator.integers(4))
        observation, reward, terminated, _, _ = ours.step(action)
        expected, rewards, dones, _ = theirs.step(np.array([action]))
        assert (reward, terminated) == (rewards[0], dones[0])
        np.testing.assert_array_equal(observation, expected[0])
    assert ours.observation_space == theirs.observation_space


def test_a_frame_stack_of_vectors_equals_stable_baselines() -> None:
    from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack

    ours = wrapped("CartPole-v1", "frame-stack=3")
    theirs = VecFrameStack(DummyVecEnv([lambda: gym.make("CartPole-v1")]), n_stack=3)
    theirs.seed(1)
    np.testing.assert_array_equal(ours.reset(seed=1)[0], theirs.reset()[0])
    for action in (0, 1, 1, 0, 1):
        np.testing.assert_array_equal(ours.step(action)[0], theirs.step(np.array([action]))[0][0])


def test_a_stacked_observation_is_not_changed_by_later_steps() -> None:
    env = wrapped("CartPole-v1", "frame-stack=2")
    first, _ = env.reset(seed=0)
    kept = first.copy()
    env.step(0)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("shape", [(6, 5, 3), (3, 6, 5)])
def test_a_frame_stack_does_not_depend_on_the_order_of_the_observations_memory(shape: tuple[int, ...]) -> None:
    plain = wrap_env(Images(shape), "frame-stack=3")
    turned = wrap_env(gym.wrappers.TransformObservation(Images(shape), np.asfortranarray, None), "frame-stack=3")
    np.testing.assert_array_equal(turned.reset(seed=0)[0], plain.reset(seed=0)[0])
    for _ in range(4):
        np.testing.assert_array_equal(turned.step(0)[0], plain.step(0)[0])


class Images(gym.Env[Any, Any]):
    """Random pictures."""

    action_space = gym.spaces.Discrete(2)

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.observation_space = gym.spaces.Box(0, 255, shape, np.uint8)
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: int) -> Any:
        self.steps += 1
        return self.observation_space.sample(), 1.0, self.steps == 5, False, {}


@pytest.mark.parametrize(
    ("shape", "wrap", "expected"),
    [
        ((40, 30, 3), ("grayscale",), (40, 30, 1)),
        ((40, 30, 3), ("resize=20",), (20, 20, 3)),
        ((40, 30, 3), ("grayscale", "resize=20", "frame-stack=4"), (20, 20, 4)),
        ((40, 30, 3), ("grayscale", "resize=20", "frame-stack-first=4"), (4, 20, 20, 1)),
        ((3, 40, 30), ("frame-stack=4",), (12, 40, 30)),
        ((4, 3), ("flatten",), (12,)),
    ],
)
def test_wrappers_shape_images(shape: tuple[int, ...], wrap: tuple[str, ...], expected: tuple[int, ...]) -> None:
    env: gym.Env[Any, Any] = Images(shape)
    for name in wrap:
        env = wrap_env(env, name)
    assert env.reset(seed=0)[0].shape == env.observation_space.shape == expected


def test_a_skip_adds_up_rewards_and_stops_where_the_episode_ends() -> None:
    env = wrap_env(Images((4, 4)), "frame-skip=3")
    env.reset(seed=0)
    assert env.step(0)[1:4] == (3.0, False, False)
    assert env.step(0)[1:4] == (2.0, True, False)


def test_every_wrapper_for_minigrid_can_be_put_around_it() -> None:
    shapes = {
        name: wrapped("MiniGrid-Empty-5x5-v0", name).observation_space
        for name in ("image", "flat", "full-view", "pixels")
    }
    assert shapes["image"].shape == (7, 7, 3)
    assert shapes["flat"].shape == (2835,)


def test_actions_can_be_rescaled() -> None:
    assert wrapped("Pendulum-v1", "rescale-action").action_space == gym.spaces.Box(-1, 1, (1,), np.float32)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("atri", "Did you mean 'atari'"),
        ("frame-stack", "expected a number with it, such as frame-stack=4"),
        ("frame-stack=0", "whole number above 0"),
        ("frame-stack=x", "whole number above 0"),
        ("flatten=2", "without a number"),
        ("frame-stack=99999999999999999999", "whole number above 0"),
    ],
)
def test_a_wrong_wrapper_is_refused_with_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        check_wrapper(text)


@pytest.mark.parametrize("name", ["atari", "image", "resize=84", "grayscale", "flat"])
def test_a_wrapper_that_does_not_fit_the_environment_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"'{name}'") as refusal:
        wrapped("CartPole-v1", name)
    assert "\n" not in str(refusal.value)


def test_the_table_has_only_names_that_can_be_typed() -> None:
    assert all(name.replace("-", "").isalpha() and name.islower() for name in WRAPPERS)


class Steps(gym.Env[Any, Any]):
    """Observations that are made fit: whole numbers or lists at first, and keys beside those of the space."""

    action_space = gym.spaces.Discrete(2)

    def __init__(self, kind: str) -> None:
        self.kind = kind
        part = gym.spaces.Box(0, 255, (2,), np.uint8 if kind == "bytes" else np.float32)
        self.observation_space: Any = gym.spaces.Dict({"a": part}) if kind == "dict" else part

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        first = {"ints": np.zeros(2, np.int64), "lists": [0, 0], "dict": {"a": [0, 0], "more": 1}, "bytes": [0, 0]}
        return first[self.kind], {}

    def step(self, action: int) -> Any:
        now = [0.25, 0.75]
        found: Any = {"lists": now, "dict": {"a": now, "more": "x"}}
        return found.get(self.kind, np.array(now)), 0.0, False, False, {}


@pytest.mark.parametrize("kind", ["ints", "lists", "dict"])
def test_a_frame_stack_is_of_the_type_of_the_space_whatever_the_first_observation_is(kind: str) -> None:
    env = wrap_env(Steps(kind), "frame-stack=2")
    for observation, expected in ((env.reset()[0], [0, 0, 0, 0]), (env.step(0)[0], [0, 0, 0.25, 0.75])):
        stack = observation["a"] if kind == "dict" else observation
        assert stack.dtype == np.float32
        np.testing.assert_array_equal(stack, expected)
        assert kind != "dict" or set(observation) == {"a"}


def test_a_frame_stack_does_not_cut_numbers_that_the_space_does_not_hold() -> None:
    env = wrap_env(Steps("bytes"), "frame-stack=2")
    env.reset()
    with pytest.raises(ValueError, match="the observation has the type float64; its space says uint8"):
        env.step(0)
