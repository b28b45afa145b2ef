"""An agent that saw normalised observations in training sees them when recorded from Python, or a note says so."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import semantic_rl
from semantic_rl.cli import main

FEW = {"num_envs": 2, "frame_size": 0, "seed": 3}


def normalized() -> VecNormalize:
    env = VecNormalize(DummyVecEnv([lambda: gym.make("CartPole-v1")]))
    env.reset()
    for action in ([0], [1], [1]):
        env.step(action)  # pyright: ignore[reportArgumentType]
    return env


def test_what_lies_beside_a_zip_is_found_as_on_the_command_line(
    trained: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(trained("ppo").path, tmp_path / "pole.zip")
    normalized().save(str(tmp_path / "pole.vecnormalize.pkl"))
    asked = f"record {tmp_path / 'pole.zip'} --env CartPole-v1 --states 60 --num-envs 2 --frame-size 0 --seed 3"
    main([*asked.split(), "--out", str(tmp_path / "command")])
    capsys.readouterr()
    agent = semantic_rl.open_agent(tmp_path / "pole.zip", env="CartPole-v1")
    found = semantic_rl.record(agent, "CartPole-v1", tmp_path / "python", 60, **FEW)
    assert "normalised by" in capsys.readouterr().err
    assert found.states.equals(semantic_rl.open_recording(tmp_path / "command").states)
    assert "vec-normalize" in found.description["environment"]["wrappers"]


def test_a_model_whose_environment_normalises_is_recorded_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = normalized()
    agent = semantic_rl.sb3_agent(PPO("MlpPolicy", env, device="cpu"))
    semantic_rl.record(agent, "CartPole-v1", tmp_path / "raw", 20, **FEW)
    assert "normalises observations with VecNormalize" in capsys.readouterr().err
    env.save(str(tmp_path / "statistics.pkl"))
    given = tmp_path / "statistics.pkl"
    semantic_rl.record(agent, "CartPole-v1", tmp_path / "normalised", 20, vec_normalize=given, **FEW)
    assert "sees them as they are" not in capsys.readouterr().err
