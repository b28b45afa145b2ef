"""Statistics of episodes are those of a plain loop over each environment, also across a save."""

import json
import math

import numpy as np
import pytest

from semantic_rl.envs.monitor import EpisodeMonitor

T, N = 300, 5
GENERATOR = np.random.default_rng(0)
REWARDS = GENERATOR.normal(size=(T, N)).astype(np.float32)
DONES = GENERATOR.random((T, N)) < 0.1
SUCCESSES = DONES & (GENERATOR.random((T, N)) < 0.4)


def loop(num_steps: int, window: int) -> tuple[list[tuple[float, int, bool]], int]:
    """The last `window` episodes that ended in `num_steps` steps, and how many there were."""
    finished: list[tuple[float, int, bool]] = []
    begun = [0] * N
    for step in range(num_steps):
        for env in range(N):
            if DONES[step, env]:
                total = sum(float(reward) for reward in REWARDS[begun[env] : step + 1, env])
                finished.append((total, step + 1 - begun[env], bool(SUCCESSES[step, env])))
                begun[env] = step + 1
    return finished[-window:], len(finished)


def feed(monitor: EpisodeMonitor, start: int, stop: int) -> None:
    for step in range(start, stop):
        monitor.add(REWARDS[step], DONES[step], SUCCESSES[step])


@pytest.mark.parametrize("window", [1, 7, 100])
def test_statistics_are_those_of_a_loop(window: int) -> None:
    monitor = EpisodeMonitor(N, window)
    for step in range(T):
        feed(monitor, step, step + 1)
        expected, count = loop(step + 1, window)
        statistics = monitor.statistics()
        assert statistics.num_finished == count
        if expected:
            means = np.mean(np.array(expected, np.float64), axis=0)
            np.testing.assert_allclose(statistics[:3], means, rtol=1e-12, atol=1e-12)


def test_the_window_is_the_originals_hundred() -> None:
    monitor = EpisodeMonitor(N)
    feed(monitor, 0, T)
    expected, count = loop(T, 100)
    assert count > 100
    assert monitor.statistics().mean_length == np.mean([length for _, length, _ in expected])


def test_before_an_episode_has_ended_nothing_is_known() -> None:
    monitor = EpisodeMonitor(2)
    monitor.add(np.ones(2, np.float32), np.zeros(2, np.bool_), np.zeros(2, np.bool_))
    statistics = monitor.statistics()
    assert all(math.isnan(value) for value in statistics[:3])
    assert statistics.num_finished == 0


def test_a_state_as_json_brings_back_the_same_statistics_bit_for_bit() -> None:
    one, other = EpisodeMonitor(N, 7), EpisodeMonitor(N, 7)
    feed(one, 0, 133)
    feed(other, 0, 50)
    other.restore(json.loads(json.dumps(one.state())))
    for monitor in (one, other):
        feed(monitor, 133, T)
    assert one.statistics() == other.statistics()
    assert one.state() == other.state()


def test_a_rollout_at_once_counts_as_its_steps_do_bit_for_bit() -> None:
    one, other = EpisodeMonitor(N, 7), EpisodeMonitor(N, 7)
    feed(one, 0, T)
    for start in range(0, T, 100):
        part = slice(start, start + 100)
        other.add_rollout(REWARDS[part], DONES[part], SUCCESSES[part])
    assert one.state() == other.state()
