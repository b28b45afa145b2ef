"""Final scores and their aggregates: against scipy, hand-made cases, all possible resamples, and the paper's runs."""

import csv
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import trim_mean

from semantic_rl.analysis.runs import Run, find_runs, load_runs
from semantic_rl.analysis.score_table import (
    COVERAGE,
    RUN_COLUMNS,
    SUMMARY_COLUMNS,
    run_rows,
    score_table,
    summary_rows,
    write_csv,
)
from semantic_rl.analysis.scores import METRICS, aggregate, compute_scores, estimate, final_score, resample
from semantic_rl.errors import UserError

from ..progress_files import write_run
from .test_curves import original_runs


def load(root: Path) -> list[Run]:
    return load_runs(find_runs([str(root)], lambda _: None), lambda _: None)


@pytest.mark.parametrize("shape", [(1, 3), (1, 4), (2, 5), (4, 3), (16, 10), (1, 1)])
def test_the_interquartile_mean_is_scipys_trimmed_mean(shape: tuple[int, int]) -> None:
    scores = np.random.default_rng(0).normal(size=shape)
    assert float(aggregate("iqm", list(scores))) == pytest.approx(trim_mean(scores.ravel(), 0.25))
    drawn = resample(list(scores), num_resamples=7)
    expected = trim_mean(np.concatenate(drawn, 1), 0.25, axis=1)
    np.testing.assert_allclose(aggregate("iqm", drawn), expected)


def test_mean_and_median_are_over_games_and_the_gap_counts_nothing_above_one() -> None:
    games = [np.array([0.1, 0.3]), np.array([0.5, 0.5]), np.array([1.2, 1.4, 1.6])]
    assert aggregate("mean", games) == pytest.approx((0.2 + 0.5 + 1.4) / 3)
    assert aggregate("median", games) == pytest.approx(0.5)
    assert aggregate("optimality_gap", games) == pytest.approx((0.9 + 0.7 + 0.5 + 0.5) / 7)
    assert aggregate("iqm", games) == pytest.approx((0.3 + 0.5 + 0.5 + 1.2 + 1.4) / 5)


def test_runs_are_drawn_anew_within_their_game() -> None:
    low, high = resample([np.array([1.0, 2, 3]), np.array([10.0, 20])], num_resamples=500)
    assert low.shape == (500, 3)
    assert high.shape == (500, 2)
    assert set(low.ravel()) == {1, 2, 3}
    assert set(high.ravel()) == {10, 20}


@pytest.mark.parametrize("metric", METRICS)
def test_the_interval_is_that_of_all_possible_resamples(metric: str) -> None:
    """Two games of three runs can be drawn in 27 × 27 equally likely ways."""
    games = [np.array([0.2, 0.5, 0.9]), np.array([0.3, 0.35, 0.7])]
    ways = [[np.array(way) for way in product(game, repeat=3)] for game in games]
    every = [aggregate(metric, [first, second]) for first in ways[0] for second in ways[1]]  # type: ignore[arg-type]
    found = estimate(metric, games)  # type: ignore[arg-type]
    assert found.low == pytest.approx(np.quantile(every, 0.025), abs=0.01)
    assert found.high == pytest.approx(np.quantile(every, 0.975), abs=0.01)


def test_with_three_runs_the_interval_is_their_range_and_with_one_there_is_none() -> None:
    assert estimate("mean", [np.array([3.0, 1.0, 2.0])]) == (2, 1, 3)
    assert estimate("mean", [np.array([3.0])]) == (3, None, None)
    assert estimate("mean", [np.array([3.0, 1.0]), np.array([2.0])]).low is None


def test_what_is_said_of_few_runs_is_so() -> None:
    """How often a 95% interval covers the true mean, simulated anew: of 3,000 samples, each with all its resamples."""
    generator = np.random.default_rng(0)
    for count in (2, 3, 4):
        samples = generator.normal(size=(3000, count))
        resamples = np.array(list(product(range(count), repeat=count)))
        means = samples[:, resamples].mean(-1)
        low, high = np.quantile(means, (0.025, 0.975), axis=1, method="inverted_cdf")
        assert 100 * ((low <= 0) & (high >= 0)).mean() == pytest.approx(COVERAGE[count], abs=2.5)


def test_a_final_score_is_the_mean_of_the_last_updates_at_most_a_fifth(tmp_path: Path) -> None:
    write_run(tmp_path, "ppo-jumper_easy_0_0_1", [float(update) for update in range(1, 1001)])
    write_run(tmp_path, "ppo-jumper_easy_0_0_2", [math.nan, *range(1, 11)], held_out=[1.0, 5.5])
    long, short = load(tmp_path)
    score = final_score(long)
    assert (score.num_updates, score.score, score.steps) == (100, 950.5, 100_000)
    assert score.normalized == pytest.approx((950.5 - 1) / 9)
    assert final_score(long, final_updates=1).score == 1000
    assert (final_score(short).num_updates, final_score(short).score) == (2, 9.5)
    assert final_score(short, held_out=True).normalized == pytest.approx(0.5)


def test_a_mode_without_a_range_has_scores_but_no_aggregates(tmp_path: Path) -> None:
    write_run(tmp_path, "ppo-jumper_memory_0_0_1", [4.0])
    scores = compute_scores(load(tmp_path))
    assert scores.overall[0].normalized is None
    table = score_table(scores)
    assert "4.00" in table
    assert "IQM" not in table
    (row,) = summary_rows(scores)
    assert row[-6:] == ("mean_return", 1, 1, "4", "", "")


def test_the_table_says_what_intervals_are_worth(tmp_path: Path) -> None:
    write_run(tmp_path, "sppo-jumper_easy_0_0_1", [4.0] * 10)
    alone = score_table(compute_scores(load(tmp_path)))
    assert "no interval where a game has a single run" in alone
    assert "bootstrap" not in alone
    for seed, score in ((2, 5.0), (3, 9.0)):
        write_run(tmp_path, f"sppo-jumper_easy_0_0_{seed}", [score] * 10)
    three = score_table(compute_scores(load(tmp_path)))
    assert "4.00 to 9.00" in three
    assert "1: 4.00  2: 5.00  3: 9.00" in three
    assert "95% percentile bootstrap over runs" in three
    assert "about 75 with 3 runs" in three
    assert "single run" not in three
    for seed in range(4, 11):
        write_run(tmp_path, f"sppo-jumper_easy_0_0_{seed}", [5.0] * 10)
    assert "too narrow" not in score_table(compute_scores(load(tmp_path)))


def test_the_table_says_what_cannot_be_compared(tmp_path: Path) -> None:
    write_run(tmp_path, "sppo-jumper_easy_0_0_1", [4.0] * 10)
    write_run(tmp_path, "ppo-jumper_easy_0_0_1", [4.0] * 20)
    write_run(tmp_path, "ppo-ninja_easy_0_0_1", [4.0] * 20)
    table = score_table(compute_scores(load(tmp_path)))
    assert "Runs of jumper differ in length" in table
    assert "--max-steps 1000 " in table
    assert "not run on the same games" in table


def test_csv_rows_hold_every_number_of_the_table(tmp_path: Path) -> None:
    for seed, score in ((1, 4.0), (2, 5.0)):
        write_run(tmp_path, f"sppo-jumper_easy_200_0_{seed}", [score] * 10, held_out=[score - 1] * 10)
        write_run(tmp_path, f"sppo-ninja_easy_200_0_{seed}", [score] * 10)
    scores = compute_scores(load(tmp_path))
    path = write_csv(tmp_path / "out" / "scores.csv", SUMMARY_COLUMNS, summary_rows(scores))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scores.csv"]
    found = {(row["env"], row["scored_on"], row["metric"]): row for row in rows}
    jumper = found["jumper", "held-out levels", "mean_return"]
    assert (jumper["value"], jumper["low"], jumper["high"], jumper["num_runs"]) == ("3.5", "3", "4", "2")
    assert float(found["all", "training levels", "normalized_mean"]["value"]) == pytest.approx(
        (3.5 / 9 + 1 / 6.5) / 2, 1e-5
    )
    assert found["all", "training levels", "normalized_iqm"]["num_games"] == "2"
    assert ("all", "held-out levels", "normalized_mean") not in found, "one game is its own aggregate"
    runs = [dict(zip(RUN_COLUMNS, row, strict=True)) for row in run_rows(scores)]
    assert len(runs) == 6
    assert {"env": "ninja", "seed": 2, "return": "5", "steps": "1000", "num_updates": 2}.items() <= runs[-1].items()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"out: .*file is no folder, so .* cannot be in it; choose another place"):
        write_csv(tmp_path / "file" / "scores.csv", ("a",), [])


def test_the_originals_runs_give_the_papers_scores(reference_dir: Path, tmp_path: Path) -> None:
    """Means of the last 100 updates before 25M steps, as published with the reference data, to two digits."""
    original_runs(reference_dir, tmp_path)
    scores = compute_scores(load(tmp_path))
    found = {(s.envs[0], s.label): [run.score for run in s.runs[0]] for s in scores.games}
    expected = {
        ("coinrun", "PPO"): [9.21, 8.98, 8.89], ("coinrun", "SPPO"): [9.05, 9.26, 9.01],
        ("fruitbot", "PPO"): [28.83, 28.79, 28.55], ("fruitbot", "SPPO"): [28.95, 29.22, 26.43],
        ("jumper", "PPO"): [8.13, 7.85, 7.97], ("jumper", "SPPO"): [7.80, 7.82, 7.77],
        ("ninja", "PPO"): [7.08, 8.76, 8.68], ("ninja", "SPPO"): [8.26, 8.76, 7.03],
    }  # fmt: skip
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values, abs=0.00501)
