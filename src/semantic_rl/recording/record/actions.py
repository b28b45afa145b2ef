"""Actions of any kind: drawn at random, and stored as bytes so that an episode can be replayed."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.envs.spec import ActionSpec, EnvSpec

UNBOUNDED = 1.0
"""Bound of random actions in a dimension that has none."""


def random_actions(
    spec: ActionSpec, generator: np.random.Generator, count: int, masks: NDArray[np.bool_] | None = None
) -> NDArray[Any]:
    """Return uniformly random actions: [B] indices, or [B, width] numbers.

    `masks` [B, number of choices] say which choices are allowed; those of several choices stand one after the other.
    """
    if masks is not None:
        draws = generator.random((count, masks.shape[1])) + masks  # an allowed choice is above 1, another one below
        bounds = itertools.pairwise(itertools.accumulate(spec.sizes, initial=0))
        chosen = np.stack([draws[:, low:high].argmax(1) for low, high in bounds], 1)
        return chosen[:, 0] if spec.kind == "discrete" else chosen
    if spec.kind == "discrete":
        return generator.integers(0, spec.num_actions, count)
    if spec.kind == "continuous":
        low, high = np.array(spec.low or [-UNBOUNDED] * spec.width), np.array(spec.high or [UNBOUNDED] * spec.width)
        low, high = np.clip(low, -1e6, 1e6), np.clip(high, -1e6, 1e6)
        return generator.uniform(low, high, (count, spec.width)).astype(np.float32)
    return generator.integers(0, np.array(spec.sizes), (count, spec.width))


def stored_bytes(actions: NDArray[Any], spec: EnvSpec) -> list[bytes]:
    """Return actions [B, …] as bytes of a fixed number each; those of a small discrete space take one."""
    content = actions.astype(_stored_type(spec.action)).tobytes()
    size = len(content) // len(actions)
    return [content[start : start + size] for start in range(0, len(content), size)]


def stored_action(content: bytes, step: int, spec: EnvSpec) -> NDArray[Any]:
    """Return the action of a step: an index, or [width] numbers."""
    width = max(1, spec.action.width)
    dtype = _stored_type(spec.action)
    found = np.frombuffer(content, dtype, width, step * width * dtype.itemsize)
    return found if spec.action.width else found[0]


def _stored_type(spec: ActionSpec) -> np.dtype[Any]:
    if spec.kind == "continuous":
        return np.dtype(np.float32)
    return np.dtype(np.uint8 if spec.kind == "discrete" and spec.num_actions <= 256 else np.int64)
