"""Environments in processes of their own play as they do in this one, and say what goes wrong in them."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from semantic_rl.envs.gymnasium.env_processes import EnvProcesses, make_apart
from semantic_rl.envs.gymnasium.make import EnvRecipe
from semantic_rl.envs.gymnasium.recordable import GymnasiumEnv
from semantic_rl.errors import UserError
from semantic_rl.recording.store.frames import picture_of
from semantic_rl.user_code import UserFunction

CARTPOLE = partial(GymnasiumEnv, EnvRecipe("CartPole-v1"), render=False)

USERS = """
import gymnasium as gym

class Masked(gym.Wrapper):
    def action_masks(self):
        return [True, False]

    def step(self, action):
        *rest, info = super().step(action)
        return *rest, {"place": "left", "angle": 0.5}

def make():
    return Masked(gym.make("CartPole-v1"))

class Failing(gym.Wrapper):
    num_steps = 0

    def step(self, action):
        self.num_steps += 1
        if self.num_steps > 3:
            raise ValueError("no such lever")
        return super().step(action)

def make_failing():
    return Failing(gym.make("CartPole-v1"))
"""


def played(env: Any, steps: int = 30) -> list[Any]:
    """Begin two episodes and return everything that is seen."""
    seen: list[Any] = []
    for seed in (3, 4):
        env.begin(seed)
        for at in range(steps):
            step = env.observe()
            seen.append([part.tolist() for part in step])
            if step.done[0]:
                break
            env.act(np.array([at % 2]))
    return seen


def process_id(processes: EnvProcesses) -> int:
    """Return the number of the first process."""
    return processes._processes[0]._process.pid


def test_an_environment_in_a_process_plays_as_it_does_here() -> None:
    here = CARTPOLE()
    processes = make_apart(CARTPOLE, num_envs=3, num_processes=2, name="CartPole-v1")
    assert processes is not None
    try:
        assert len(processes.envs) == 3
        for env in processes.envs:
            assert played(env) == played(here)
            assert not env.has_action_masks
    finally:
        processes.close()
        here.close()


def test_pictures_of_a_process_are_those_of_this_one() -> None:
    pytest.importorskip("pygame")
    maker = partial(CARTPOLE, render=True)
    here = maker()
    processes = EnvProcesses(maker, 1, 1, "CartPole-v1")
    try:
        here.begin(0)
        processes.envs[0].begin(0)
        assert processes.envs[0].ask(picture_of, 100).result() == picture_of(here, 100)
    finally:
        processes.close()
        here.close()


def test_masks_and_info_come_along_and_what_the_users_code_raises_is_said(tmp_path: Path) -> None:
    (tmp_path / "users.py").write_text(USERS, encoding="utf-8")
    recipe = EnvRecipe("users.py:make", function=UserFunction(tmp_path / "users.py", "make"))
    processes = EnvProcesses(partial(GymnasiumEnv, recipe, info=("place", "angle")), 1, 1, "users.py")
    try:
        (env,) = processes.envs
        env.begin(0)
        assert env.has_action_masks
        assert env.action_masks().tolist() == [[True, False]]
        env.act(np.array([0]))
        assert env.info_values == {"place": "left", "angle": 0.5}
    finally:
        processes.close()
    recipe = EnvRecipe("users.py:make_failing", function=UserFunction(tmp_path / "users.py", "make_failing"))
    processes = EnvProcesses(partial(GymnasiumEnv, recipe), 1, 1, "users.py")
    try:
        with pytest.raises(UserError, match="no such lever"):
            played(processes.envs[0])
    finally:
        processes.close()


def test_what_only_this_process_knows_is_played_here() -> None:
    gym.register("OnlyHere-v0", entry_point="gymnasium.envs.classic_control:CartPoleEnv")
    try:
        maker = partial(GymnasiumEnv, EnvRecipe("OnlyHere-v0"))
        maker().close()
        assert make_apart(maker, num_envs=2, num_processes=2, name="OnlyHere-v0") is None
    finally:
        del gym.registry["OnlyHere-v0"]
    assert make_apart(lambda: CARTPOLE(), num_envs=2, num_processes=2, name="CartPole-v1") is None


def test_a_process_that_is_killed_is_named_with_the_way_out() -> None:
    processes = EnvProcesses(CARTPOLE, 2, 1, "CartPole-v1")
    try:
        processes.envs[0].begin(0)
        processes.envs[0].observe()
        os.kill(process_id(processes), signal.SIGKILL)
        with pytest.raises(UserError, match=r"CartPole-v1: a process that played it was killed by signal 9.*--resume"):
            played(processes.envs[1])
    finally:
        processes.close()


def test_processes_end_with_the_one_that_started_them() -> None:
    processes = EnvProcesses(CARTPOLE, 1, 1, "CartPole-v1")
    number = process_id(processes)
    os.kill(number, 0)
    processes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
