"""Recordings of real games: what the tables say is what happened, and stopping in between changes nothing."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from semantic_rl.artifacts import EPISODE_COLUMNS, SEMANTIC_STATE_COLUMNS, STATE_COLUMNS
from semantic_rl.cli import main
from semantic_rl.config import EnvConfig, RecordConfig, TrainConfig, to_dict
from semantic_rl.errors import UserError
from semantic_rl.models.policy import SemanticPolicy
from semantic_rl.recording.record import play as play_module
from semantic_rl.recording.record import record, record_policy
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.agent_info import agent_info
from semantic_rl.training.checkpoint import Checkpoint, save_checkpoint

from .conftest import GAME, config, make_policy


def files(folder: Path) -> dict[str, bytes]:
    """Content of every file of a recording but its description."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "recording.json"
    }


def test_has_the_promised_columns(recording: Recording) -> None:
    assert set(recording.states.columns) == {*STATE_COLUMNS, *SEMANTIC_STATE_COLUMNS}
    assert tuple(recording.episodes.columns) == EPISODE_COLUMNS


def test_holds_whole_episodes_and_enough_states(recording: Recording) -> None:
    episodes = recording.episodes
    assert episodes["length"].to_list() == episodes["num_rows"].to_list()
    assert episodes["terminated"].all()
    assert recording.num_states - episodes["length"][-1] < 400 <= recording.num_states


def test_rows_of_an_episode_lie_together(recording: Recording) -> None:
    states = recording.states
    for episode in recording.episodes.iter_rows(named=True):
        rows = states.slice(episode["first_row"], episode["num_rows"])
        assert set(rows["episode"]) == {episode["episode"]}
        assert rows["step"].to_list() == list(range(episode["length"]))
        assert set(rows["level_seed"]) == {episode["level_seed"]}
        assert rows["terminated"].to_list() == [False] * (episode["length"] - 1) + [True]
        assert episode["frame_shard"] * 4096 + episode["frame_offset"] == episode["first_row"]


def test_returns_are_sums_of_rewards(recording: Recording) -> None:
    for episode in recording.episodes.iter_rows(named=True):
        rows = recording.states.slice(episode["first_row"], episode["num_rows"])
        rewards = rows["reward"].to_numpy().astype(np.float64)
        assert episode["return"] == pytest.approx(rewards.sum())
        np.testing.assert_allclose(rows["return_to_go"], rewards[::-1].cumsum()[::-1], atol=1e-5)


def test_the_network_says_the_same_of_the_recorded_observations(recording: Recording) -> None:
    policy = make_policy()
    rows = np.arange(0, recording.num_states, 7)
    observations = np.stack([recording.observation(int(row)) for row in rows])
    with torch.no_grad():
        output = policy(torch.from_numpy(observations))
    states = recording.states[rows]
    assert output.embedding is not None
    np.testing.assert_allclose(states["value"], output.value, atol=1e-5)
    np.testing.assert_allclose(states["log_prob"].to_numpy(), output.logits.log_softmax(1), atol=1e-5)
    np.testing.assert_allclose(states["features"].to_numpy(), output.features, atol=2e-3)
    np.testing.assert_array_equal(states["code_index"], output.code_index)
    embedding = states.select("embedding_x", "embedding_y").to_numpy()
    np.testing.assert_allclose(embedding, output.embedding, atol=1e-5)
    distances = np.linalg.norm(embedding[:, None] - recording.codebook, axis=2)
    np.testing.assert_allclose(states["code_distance"].to_numpy(), distances, atol=1e-4)
    np.testing.assert_array_equal(states["code_index"], distances.argmin(1))


def test_features_of_chosen_rows_are_those_of_the_table(recording: Recording) -> None:
    rows = np.array([0, 3, recording.num_states - 1])
    everything = recording.features()
    np.testing.assert_array_equal(everything, recording.states["features"].to_numpy())
    np.testing.assert_array_equal(recording.features(rows), everything[rows])


def test_pictures_show_what_the_agent_saw(recording: Recording) -> None:
    for row in range(0, recording.num_states, 23):
        frame, observation = recording.frame(row), recording.observation(row)
        assert frame.shape == (128, 128, 3)
        shrunk = frame.reshape(64, 2, 64, 2, 3).mean((1, 3))
        others = recording.observation((row + recording.num_states // 2) % recording.num_states)
        difference = np.abs(shrunk - observation).mean()
        assert difference < 20
        assert difference < np.abs(shrunk - others).mean()


def test_without_pictures_frames_are_observations_and_states_the_same(tmp_path: Path, recording: Recording) -> None:
    record_policy(make_policy(), GAME, config(tmp_path / "plain", states=400))
    plain = open_recording(tmp_path / "plain")
    assert not plain.has_pictures
    assert (plain.frame(5) == recording.observation(5)).all()
    assert (plain.path / "states.parquet").read_bytes() == (recording.path / "states.parquet").read_bytes()
    with pytest.raises(UserError, match="frame-size"):
        plain.picture(0)


def test_the_same_seed_gives_the_same_recording(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        record_policy(make_policy(), GAME, config(tmp_path / name, states=150, seed=seed, frame_size=64))
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a") != files(tmp_path / "c")


def test_levels_are_those_that_were_asked_for(recording: Recording) -> None:
    assert recording.episodes["level_seed"].is_between(7, 56).all()


def test_a_number_of_episodes_is_met_exactly(tmp_path: Path) -> None:
    record_policy(make_policy(), GAME, config(tmp_path / "r", episodes=8, num_envs=3))
    assert open_recording(tmp_path / "r").num_episodes == 8


def test_explore_plays_steps_some_at_random_and_keeps_whole_steps(tmp_path: Path) -> None:
    settings = {"protocol": "explore", "explore_steps": 120, "num_envs": 10, "random_action_probability": 0.5}
    record_policy(make_policy(), GAME, config(tmp_path / "r", frame_size=64, **settings))
    recording = open_recording(tmp_path / "r")
    assert recording.num_states % 10 == 0
    assert 0.65 < recording.num_states / 1200 < 0.95
    states = recording.states
    assert states["action_random"].mean() == pytest.approx(0.5, abs=0.06)
    assert states.filter(pl.col("action_random"))["action"].n_unique() == 15
    unfinished = recording.episodes.filter(~pl.col("terminated"))
    assert 0 < len(unfinished) <= 10
    is_unfinished = pl.col("episode").is_in(unfinished["episode"].to_list())
    assert states.filter(is_unfinished)["return_to_go"].null_count() == states.filter(is_unfinished).height
    assert states.filter(~is_unfinished)["return_to_go"].null_count() == 0
    assert recording.episodes["length"].sum() == 1200
    for episode in recording.episodes.iter_rows(named=True):
        steps = states.slice(episode["first_row"], episode["num_rows"])["step"].to_list()
        assert steps == sorted(set(steps))
        assert steps[-1] < episode["length"]


class Killed(Exception):
    """Stands for whatever ends a process without a word."""


def stop_after(monkeypatch: pytest.MonkeyPatch, num_steps: int, how: str) -> None:
    """End the recording that follows after some steps: by a signal, or without a word."""
    step = play_module.Play.step

    def counted(self: play_module.Play) -> bool:
        if self.num_steps == num_steps:
            if how == "killed":
                raise Killed
            os.kill(os.getpid(), signal.SIGINT)
        return step(self)

    monkeypatch.setattr(play_module.Play, "step", counted)


@pytest.mark.parametrize(
    ("how", "protocol", "num_steps"),
    [("killed", "episodes", 5), ("killed", "episodes", 70), ("interrupted", "episodes", 33), ("killed", "explore", 40)],
)
def test_a_recording_that_was_stopped_and_resumed_equals_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, protocol: str, num_steps: int
) -> None:
    amount: dict[str, object] = {"states": 300} if protocol == "episodes" else {"explore_steps": 50}
    settings = {**amount, "protocol": protocol, "frame_size": 64}
    record_policy(make_policy(), GAME, config(tmp_path / "whole", **settings))
    broken = tmp_path / "broken"
    with monkeypatch.context() as patch:
        stop_after(patch, num_steps, how)
        if how == "killed":
            patch.setattr("semantic_rl.recording.record.make.SECONDS_BETWEEN_SNAPSHOTS", 0.0)
            with pytest.raises(Killed):
                record_policy(make_policy(), GAME, config(broken, **settings))
        else:
            with pytest.raises(SystemExit) as leaving:
                record_policy(make_policy(), GAME, config(broken, **settings))
            assert leaving.value.code == 130
    with pytest.raises(UserError, match=r"not complete.*--resume"):
        open_recording(broken)
    record_policy(make_policy(), GAME, config(broken, **settings, resume=True))
    assert files(broken) == files(tmp_path / "whole")


def test_a_recording_killed_before_its_first_snapshot_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 20, "killed")
        with pytest.raises(Killed):
            record_policy(make_policy(), GAME, config(tmp_path / "r", states=100))
    record_policy(make_policy(), GAME, config(tmp_path / "r", states=100, resume=True))
    assert open_recording(tmp_path / "r").num_states >= 100


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        record_policy(make_policy(), GAME, config(tmp_path / "r"))
    with pytest.raises(UserError, match="not a recording"):
        record_policy(make_policy(), GAME, config(tmp_path / "r", resume=True))
    assert os.listdir(tmp_path / "r") == ["thesis.txt"]


def test_resume_needs_something_to_resume(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leave --resume out"):
        record_policy(make_policy(), GAME, config(tmp_path / "r", resume=True))


def test_resume_names_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 3, "killed")
        with pytest.raises(Killed):
            record_policy(make_policy(), GAME, config(tmp_path / "r", states=100))
    with pytest.raises(UserError, match="seed was 0, is 1"):
        record_policy(make_policy(), GAME, config(tmp_path / "r", states=100, seed=1, resume=True))
    with pytest.raises(UserError, match="weights"):
        record_policy(make_policy(num_codes=5), GAME, config(tmp_path / "r", states=100, resume=True))


def test_resuming_a_complete_recording_changes_nothing(recording: Recording) -> None:
    before = files(recording.path)
    assert (
        record_policy(make_policy(), GAME, config(recording.path, states=400, frame_size=128, resume=True))
        == recording.path
    )
    assert files(recording.path) == before


def test_an_agent_without_the_module_has_no_columns_of_it(tmp_path: Path) -> None:
    record_policy(make_policy(num_codes=0), GAME, config(tmp_path / "r", states=60))
    recording = open_recording(tmp_path / "r")
    assert recording.num_codes == 0
    assert set(recording.states.columns) == set(STATE_COLUMNS)
    assert set(recording.description["absent_columns"]) == set(SEMANTIC_STATE_COLUMNS)


def make_run(folder: Path, policy: SemanticPolicy, environment: EnvConfig) -> Path:
    """Make a run folder that holds one agent."""
    train = TrainConfig(environment=environment)
    weights = {name: value.detach() for name, value in policy.state_dict().items()}
    save_checkpoint(
        folder, Checkpoint(weights, None, None, {"update": 3, "timesteps": 49_152, "config": to_dict(train)}), keep=1
    )
    return folder


def test_records_a_run_in_the_game_it_was_trained_on(tmp_path: Path, recording: Recording) -> None:
    run = make_run(tmp_path / "run", make_policy(), GAME)
    settings = {"states": 400, "num_envs": 6, "frame_size": 128, "precision": "fp32", "device": "cpu"}
    record(RecordConfig(agent=run, out=tmp_path / "r", **settings))  # pyright: ignore[reportArgumentType]
    assert files(tmp_path / "r") == files(recording.path)
    description = json.loads((tmp_path / "r" / "recording.json").read_text())
    assert description["environment"]["num_levels"] == 50
    assert description["agent"]["algorithm"] == "sppo"
    assert description["agent"]["sha256"] == recording.description["agent"]["sha256"]
    assert description["agent"]["config"]["timesteps"] == TrainConfig.timesteps, "what was planned"
    assert agent_info(open_recording(tmp_path / "r")).timesteps == 49_152, "what was trained"


def test_other_levels_than_those_of_training_can_be_played(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", make_policy(), GAME)
    levels = {"num_levels": 3, "start_level": 1000, "states": 60, "num_envs": 4, "frame_size": 0}
    record(RecordConfig(agent=run, out=tmp_path / "r", **levels))  # pyright: ignore[reportArgumentType]
    assert open_recording(tmp_path / "r").episodes["level_seed"].is_between(1000, 1002).all()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"states": 0}, "states: got 0"),
        ({"states": 5, "episodes": 5}, "episodes: got 5"),
        ({"states": 5, "protocol": "explore"}, "explore-steps"),
        ({"frame_size": 32}, "frame_size: got 32"),
        ({"keep_probability": 0.0}, "keep_probability"),
        ({"random_action_probability": 1.5}, "random_action_probability"),
        ({"num_envs": 0}, "num_envs"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(UserError, match=named):
        config(Path("r"), **settings)


def test_a_folder_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"out: .*file is no folder, so .*r cannot be in it; choose another place"):
        record_policy(make_policy(), GAME, config(tmp_path / "file" / "r"))


def test_the_command_records_and_says_what_it_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "run", make_policy(), GAME)
    main(["record", str(run), "--states", "60", "--num-envs", "4", "--frame-size", "0", "--out", str(tmp_path / "r")])
    recording = open_recording(tmp_path / "r")
    said = capsys.readouterr().out
    episodes = "1 episode " if recording.num_episodes == 1 else f"{recording.num_episodes} episodes "
    assert said.startswith(f"{tmp_path / 'r'}: {recording.num_states} states of {episodes}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["record", "nowhere", "--out", "r"], "nowhere: no such file or folder"),
        (["figures", "embeddings", "nowhere"], "nowhere: no such folder; expected a recording"),
        (["figures", "embedings", "r"], "unknown figure 'embedings'. Did you mean 'embeddings'?"),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2
    assert said in capsys.readouterr().err
