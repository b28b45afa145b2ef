"""Normalises returns by the range between a trivial and a perfect policy, where one was published."""

import numpy as np
from numpy.typing import NDArray

from semantic_rl.envs.procgen.games import find_range
from semantic_rl.envs.spec import ReturnRange
from semantic_rl.errors import UserError


def published_range(env: str, distribution_mode: str) -> ReturnRange | None:
    """Return the range of returns of a game; None if none was published for it or for its mode."""
    try:
        return find_range(env, distribution_mode)
    except UserError:
        return None


def normalize[Returns: (float, NDArray[np.float64])](returns: Returns, scale: ReturnRange) -> Returns:
    """Return returns on the scale on which 0 is a trivial and 1 a perfect policy."""
    return (returns - scale.minimum) / (scale.maximum - scale.minimum)
