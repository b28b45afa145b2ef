"""The examples of docs/your-agent.md work as they stand, with fewer states."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

import semantic_rl
from semantic_rl.cli import main
from semantic_rl.recording.store import open_recording

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "your-agent.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|sh|console)\n(.*?)```", PAGE, re.DOTALL)
FEWER = {
    "--states 3000": "--states 300",
    "num_states=3000": "num_states=300",
    "--codes 6": "--codes 6 --steps 100 --no-baselines",
    "num_codes=6": "num_codes=6, steps=100, baselines=False",
}

SCRIPT = """
import gymnasium as gym
import numpy as np
import torch
from torch import nn


def make_env():
    import ale_py

    gym.register_envs(ale_py)
    env = gym.make("ALE/Breakout-v5", frameskip=1)
    return gym.wrappers.FrameStackObservation(gym.wrappers.AtariPreprocessing(env), 4)


class Agent(nn.Module):
    def __init__(self, env):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(4, 32, 8, stride=4), nn.ReLU(), nn.Conv2d(32, 64, 4, stride=2), nn.ReLU(),
            nn.Conv2d(64, 64, 3, stride=1), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 7 * 7, 512), nn.ReLU(),
        )
        self.actor = nn.Linear(512, env.action_space.n)
        self.critic = nn.Linear(512, 1)
"""
"""A script in the style of CleanRL's ppo_atari.py."""


def block(language: str, part: str) -> str:
    """Return the only block of the page that contains `part`, with fewer states."""
    (text,) = (text for kind, text in BLOCKS if kind == language and part in text)
    for many, few in FEWER.items():
        text = text.replace(many, few)
    return text


def test_the_examples_of_a_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    monkeypatch.chdir(tmp_path)
    sb3.PPO("MlpPolicy", "LunarLander-v3", device="cpu", seed=0, n_steps=64).save("ppo.zip")
    for line in block("sh", "record ppo.zip").splitlines():
        if not line.startswith("semantic-rl explore"):
            main(shlex.split(line)[1:])
    assert open_recording("recordings/lander").num_codes == 6

    example = block("python", "semantic_rl.record(").replace('"recordings/lander"', '"recordings/again"')
    names: dict[str, object] = {}
    exec(re.sub(r"^semantic_rl.explore.*$", "", example, flags=re.MULTILINE), names)
    np.testing.assert_array_equal(
        names["code_index"], open_recording("recordings/again").table("code_index")["code_index"].to_numpy()
    )

    exec(block("python", "agent.act("), names)
    assert names["step"].action.shape == (16,)

    console = block("console", "layers ppo.zip").splitlines()
    capsys.readouterr()
    main(shlex.split(console[0])[2:])
    said = capsys.readouterr().out
    for line in console[1:-1]:
        assert line in said


def test_the_examples_of_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ale_py")
    monkeypatch.chdir(tmp_path)
    Path("ppo_atari.py").write_text(SCRIPT, encoding="utf-8")
    Path("my_agent.py").write_text(block("python", "# my_agent.py"), encoding="utf-8")
    script: dict[str, object] = {}
    exec(SCRIPT, script)
    torch.save(script["Agent"](script["make_env"]()).state_dict(), "agent.pt")
    agent = semantic_rl.open_agent("my_agent.py:make_agent")
    generator = torch.Generator().manual_seed(0)
    seen = np.random.default_rng(0).integers(0, 256, (3, 4, 84, 84), np.uint8)
    step = agent.act(seen, agent.initial_state(3), np.ones(3, bool), generator, deterministic=True)
    assert step.features.shape == (3, 512)
    assert step.policy.shape == (3, 4)
    assert step.value.shape == (3,)


def test_the_example_of_a_recurrent_module() -> None:
    network = torch.nn.Module()
    network.convolutions, network.gru = torch.nn.Linear(4, 8), torch.nn.GRUCell(8, 256)
    network.actor, network.critic = torch.nn.Linear(256, 2), torch.nn.Linear(256, 1)
    names = {"network": network, "env": "CartPole-v1", "torch": torch, "semantic_rl": semantic_rl}
    exec(block("python", "initial_state="), names)
    agent = names["agent"]
    generator = torch.Generator().manual_seed(0)
    seen = np.zeros((2, 4), np.float32)
    first = agent.act(seen, agent.initial_state(2), np.array([True, True]), generator, deterministic=True)
    second = agent.act(seen, first.state, np.array([False, True]), generator, deterministic=True)
    np.testing.assert_array_equal(second.features[1], first.features[1])
    assert (second.features[0] != first.features[0]).any()
