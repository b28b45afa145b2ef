"""Intervals hold what they should; effect sizes are those of their definitions."""

import numpy as np
import pytest

from semantic_rl.analysis.effect_sizes import Sums, add_up, cohens_d, contrast, cramers_v, draws_of


def test_the_deviation_is_pooled_so_that_a_shift_of_two_deviations_is_two() -> None:
    rng = np.random.default_rng(0)
    inside = np.repeat([True, False], 5_000)
    values = 2.0 * inside + rng.normal(size=10_000)
    episode = np.arange(10_000) % 50
    found = contrast(draws_of(50, 0), *(add_up(values[which], episode[which], 50) for which in (inside, ~inside)))
    assert found["effect"] == pytest.approx(2, abs=0.05)  # over the deviation of all states together it would be 1.41
    assert found["effect_name"] == "Cohen's d"


def test_a_comparison_says_of_how_many_episodes_each_side_is() -> None:
    inside = add_up(np.ones(3), np.array([0, 0, 2]), 4)
    rest = add_up(np.ones(3), np.array([1, 2, 3]), 4)
    found = contrast(draws_of(4, 0), inside, rest)
    assert (found["num_episodes"], found["num_episodes_rest"]) == (2, 3)


def test_intervals_hold_the_true_difference_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for repeat in range(60):
        episode = np.repeat(np.arange(40), 20)
        level = rng.normal(size=40)[episode]  # what states of an episode have in common
        inside = rng.random(800) < 0.4
        values = level + 0.5 * inside + rng.normal(size=800)
        sums = [add_up(values[which], episode[which], 40) for which in (inside, ~inside)]
        found = contrast(draws_of(40, repeat), *sums)
        held += found["low"] <= 0.5 <= found["high"]
    assert 50 <= held <= 60


def test_an_effect_of_equal_numbers_is_unknown() -> None:
    same = Sums(np.array([2.0]), np.array([2.0]), np.array([2.0]))
    assert np.isnan(cohens_d(same, same))
    assert np.isnan(cohens_d(same, Sums(np.zeros(1), np.zeros(1), np.zeros(1))))


def test_cramers_v_is_zero_for_equal_shares_and_one_for_different_ones() -> None:
    assert cramers_v(np.array([[10.0, 20, 0], [30, 60, 0]])) == pytest.approx(0)
    assert cramers_v(np.array([[10.0, 0], [0, 30]])) == pytest.approx(1)
    assert np.isnan(cramers_v(np.array([[0.0, 0], [1, 3]])))
