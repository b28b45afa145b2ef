"""Statistics are read from VecNormalize's files without executing them, and normalise as VecNormalize does."""

import os
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common import vec_env

from semantic_rl.envs.gymnasium.make import open_recipe
from semantic_rl.envs.gymnasium.recordable import GymnasiumEnv
from semantic_rl.envs.gymnasium.vec_normalize import read_vec_normalize
from semantic_rl.errors import UserError


def saved(make: Any, path: Path, num_steps: int = 20, **arguments: Any) -> Any:
    env = vec_env.VecNormalize(vec_env.DummyVecEnv([make, make]), **arguments)
    env.action_space.seed(0)
    env.seed(0)
    if num_steps:
        env.reset()
    for _ in range(num_steps):
        env.step(np.array([env.action_space.sample() for _ in range(2)]))
    env.save(str(path))
    env.training = False
    return env


def test_observations_are_normalised_as_stable_baselines_does(tmp_path: Path) -> None:
    path = tmp_path / "vecnormalize.pkl"
    theirs = saved(lambda: gym.make("Pendulum-v1"), path, clip_obs=1.5)
    ours = read_vec_normalize(path)
    for observation in (np.ones((1, 3), np.float32), np.array([[0.3, -9, 4]], np.float32)):
        kept = observation.copy()
        found = ours.normalize_observation(observation)
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, theirs.normalize_obs(observation))
        np.testing.assert_array_equal(observation, kept)


def test_only_the_chosen_keys_of_a_dict_are_normalised(tmp_path: Path) -> None:
    class TwoParts(gym.ObservationWrapper[Any, Any, Any]):
        def __init__(self) -> None:
            super().__init__(gym.make("CartPole-v1"))
            part = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
            self.observation_space = gym.spaces.Dict(cart=part, pole=part)

        def observation(self, observation: Any) -> Any:
            return {"cart": observation[:2], "pole": observation[2:]}

    path = tmp_path / "vecnormalize.pkl"
    theirs = saved(TwoParts, path, norm_obs_keys=["pole"])
    observation: Any = {"cart": np.ones((1, 2), np.float32), "pole": np.ones((1, 2), np.float32)}
    found, expected = read_vec_normalize(path).normalize_observation(observation), theirs.normalize_obs(observation)
    assert isinstance(found, dict)
    for key in ("cart", "pole"):
        np.testing.assert_array_equal(found[key], expected[key])


def test_a_file_from_before_the_first_step_or_without_observations_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "vecnormalize.pkl"
    saved(lambda: gym.make("Pendulum-v1"), path, num_steps=0)
    assert read_vec_normalize(path).parts[""].mean.shape == (3,)
    saved(lambda: gym.make("Pendulum-v1"), path, norm_obs=False)
    observation = np.ones((1, 3), np.float32)
    assert read_vec_normalize(path).normalize_observation(observation) is observation


def test_the_agent_sees_normalised_numbers_and_the_recording_keeps_the_raw_ones(tmp_path: Path) -> None:
    path = tmp_path / "vecnormalize.pkl"
    theirs = saved(lambda: gym.make("Pendulum-v1"), path)
    recipe = open_recipe("Pendulum-v1", {}, (), None, path)
    assert recipe.wrapper_names == ("vec-normalize",)
    env = GymnasiumEnv(recipe)
    env.begin(3)
    raw, _ = gym.make("Pendulum-v1").reset(seed=3)
    np.testing.assert_array_equal(env.observe().observation, raw[None])
    np.testing.assert_array_equal(env.agent_observation(), theirs.normalize_obs(raw[None]))
    with pytest.raises(UserError, match=r"of the shape \(3,\), and the environment's are of the shape \(4,\)"):
        GymnasiumEnv(open_recipe("CartPole-v1", {}, (), None, path))


def test_the_file_of_a_walker_from_2021_is_read(reference_dir: Path) -> None:
    path = reference_dir / "agents" / "ppo-BipedalWalker-v3.vecnormalize.pkl"
    env = GymnasiumEnv(open_recipe("BipedalWalker-v3", {}, (), path.with_name("ppo-BipedalWalker-v3.zip"), None))
    env.begin(0)
    statistics = read_vec_normalize(path)
    assert (statistics.clip, statistics.epsilon) == (10.0, 1e-8)
    raw, part = env.observe().observation.astype(np.float64), statistics.parts[""]
    expected = np.clip((raw - part.mean) / np.sqrt(part.variance + 1e-8), -10, 10)
    np.testing.assert_allclose(env.agent_observation(), expected, rtol=1e-6)  # type: ignore[arg-type]


class Crime:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    path, trace = tmp_path / "vecnormalize.pkl", tmp_path / "trace"
    theirs = saved(lambda: gym.make("Pendulum-v1"), path)
    theirs.obs_rms.mean = Crime(trace)
    for content in (theirs, Crime(trace), {"obs_rms": Crime(trace)}, np.zeros(3), "text", [1]):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(UserError, match="nothing in it was executed") as refusal:
            read_vec_normalize(path)
        assert "\n" not in str(refusal.value)
    assert not trace.exists()


def test_a_damaged_file_ends_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "vecnormalize.pkl"
    saved(lambda: gym.make("Pendulum-v1"), path)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(content)
        damaged[generator.integers(len(content))] = generator.integers(256)
        path.write_bytes(bytes(damaged[: generator.integers(len(content))] if generator.random() < 0.3 else damaged))
        try:
            read_vec_normalize(path)
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017
    with pytest.raises(UserError, match="cannot be read"):
        read_vec_normalize(tmp_path / "none.pkl")
