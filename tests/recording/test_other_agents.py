"""Recordings of agents and environments other than Procgen's: spaces, pictures, seeds, interruptions."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import semantic_rl
from semantic_rl.agents.module import module_agent
from semantic_rl.agents.protocol import Agent
from semantic_rl.cli import main
from semantic_rl.config import RecordConfig
from semantic_rl.envs.gymnasium.make import open_recipe
from semantic_rl.errors import UserError
from semantic_rl.recording.record.make import record_subject
from semantic_rl.recording.record.open_subject import agent_subject, describe_foreign
from semantic_rl.recording.record.play import Play
from semantic_rl.recording.store import Recording, open_recording

FEW: dict[str, Any] = {"num_envs": 3, "frame_size": 0}


def cartpole() -> Agent:
    torch.manual_seed(0)
    body, head = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh()), torch.nn.Linear(8, 3)

    def act(observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out = head(body(observation))
        return out[:, :2], out[:, 2]

    return module_agent(torch.nn.Sequential(body, head), "0.1", "CartPole-v1", act=act)


def pendulum() -> Agent:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    return module_agent(net, "1", "Pendulum-v1", "gaussian")


def doorkey() -> Agent:
    torch.manual_seed(0)
    body, head = torch.nn.Linear(147, 16), torch.nn.Linear(16, 7)

    def act(observation: dict[str, torch.Tensor]) -> torch.Tensor:
        return head(torch.relu(body(observation["image"].flatten(1))))

    return module_agent(torch.nn.ModuleList([body, head]), "0", "MiniGrid-DoorKey-5x5-v0", act=act)


@pytest.fixture(scope="module")
def poles(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    out = tmp_path_factory.mktemp("recordings") / "poles"
    return semantic_rl.record(cartpole(), "CartPole-v1", out, 120, num_envs=3, frame_size=64)


def test_vectors_and_discrete_actions(poles: Recording) -> None:
    assert poles.spec.title == "CartPole-v1"
    assert (poles.num_actions, poles.num_codes, poles.policy_kind) == (2, 0, "categorical")
    assert poles.num_states >= 120
    observation = poles.observation(0)
    assert (observation.shape, observation.dtype) == ((4,), np.float32)
    assert np.abs(observation).max() < 0.05, "CartPole begins near zero"
    assert not poles.has("success")
    assert poles.has("level_seed")
    assert poles.has("value")
    assert "success" not in json.loads((poles.path / "recording.json").read_text(encoding="utf-8"))["counts"]
    assert "success" not in open_recording(poles.path).summary()
    probabilities = np.exp(next(poles.groups(["log_prob"]))[1]["log_prob"])
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert poles.features().dtype == np.float32


def test_features_and_values_are_those_of_the_network(poles: Recording) -> None:
    agent = cartpole()
    observations = np.stack([poles.observation(row) for row in range(50)])
    generator = torch.Generator().manual_seed(0)
    step = agent.act(observations, None, np.zeros(50, np.bool_), generator, True)
    np.testing.assert_allclose(poles.features(np.arange(50)), step.features, atol=1e-6)
    np.testing.assert_allclose(poles.table("value")["value"].to_numpy()[:50], step.value, atol=1e-6)


def test_pictures_keep_the_environment_s_proportions(poles: Recording) -> None:
    assert poles.picture_shape == (43, 64)
    assert poles.frame(3).shape == (43, 64, 3)
    assert poles.frame(3).std() > 5, "a pole on a cart, not an empty picture"


def test_episodes_end_where_the_environment_says_and_begin_from_their_seed(poles: Recording) -> None:
    states, episodes = poles.states, poles.episodes
    assert states["terminated"].sum() == len(episodes)
    assert not states["truncated"].any()
    first, seed = int(episodes["first_row"][1]), int(episodes["level_seed"][1])
    observation, _ = gym.make("CartPole-v1").reset(seed=seed)
    np.testing.assert_array_equal(poles.observation(first), observation)
    assert (states["reward"] == 1).all()


def test_a_limit_truncates(tmp_path: Path) -> None:
    short = semantic_rl.record(cartpole(), "CartPole-v1", tmp_path / "r", 20, wrap=("time-limit=4",), **FEW)
    assert short.states["truncated"].sum() == len(short.episodes)
    assert not short.states["terminated"].any()
    assert (short.episodes["length"] == 4).all()
    assert f"{len(short.episodes)} ended by a time limit" in short.summary()


def test_continuous_actions_are_vectors(tmp_path: Path) -> None:
    found = semantic_rl.record(pendulum(), "Pendulum-v1", tmp_path / "r", 150, **FEW)
    assert (found.num_actions, found.policy_kind) == (0, "gaussian")
    columns = next(found.groups(["action_vector", "policy"]))[1]
    assert columns["action_vector"].shape == (found.num_states, 1)
    assert columns["policy"].shape == (found.num_states, 2)
    assert columns["action_vector"].std() > 0.1
    assert not found.has("value")
    assert not found.has("action")
    assert set(found.description["absent_columns"]) >= {"value", "log_prob", "success"}
    assert (found.table("action")["action"] == 0).all(), "neutral where nothing is known"


def test_dictionaries_are_recorded_part_by_part(tmp_path: Path) -> None:
    found = semantic_rl.record(doorkey(), "MiniGrid-DoorKey-5x5-v0", tmp_path / "r", 60, **FEW)
    parts = found.observation_parts(5)
    assert parts["image"].shape == (7, 7, 3)
    assert found.has("success"), "MiniGrid rewards success alone"
    assert found.spec.action.name(2) == "forward"


def test_the_same_seed_gives_the_same_recording(tmp_path: Path) -> None:
    contents: list[dict[str, bytes]] = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        made = semantic_rl.record(cartpole(), "CartPole-v1", tmp_path / name, 60, seed=seed, **FEW)
        files = [path for path in sorted(made.path.rglob("*")) if path.is_file()]
        contents.append({path.name: path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert contents[0]["states.parquet"] != contents[2]["states.parquet"]


TALKING = """
import gymnasium as gym

class Talking(gym.Wrapper):
    def step(self, action):
        observation, reward, terminated, truncated, info = self.env.step(action)
        mood = "calm" if abs(observation[2]) < 0.05 else "falling\\nover"
        info |= {"angle": observation[2], "fuel": 7, "mood": mood, "forces": [1.0, 2.0]}
        return observation, reward, terminated, truncated, info

def make_env(render_mode=None):
    return Talking(gym.make("CartPole-v1", render_mode=render_mode))
"""


def test_an_interrupted_recording_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(TALKING, encoding="utf-8")
    out = tmp_path / "r"
    agent = cartpole()

    def run(resume: bool) -> None:
        settings: dict[str, Any] = {**FEW, "states": 200, "resume": resume, "info": ("angle", "mood")}
        config = RecordConfig(agent=Path("agent"), out=out, env="mine.py:make_env", **settings)
        recipe = open_recipe("mine.py:make_env", {}, (), None, None)
        record_subject(agent_subject(agent, recipe, config, describe_foreign(agent, "agent")), config)

    step, taken = Play.step, iter(range(10**6))

    def stopped(self: Play) -> bool:
        if next(taken) == 30:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self)

    with monkeypatch.context() as patch:
        patch.setattr(Play, "step", stopped)
        with pytest.raises(SystemExit) as leaving:
            run(resume=False)
        assert leaving.value.code == 143
    with pytest.raises(UserError, match="is not complete"):
        open_recording(out)
    run(resume=True)
    found = open_recording(out)
    assert found.num_states >= 200
    assert (found.states.group_by("episode").len().sort("episode")["len"] == found.episodes["length"]).all()
    is_calm = np.abs(found.table("angle")["angle"].to_numpy()) < 0.05
    assert found.table("mood")["mood"].to_list() == ["calm" if calm else "falling over" for calm in is_calm]


def test_greedy_actions_are_the_most_likely(tmp_path: Path) -> None:
    found = semantic_rl.record(cartpole(), "CartPole-v1", tmp_path / "r", 60, deterministic=True, **FEW)
    log_prob = next(found.groups(["log_prob"]))[1]["log_prob"]
    np.testing.assert_array_equal(found.table("action")["action"].to_numpy(), log_prob.argmax(1))


USER_FILE = """
import torch
import semantic_rl

def make_agent():
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    return semantic_rl.module_agent(net, layer="1", env="CartPole-v1")
"""


def test_the_command_takes_a_function_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(USER_FILE, encoding="utf-8")
    out = tmp_path / "r"
    main(f"record {tmp_path}/mine.py:make_agent --env CartPole-v1 --states 40 --num-envs 2 --out {out}".split())
    printed = capsys.readouterr()
    assert "mean return" in printed.out
    assert "records the layer 1 (8 numbers)" in printed.err
    assert open_recording(out).num_states >= 40


def test_an_evaluation_plays_the_episodes_that_a_recording_with_the_same_seed_plays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(USER_FILE, encoding="utf-8")
    words = f"{tmp_path}/mine.py:make_agent --env CartPole-v1 --episodes 5 --deterministic --seed 3".split()
    torch.manual_seed(0)  # for the network's weights
    main(["evaluate", *words, "--json"])
    evaluated = json.loads(capsys.readouterr().out)
    torch.manual_seed(0)
    main(["record", *words, "--frame-size", "0", "--num-envs", "2", "--out", str(tmp_path / "r")])
    recorded = open_recording(tmp_path / "r").episodes
    assert evaluated["mean_return"] == pytest.approx(recorded["return"].mean())
    assert evaluated["steps"] == recorded["length"].sum()


def test_a_recording_names_no_place_of_the_machine(tmp_path: Path) -> None:
    function = "\n\ndef make_env(render_mode=None, level=None):\n    return gymnasium.make('CartPole-v1', "
    function += "render_mode=render_mode)\n"
    (tmp_path / "mine.py").write_text("import gymnasium\n" + USER_FILE + function, encoding="utf-8")
    file, out = tmp_path / "mine.py", tmp_path / "r"
    words = f"record {file}:make_agent --env {file}:make_env --env-args level={tmp_path}/levels/7.json --frame-size 0"
    main([*words.split(), "--states", "40", "--num-envs", "2", "--out", str(out)])
    main(["fit", str(out), "--codes", "2", "--steps", "5", "--no-baselines"])
    for written in out.rglob("*"):
        assert written.is_dir() or str(tmp_path).encode() not in written.read_bytes(), written.name
    spec = open_recording(out).spec
    assert (spec.id, spec.arguments) == ("mine.py:make_env", {"level": "7.json"})


def test_episodes_are_scored_without_recording_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(USER_FILE, encoding="utf-8")
    command = f"evaluate {tmp_path}/mine.py:make_agent --env CartPole-v1 --episodes 5 --json --seed 3"
    scores: list[dict[str, Any]] = []
    for more in ("", "", " --deterministic", " --wrap time-limit=3"):
        torch.manual_seed(0)
        main((command + more).split())
        scores.append(json.loads(capsys.readouterr().out))
    kept = ("mean_return", "mean_length", "steps")
    assert [scores[0][name] for name in kept] == [scores[1][name] for name in kept]
    assert scores[0]["mean_return"] == scores[0]["mean_length"] > 5
    assert (scores[0]["success_rate"], scores[0]["distribution_mode"]) == (None, None)
    assert scores[2]["mean_return"] != scores[0]["mean_return"]
    assert scores[3]["mean_return"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "env: .*mine.py:make_agent does not say which environment it plays"),
        ("--env CartPole-v7", "CartPole-v7"),
        ("--env CartPole-v1 --num-levels 3", "num_levels: only Procgen games have it, and CartPole-v1 is not one"),
        ("--env CartPole-v1 --env-args fast", "env_args: got 'fast', expected key=value"),
        ("--env CartPole-v1 --wrap nonsense", "nonsense"),
        ("--env Pendulum-v1", "agent: fails on the first observation of Pendulum-v1"),
        ("--env CartPole-v1 --layer 7", "layer"),
    ],
)
def test_mistakes_end_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    (tmp_path / "mine.py").write_text(USER_FILE, encoding="utf-8")
    command = f"record {tmp_path}/mine.py:make_agent {arguments} --frame-size 0 --out {tmp_path / 'r'}"
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    assert ended.value.code == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.search(said, error), error
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("ppo", "agent: there is no .*ppo. Did you mean '.*ppo.zip'"),
        ("sac", "sac: no such file"),
        ("sppo-coinrun", "env: got"),
    ],
)
@pytest.mark.parametrize("command", ["record {} --out r", "evaluate {}"])
def test_what_is_no_agent_is_not_called_one_of_this_package(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    agent: str,
    said: str,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ppo.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(SystemExit):
        main(f"{command.format(agent)} --env CartPole-v1".split())
    error = capsys.readouterr().err
    assert re.search(said, error), error
    assert ("of this package" in error) == (agent == "sppo-coinrun")


def test_numbers_and_texts_of_info_are_recorded_beside_the_reward_of_their_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(TALKING, encoding="utf-8")
    found = semantic_rl.record(
        cartpole(), "mine.py:make_env", tmp_path / "r", 60, info=("angle", "mood", "fuel"), **FEW
    )
    assert found.extra == ("angle", "mood", "fuel")
    table = found.table("angle", "fuel", "mood", "terminated")
    assert (table["fuel"] == 7).all()
    is_calm = np.abs(table["angle"].to_numpy()) < 0.05
    assert table["mood"].to_list() == ["calm" if calm else "falling over" for calm in is_calm]
    after = np.array([found.observation(row)[2] for row in range(1, found.num_states)])
    goes_on = ~table["terminated"].to_numpy()[:-1]
    np.testing.assert_array_equal(table["angle"].to_numpy()[:-1][goes_on], after[goes_on])


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (
            ("angel",),
            "info: mine.py:make_env has no 'angel' in its info .* it has angle, forces, .* Did you mean 'angle'",
        ),
        (("forces",), r"info: 'forces' is '\[1.0, 2.0\]' in step 1 .* expected a text or a number"),
        (("step",), "info: got 'step', expected each key once"),
        (("fuel", "fuel"), "info: got 'fuel', expected each key once"),
    ],
)
def test_info_that_is_no_column_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, info: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(TALKING, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        semantic_rl.record(cartpole(), "mine.py:make_env", tmp_path / "r", 60, info=info, **FEW)
    assert not (tmp_path / "r").exists()


EXACT = """
import gymnasium as gym
import numpy as np


class Sum(gym.Env):
    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Box(-1.1, 1.3, (2,), np.float64)
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.sum, self.steps = self.np_random.uniform(-1, 1, 2), 0
        return self.sum.copy(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.sum, self.steps = self.sum * 0.9 + action, self.steps + 1
        return self.sum.copy(), 0.0, False, self.steps == 20, {}

    def render(self):
        return np.full((32, 32, 3), self.steps, np.uint8)


def make_env(render_mode=None):
    return Sum(render_mode)
"""


@pytest.mark.parametrize("kind", ["squashed_gaussian", "gaussian"])
def test_actions_of_float64_are_played_as_they_are_recorded_so_that_pictures_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exact.py").write_text(EXACT, encoding="utf-8")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
    agent = module_agent(network, "1", "exact.py:make_env", kind)
    found = semantic_rl.record(agent, "exact.py:make_env", tmp_path / "r", 60, num_envs=2, frame_size=64)
    assert found.frame(1).max() <= 3, "the picture is of the state"
    action = next(found.groups(["action_vector"]))[1]["action_vector"]
    states = np.stack([found.observation(row) for row in range(20)])
    played = np.clip(action[:19].astype(np.float64), -1.1, 1.3)
    np.testing.assert_array_equal(states[1:], states[:-1] * 0.9 + played)


MIXED = """
import gymnasium as gym


class Mixed(gym.Wrapper):
    def step(self, action):
        *rest, info = self.env.step(action)
        return *rest, {"event": "left" if action == 0 else 0.0}


def make_env(render_mode=None):
    return Mixed(gym.make("CartPole-v1", render_mode=render_mode))
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_key_that_is_a_text_in_one_environment_and_a_number_in_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mixed.py").write_text(MIXED, encoding="utf-8")
    with pytest.raises(UserError, match=r"info: 'event' is .*; before it was a .* Leave this key out"):
        semantic_rl.record(cartpole(), "mixed.py:make_env", tmp_path / "r", 60, info=("event",), seed=seed, **FEW)
