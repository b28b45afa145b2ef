"""Which episodes a recording takes: in the order of their beginnings, each decided once, none favoured."""

import json

import numpy as np
import pytest

from semantic_rl.recording.record.quota import Quota


def play(quota: Quota, num_envs: int, lengths: list[int], reload_at: int = -1) -> tuple[list[int], list[int], int]:
    """Play episodes of the given lengths side by side; return those taken, those refused, and the steps played."""
    numbers: list[int | None] = [quota.begin() for _ in range(num_envs)]
    left = [0 if number is None else lengths[number] for number in numbers]
    taken: list[int] = []
    refused: list[int] = []
    num_steps = time = 0
    while any(number is not None for number in numbers):
        if time == reload_at:
            state = json.loads(json.dumps(quota.state()))
            quota.restore(state)
        for env, number in enumerate(numbers):
            if number is None:
                continue
            quota.step(number)
            num_steps += 1
            left[env] -= 1
            if left[env] == 0:
                quota.finish(number)
                numbers[env] = None
        decision = quota.decide()
        taken += decision.taken
        refused += decision.refused
        for env, number in enumerate(numbers):
            if number in decision.refused:
                numbers[env] = None
        for env, number in enumerate(numbers):
            if number is None and (begun := quota.begin()) is not None:
                numbers[env] = begun
                left[env] = lengths[begun]
        time += 1
    return taken, refused, num_steps


def random_lengths(seed: int, count: int = 2000) -> list[int]:
    """Lengths of which many are short and some long, as in a game that one can lose early."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(count) < 0.8, rng.integers(5, 15, count), rng.integers(100, 200, count)).tolist()


@pytest.mark.parametrize("num_states", [1, 37, 500, 3000])
def test_takes_the_shortest_prefix_of_episodes_with_enough_states(num_states: int) -> None:
    lengths = random_lengths(num_states)
    taken, refused, _ = play(Quota(num_states, None, slack=10**9), 16, lengths)
    enough = int(np.searchsorted(np.cumsum(lengths), num_states)) + 1
    assert sorted(taken) == list(range(enough))
    assert not set(taken) & set(refused)


def test_each_episode_is_decided_once() -> None:
    lengths = random_lengths(5)
    taken, refused, _ = play(Quota(1000, None, slack=300), 16, lengths)
    assert len(taken) + len(refused) == len(set(taken) | set(refused))


def test_short_episodes_are_not_favoured() -> None:
    num_states, means, naive_means = 400, [], []
    for seed in range(100):
        lengths = random_lengths(seed)
        taken, _, _ = play(Quota(num_states, None, slack=10**9), 32, lengths)
        means.append((sum(lengths[n] for n in taken), len(taken)))
        taken_as_they_finish, total = [], 0
        everything, _, _ = play(Quota(None, 120), 32, lengths)
        for number in everything:
            taken_as_they_finish.append(number)
            total += lengths[number]
            if total >= num_states:
                break
        naive_means.append((total, len(taken_as_they_finish)))
    expected = 0.8 * 9.5 + 0.2 * 149.5
    mean = np.sum(means, axis=0)
    naive = np.sum(naive_means, axis=0)
    # By Wald's identity the ratio of sums is the mean length, but for the long episode with which the goal is reached.
    assert mean[0] / mean[1] == pytest.approx(expected, rel=0.1)
    assert naive[0] / naive[1] < 0.7 * expected


def test_early_episodes_are_taken_as_soon_as_they_end() -> None:
    quota = Quota(10_000, None, slack=100)
    slow, quick = quota.begin(), quota.begin()
    assert slow == 0
    assert quick == 1
    quota.step(slow)
    quota.step(quick)
    quota.finish(quick)
    assert quota.decide().taken == [1]


def test_late_episodes_wait_for_those_that_began_before() -> None:
    quota = Quota(10, None, slack=10)
    slow, quick = quota.begin(), quota.begin()
    assert slow is not None
    assert quick is not None
    for _ in range(4):
        quota.step(slow)
        quota.step(quick)
    quota.finish(quick)
    assert quota.decide() == ([], [])
    assert quota.begin() == 2
    quota.step(slow)
    quota.finish(slow)
    assert quota.decide() == ([0, 1], [])


def test_environments_stop_when_their_episodes_are_no_longer_needed() -> None:
    lengths = [1000] * 200
    taken, refused, num_steps = play(Quota(1000, None, slack=10**9), 64, lengths)
    assert taken == [0]
    assert len(refused) == 63
    assert num_steps < 1000 * (2 + np.log(64))


@pytest.mark.parametrize("seed", range(5))
def test_few_episodes_begin_that_are_not_needed(seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(80, 121, 200).tolist()
    taken, refused, num_steps = play(Quota(4000, None, slack=0), 16, lengths)
    enough = int(np.searchsorted(np.cumsum(lengths), 4000)) + 1
    assert set(taken) >= set(range(enough))
    assert len(taken) + len(refused) <= enough + 3, "without looking ahead, there would be some ten more"
    assert num_steps < 4400


def test_an_environment_that_waited_goes_on_if_the_others_did_not_suffice() -> None:
    lengths = [100] * 18 + [10] * 4 + [100] * 20
    taken, refused, _ = play(Quota(1850, None, slack=10**9), 16, lengths)
    assert sorted(taken) == list(range(23))
    assert len(refused) <= 2


def test_a_number_of_episodes_is_met_exactly() -> None:
    taken, refused, num_steps = play(Quota(None, 21), 8, random_lengths(1))
    assert sorted(taken) == list(range(21))
    assert refused == []
    assert num_steps == sum(random_lengths(1)[:21])


@pytest.mark.parametrize("reload_at", [1, 10, 60])
def test_a_restored_quota_goes_on_as_before(reload_at: int) -> None:
    lengths = random_lengths(3)
    assert play(Quota(1500, None, 400), 16, lengths, reload_at) == play(Quota(1500, None, 400), 16, lengths)
