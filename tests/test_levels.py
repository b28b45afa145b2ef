"""Which levels are played: those that were asked for are those of the episodes, and a choice that does nothing is
refused."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from semantic_rl.cli import main
from semantic_rl.commands.parse import parse
from semantic_rl.config import ClipsConfig, EvaluateConfig, RecordConfig, TrainConfig
from semantic_rl.config.levels import Levels, choose_levels
from semantic_rl.errors import UserError

needs_games = pytest.mark.skipif(sys.version_info < (3, 13), reason="needs Python 3.13 for the games")
ALL = Levels(0, 0)
SOME = Levels(200, 7)


@pytest.mark.parametrize(
    ("trained", "asked", "played"),
    [
        (ALL, (None, None, None), (0, 0)),
        (SOME, (None, None, None), (200, 7)),
        (Levels(0, 500), (None, None, None), (0, 500)),
        (SOME, (0, None, None), (0, 0)),
        (SOME, (0, 0, None), (0, 0)),
        (ALL, (None, 0, None), (0, 0)),
        (ALL, (5, 97, None), (5, 97)),
        (SOME, (None, 97, None), (200, 97)),
        (SOME, (3, None, None), (3, 7)),
        (ALL, (None, None, 97), (1, 97)),
        (SOME, (None, None, 0), (1, 0)),
    ],
)
def test_levels_are_those_asked_for_or_those_of_training(
    trained: Levels, asked: tuple[int | None, int | None, int | None], played: tuple[int, int]
) -> None:
    assert choose_levels(trained, *asked) == played


@pytest.mark.parametrize(("trained", "num_levels"), [(ALL, None), (ALL, 0), (SOME, 0)])
def test_a_first_level_of_all_is_refused(trained: Levels, num_levels: int | None) -> None:
    with pytest.raises(UserError, match=r"start_level: got 97, but all levels are played.*give --level-seed 97"):
        choose_levels(trained, num_levels, 97, None)


@pytest.mark.parametrize("command", ["record", "evaluate", "clips"])
def test_one_level_and_several_exclude_each_other(command: str) -> None:
    config = {"record": RecordConfig, "evaluate": EvaluateConfig, "clips": ClipsConfig}[command]
    words = ["a", *(["--out", "o"] if command != "evaluate" else []), "--level-seed", "97"]
    assert parse(config, words, command).level_seed == 97
    for more in (["--num-levels", "5"], ["--start-level", "0"], ["--num-levels", "5", "--start-level", "97"]):
        with pytest.raises(UserError, match="expected none beside --level-seed 97"):
            parse(config, [*words, *more], command)


def test_training_refuses_a_first_level_of_all() -> None:
    with pytest.raises(UserError, match="start_level: got 500, which would do nothing"):
        parse(TrainConfig, ["--num-levels", "0", "--start-level", "500"], "train")
    assert parse(TrainConfig, ["--num-levels", "0", "--start-level", "0"], "train") == TrainConfig()


@needs_games
def test_the_advised_level_is_the_one_that_is_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["record", "sppo-coinrun", "--num-envs", "2", "--episodes", "3", "--frame-size", "0", "--num-threads", "1"]
    with pytest.raises(SystemExit):
        main([*words, "--out", str(tmp_path / "refused"), "--start-level", "97"])
    advice = capsys.readouterr().err
    assert "--level-seed 97" in advice
    assert not (tmp_path / "refused").exists()
    main([*words, "--out", str(tmp_path / "r"), "--level-seed", "97", "--distribution-mode", "hard"])
    assert set(pl.read_parquet(tmp_path / "r" / "episodes.parquet")["level_seed"]) == {97}
    description = json.loads((tmp_path / "r" / "recording.json").read_text(encoding="utf-8"))
    environment = description["environment"]
    assert (environment["num_levels"], environment["start_level"], environment["distribution_mode"]) == (1, 97, "hard")
    main([*words, "--out", str(tmp_path / "several"), "--num-levels", "2", "--start-level", "97"])
    assert set(pl.read_parquet(tmp_path / "several" / "episodes.parquet")["level_seed"]) <= {97, 98}


@needs_games
def test_evaluation_plays_the_level_that_it_names(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "sppo-coinrun", "--episodes", "2", "--num-threads", "1", "--json"]
    main([*words, "--level-seed", "97"])
    told = json.loads(capsys.readouterr().out)
    assert (told["num_levels"], told["start_level"]) == (1, 97)


@needs_games
def test_a_mode_that_a_game_lacks_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["record", "sppo-fruitbot", "--out", str(tmp_path / "r"), "--distribution-mode", "memory"])
    assert "fruitbot has no mode 'memory'" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
