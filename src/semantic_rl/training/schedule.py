"""The control factor λ: how strongly the semantic losses count, set by how well the agent plays."""

import math

from semantic_rl.config import SemanticConfig


def semantic_weight(
    update: int, current: float, mean_return: float, maximum_return: float, config: SemanticConfig
) -> float:
    """Return λ for the update number `update` (the first is 1).

    Every `semantic_interval` updates it becomes clamp(mean_return / (0.8·maximum_return), 0, 1), with the mean
    return logged by the update before; in between it stays. The original has no lower bound, so early negative
    returns gave a negative weight; ours stops at 0. Before an episode has ended (NaN) it stays as well.
    """
    if update % config.semantic_interval or math.isnan(mean_return):
        return current
    return min(max(mean_return / (config.semantic_return_fraction * maximum_return), 0.0), 1.0)
