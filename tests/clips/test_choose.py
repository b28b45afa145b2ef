"""Shots are what a loop finds; they are drawn from as many episodes and levels as there are, to the exact number."""

import numpy as np
import pytest

from semantic_rl.clips.choose import Shot, Shots, choose_shots, find_shots, fit


def make_shots(*rows: tuple[int, int, int]) -> Shots:
    """Shots of (episode, level, frames), one after the other."""
    episode, level, num_frames = np.array(rows, np.int64).reshape(-1, 3).T
    first = np.concatenate([[0], np.cumsum(num_frames)[:-1]]).astype(np.int64)[: len(episode)]
    return Shots(np.zeros_like(episode), episode, level, first, first, num_frames)


def choose(shots: Shots, num_frames: int, seed: int = 0, min_shot: int = 5) -> list[Shot]:
    return choose_shots(shots, num_frames, min_shot, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_runs_are_those_that_a_loop_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    episode = np.repeat(np.arange(6), rng.integers(1, 30, 6))
    step = np.concatenate([np.sort(rng.permutation(40)[:count]) for count in np.bincount(episode)])
    code_index = np.repeat(rng.integers(0, 3, len(episode)), 3)[: len(episode)].astype(np.uint8)
    expected: list[list[int]] = []
    for row in range(len(episode)):
        if (
            row
            and episode[row] == episode[row - 1]
            and step[row] == step[row - 1] + 1
            and code_index[row] == code_index[row - 1]
        ):
            expected[-1][-1] += 1
        else:
            expected.append([code_index[row], episode[row], 100 + episode[row], row, step[row], 1])
    np.testing.assert_array_equal(np.stack(find_shots(episode, step, 100 + episode, code_index), 1), expected)


def test_of_no_states_there_are_no_runs() -> None:
    nothing = np.zeros(0, np.int64)
    shots = find_shots(nothing, nothing, nothing, nothing)
    assert shots.frames_of_clusters(3).tolist() == [0, 0, 0]
    assert choose(shots, 10) == []


@pytest.mark.parametrize("num_frames", [5, 48, 100, 101, 102, 103, 104, 480])
def test_there_are_exactly_as_many_frames_as_wanted_and_no_run_is_too_short(num_frames: int) -> None:
    rng = np.random.default_rng(num_frames)
    shots = make_shots(*[(index, index, int(length)) for index, length in enumerate(rng.integers(5, 21, 100))])
    chosen = choose(shots, num_frames)
    assert sum(shot.num_frames for shot in chosen) == num_frames
    assert min(shot.num_frames for shot in chosen) >= 5


def test_with_too_few_frames_all_shots_are_shown_once() -> None:
    chosen = choose(make_shots((0, 0, 7), (0, 0, 9), (1, 5, 20)), 480)
    assert sorted(shot.num_frames for shot in chosen) == [7, 9, 20]
    assert sorted(shot.first_row for shot in chosen) == [0, 7, 16]


@pytest.mark.parametrize("seed", range(5))
def test_no_episode_comes_again_before_all_have_come(seed: int) -> None:
    rows = [(episode, 10 * episode, 6) for episode in range(8) for _ in range(4)]
    chosen = choose(make_shots(*rows), 6 * 32, seed)
    for start in range(0, 32, 8):
        assert {shot.episode for shot in chosen[start : start + 8]} == set(range(8))


@pytest.mark.parametrize("seed", range(5))
def test_no_level_comes_again_before_all_have_come(seed: int) -> None:
    rows = [(episode, 0, 6) for episode in range(10)] + [(10, 1, 6), (11, 2, 6), (12, 3, 6)]
    chosen = choose(make_shots(*rows), 6 * 4, seed)
    assert {shot.level_seed for shot in chosen} == {0, 1, 2, 3}


def test_the_seed_decides() -> None:
    shots = make_shots(*[(index, index, 8) for index in range(60)])
    assert choose(shots, 240, seed=1) == choose(shots, 240, seed=1)
    assert choose(shots, 240, seed=1) != choose(shots, 240, seed=2)


@pytest.mark.parametrize(
    ("lengths", "num_frames", "expected"),
    [
        ([8, 8, 8], 16, [8, 8]),
        ([8, 8, 8], 17, [7, 5, 5]),
        ([8, 8, 8], 15, [8, 7]),
        ([8, 8, 8], 19, [8, 6, 5]),
        ([8, 8, 8], 12, [7, 5]),
        ([20, 20], 3, [3]),
        ([5, 5, 5], 12, [5, 5, 2]),
        ([8], 20, [8]),
        ([], 20, []),
    ],
)
def test_what_is_too_much_is_cut_off_the_end(lengths: list[int], num_frames: int, expected: list[int]) -> None:
    shots = [Shot(index, 0, 100 * index, 0, length) for index, length in enumerate(lengths)]
    fitted = fit(shots, num_frames, 5)
    assert [shot.num_frames for shot in fitted] == expected
    assert [shot._replace(num_frames=0) for shot in fitted] == [
        shot._replace(num_frames=0) for shot in shots[: len(fitted)]
    ]
