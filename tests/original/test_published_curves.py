"""The original's published returns, as they come with the package."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import pytest

from semantic_rl.analysis.runs import find_runs, load_runs
from semantic_rl.analysis.scores import compute_scores, final_score
from semantic_rl.original.published_curves import COMPARISON_COLUMNS, comparison, markdown_table, published_runs

GAMES, ALGORITHMS = ("coinrun", "fruitbot", "jumper", "ninja"), ("sppo", "ppo")


def test_final_scores_are_those_that_were_published() -> None:
    scores = {
        (*run.folder.name[:2], run.folder.name.seed): final_score(run) for run in published_runs(GAMES, ALGORITHMS)
    }
    assert len(scores) == 24
    assert [round(scores["ppo", "coinrun", seed].score, 2) for seed in (2020, 2021, 2022)] == [9.21, 8.98, 8.89]
    assert [round(scores["sppo", "fruitbot", seed].score, 2) for seed in (2020, 2021, 2022)] == [28.95, 29.22, 26.43]
    assert [round(scores["sppo", "ninja", seed].score, 2) for seed in (2020, 2021, 2022)] == [8.26, 8.76, 7.03]
    assert {score.steps for score in scores.values()} == {1525 * 16_384}


def test_every_update_is_there(reference_dir: Path) -> None:
    returns: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    with gzip.open(reference_dir / "original_curves.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            returns[row["algorithm"], row["game"], int(row["seed"])].append(float(row["eprewmean"]))
    runs = published_runs(GAMES, ALGORITHMS)
    for run in runs:
        name = run.folder.name
        assert run.training.returns.tolist() == pytest.approx(returns[name.algorithm, name.env, name.seed], rel=6e-4)
    assert len(runs) == len(returns)


def test_they_end_where_ours_end_and_games_that_were_not_published_have_none() -> None:
    runs = published_runs(["coinrun", "maze"], ["sppo"], max_steps=20 * 16_384 + 1)
    assert [run.folder.name.env for run in runs] == ["coinrun"] * 3
    assert {len(run.training.steps) for run in runs} == {20}
    assert published_runs(["coinrun"], ["sppo"], max_steps=16_384, skip_updates=10) == []


def test_ours_stand_beside_the_originals(tmp_path: Path) -> None:
    for name, score in (
        ("sppo-coinrun_easy_0_0_1", 9.05),
        ("sppo-coinrun_easy_0_0_2", 3.0),
        ("ppo-maze_easy_0_0_1", 5),
    ):
        run = tmp_path / name
        run.mkdir()
        rows = [f"{score},{step * 16_384}" for step in range(1, 1526)]
        (run / "progress.csv").write_text("eprewmean,misc/total_timesteps\n" + "".join(f"{row}\n" for row in rows))
    ours = load_runs(find_runs([str(tmp_path)], warn=print), warn=print)
    rows = comparison(compute_scores([*ours, *published_runs(GAMES, ALGORITHMS)]))
    assert rows == [
        ("coinrun", "SPPO", "9.05 3.00", "6.02", "9.05 9.26 9.01", "9.10", "1 of 2"),
        ("maze", "PPO", "5.00", "5.00", "–", "–", "–"),
    ]
    assert markdown_table(COMPARISON_COLUMNS, rows).splitlines()[-1] == "| maze | PPO | 5.00 | 5.00 | – | – | – |"
