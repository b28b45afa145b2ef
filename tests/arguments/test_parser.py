"""Usage errors: whatever is wrong with the words of a command is one sentence that names the way out."""

from pathlib import Path

import pytest

from semantic_rl.arguments import ArgumentParser
from semantic_rl.arguments.parser import UsageError
from semantic_rl.commands.parse import parse
from semantic_rl.config import CurvesFigureConfig, ExploreConfig, PackConfig, RecordConfig, ReproduceConfig, TrainConfig

HELP = "semantic-rl train --help says what each flag takes."


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--num-env 3", "unknown flag '--num-env'. Did you mean '--num-envs'?"),
        ("--zzz", "unknown flag '--zzz'."),
        ("-n 3", "unknown flag '-n'."),
        ("--num-envs many", "--num-envs: got 'many', expected a whole number, like 64 or 1e6."),
        ("--timesteps 1.5", "--timesteps: got '1.5', expected a whole number, like 64 or 1e6."),
        ("--gamma high", "--gamma: got 'high', expected a number, like 0.5 or 1e-3."),
        ("--algorithm dqn", "--algorithm: got 'dqn', expected sppo or ppo."),
        ("--algorithm spo", "--algorithm: got 'spo', expected sppo or ppo. Did you mean 'sppo'?"),
        ("--run-root=", "--run-root: got '', expected a path (. is the folder that you are in)."),
        ("--seed", "--seed lacks its value: --seed N."),
        ("--seed --resume", "--seed lacks its value: --seed N, and '--resume' follows."),
        ("--seed 1 --seed 1", "--seed is given twice; give it once."),
        ("--seed 1 --seed=1", "--seed is given twice; give it once."),
        ("--resume --resume", "--resume is given twice; give it once."),
        ("--resume=yes", "--resume takes no value, and 'yes' is given."),
        ("coinrun", "'coinrun' belongs to no flag; nothing stands without one."),
    ],
)
def test_a_usage_error_is_one_sentence_that_ends_with_help(words: str, expected: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(TrainConfig, words.split(), "train")
    assert str(error.value) == f"{expected} {HELP}"
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", "AGENT and --out PATH are missing; AGENT: A run folder"),
        ("run", "--out PATH is missing; --out PATH: Recording folder to create"),
        ("--out o", "AGENT is missing"),
        ("a b --out o", "'b' belongs to no flag; only AGENT stands without one"),
    ],
)
def test_what_is_missing_or_too_much_is_named(words: str, expected: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(RecordConfig, words.split(), "record")
    assert expected in str(error.value)
    assert str(error.value).endswith("semantic-rl record --help says what each flag takes.")


def test_places_and_flags_may_be_mixed() -> None:
    config = parse(ExploreConfig, ["a", "--port", "1", "b", "--no-browser"], "explore")
    assert (config.recording, config.other, config.port, config.browser) == (Path("a"), Path("b"), 1, False)


def test_a_place_that_may_stay_empty_keeps_its_default() -> None:
    assert parse(ExploreConfig, ["recording", "--export", "page.html"], "explore").other is None


def test_behind_two_dashes_everything_stands_without_a_flag() -> None:
    assert parse(ExploreConfig, ["--port", "1", "--", "--strange"], "explore").recording == Path("--strange")


def test_a_value_may_begin_with_a_dash() -> None:
    assert parse(PackConfig, ["a", "--out", "o", "--note=--x"], "pack").note == "--x"
    with pytest.raises(ValueError, match=r"learning_rate: got -0\.001"):
        parse(TrainConfig, ["--learning-rate", "-1e-3"], "train")


def test_underscores_and_hyphens_are_the_same() -> None:
    assert parse(TrainConfig, ["--num_minibatches", "4"], "train").ppo.num_minibatches == 4
    with pytest.raises(UsageError, match="--num-envs is given twice"):
        parse(TrainConfig, ["--num_envs", "4", "--num-envs", "4"], "train")


def test_a_flag_of_several_values_takes_those_up_to_the_next_flag() -> None:
    config = parse(ReproduceConfig, ["--seeds", "1", "2e0", "--games", "ninja", "--jobs", "2"], "reproduce")
    assert (config.seeds, config.games, config.jobs) == ((1, 2), ("ninja",), 2)
    assert parse(CurvesFigureConfig, ["--env=ninja"], "figures curves").env == ("ninja",)
    with pytest.raises(UsageError, match="--seeds lacks its value: --seeds N \\.\\.\\."):
        parse(ReproduceConfig, ["--seeds"], "reproduce")


def test_help_is_printed_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(RecordConfig, ["--states", "3", "-h"], "record")
    assert leaving.value.code == 0
    assert capsys.readouterr().out.startswith("usage: semantic-rl record AGENT --out PATH [FLAGS]\n")


def test_a_flag_may_be_shortened_only_where_the_original_allows_it() -> None:
    parser = ArgumentParser("train", "train", "", as_argparse=True)
    parser.add_argument("--env_name")
    parser.add_argument("--num_envs", type=int)
    parser.add_argument("--num_levels", type=int)
    assert parser.parse_args(["--env", "ninja"]).env_name == "ninja"
    with pytest.raises(UsageError, match="--num may be --num_envs or --num_levels; write it out"):
        parser.parse_args(["--num", "3"])
    with pytest.raises(UsageError, match=r"unknown flag '--num_level_s'\. Did you mean '--num_levels'"):
        parser.parse_args(["--num_level_s", "3"])


def test_a_flag_may_be_given_twice_only_where_the_original_allows_it() -> None:
    parser = ArgumentParser("train", "train", "", as_argparse=True)
    parser.settings.add_argument("--rand_seed", type=int)
    assert parser.parse_args(["--rand_seed", "1", "--rand_seed", "2"]).rand_seed == 2
