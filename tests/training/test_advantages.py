"""Advantages against hand-computed numbers and a plain loop."""

import math

import numpy as np
import pytest

from semantic_rl.training.advantages import explained_variance, generalized_advantages


def test_hand_computed_advantages_of_one_environment():
    rewards = np.array([[1.0], [0.0], [2.0]], np.float32)
    values = np.array([[0.5], [1.0], [1.5]], np.float32)
    dones = np.array([[False], [True], [False]])
    next_value = np.array([4.0], np.float32)

    advantages = generalized_advantages(rewards, values, dones, next_value, gamma=0.5, gae_lambda=0.5)

    # δ = (1 + .5·1 − .5, 0 − 1, 2 + .5·4 − 1.5) = (1, −1, 2.5); the end of the episode cuts the sum after step 1.
    assert advantages[:, 0] == pytest.approx([1 + 0.25 * -1, -1, 2.5])


def random_rollout(seed: int, steps: int, envs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return rewards, values and ends [T, N], and the next values [N]."""
    rng = np.random.default_rng(seed)
    rewards, values = rng.normal(size=(2, steps, envs)).astype(np.float32)
    dones = rng.random((steps, envs)) < 0.1
    return rewards, values, dones, rng.normal(size=envs).astype(np.float32)


def test_advantages_equal_the_sum_of_discounted_errors_up_to_the_end_of_the_episode():
    steps, envs, gamma, lam = 40, 3, 0.999, 0.95
    rewards, values, dones, next_value = random_rollout(0, steps, envs)

    advantages = generalized_advantages(rewards, values, dones, next_value, gamma, lam)

    following = np.vstack([values[1:], next_value])
    for env in range(envs):
        for start in range(steps):
            total, weight = 0.0, 1.0
            for step in range(start, steps):
                alive = 0.0 if dones[step, env] else 1.0
                total += weight * (rewards[step, env] + gamma * alive * following[step, env] - values[step, env])
                weight *= gamma * lam * alive
            assert advantages[start, env] == pytest.approx(total, rel=1e-4, abs=1e-4)


def test_explained_variance_is_one_for_perfect_and_zero_for_constant_values():
    returns = np.array([1.0, 2.0, 4.0], np.float32)

    assert explained_variance(returns, returns) == 1
    assert explained_variance(np.ones(3, np.float32), returns) == pytest.approx(0)
    assert math.isnan(explained_variance(returns, np.ones(3, np.float32)))


def test_advantages_are_those_of_the_formula_step_by_step_bit_for_bit():
    steps, envs, gamma, lam = 30, 5, 0.999, 0.95
    rewards, values, dones, next_value = random_rollout(1, steps, envs)

    advantages = generalized_advantages(rewards, values, dones, next_value, gamma, lam)

    following, advantage = next_value, np.zeros(envs, np.float32)
    for step in reversed(range(steps)):
        alive = 1 - dones[step].astype(np.float32)
        advantage = rewards[step] + gamma * alive * following - values[step] + gamma * lam * alive * advantage
        assert np.array_equal(advantages[step], advantage)
        following = values[step]
