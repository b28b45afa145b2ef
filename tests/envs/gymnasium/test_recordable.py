"""One environment behind the recorder's protocol plays as the bare environment does; faults end in one UserError."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from semantic_rl.envs.gymnasium.make import EnvRecipe, open_recipe
from semantic_rl.envs.gymnasium.observations import ObservationReader, find_leaves
from semantic_rl.envs.gymnasium.recordable import GymnasiumEnv
from semantic_rl.errors import UserError
from semantic_rl.user_code import UserFunction


def env_of(name: str, *wrap: str, render: bool = False) -> GymnasiumEnv:
    return GymnasiumEnv(open_recipe(name, {}, wrap, None, None), render)


def played(env: GymnasiumEnv, seed: int, actions: list[Any]) -> list[Any]:
    env.begin(seed)
    observations = [env.observe().observation]
    for action in actions:
        if not env.observe().done[0]:
            env.act(np.array([action]))
            observations.append(env.observe().observation)
    return observations


@pytest.mark.parametrize("name", ["CartPole-v1", "LunarLander-v3", "BipedalWalker-v3", "Pendulum-v1", "FrozenLake-v1"])
def test_it_plays_what_the_bare_environment_plays(name: str) -> None:
    bare, ours = gym.make(name), env_of(name)
    bare.action_space.seed(1)
    expected, _ = bare.reset(seed=5)
    ours.begin(5)
    np.testing.assert_array_equal(ours.observe().observation[0], expected)
    for _ in range(50):
        action = bare.action_space.sample()
        expected, reward, terminated, truncated, _ = bare.step(action)
        ours.act(np.array([action]))
        step = ours.observe()
        np.testing.assert_array_equal(step.observation[0], expected)
        assert step.reward.dtype == np.float32
        assert step.reward[0] == np.float32(reward)
        assert (step.terminated[0], step.truncated[0], step.level_seed[0]) == (terminated, truncated, 5)
        if terminated or truncated:
            break
    ours.close()


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        ("CartPole-v1", ()),
        ("LunarLander-v3", ()),
        ("BipedalWalker-v3", ()),
        ("Hopper-v5", ()),
        ("MiniGrid-DoorKey-5x5-v0", ("image",)),
        ("ALE/Breakout-v5", ()),
    ],
)
def test_an_episode_depends_on_its_seed_and_not_on_the_episodes_before(name: str, wrap: tuple[str, ...]) -> None:
    used, fresh = env_of(name, *wrap), env_of(name, *wrap)
    used.action_space.seed(1)
    actions = [used.action_space.sample() for _ in range(20)]
    played(used, 3, actions)
    for one, other in zip(played(used, 4, actions), played(fresh, 4, actions), strict=True):
        np.testing.assert_array_equal(one, other)
    used.close()
    fresh.close()


def test_a_time_limit_truncates_and_the_next_episode_is_begun_by_the_caller() -> None:
    env = env_of("Pendulum-v1", "time-limit=3")
    env.begin(0)
    for _ in range(3):
        env.act(np.zeros((1, 1)))
    assert (env.observe().terminated[0], env.observe().truncated[0]) == (False, True)
    with pytest.raises(RuntimeError, match="begin"):
        env.act(np.zeros((1, 1)))
    env.begin(1)
    env.act(np.zeros((1, 1)))
    assert not env.observe().done[0]


def test_pictures_are_of_the_current_state() -> None:
    env = env_of("CartPole-v1", render=True)
    env.begin(0)
    first = env.frames()
    for _ in range(5):
        env.act(np.array([1]))
    assert first.shape == (1, 400, 600, 3)
    assert not np.array_equal(first, env.frames())
    env.close()


def test_success_in_minigrid_is_a_reward_above_zero() -> None:
    env = env_of("MiniGrid-Empty-5x5-v0", "image")
    env.begin(0)
    for action in (2, 2, 1, 2, 2):  # two steps forward, a turn to the right, two steps forward
        env.act(np.array([action]))
    assert env.observe().success[0]
    env.begin(0)
    while not env.observe().done[0]:
        env.act(np.array([0]))
    assert not env.observe().success[0]


class Odd(gym.Env[Any, Any]):
    """A small environment with one fault."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2, start=3)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    render_mode = "rgb_array"

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.buffer = np.zeros(2, np.float32)
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if self.fault == "raises":
            raise ValueError("no seed\nplease")
        self.steps = 0
        self.buffer[:] = 0
        return self.buffer if self.fault == "no info" else (self.buffer, {})

    def step(self, action: int) -> Any:
        assert action in (3, 4)
        self.steps += 1
        self.buffer[:] = self.steps / 10
        observation: Any = self.buffer
        if self.fault == "shape" and self.steps == 2:
            observation = np.zeros(3, np.float32)
        if self.fault == "nan" and self.steps == 2:
            self.buffer[1] = np.nan
        if self.fault == "infinite" and self.steps == 2:
            self.buffer[1] = -np.inf
        if self.fault == "step raises" and self.steps == 2:
            raise KeyError("door")
        reward: Any = {"reward": np.inf, "array reward": np.array([1.5]), "words": "much", "large": 1e300}.get(
            self.fault, np.float64(0.1)
        )
        if self.fault == "two ends":
            return observation, reward, np.array([False, False]), False, {}
        if self.fault in SUCCESSES:
            return observation, reward, None, np.array([self.steps == 4]), {"is_success": SUCCESSES[self.fault]}
        if self.fault == "old step":
            return observation, reward, False, {}
        if self.fault in ("says it late", "says it never", "says it late and raises", "info"):
            said = {} if self.steps < 4 or self.fault == "says it never" else {"is_success": True}
            if self.fault == "says it late and raises" and self.steps == 3:
                raise ValueError("only trained agents get here")
            return observation, reward, False, self.steps == 4, None if self.fault == "info" else said
        return observation, reward, False, self.steps == 4, {"is_success": self.steps == 4}

    def render(self) -> Any:
        pictures: dict[str, Any] = {"no picture": None, "grey": np.zeros((8, 8), np.uint8)}
        return pictures.get(self.fault, np.zeros((8, 6, 4), np.uint8))

    def close(self) -> None:
        if self.fault == "close":
            raise RuntimeError("cannot close")


SUCCESSES: dict[str, Any] = {
    "array success": np.array([1.0]), "no success": None, "success is NaN": np.nan, "two successes": np.ones(2),
    "success in words": "yes",
}  # fmt: skip


class Unseeded(Odd):
    def reset(self) -> Any:  # type: ignore[override]
        return self.buffer, {}


def odd_env(fault: str, make: Any = Odd) -> GymnasiumEnv:
    class Recipe(EnvRecipe):
        def make(self, render: bool) -> Any:
            return make(fault)

    return GymnasiumEnv(Recipe("odd.py:make", function=UserFunction(__file__, "make")))  # type: ignore[arg-type]


def play_three_steps(fault: str) -> None:
    env = odd_env(fault)
    env.begin(9)
    for _ in range(3):
        env.act(np.array([0]))
    env.frames()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("raises", r"reset with seed 0 failed: ValueError: no seed\\nplease"),
        ("no info", "reset returns a ndarray, expected"),
        ("old step", "step returns 4 values, expected"),
        ("shape", r"step 2 of the episode with seed 9 has the shape \(3,\)"),
        ("nan", "step 2 of the episode with seed 9 has a number that is not finite"),
        ("infinite", "step 2 of the episode with seed 9 has a number that is not finite"),
        ("step raises", "step 2 of the episode with seed 9: KeyError"),
        ("reward", "reward in step 1 of the episode with seed 9 is inf"),
        ("large", "reward in step 1 of the episode with seed 9 is 1e"),
        ("words", "reward in step 1 of the episode with seed 9 is 'much'"),
        ("info", "the info that its step returns is a NoneType, expected a dict"),
        ("no picture", "render returns a NoneType"),
        ("two ends", r"terminated in the first step is '\[False False\]', expected True or False"),
        ("grey", r"render returns an array of uint8 of the shape \(8, 8\)"),
    ],
)
def test_a_fault_of_an_environment_ends_in_one_line(fault: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as refusal:
        play_three_steps(fault)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("odd.py:make")


def test_an_environment_without_seeds_is_refused() -> None:
    with pytest.raises(UserError, match="does not accept a seed"):
        odd_env("", Unseeded)


def test_what_an_environment_changes_later_is_copied_and_the_rest_is_made_fit() -> None:
    env = odd_env("array reward")
    env.begin(0)
    steps = [env.observe()]
    for _ in range(4):
        env.act(np.array([1]))
        steps.append(env.observe())
    np.testing.assert_allclose([step.observation[0, 0] for step in steps], [0, 0.1, 0.2, 0.3, 0.4], rtol=1e-6)
    assert [float(step.reward[0]) for step in steps] == [0, 1.5, 1.5, 1.5, 1.5]
    assert env.spec.success == "info['is_success']"
    assert [bool(step.success[0]) for step in steps] == [False, False, False, False, True]
    assert env.frames().shape == (1, 8, 6, 3)


@pytest.mark.parametrize(
    ("fault", "success"),
    [("says it late", "info['is_success']"), ("says it never", None), ("says it late and raises", None)],
)
def test_what_only_the_last_step_says_of_success_is_found(fault: str, success: str | None) -> None:
    assert odd_env(fault).spec.success == success


def test_an_action_that_the_space_does_not_have_is_refused() -> None:
    env = odd_env("")
    env.begin(0)
    with pytest.raises(UserError, match="chose action 2 of 2"):
        env.act(np.array([2]))


@pytest.mark.parametrize("action", [np.nan, np.inf, None, "up", [1, 0]])
def test_an_action_that_is_no_number_is_refused(action: Any) -> None:
    env = odd_env("")
    env.begin(0)
    with pytest.raises(UserError, match=r"the agent chose action .* of 2 in step 1"):
        env.act(np.array([action], dtype=object))


@pytest.mark.parametrize(("said", "is_success"), [("array success", True), ("no success", False),
                                                  ("success is NaN", False)])  # fmt: skip
def test_success_is_what_is_true(said: str, is_success: bool) -> None:
    env = odd_env(said)
    env.begin(0)
    for _ in range(4):
        env.act(np.array([0]))
    assert bool(env.observe().success[0]) is is_success


@pytest.mark.parametrize("said", ["two successes", "success in words"])
def test_success_that_is_no_truth_value_is_refused(said: str) -> None:
    env = odd_env(said)
    env.begin(0)
    for _ in range(3):
        env.act(np.array([0]))
    with pytest.raises(UserError, match=r"info\['is_success'\] in step 4 .* expected True or False"):
        env.act(np.array([0]))


def test_an_environment_that_cannot_be_closed_has_been_played() -> None:
    env = odd_env("close")
    env.begin(0)
    env.close()


class Masked(Odd):
    """Says which of the choices of an action are allowed, or rather of `num_marks` choices."""

    num_marks = 7

    def __init__(self, space: gym.Space[Any]) -> None:
        super().__init__("")
        self.action_space = space  # type: ignore[assignment]

    def action_masks(self) -> Any:
        return [True] * self.num_marks

    def step(self, action: Any) -> Any:
        return self.buffer, 0.0, True, False, {}


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (gym.spaces.Discrete(3), 3),
        (gym.spaces.MultiDiscrete([4, 5]), 9),
        (gym.spaces.MultiDiscrete([[2, 2], [2, 3]]), 9),
        (gym.spaces.MultiBinary(2), 4),
    ],
)
def test_masks_that_are_not_of_the_action_s_choices_are_refused(space: gym.Space[Any], expected: int) -> None:
    with pytest.raises(UserError, match=f"action_masks return 7 marks in the first step, expected {expected}, one"):
        odd_env("", lambda fault: Masked(space))


def test_masks_of_the_right_number_are_taken_and_continuous_actions_have_none() -> None:
    env = odd_env("", lambda fault: Masked(gym.spaces.MultiDiscrete([2, 5])))
    env.begin(0)
    assert env.action_masks().shape == (1, 7)
    assert not odd_env("", lambda fault: Masked(gym.spaces.Box(-1.0, 1.0, (7,)))).has_action_masks


def test_numbers_that_the_observation_s_type_does_not_hold_are_refused() -> None:
    space = gym.spaces.Box(0, 255, (2,), np.uint8)
    reader = ObservationReader(space, "mine")
    np.testing.assert_array_equal(reader.read([3, 255], lambda: "here"), np.array([[3, 255]], np.uint8))
    for value in (np.array([300, 1]), np.array([-1, 1]), [300, 1]):
        with pytest.raises(UserError, match="mine: the observation here"):
            reader.read(value, lambda: "here")


def test_parts_of_an_observation_with_the_same_name_are_refused() -> None:
    part = gym.spaces.Box(-1.0, 1.0, (2,))
    space = gym.spaces.Dict({"a.b": part, "a": gym.spaces.Dict({"b": part})})
    with pytest.raises(UserError, match=r"two parts of its observations are both called 'a\.b'"):
        find_leaves(space, "mine")
