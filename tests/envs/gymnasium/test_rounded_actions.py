"""Continuous actions are played as float32, as which recordings hold them, and stay inside their space."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from semantic_rl.envs.gymnasium.rounded_actions import RoundedActions

SPACES = [
    gym.spaces.Box(-1.1, 1.3, (2,), np.float64),
    gym.spaces.Box(np.array([-0.1, -np.inf]), np.array([0.7, 1e-3]), dtype=np.float64),
    gym.spaces.Box(-1.1, 1.3, (2,), np.float16),
    gym.spaces.Box(-5, 2**31 - 1, (2,), np.int32),
    gym.spaces.Box(-1.1, 1.3, (2,), np.float32),
    gym.spaces.Box(-1.1, 1.3, (), np.float64),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_recorded_action_is_played_as_the_one_that_was_recorded(space: gym.spaces.Box) -> None:
    played = RoundedActions(space)
    space.seed(0)
    bounds: list[Any] = [bound for bound in (space.low, space.high) if np.isfinite(bound).all()]
    for action in [*bounds, *(space.sample() for _ in range(200))]:
        first = played(action)
        again = played(np.asarray(action).astype(np.float32))
        np.testing.assert_array_equal(first, again)
        assert space.contains(first), f"{action} is played as {first}"
        np.testing.assert_allclose(first, action, rtol=1e-3 if space.dtype == np.float16 else 1e-6)
    for bound in bounds:
        np.testing.assert_array_equal(played(bound), bound)


def test_actions_of_a_space_of_float32_are_played_as_they_are() -> None:
    action = np.array([-7.25, 1.3], np.float32)
    found = RoundedActions(SPACES[4])(action)
    np.testing.assert_array_equal(found, action)
    assert not np.shares_memory(found, action)
