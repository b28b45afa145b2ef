"""What the reader would refuse is refused before anything is played or written, whoever writes the recording."""

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import semantic_rl
from semantic_rl.cli import main
from semantic_rl.config import ImportStatesConfig
from semantic_rl.envs.spec import ActionSpec, EnvSpec, ObservationPart, as_typed
from semantic_rl.errors import UserError
from semantic_rl.recording.own_data.import_states import import_states
from semantic_rl.recording.record.play import Play
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.agent_info import agent_info

from . import odd_envs
from .odd_envs import LENGTH, Agent

FILE = Path(odd_envs.__file__)
FEATURES = np.eye(3)
DISCRETE = ActionSpec("discrete", (2,), ("left", "right"))
VECTOR = ObservationPart("", (4,), "float32")


def record(out: Path, env: str = "plain", frame_size: int = 0, **agent: Any) -> Recording:
    made: gym.Env[Any, Any] = getattr(odd_envs, env)()
    return semantic_rl.record(Agent(made, **agent), f"{FILE}:{env}", out, 2 * LENGTH, num_envs=2, frame_size=frame_size)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"env": "empty"}, r"env: 'observation\[0\].shape' is \[0\], expected whole numbers from 1 to .*; wrap the"),
        ({"env": "empty_part"}, r"env: 'observation\[0\].shape' is \[0\], expected whole numbers from 1"),
        ({"env": "nine_axes"}, "expected at most 8 sides and 4,194,304 numbers; wrap the environment"),
        ({"env": "many_actions"}, r"env: 'action.sizes' is \[100000\], expected whole numbers from 1 to 65,536; wrap"),
        ({"num_features": 70_000}, "layer: its output has 70,000 numbers a state, expected at most 65,536; choose"),
        ({"policy_kind": "softmax"}, "agent: 'policy_kind' is 'softmax', expected one of categorical, .*; give it"),
        ({"sha256": None}, "agent: 'sha256' is null, expected a text; give it"),
        ({"algorithm": 3}, "agent: 'algorithm' is 3, expected a text; give it"),
        ({"sha256": b"00"}, "agent: 'sha256' is \"b'00'\", expected a text, true, false"),
    ],
)
def test_record_refuses_before_it_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(Play, "step", lambda _: pytest.fail("it plays"))
    with pytest.raises(UserError, match=said) as refusal:
        record(tmp_path / "r", **given)
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_record_refuses_in_one_line_with_exit_code_2(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    agent = tmp_path / "mine.py"
    agent.write_text(f"import sys\nsys.path.insert(0, {str(FILE.parents[2])!r})\n"
                     "from tests.recording.odd_envs import Agent, empty\ndef agent():\n    return Agent(empty())\n",
                     encoding="utf-8")  # fmt: skip
    out = tmp_path / "r"
    with pytest.raises(SystemExit) as ended:
        main(["record", f"{agent}:agent", "--env", f"{FILE}:empty", "--out", str(out), "--states", "9"])
    assert ended.value.code == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if "note:" not in line]
    assert len(lines) == 1
    assert "'observation[0].shape' is [0]" in lines[0]
    assert not out.exists()


@pytest.mark.parametrize(
    ("spec", "settings", "said"),
    [
        (EnvSpec("e", "data", (ObservationPart("", (0,), "float32"),), DISCRETE), {}, r"shape' is \[0\]"),
        (EnvSpec("e", "data", (ObservationPart("", (1,) * 9, "float32"),), DISCRETE), {}, "at most 8 sides"),
        (EnvSpec("e", "data", (ObservationPart("", (2**20, 2), "float64"),), DISCRETE), {}, "at most 4,194,304"),
        (EnvSpec("e", "data", (ObservationPart("", (4,), "float16"),), DISCRETE), {}, "'observation.0..dtype'"),
        (EnvSpec("e", "data", (), DISCRETE), {}, "0 parts, expected 1 to 1,024"),
        (EnvSpec("e", "data", (VECTOR,) * 1025, DISCRETE), {}, "1,025 parts, expected 1 to 1,024"),
        (EnvSpec("e", "data", (VECTOR,), ActionSpec("discrete", (2,), ("left",))), {}, "'action.names'"),
        (EnvSpec("e", "data", (VECTOR,), DISCRETE, steps_per_second=float("nan")), {}, "'steps_per_second' is NaN"),
        (EnvSpec("e", "data", (VECTOR,), DISCRETE, {"x": np.int64(3)}), {}, "'arguments.x' is"),  # type: ignore[dict-item]
        (EnvSpec("e", "data", (VECTOR,), DISCRETE, {"x": 10**16}), {}, "'arguments.x' is 10000000000000000, expected"),
        (EnvSpec("\ud800", "data", (VECTOR,), DISCRETE), {}, "env: 'id' is"),
        (EnvSpec("e", "data", (VECTOR,), DISCRETE), {"agent": 5}, "agent: 'name' is 5, expected a text"),
        (EnvSpec("e", "data", (VECTOR,), DISCRETE), {"sha256": 5}, "agent: 'sha256' is 5, expected a text"),
    ],
)  # fmt: skip
def test_a_writer_refuses_its_first_episode_and_leaves_nothing(
    tmp_path: Path, spec: EnvSpec, settings: dict[str, Any], said: str
) -> None:
    def write() -> None:
        with semantic_rl.RecordingWriter(tmp_path / "r", spec, **settings) as writer:
            shape = spec.observation[0].shape if spec.observation else ()
            small = not shape or np.prod(shape) < 9
            writer.add_episode(
                features=FEATURES, terminated=True, actions=[0] * 3,
                observations=np.zeros((3, *shape)) if small else np.broadcast_to(0.0, (3, *shape)),
            )  # fmt: skip

    with pytest.raises(UserError, match=said) as refusal:
        write()
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(0,), (1,) * 9])
def test_import_states_refuses_in_one_line_with_exit_code_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], shape: tuple[int, ...]
) -> None:
    np.savez(tmp_path / "f.npz", features=FEATURES, observation=np.zeros((3, *shape)))
    with pytest.raises(SystemExit) as ended:
        main(["import-states", str(tmp_path / "f.npz"), "--out", str(tmp_path / "r")])
    assert ended.value.code == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "'observation[0].shape' is [" in said
    assert [path.name for path in tmp_path.iterdir()] == ["f.npz"]


def written(out: Path, rewards: list[float]) -> None:
    writer = semantic_rl.RecordingWriter(out, "CartPole-v1")
    writer.add_episode(features=np.eye(len(rewards)), rewards=rewards, terminated=True)


def imported(out: Path, rewards: list[float]) -> None:
    file = out.with_suffix(".npz")
    np.savez(file, features=np.eye(len(rewards)), reward=rewards, terminated=np.arange(len(rewards), 0, -1) == 1)
    main(["import-states", str(file), "--out", str(out)])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rewards", [[2e38, 2e38], [-2e38, 2e38, 2e38], [-2e38, -2e38, 2e38, 2e38]])
def test_rewards_whose_sum_cannot_be_stored_are_refused(tmp_path: Path, rewards: list[float]) -> None:
    with pytest.raises(UserError, match=r"the rewards of an episode add up to more than 3\.4e\+38"):
        written(tmp_path / "r", rewards)


@pytest.mark.filterwarnings("error")
def test_rewards_whose_sum_cannot_be_stored_are_refused_by_record_and_import_states(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match=r"the rewards of an episode add up to more than 3\.4e\+38.*scale them down"):
        record(tmp_path / "played", "great_rewards")
    with pytest.raises(SystemExit):
        imported(tmp_path / "r", [2e38, 2e38])
    assert "the rewards of an episode add up to more" in capfd.readouterr().err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("name", ["num_levels", "distribution_mode", "env", "num_envs", "wrappers", "env_args"])
def test_arguments_of_an_environment_may_have_the_names_of_settings(tmp_path: Path, name: str) -> None:
    out = tmp_path / "r"
    made = Agent(odd_envs.plain())
    env = f"{FILE}:plain"
    settings: dict[str, Any] = {"num_envs": 2, "frame_size": 0, "env_args": (f"{name}=easy", "on=true")}
    found = semantic_rl.record(made, env, out, LENGTH, **settings)  # type: ignore[arg-type]
    assert found.spec.arguments == {name: "easy", "on": True}
    environment = agent_info(found).environment
    assert environment == {"env": "odd_envs.py:plain", "num_envs": 2, "env_args": f"{name}=easy on=true"}
    assert found.description["environment"] == environment


def test_recordings_of_earlier_versions_open_whatever_the_arguments_of_their_environment_are_called(
    tmp_path: Path,
) -> None:
    out, given = tmp_path / "r", {"num_levels": "easy", "distribution_mode": 3, "start_level": True, "num_envs": "all"}
    record(out)
    path = out / "recording.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["environment"] = {"env": "odd_envs.py:plain", "wrappers": "time-limit", **given}
    content["env_spec"]["arguments"] = given
    path.write_text(json.dumps(content), encoding="utf-8")
    found = open_recording(out)
    assert found.spec.arguments == given
    environment = agent_info(found).environment
    assert environment["env_args"] == "num_levels=easy distribution_mode=3 start_level=true num_envs=all"
    assert "num_levels" not in environment
    assert environment["wrappers"] == "time-limit"


def test_arguments_are_shown_as_they_are_typed() -> None:
    assert as_typed({"gravity": -5, "on": True, "off": False, "none": None, "mode": "a"}) == (
        "gravity=-5 on=true off=false none=none mode=a"
    )


def test_observations_of_many_parts_are_read_again(tmp_path: Path) -> None:
    found = record(tmp_path / "r", "many_parts")
    assert len(found.observation_parts(0)) == 70
    assert found.observation_parts(3)["part 69"].shape == (2,)


def test_pictures_of_changing_size_get_the_size_of_the_first(tmp_path: Path) -> None:
    found = record(tmp_path / "r", frame_size=64)
    assert found.picture_shape == (64, 64)
    found.check_frames()
    first, later = found.frame(0), found.frame(LENGTH - 1)
    assert first.min() > 190, "it fills its picture"
    height = 64 * 64 / (64 + 8 * (LENGTH - 1))
    assert (later[:, 32].mean(1) > 150).sum() == pytest.approx(height, abs=2), "on black, with its proportions"


def test_the_reader_decides_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that only the reader has holds for every writer."""
    from semantic_rl.recording.store import description

    monkeypatch.setattr(description, "MOST_ACTIONS", 1)
    said = "'num_actions' is [23], expected a whole number from 0 to 1"
    np.savez(tmp_path / "f.npz", features=FEATURES, action=np.arange(3))
    with pytest.raises(UserError, match=said):
        record(tmp_path / "r")
    with pytest.raises(UserError, match=said):
        semantic_rl.RecordingWriter(tmp_path / "w", "CartPole-v1").add_episode(features=FEATURES, terminated=True)
    with pytest.raises(UserError, match=said):
        import_states(ImportStatesConfig(tmp_path / "f.npz", tmp_path / "i"))


@pytest.mark.parametrize("flat", [False, True], ids=["now", "as earlier versions wrote it"])
def test_a_recording_goes_on_with_the_same_arguments_of_its_environment(tmp_path: Path, flat: bool) -> None:
    out, env = tmp_path / "r", f"{FILE}:plain"

    def go(speed: int, resume: bool = True) -> Recording:
        settings: dict[str, Any] = {"num_envs": 2, "frame_size": 0, "env_args": (f"speed={speed}",), "resume": resume}
        return semantic_rl.record(Agent(odd_envs.plain()), env, out, LENGTH, **settings)  # type: ignore[arg-type]

    before = go(3, resume=False).states
    path = out / "recording.json"
    content = json.loads(path.read_text(encoding="utf-8")) | {"complete": False}
    if flat:
        content["environment"] = {"env": "odd_envs.py:plain", "num_envs": 2, "speed": 3}
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match="env_args was 'speed=3', is 'speed=4'"):
        go(4)
    assert go(3).states.equals(before)
