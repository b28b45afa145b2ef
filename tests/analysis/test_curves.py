"""Curves are smoothed, cut and normalised as the original's; mean and interval are over the seeds that are there."""

import csv
import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semantic_rl.analysis.curves import (
    RunCurve,
    average_runs,
    compute_curves,
    seed_interval,
    series_labels,
    smooth,
)
from semantic_rl.analysis.runs import Run, find_runs, load_runs
from semantic_rl.envs.procgen.games import GAMES
from semantic_rl.errors import UserError

from ..progress_files import write_run


def load(*roots: Path | str, skip_updates: int = 0) -> list[Run]:
    def no_warning(text: str) -> None:
        raise AssertionError(f"unexpected warning: {text}")

    return load_runs(find_runs([str(root) for root in roots], no_warning), no_warning, skip_updates)


def test_smoothing_is_the_moving_average_by_its_formula() -> None:
    values = np.random.default_rng(0).normal(size=40)
    smoothed = smooth(values, 0.9)
    weights = [0.9**39] + [0.1 * 0.9 ** (39 - index) for index in range(1, 40)]
    assert smoothed[0] == values[0]
    assert smoothed[39] == pytest.approx(np.dot(weights, values))
    assert smooth(values, 0.0).tolist() == values.tolist()


def test_intervals_over_seeds() -> None:
    scores = np.array([[1.0, 4.0], [2.0, 4.0], [6.0, 4.0]])
    deviation = math.sqrt(((1 - 3) ** 2 + (2 - 3) ** 2 + (6 - 3) ** 2) / 2)
    low, high = seed_interval(scores, "deviation") or ([], [])
    assert low == pytest.approx([3 - deviation, 4])
    assert high == pytest.approx([3 + deviation, 4])
    low, high = seed_interval(scores, "range") or ([], [])
    assert (list(low), list(high)) == ([1, 4], [6, 4])
    assert seed_interval(scores, "none") is None
    for interval in ("deviation", "bootstrap", "range"):
        assert seed_interval(scores[:1], interval) is None


def test_the_bootstrap_interval_is_that_of_all_possible_samples() -> None:
    """Three runs can be drawn in 27 equally likely ways: quantiles of the mean are known exactly."""
    scores = np.array([[1.0], [2.0], [6.0]])
    means = [np.mean([a, b, c]) for a in scores for b in scores for c in scores]
    low, high = seed_interval(scores, "bootstrap", seed=1) or ([], [])
    assert (*low, *high) == tuple(np.quantile(means, (0.025, 0.975), method="inverted_cdf")) == (1, 6)
    many = np.random.default_rng(0).normal(size=(50, 1))
    low, high = seed_interval(many, "bootstrap") or ([], [])
    error = float(many.std() / math.sqrt(50))
    assert low[0] == pytest.approx(many.mean() - 1.96 * error, abs=0.2 * error)
    assert high[0] == pytest.approx(many.mean() + 1.96 * error, abs=0.2 * error)


def test_the_first_updates_go_before_smoothing_and_unscored_ones_do_too(tmp_path: Path) -> None:
    returns = [math.nan, math.nan, 9.0, 4.0, 6.0, 8.0]
    write_run(tmp_path, "sppo-coinrun_easy_0_0_1", returns)
    (curve,) = compute_curves(load(tmp_path), skip_updates=1, smoothing=0.5)[0].curves
    assert curve.steps.tolist() == [300, 400, 500, 600]
    assert curve.mean.tolist() == [9, 6.5, 6.25, 7.125]
    (curve,) = compute_curves(load(tmp_path), skip_updates=3, smoothing=0.5)[0].curves
    assert curve.mean.tolist() == [4, 5, 6.5]


def test_the_mean_ends_with_the_shortest_run_and_begins_with_the_last_to_begin(tmp_path: Path) -> None:
    write_run(tmp_path, "sppo-coinrun_easy_0_0_1", [1.0, 1.0, 1.0, 1.0, 1.0])
    write_run(tmp_path, "sppo-coinrun_easy_0_0_2", [math.nan, 3.0, 5.0])
    (curve,) = compute_curves(load(tmp_path), skip_updates=0, smoothing=0.0)[0].curves
    assert curve.steps.tolist() == [200, 300]
    assert curve.mean.tolist() == [2, 3]
    assert [len(run.steps) for run in curve.runs] == [5, 2]


def test_runs_with_updates_of_other_sizes_are_interpolated() -> None:
    first = RunCurve(1, np.array([100.0, 200, 300, 400]), np.array([1.0, 2, 3, 4]))
    second = RunCurve(2, np.array([150.0, 300, 450]), np.array([0.0, 30, 60]))
    steps, scores = average_runs([first, second])
    assert steps.tolist() == [150, 200, 300, 400]
    assert scores[0] == pytest.approx([1.5, 2, 3, 4])
    assert scores[1] == pytest.approx([0, 10, 30, 50])


def test_runs_that_never_overlap_have_no_mean() -> None:
    steps, scores = average_runs(
        [RunCurve(1, np.array([1.0, 2]), np.zeros(2)), RunCurve(2, np.array([5.0, 6]), np.zeros(2))]
    )
    assert steps.shape == (0,)
    assert scores.shape == (2, 0)


def test_scores_are_normalised_by_the_range_of_game_and_mode(tmp_path: Path) -> None:
    write_run(tmp_path, "ppo-fruitbot_easy_0_0_1", [-1.5, 32.4, 15.45])
    write_run(tmp_path, "ppo-fruitbot_hard_0_0_1", [-0.5, 27.2])
    easy, hard = compute_curves(load(tmp_path), skip_updates=0, smoothing=0.0, normalized=True)
    assert easy.curves[0].mean == pytest.approx([0, 1, 0.5])
    assert hard.curves[0].mean == pytest.approx([0, 1])
    write_run(tmp_path / "memory", "ppo-ninja_exploration_0_0_1", [1.0])
    with pytest.raises(UserError, match=r"no range was published .* ninja \(exploration\)"):
        compute_curves(load(tmp_path / "memory"), skip_updates=0, normalized=True)


def test_series_are_told_apart_by_what_differs_and_sppo_comes_first(tmp_path: Path) -> None:
    for name in ("ppo-coinrun_easy_0_0_1", "sppo-coinrun_easy_0_0_1", "sppo-coinrun_easy_0_0_2"):
        write_run(tmp_path / "a", name, [1.0])
    write_run(tmp_path / "b", "sppo-coinrun_easy_0_0_1", [1.0])
    assert list(series_labels(load(tmp_path / "a")).values()) == ["SPPO", "PPO"]
    both = load(f"theirs={tmp_path / 'a'}", f"ours={tmp_path / 'b'}")
    assert list(series_labels(both).values()) == ["SPPO, theirs", "PPO, theirs", "SPPO, ours"]
    write_run(tmp_path / "a", "sppo-coinrun_easy_200_50_1", [1.0], held_out=[1.0])
    labels = ["SPPO, all levels", "SPPO, 200 levels from 50", "PPO, all levels"]
    assert list(series_labels(load(tmp_path / "a")).values()) == labels
    (game,) = compute_curves(load(tmp_path / "a"), skip_updates=0)
    assert [curve.label for curve in game.curves] == [*labels[:2], f"{labels[1]}, held-out levels", labels[2]]
    assert [len(curve.runs) for curve in game.curves] == [2, 1, 1, 1]
    assert [curve.held_out for curve in game.curves] == [False, False, True, False]


def original_runs(reference: Path, root: Path) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Write the original's 24 published runs into `root`; return their returns [3, updates] by algorithm and game."""
    with gzip.open(reference / "original_curves.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    runs: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        seeds = runs.setdefault((row["algorithm"], row["game"]), {})
        seeds.setdefault(row["seed"], []).append(float(row["eprewmean"]))
    for (algorithm, game), seeds in runs.items():
        for seed, returns in seeds.items():
            write_run(root, f"{algorithm}-{game}_easy_0_0_{seed}", returns, steps_of_update=16_384)
    return {key: np.array([seeds[seed] for seed in sorted(seeds)]) for key, seeds in runs.items()}


def test_the_originals_runs_give_the_originals_curves(reference_dir: Path, tmp_path: Path) -> None:
    """Its computation as a loop: ten updates go, then each run is smoothed, then mean and deviation over runs."""
    returns = original_runs(reference_dir, tmp_path)
    runs = load(tmp_path, skip_updates=10)
    assert len(runs) == 24
    for normalized in (False, True):
        for game in compute_curves(runs, normalized=normalized):
            for curve in game.curves:
                expected = returns[curve.series.algorithm, game.env][:, 10:].copy()
                for run in expected:
                    for update in range(1, len(run)):
                        run[update] = 0.1 * run[update] + 0.9 * run[update - 1]
                if normalized:
                    low, high = GAMES[game.env].easy
                    expected = (expected - low) / (high - low)
                assert curve.steps[0] == 11 * 16_384
                assert curve.steps[-1] == 1525 * 16_384
                np.testing.assert_allclose(curve.mean, expected.mean(0), rtol=1e-9, atol=1e-12)
                assert curve.high is not None
                np.testing.assert_allclose(curve.high - curve.mean, expected.std(0, ddof=1), atol=1e-9)
