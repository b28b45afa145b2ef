"""An agent is played until its clusters have their frames; what was interrupted goes on, with the same clips."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_rl.cli import main
from semantic_rl.clips import ClipSettings, play_agent
from semantic_rl.config import ClipsConfig, RecordConfig
from semantic_rl.errors import UserError
from semantic_rl.recording.record import record, replay
from semantic_rl.recording.store import open_recording
from semantic_rl.recording.store.annotations import Annotations
from semantic_rl.recording.store.writer import ShardWriter

from .agents import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "run")


def config(run: Path, out: Path, **changes: Any) -> ClipsConfig:
    """Settings with which an agent that has learned nothing has clips, in float32."""
    small = {
        "frames": 30,
        "min_shot": 2,
        "max_shot": 60,
        "all_episodes": True,
        "animation_size": 64,
        "video_size": 0,
        "animation_frames": 9,
    }
    clips = ClipSettings(**{**small, **changes.pop("clips", {})})
    return ClipsConfig(
        run, out, clips, **{"max_steps": 300, "num_envs": 8, "device": "cpu", "precision": "fp32"} | changes
    )


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_agents_clips_show_what_it_played(run: Path, tmp_path: Path) -> None:
    paths = play_agent.make(config(run, tmp_path / "c", clips={"overlay": True}, keep_recording=True))
    listed = json.loads((tmp_path / "c" / "clips.json").read_text())
    assert listed["recording"] is None
    assert [path.name for path in paths] == [item["animation"] for item in listed["clips"] if item["animation"]]
    assert paths
    part = open_recording(tmp_path / "c" / "playing" / "part-000")
    assert listed["num_states"] == part.num_states >= 300
    states = part.states
    for item in listed["clips"]:
        for shown in item["shots"]:
            rows = states.slice(shown["first_row"], shown["num_frames"])
            assert set(rows["code_index"]) == {item["cluster"]}
            assert set(rows["level_seed"]) == {shown["level_seed"]}


def test_playing_stops_when_every_cluster_has_its_frames(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(play_agent, "STATES_BETWEEN_CHECKS", 150)
    wanted = {"frames": 1, "min_shot": 1, "max_shot": 1000}
    one_code = make_run(tmp_path / "run", num_codes=1)
    play_agent.make(config(one_code, tmp_path / "c", max_steps=5_000, clips=wanted))
    assert json.loads((tmp_path / "c" / "clips.json").read_text())["num_states"] < 1000
    assert "short" not in capsys.readouterr().err


def test_a_cluster_that_is_hardly_visited_does_not_hold_up_the_rest(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(play_agent, "STATES_BETWEEN_CHECKS", 150)
    play_agent.make(config(run, tmp_path / "c", clips={"frames": 100_000}))
    listed = json.loads((tmp_path / "c" / "clips.json").read_text())
    assert 300 <= listed["num_states"] < 1500
    assert listed["num_episodes"] > 0
    said = capsys.readouterr().err
    for item in listed["clips"]:
        assert f"cluster {item['cluster']} is {item['short_by']} frames short" in said
    assert "a higher --max-steps than 300" in said
    assert not (tmp_path / "c" / "playing").exists()


def test_what_was_kept_is_continued_with_other_games(run: Path, tmp_path: Path) -> None:
    wanted = {"frames": 100_000}
    play_agent.make(config(run, tmp_path / "c", clips=wanted, keep_recording=True))
    play_agent.make(config(run, tmp_path / "c", clips=wanted, keep_recording=True, resume=True, max_steps=600))
    assert json.loads((tmp_path / "c" / "clips.json").read_text())["num_states"] >= 600
    parts = [open_recording(tmp_path / "c" / "playing" / f"part-{part:03d}") for part in range(2)]
    first, second = (part.states["action"].to_list()[:100] for part in parts)
    assert first != second


def test_what_was_interrupted_goes_on_with_the_same_clips(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play_agent.make(config(run, tmp_path / "whole"))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(replay, "render_states", interrupt)
        with pytest.raises(KeyboardInterrupt):
            play_agent.make(config(run, tmp_path / "c"))
    assert "the same command with --resume" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["playing"]
    with pytest.raises(UserError, match="continue with --resume, or delete"):
        play_agent.make(config(run, tmp_path / "c"))
    states = tmp_path / "c" / "playing" / "part-000" / "states.parquet"
    played = states.stat().st_mtime_ns
    play_agent.make(config(run, tmp_path / "c", resume=True, keep_recording=True))
    assert states.stat().st_mtime_ns == played
    play_agent.make(config(run, tmp_path / "c", resume=True))
    assert content(tmp_path / "c") == content(tmp_path / "whole")


def test_playing_that_was_interrupted_goes_on_with_the_same_clips(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play_agent, "STATES_BETWEEN_CHECKS", 100)
    wanted = {"frames": 100_000, "all_episodes": False, "success_fraction": -1.0, "max_episode_steps": 60}
    play_agent.make(config(run, tmp_path / "whole", clips=wanted))

    def interrupt(writer: ShardWriter) -> bool:
        signal.raise_signal(signal.SIGINT)
        return False

    with monkeypatch.context() as patch:
        patch.setattr(play_agent, "_enough", lambda *_: interrupt)
        with pytest.raises(SystemExit):
            play_agent.make(config(run, tmp_path / "c", clips=wanted))
    assert not (tmp_path / "c" / "playing" / "part-000" / "states.parquet").exists()
    play_agent.make(config(run, tmp_path / "c", clips=wanted, resume=True))
    assert content(tmp_path / "c") == content(tmp_path / "whole")


def test_an_episode_is_abandoned_when_it_is_too_long_to_be_shown(run: Path, tmp_path: Path) -> None:
    """What is shown after it was played again has been compared with what was played."""
    wanted = {"all_episodes": False, "success_fraction": -1.0, "max_episode_steps": 60}
    play_agent.make(config(run, tmp_path / "c", clips=wanted, keep_recording=True, max_steps=600))
    episodes = open_recording(tmp_path / "c" / "playing" / "part-000").episodes
    abandoned = ~episodes["terminated"]
    assert 0 < abandoned.sum() < len(episodes)
    assert set(episodes.filter(abandoned)["length"]) == {60}
    assert episodes["length"].max() == 60
    first = episodes.filter(abandoned)["episode"].min()
    listed = json.loads((tmp_path / "c" / "clips.json").read_text())
    shown = [shot["episode"] for clip in listed["clips"] for shot in clip["shots"]]
    assert not {*shown} & {*episodes.filter(abandoned)["episode"]}
    assert max(shown) > first


def test_a_part_that_was_never_begun_is_made_anew(run: Path, tmp_path: Path) -> None:
    (tmp_path / "c" / "playing" / "part-000").mkdir(parents=True)  # a kill before its marker was written
    assert play_agent.make(config(run, tmp_path / "c", resume=True))


def test_without_success_the_rule_can_be_loosened_without_playing_again(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"success_fraction: not one of .*--all-episodes.* kept in .*playing") as failed:
        play_agent.make(config(run, tmp_path / "c", clips={"all_episodes": False}))
    assert "\n" not in str(failed.value)
    assert play_agent.make(config(run, tmp_path / "c", resume=True))


def test_an_agent_without_clusters_is_refused_before_it_is_played(tmp_path: Path) -> None:
    run = make_run(tmp_path / "ppo", num_codes=0)
    with pytest.raises(UserError, match=r"ppo: the agent has no semantic clustering module \(PPO\)"):
        play_agent.make(config(run, tmp_path / "c"))
    assert not (tmp_path / "c").exists()


def test_levels_are_those_that_were_asked_for(run: Path, tmp_path: Path) -> None:
    play_agent.make(config(run, tmp_path / "c", num_levels=2, start_level=1000))
    listed = json.loads((tmp_path / "c" / "clips.json").read_text())
    assert {shown["level_seed"] for item in listed["clips"] for shown in item["shots"]} <= {1000, 1001}
    assert listed["environment"]["num_levels"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["."], "Nor is it a recording: there is no recording.json"),
    ],
)
def test_what_is_neither_agent_nor_recording_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as leaving:
        main(["clips", *words, "--out", "c"])
    assert leaving.value.code == 2
    assert said in capsys.readouterr().err


def test_to_resume_there_must_be_something(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing in .* that was played before"):
        play_agent.make(config(run, tmp_path / "c", resume=True))


def test_the_choice_is_seeded(run: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        play_agent.make(config(run, tmp_path / name, clips={"seed": seed}))
    lists = [json.loads((tmp_path / name / "clips.json").read_text())["clips"] for name in "abc"]
    assert lists[0] == lists[1]
    assert lists[0] != lists[2]
    assert np.unique([item["cluster"] for item in lists[0]]).tolist() == list(range(8))


def test_names_come_from_a_recording_of_the_same_agent_only(run: Path, tmp_path: Path) -> None:
    few: dict[str, Any] = {"states": 64, "frame_size": 0, "num_envs": 8, "device": "cpu", "precision": "fp32"}
    recorded = record(RecordConfig(agent=run, out=tmp_path / "recorded", **few))
    Annotations(recorded).put_cluster(0, "in the air", "", "Ada", 0)
    play_agent.make(config(run, tmp_path / "c", names=recorded))
    listed = json.loads((tmp_path / "c" / "clips.json").read_text())["clips"]
    assert [item["name"] for item in listed] == ["in the air", *[""] * (len(listed) - 1)]
    description = json.loads((recorded / "recording.json").read_text())
    description["agent"]["sha256"] = "0" * 64
    (recorded / "recording.json").write_text(json.dumps(description))
    with pytest.raises(UserError, match="another agent"):
        play_agent.make(config(run, tmp_path / "other", names=recorded))
