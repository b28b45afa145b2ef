"""The control factor λ: the weight of the semantic losses, set from how well the agent plays."""

import math

from semantic_rl.config import SemanticConfig


def semantic_weight(
    update: int, current: float, mean_return: float, maximum_return: float, config: SemanticConfig
) -> float:
    """Return λ for the update number `update` (the first is 1).

    Every `semantic_interval` updates it becomes clamp(mean_return / (0.8·maximum_return), 0, 1), with the mean return
    logged by the previous update; in between it is unchanged. It is also unchanged as long as no episode has ended (the
    mean return is NaN). The original has no lower bound, so that early negative returns give a negative weight; ours
    stops at 0.
    """
    if update % config.semantic_interval or math.isnan(mean_return):
        return current
    return min(max(mean_return / (config.semantic_return_fraction * maximum_return), 0.0), 1.0)
