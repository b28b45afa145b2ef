"""The original's commands take its flags, with its defaults, and train with our code."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semantic_rl.config import TrainConfig, to_dict
from semantic_rl.training.checkpoint import load_policy, read_state
from train_procgen import train_ppo, train_sppo
from train_procgen.command import make_config, make_parser

SOURCE = Path(__file__).resolve().parent.parent / "src"


def config_of(algorithm: Any, *arguments: str) -> TrainConfig:
    mode = "easy" if algorithm == "sppo" else "hard"
    return make_config(algorithm, make_parser(algorithm, mode).parse_args(arguments))


def test_defaults_are_the_originals() -> None:
    """They are ours but for the seed, for the mode of train_ppo, and for held-out levels, which must be asked for."""
    ours = to_dict(TrainConfig())
    assert to_dict(config_of("sppo")) == {**ours, "seed": 2022, "held_out_interval": 0}
    assert to_dict(config_of("ppo")) == {
        **ours,
        "algorithm": "ppo",
        "distribution_mode": "hard",
        "seed": 2022,
        "held_out_interval": 0,
    }


@pytest.mark.parametrize("algorithm", ["sppo", "ppo"])
@pytest.mark.parametrize(
    ("flag", "value", "setting", "expected"),
    [
        ("--env_name", "jumper", "env", "jumper"),
        ("--num_envs", "32", "num_envs", 32),
        ("--distribution_mode", "exploration", "distribution_mode", "exploration"),
        ("--num_levels", "200", "num_levels", 200),
        ("--start_level", "50", "start_level", 50),
        ("--test_worker_interval", "2", "held_out_interval", 1),
        ("--timesteps_per_proc", "1000000", "timesteps", 1_000_000),
        ("--rand_seed", "2020", "seed", 2020),
        ("--run_root", "elsewhere", "run_root", "elsewhere"),
    ],
)
def test_a_flag_reaches_its_setting_and_no_other(
    algorithm: str, flag: str, value: str, setting: str, expected: object
) -> None:
    default = to_dict(config_of(algorithm))
    assert default[setting] != expected
    assert to_dict(config_of(algorithm, flag, value)) == {**default, setting: expected}


@pytest.mark.parametrize(
    ("flag", "value", "setting", "expected"),
    [
        ("--num_embeddings", "5", "num_codes", 5),
        ("--alpha1", "10", "feature_dof", 10.0),
        ("--alpha2", "1.5", "embedding_dof", 1.5),
    ],
)
def test_a_flag_of_the_module_reaches_its_setting(flag: str, value: str, setting: str, expected: object) -> None:
    default = to_dict(config_of("sppo"))
    assert to_dict(config_of("sppo", flag, value)) == {**default, setting: expected}


def test_the_papers_commands_are_the_papers_settings() -> None:
    words = "--env_name coinrun --num_levels 0 --distribution_mode easy --timesteps_per_proc 25000000 --rand_seed 2021"
    assert to_dict(config_of("sppo", *words.split())) == {**to_dict(TrainConfig()), "held_out_interval": 0}


@pytest.mark.parametrize(("given", "said"), [(None, False), ("0.25", False), ("0.0", True), ("0.5", True)])
def test_beta_changes_nothing_and_that_is_said(
    capsys: pytest.CaptureFixture[str], given: str | None, said: bool
) -> None:
    config = config_of("sppo", *([] if given is None else ["--beta", given]))
    assert to_dict(config) == to_dict(config_of("sppo"))
    note = capsys.readouterr().err
    assert ("changes nothing" in note and "--commitment-coef" in note) is said
    assert note.count("\n") == said


def test_steps_are_counted_for_each_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    config = config_of("sppo", "--timesteps_per_proc", "163840")
    assert config.timesteps == 4 * 163_840
    assert config.num_updates(num_workers=4) == 10


def test_resume_is_ours(tmp_path: Path) -> None:
    assert config_of("ppo", "--resume", "--run_root", str(tmp_path)).resume


@pytest.mark.parametrize(("main", "algorithm", "num_codes"), [(train_sppo.main, "sppo", 5), (train_ppo.main, "ppo", 0)])
def test_the_commands_train(tmp_path: Path, main: Any, algorithm: str, num_codes: int) -> None:
    if sys.version_info < (3, 13):
        pytest.skip("needs Python 3.13 for the games")
    words = ["--env_name", "bigfish", "--num_envs", "2", "--distribution_mode", "easy", "--num_levels", "3"]
    words += ["--timesteps_per_proc", "600", "--rand_seed", "1", "--test_worker_interval", "2"]
    words += ["--num_embeddings", "5"] if num_codes else []
    main([*words, "--run_root", str(tmp_path)])
    run = tmp_path / f"{algorithm}-bigfish_easy_3_0_1"
    assert {"progress.csv", "progress-rank001.csv", "config.json"} <= {path.name for path in run.iterdir()}
    assert read_state(run)["update"] == 1
    assert load_policy(run).num_codes == num_codes


@pytest.mark.parametrize(
    ("main", "arguments", "reason"),
    [
        (train_sppo.main, ["--env_name", "coinrnu"], "Did you mean 'coinrun'?"),
        (train_ppo.main, ["--env_name", "bigfish", "--distribution_mode", "memory"], "bigfish has no mode 'memory'"),
        (train_sppo.main, ["--timesteps_per_proc", "1"], "--timesteps_per_proc: got 1"),
        (train_sppo.main, ["--num_embeddings", "0"], "--num_embeddings: got 0"),
        (train_sppo.main, ["--alpha1", "-1"], "--alpha1: got -1.0"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], main: Any, arguments: list[str], reason: str
) -> None:
    with pytest.raises(SystemExit) as exit_code:
        main(arguments)
    said = capsys.readouterr().err
    assert exit_code.value.code == 2
    assert reason in said
    assert said.startswith("train_procgen.train_")
    assert said.count("\n") == 1


@pytest.mark.parametrize(("name", "others"), [("train_sppo", ["--beta", "--alpha1", "--alpha2"]), ("train_ppo", [])])
def test_the_modules_run_as_programs_and_help_shows_every_flag(name: str, others: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", f"train_procgen.{name}", "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert f"usage: python -m train_procgen.{name}" in done.stdout
    flags = ["--env_name", "--num_envs", "--distribution_mode", "--num_levels", "--start_level", "--rand_seed"]
    for flag in [*flags, "--test_worker_interval", "--timesteps_per_proc", *others]:
        assert flag in done.stdout
    assert ("--num_embeddings" in done.stdout) is bool(others)
