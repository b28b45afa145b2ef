"""Intervals: they hold what they should as often as they should, and know episodes from frames."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.metrics import silhouette_score

from semantic_rl.analysis.metrics.bootstrap import NO_INTERVAL, UNDEFINED, Bootstrap
from semantic_rl.analysis.metrics.result import Estimate
from semantic_rl.analysis.metrics.separation import silhouettes


def episodes(num_episodes: int, length: int) -> NDArray[np.int64]:
    return np.repeat(np.arange(num_episodes), length)


def mean(bootstrap: Bootstrap, values: NDArray[np.float64]) -> Estimate:
    return bootstrap.ratio(bootstrap.sums(values), bootstrap.sizes)


def test_intervals_of_a_mean_cover_the_true_one_though_frames_of_an_episode_are_alike() -> None:
    rng = np.random.default_rng(0)
    episode = episodes(40, 25)
    covered = covered_by_frames = 0
    for repeat in range(300):
        values = 3.0 + rng.normal(size=40)[episode] + rng.normal(0, 0.3, len(episode))
        found = mean(Bootstrap(episode, 400, repeat), values)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 3.0 <= found.high
        half = norm.ppf(0.975) * values.std() / np.sqrt(len(values))
        covered_by_frames += abs(values.mean() - 3.0) <= half
    assert 0.90 <= covered / 300 <= 0.98
    assert covered_by_frames / 300 < 0.5


def test_what_leaving_out_says_of_a_mean_is_what_drawing_anew_says() -> None:
    rng = np.random.default_rng(1)
    bootstrap = Bootstrap(episodes(30, 8), 500, 0)
    values = rng.normal(size=240) + 5
    direct = mean(bootstrap, values)
    left_out = np.array([values[bootstrap.unit != unit].mean() for unit in range(30)])
    linear = bootstrap.estimate_left_out(float(values.mean()), left_out)
    np.testing.assert_allclose(np.array(linear[:3], float), np.array(direct[:3], float))


def test_intervals_of_a_pairwise_figure_are_as_wide_as_it_varies() -> None:
    # The silhouette of a new recording varies with its own states and with those that they are compared with.
    rng = np.random.default_rng(2)
    episode, errors, values = episodes(25, 8), [], []
    for repeat in range(80):
        labels = rng.integers(0, 2, len(episode))
        points = np.stack([1.2 * labels, np.zeros(len(labels))], 1) + rng.normal(0, 0.7, (25, 2))[episode]
        points += rng.normal(0, 0.1, points.shape)
        found = silhouettes(points, {"x": labels}, Bootstrap(episode, 300, repeat))["x"]
        assert found.low is not None
        assert found.high is not None
        values.append(silhouette_score(points, labels))
        errors.append((found.high - found.low) / (2 * norm.ppf(0.975)))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.3)


def test_many_episodes_are_drawn_in_groups_of_about_the_same_size() -> None:
    bootstrap = Bootstrap(episodes(1050, 3), 200, 0)
    assert bootstrap.num_units == 100
    assert set(bootstrap.sizes) == {30.0, 33.0}
    assert (bootstrap.unit.reshape(-1, 3) == bootstrap.unit[::3, None]).all(), "an episode is in one group"
    values = np.random.default_rng(0).normal(size=1050)[episodes(1050, 3)]
    found = mean(bootstrap, values)
    assert found.high is not None
    assert found.low is not None
    assert found.high - found.low == pytest.approx(2 * norm.ppf(0.975) / np.sqrt(1050), rel=0.25)


def test_the_same_seed_draws_the_same() -> None:
    draws = [Bootstrap(episodes(20, 2), 50, seed).counts for seed in (3, 3, 4)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert (draws[0].sum(1) == 20).all()


def test_one_episode_has_no_interval_and_that_is_said() -> None:
    bootstrap = Bootstrap(np.zeros(5, np.int64), 100, 0)
    assert mean(bootstrap, np.arange(5.0)) == Estimate(2.0, None, None, NO_INTERVAL)
    assert bootstrap.estimate_left_out(0.5, np.array([np.nan])) == Estimate(0.5, None, None, NO_INTERVAL)


def test_a_figure_that_hangs_on_one_episode_has_no_interval() -> None:
    bootstrap = Bootstrap(episodes(3, 2), 100, 0)
    assert bootstrap.estimate_left_out(0.5, np.array([0.4, np.nan, 0.6])) == Estimate(0.5, None, None, UNDEFINED)


def test_an_interval_ends_where_the_range_ends_and_reads_well() -> None:
    assert Estimate(0.99, 0.95, 1.02).within(0, 1) == Estimate(0.99, 0.95, 1)
    assert Estimate(0.99, -0.1, 1.02).within(None, None) == Estimate(0.99, -0.1, 1.02)
    assert Estimate(0.93456, 0.92, 0.94).text() == "0.935 [0.920, 0.940]"
    assert Estimate(8.0, 7.0, 8.0).text() == "8 [7, 8]"
    assert Estimate(12.34).text() == "12.3"
    assert Estimate(None, note="why").text() == "–"
