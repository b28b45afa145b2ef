"""Continuous actions as recordings hold them: float32, whatever the type of the environment's space.

An environment is stepped with these and no others, so that an episode that is replayed from its recorded actions plays
out as it did. Where float32 rounds a bound of the space, the rounded bound stands for the bound itself: an action at
the bound neither misses it nor goes beyond it.
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray


class RoundedActions:
    """Makes the actions for a space from those that an agent chose, or that a recording holds."""

    def __init__(self, space: spaces.Box) -> None:
        self._space = space
        self._is_float32 = space.dtype == np.float32
        with np.errstate(over="ignore"):
            self._rounded_low, self._rounded_high = space.low.astype(np.float32), space.high.astype(np.float32)

    def __call__(self, action: Any) -> NDArray[Any]:
        """Return an action of the space's shape and type, in memory of its own."""
        rounded = np.array(action, np.float32).reshape(self._space.shape)
        if self._is_float32:
            return rounded
        with np.errstate(invalid="ignore"):  # a bound that is rounded up may be more than an integer type holds
            found = rounded.astype(self._space.dtype)
        np.copyto(found, self._space.low, where=rounded == self._rounded_low)
        np.copyto(found, self._space.high, where=rounded == self._rounded_high)
        return found
