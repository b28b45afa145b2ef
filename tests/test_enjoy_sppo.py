"""The original's enjoy_sppo: its flags, where it looks for agents, what it writes and where."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from semantic_rl.artifacts import run_name
from semantic_rl.clips import play_agent as command
from semantic_rl.config import ClipsConfig, ClipSettings, EnvConfig, RecordConfig
from semantic_rl.recording.record import record
from semantic_rl.training.checkpoint import load_policy
from train_procgen import enjoy_sppo
from train_procgen.enjoy_sppo import find_agent, main, make_parser

from .clips.agents import make_run

NAME = run_name("sppo", "fruitbot", "easy", 50, 7, 2021)
FLAGS = ["--env_name", "fruitbot", "--num_levels", "50", "--start_level", "7", "--timesteps_per_proc", "49152"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said_before_exit(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("train_procgen.enjoy_sppo: error: ")
    assert said.count("\n") == 1
    return said


def test_flags_and_defaults_are_the_originals() -> None:
    assert vars(make_parser().parse_args([])) == {
        "env_name": "coinrun",
        "num_envs": 64,
        "distribution_mode": "easy",
        "num_levels": 0,
        "start_level": 0,
        "test_worker_interval": 0,
        "timesteps_per_proc": 25_000_000,
        "rand_seed": 2021,
        "num_embeddings": 8,
        "beta": 0.0,
        "alpha1": 20.0,
        "alpha2": 20.0,
        "mode": 1,
    }


@pytest.mark.parametrize("root", ["runs", "train_procgen/checkpoints"])
def test_a_run_folder_is_found_where_either_package_keeps_it(folder: Path, root: str) -> None:
    make_run(folder / root / NAME)
    assert find_agent(make_parser().parse_args(FLAGS), folder / "temporary") == Path(root) / NAME


def test_a_checkpoint_of_the_original_is_imported_beside(folder: Path, reference_dir: Path) -> None:
    file = folder / "train_procgen" / "checkpoints" / NAME / "checkpoints" / "49152"
    file.parent.mkdir(parents=True)
    shutil.copy(reference_dir / "original_checkpoint.joblib", file)
    (folder / "temporary").mkdir()
    run = find_agent(make_parser().parse_args(FLAGS), folder / "temporary")
    assert run == folder / "temporary" / NAME
    assert load_policy(run).num_codes == 8
    assert [path.name for path in file.parent.iterdir()] == ["49152"]


@pytest.mark.slow
def test_mode_1_draws_both_spaces_of_states_that_the_original_explores(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(folder / "runs" / NAME)
    recorded: list[RecordConfig] = []

    def record_less(config: RecordConfig) -> Path:
        recorded.append(config)
        return record(RecordConfig(**{**vars(config), "explore_steps": 60}))

    monkeypatch.setattr("semantic_rl.recording.record.record", record_less)
    main([*FLAGS, "--num_envs", "4"])
    (config,) = recorded
    assert (config.protocol, config.explore_steps, config.num_envs, config.seed) == ("explore", 500, 4, 2021)
    assert (config.random_action_probability, config.keep_probability) == (0.2, 0.8)
    assert (config.num_levels, config.start_level) == (50, 200_007)
    figures = folder / "train_procgen" / "figures"
    names = [f"fruitbot_50_{space}_embeddings.{form}" for space in ("fdr", "feature") for form in ("png", "svg")]
    assert sorted(path.name for path in figures.iterdir()) == names
    said = capsys.readouterr()
    assert said.out.split() == [
        f"train_procgen/figures/fruitbot_50_{space}_embeddings.png" for space in ("feature", "fdr")
    ]
    assert "note" not in said.err


def test_mode_0_makes_the_originals_clips_of_the_agents_levels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(folder / "runs" / NAME)
    asked: list[ClipsConfig] = []
    whole = command.make

    def make_less(config: ClipsConfig) -> list[Path]:
        asked.append(config)
        less = ClipSettings(frames=8, min_shot=2, all_episodes=True, video_size=64, animation_frames=8)
        return whole(ClipsConfig(config.source, config.out, less, max_steps=200, num_envs=4, resume=config.resume))

    monkeypatch.setattr(command, "make", make_less)
    main([*FLAGS, "--mode", "0"])
    (config,) = asked
    assert config == ClipsConfig(
        Path("runs") / NAME, Path("train_procgen/figures/fruitbot_skills"), ClipSettings(seed=2021)
    )
    skills = folder / "train_procgen" / "figures" / "fruitbot_skills"
    listed: dict[str, Any] = json.loads((skills / "clips.json").read_text())
    assert listed["environment"]["num_levels"] == 50
    assert listed["environment"]["start_level"] == 7
    videos = [item["mp4"] for item in listed["clips"] if item["mp4"]]
    assert videos
    assert all((skills / name).is_file() for name in videos)


def test_what_was_interrupted_goes_on_and_what_was_begun_otherwise_is_begun_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(folder / "runs" / NAME)
    playing = folder / "train_procgen" / "figures" / "fruitbot_50_playing"
    drawn: list[int] = []

    def look(recording: Path, *_: object) -> list[Path]:
        drawn.append((recording / "states.parquet").stat().st_mtime_ns)
        return []

    monkeypatch.setattr(enjoy_sppo, "draw_embeddings", look)
    settings: dict[str, Any] = {"protocol": "explore", "num_levels": 50, "start_level": 200_007, "num_envs": 2}
    record(RecordConfig(run, playing, **settings, frame_size=0, seed=2021))
    complete = (playing / "states.parquet").stat().st_mtime_ns
    main([*FLAGS, "--num_envs", "2"])
    assert drawn == [complete]
    assert not playing.exists()
    record(RecordConfig(run, playing, **settings, frame_size=0, seed=2022, explore_steps=3))
    otherwise = (playing / "states.parquet").stat().st_mtime_ns
    main([*FLAGS, "--num_envs", "2"])
    assert drawn[1] != otherwise


def test_a_shorter_training_than_asked_for_is_noted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(folder / "runs" / NAME)
    arguments = make_parser().parse_args([*FLAGS, "--timesteps_per_proc", "25000000"])
    enjoy_sppo.check_agent(run, arguments)
    assert "it is from step 49,152, not 25,000,000" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["0", "1"])
def test_another_number_of_clusters_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    make_run(folder / "runs" / NAME)
    said = said_before_exit([*FLAGS, "--mode", mode, "--num_embeddings", "5"], capsys)
    assert f"num_embeddings: got 5, but the agent runs/{NAME} has 8 clusters; give --num_embeddings 8." in said
    assert not (folder / "train_procgen").exists()


def test_an_agent_without_clusters_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(folder / "runs" / NAME, EnvConfig(env="fruitbot", num_levels=50, start_level=7), num_codes=0)
    assert "no semantic clustering module (PPO)" in said_before_exit(FLAGS, capsys)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rand_seed", "7"], "there is no agent sppo-coinrun_easy_0_0_7 in train_procgen/checkpoints or runs"),
        (["--env_name", "coinrum"], "Did you mean 'coinrun'?"),
        (["--env_name", "bigfish", "--distribution_mode", "memory"], "bigfish has no mode 'memory'"),
    ],
)
def test_mistakes_are_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in said_before_exit(arguments, capsys)


def test_help_shows_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["--help"])
    assert leaving.value.code == 0
    said = capsys.readouterr().out
    assert "usage: python -m train_procgen.enjoy_sppo" in said
    assert all(f"--{name} " in said for name in vars(make_parser().parse_args([])))


def test_where_no_run_has_the_seed_the_newest_of_the_game_is_taken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default seed of train_sppo is another than that of enjoy_sppo, and what one trained is what one looks at."""
    for seed, age in ((2022, 10), (7, 100)):
        run = make_run(folder / "runs" / run_name("sppo", "coinrun", "easy", 0, 0, seed))
        for checkpoint in run.glob("checkpoints/*"):
            os.utime(checkpoint, (time.time() - age, time.time() - age))
    arguments = make_parser().parse_args([])
    assert find_agent(arguments, folder / "temporary") == Path("runs/sppo-coinrun_easy_0_0_2022")
    said = capsys.readouterr().err
    assert "sppo-coinrun_easy_0_0_2021 is not here; sppo-coinrun_easy_0_0_2022 is taken" in said
    assert find_agent(make_parser().parse_args(["--rand_seed", "7"]), folder).name == "sppo-coinrun_easy_0_0_7"
    other = find_agent(make_parser().parse_args(["--env_name", "fruitbot"]), folder)
    assert other.name == "sppo-fruitbot", "a run of another game is none of this one"
