"""Statistics of finished episodes, which the training curves show."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class EpisodeStatistics(NamedTuple):
    """Means over the last finished episodes; NaN before the first one has finished."""

    mean_return: float
    mean_length: float
    success_rate: float
    num_finished: int
    """Episodes finished since the beginning."""


class EpisodeMonitor:
    """Adds up the raw rewards of N environments and keeps the last finished episodes."""

    def __init__(self, num_envs: int, window: int = 100) -> None:
        self._returns = np.zeros(num_envs, np.float64)
        self._lengths = np.zeros(num_envs, np.int64)
        self._finished: deque[tuple[float, int, bool]] = deque(maxlen=window)
        self._num_finished = 0

    def add(self, reward: NDArray[np.float32], done: NDArray[np.bool_], success: NDArray[np.bool_]) -> None:
        """Add one step of all environments: arrays [N]."""
        self.add_rollout(reward[None], done[None], success[None])

    def add_rollout(self, reward: NDArray[np.float32], done: NDArray[np.bool_], success: NDArray[np.bool_]) -> None:
        """Add the steps of a rollout: arrays [T, N]."""
        rewards = reward.astype(np.float64)
        for step, any_done in enumerate(np.logical_or.reduce(done, axis=1).tolist()):
            self._returns += rewards[step]
            self._lengths += 1
            if any_done:
                self._finish(np.flatnonzero(done[step]), success[step])

    def _finish(self, indices: NDArray[np.intp], success: NDArray[np.bool_]) -> None:
        """Keep the episodes of some environments and begin new ones."""
        for index in indices.tolist():
            self._finished.append((float(self._returns[index]), int(self._lengths[index]), bool(success[index])))
        self._num_finished += len(indices)
        self._returns[indices] = 0.0
        self._lengths[indices] = 0

    def statistics(self) -> EpisodeStatistics:
        """Return the means over the window."""
        if not self._finished:
            return EpisodeStatistics(float("nan"), float("nan"), float("nan"), 0)
        returns, lengths, successes = np.mean(np.array(self._finished, np.float64), axis=0)
        return EpisodeStatistics(float(returns), float(lengths), float(successes), self._num_finished)

    def state(self) -> dict[str, Any]:
        """Return the complete state, as JSON values."""
        return {
            "returns": self._returns.tolist(),
            "lengths": self._lengths.tolist(),
            "finished": [list(episode) for episode in self._finished],
            "num_finished": self._num_finished,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self._returns[:] = state["returns"]
        self._lengths[:] = state["lengths"]
        self._finished.clear()
        self._finished.extend((float(r), int(n), bool(s)) for r, n, s in state["finished"])
        self._num_finished = int(state["num_finished"])
