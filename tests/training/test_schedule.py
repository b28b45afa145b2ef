"""When λ changes, and to what."""

import math

from semantic_rl.config import SemanticConfig
from semantic_rl.training.schedule import semantic_weight

CONFIG = SemanticConfig()


def test_weight_stays_between_multiples_of_fifty():
    assert semantic_weight(49, 0.0, 8.0, 10.0, CONFIG) == 0.0
    assert semantic_weight(51, 0.7, 8.0, 10.0, CONFIG) == 0.7


def test_weight_follows_the_mean_return_at_multiples_of_fifty():
    assert semantic_weight(50, 0.0, 6.0, 10.0, CONFIG) == 6.0 / 8.0
    assert semantic_weight(100, 0.75, 2.0, 10.0, CONFIG) == 0.25


def test_weight_is_clamped_to_zero_and_one():
    assert semantic_weight(50, 0.0, 9.9, 10.0, CONFIG) == 1.0
    assert semantic_weight(50, 0.5, -1.5, 32.4, CONFIG) == 0.0


def test_weight_stays_before_an_episode_has_ended():
    assert semantic_weight(50, 0.0, math.nan, 10.0, CONFIG) == 0.0


def test_interval_and_fraction_are_settings():
    config = SemanticConfig(semantic_interval=3, semantic_return_fraction=0.5)
    assert semantic_weight(3, 0.0, 4.0, 10.0, config) == 0.8
