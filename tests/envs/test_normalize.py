"""Rewards are divided as by a plain loop over all returns seen, whatever the rollouts' lengths, also across a save."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from semantic_rl.envs.normalize import RewardNormalizer

T, N = 200, 4
GENERATOR = np.random.default_rng(0)
REWARDS = (GENERATOR.normal(1, 3, (T, N)) * (GENERATOR.random((T, N)) < 0.3)).astype(np.float32)
DONES = GENERATOR.random((T, N)) < 0.05


def loop(discount: float, clip: float) -> NDArray[np.float64]:
    """Each step's variance is that of all discounted returns so far and of 1e-4 of a count at mean 0, variance 1."""
    returns = [0.0] * N
    seen: list[float] = []
    normalized = np.zeros((T, N))
    for step in range(T):
        for env in range(N):
            returns[env] = discount * returns[env] + float(REWARDS[step, env])
            seen.append(returns[env])
        count = len(seen) + 1e-4
        mean = sum(seen) / count
        variance = (1e-4 * (1 + mean**2) + sum((value - mean) ** 2 for value in seen)) / count
        for env in range(N):
            scaled = float(REWARDS[step, env]) / (variance + 1e-8) ** 0.5
            normalized[step, env] = min(max(scaled, -clip), clip)
            if DONES[step, env]:
                returns[env] = 0.0
    return normalized


@pytest.mark.parametrize(("discount", "clip"), [(0.99, 10.0), (0.9, 0.5), (1.0, 10.0)])
def test_rewards_are_divided_as_by_a_loop(discount: float, clip: float) -> None:
    normalized = RewardNormalizer(N, discount, clip)(REWARDS, DONES)
    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized, loop(discount, clip), rtol=1e-6, atol=1e-7)
    assert np.abs(normalized).max() <= clip


def test_defaults_are_the_originals() -> None:
    np.testing.assert_allclose(RewardNormalizer(N)(REWARDS, DONES), loop(0.99, 10.0), rtol=1e-6, atol=1e-7)


def test_rollouts_of_any_length_give_the_same() -> None:
    whole = RewardNormalizer(N)(REWARDS, DONES)
    normalize = RewardNormalizer(N)
    parts = [normalize(REWARDS[a:b], DONES[a:b]) for a, b in ((0, 1), (1, 60), (60, T))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_no_mean_is_subtracted() -> None:
    rewards = np.full((50, N), 2, np.float32)
    normalized = RewardNormalizer(N)(rewards, np.ones((50, N), np.bool_))
    assert (normalized > 0).all()
    assert (RewardNormalizer(N)(np.zeros((5, N), np.float32), np.zeros((5, N), np.bool_)) == 0).all()


def test_the_given_rewards_are_left_alone() -> None:
    rewards = REWARDS.copy()
    RewardNormalizer(N)(rewards, DONES)
    np.testing.assert_array_equal(rewards, REWARDS)


def test_a_state_as_json_brings_back_the_same_scale_bit_for_bit() -> None:
    one, other = RewardNormalizer(N), RewardNormalizer(N)
    one(REWARDS[:77], DONES[:77])
    other.restore(json.loads(json.dumps(one.state())))
    np.testing.assert_array_equal(one(REWARDS[77:], DONES[77:]), other(REWARDS[77:], DONES[77:]))
    assert one.state() == other.state()


def test_a_rollout_at_once_is_divided_as_its_steps_are_bit_for_bit() -> None:
    one, other = RewardNormalizer(N), RewardNormalizer(N)
    steps = [one(REWARDS[step : step + 1], DONES[step : step + 1]) for step in range(T)]
    np.testing.assert_array_equal(other(REWARDS, DONES), np.concatenate(steps))
    assert one.state() == other.state()
