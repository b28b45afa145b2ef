"""The original's hover_clusters: its flags, what it records and where, and that the explorer opens on it."""

import json
from pathlib import Path

import pytest

from semantic_rl.artifacts import run_name
from semantic_rl.config import ExploreConfig
from semantic_rl.recording.store import open_recording
from train_procgen.hover_clusters import main, make_parser

from .clips.agents import make_run

NAME = run_name("sppo", "fruitbot", "easy", 50, 7, 2021)
FLAGS = ["--env_name", "fruitbot", "--num_levels", "50", "--start_level", "7", "--total_states", "60"]
RECORDING = Path("train_procgen/figures") / f"{NAME}_clusters"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ExploreConfig]:
    """What the explorer was opened with, in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    found: list[ExploreConfig] = []
    monkeypatch.setattr("semantic_rl.commands.explore.explore", found.append)
    return found


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
        "total_states": 5_000,
        "port": 8765,
        "no_browser": False,
    }


def test_states_are_recorded_once_and_the_explorer_opens_on_them(
    opened: list[ExploreConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(Path("runs") / NAME)
    flags = [*FLAGS, "--num_envs", "4", "--port", "0", "--no_browser"]
    main(flags)
    recording = open_recording(RECORDING)
    assert recording.num_states >= 60
    assert recording.has_pictures
    settings = recording.description["settings"]
    assert (settings["num_levels"], settings["start_level"], settings["seed"], settings["num_envs"]) == (50, 7, 2021, 4)
    capsys.readouterr()
    written = (RECORDING / "states.parquet").stat().st_mtime_ns
    main(flags)
    assert (RECORDING / "states.parquet").stat().st_mtime_ns == written
    assert opened == [ExploreConfig(RECORDING, port=0, browser=False)] * 2
    assert capsys.readouterr().err == ""
    main([*flags, "--total_states", "70"])
    assert "60 states were asked for, not 70; delete it to play anew" in capsys.readouterr().err


def test_where_nothing_was_trained_an_agent_that_ships_is_shown(
    opened: list[ExploreConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--env_name", "fruitbot", "--total_states", "200", "--num_envs", "8", "--port", "0", "--no_browser"])
    assert [config.recording.name for config in opened] == ["sppo-fruitbot_easy_0_0_2021_clusters"]
    assert "sppo-fruitbot, which ships with semantic-rl, is taken" in capsys.readouterr().err


def test_an_interrupted_recording_is_completed(opened: list[ExploreConfig]) -> None:
    make_run(Path("runs") / NAME)
    main([*FLAGS, "--num_envs", "4"])
    description = json.loads((RECORDING / "recording.json").read_text())
    expected = (RECORDING / "states.parquet").read_bytes()
    (RECORDING / "recording.json").write_text(json.dumps({**description, "complete": False}))
    (RECORDING / "parts").mkdir()
    main([*FLAGS, "--num_envs", "4"])
    assert (RECORDING / "states.parquet").read_bytes() == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rand_seed", "7"], "there is no agent sppo-coinrun_easy_0_0_7"),
        (["--env_name", "fruitbat"], "unknown game 'fruitbat'. Did you mean 'fruitbot'?"),
        (["--total_states", "0"], "total_states: got 0"),
        (["--port", "-1"], "port: got -1"),
    ],
)
def test_a_mistake_is_a_line(
    opened: list[ExploreConfig], capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not opened
    assert not list(Path().iterdir())
