"""Generalised advantage estimation (Schulman et al., 2016), and the explained variance of the value function."""

import numpy as np
from numpy.typing import NDArray


def generalized_advantages(
    rewards: NDArray[np.float32],
    values: NDArray[np.float32],
    dones: NDArray[np.bool_],
    next_value: NDArray[np.float32],
    gamma: float,
    gae_lambda: float,
) -> NDArray[np.float32]:
    """Return advantages [T, N] of a rollout.

    `rewards`, `values` and `dones` are [T, N], where `dones[t]` says that step t ended its episode; `next_value` [N]
    holds the values of the states after the last step.

    A_t = δ_t + γλ(1 − done_t)A_{t+1}, δ_t = r_t + γ(1 − done_t)V_{t+1} − V_t.
    """
    alive = 1 - dones.astype(np.float32)
    following = np.concatenate([values[1:], next_value[None]])
    advantages: NDArray[np.float32] = np.subtract(rewards + gamma * alive * following, values, dtype=np.float32)
    # These are δ, to which the loop adds the rest.
    weights = gamma * gae_lambda * alive
    advantage = np.zeros_like(next_value)
    for step in reversed(range(len(rewards))):
        advantages[step] += weights[step] * advantage
        advantage = advantages[step]
    return advantages


def explained_variance(values: NDArray[np.float32], returns: NDArray[np.float32]) -> float:
    """Return 1 − Var(returns − values)/Var(returns): 1 is perfect, 0 equals a constant; NaN for constant returns."""
    variance = float(np.var(returns, dtype=np.float64))
    return float("nan") if variance == 0 else 1 - float(np.var(returns - values, dtype=np.float64)) / variance
