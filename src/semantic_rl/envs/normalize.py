"""Divides rewards by the running standard deviation of the discounted return, as baselines' VecNormalize does.

ret ← discount·ret + r; running variance of ret, updated before it is used; r / sqrt(var + 1e-8), clipped; ret ← 0
where an episode ended. No mean is subtracted.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-8
INITIAL_COUNT = 1e-4


class RewardNormalizer:
    """Keeps the running variance for N environments."""

    def __init__(self, num_envs: int, discount: float = 0.99, clip: float = 10.0) -> None:
        self._discount = discount
        self._clip = clip
        self._returns = np.zeros(num_envs, np.float64)
        self._mean = 0.0
        self._variance = 1.0
        self._count = INITIAL_COUNT

    def __call__(self, rewards: NDArray[np.float32], dones: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Normalise raw rewards [T, N] in time order; `dones` [T, N] marks the steps that ended an episode."""
        returns = rewards.astype(np.float64)
        following = self._returns.copy()
        for step, any_done in enumerate(np.logical_or.reduce(dones, axis=1).tolist()):
            following *= self._discount
            returns[step] += following
            following[:] = returns[step]
            if any_done:
                following[dones[step]] = 0.0
        self._returns = following
        size = self._returns.size
        variances = [
            self._update(mean, variance, size)
            for mean, variance in zip(returns.mean(axis=1).tolist(), returns.var(axis=1).tolist(), strict=True)
        ]
        scaled = rewards / np.sqrt(np.array(variances, np.float64)[:, None] + EPSILON)
        return np.clip(scaled, -self._clip, self._clip).astype(rewards.dtype)

    def _update(self, mean: float, variance: float, size: int) -> float:
        """Merge mean and variance of a step's returns (Chan et al.'s parallel formula); return the variance."""
        total = self._count + size
        delta = mean - self._mean
        sum_of_squares = self._variance * self._count + variance * size + delta**2 * self._count * size / total
        self._mean += delta * size / total
        self._variance = sum_of_squares / total
        self._count = total
        return self._variance

    def state(self) -> dict[str, Any]:
        """Return the complete state, as JSON values (floats survive JSON exactly)."""
        return {
            "returns": self._returns.tolist(),
            "mean": self._mean,
            "variance": self._variance,
            "count": self._count,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self._returns = np.array(state["returns"], np.float64)
        self._mean, self._variance, self._count = state["mean"], state["variance"], state["count"]
