"""Recordings of agents and environments that are not Procgen's, small enough to be made in a test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import semantic_rl
from semantic_rl.agents.module import module_agent
from semantic_rl.recording.store import Recording

Make = Callable[[Path, int], Recording]
FEW: dict[str, Any] = {"num_envs": 3, "num_threads": 1}


def cartpole(out: Path, frame_size: int = 64) -> Recording:
    """CartPole: four named numbers, two actions, values, no success, pictures of 43×64 pixels."""
    torch.manual_seed(0)
    body, head = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh()), torch.nn.Linear(8, 3)

    def act(observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = head(body(observation))
        return found[:, :2], found[:, 2]

    agent = module_agent(torch.nn.Sequential(body, head), "0.1", "CartPole-v1", act=act)
    return semantic_rl.record(agent, "CartPole-v1", out, 150, frame_size=frame_size, **FEW)


def pendulum(out: Path, frame_size: int = 64) -> Recording:
    """Pendulum: a continuous action, no values, a time limit that ends every episode."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    agent = module_agent(net, "1", "Pendulum-v1", "gaussian")
    return semantic_rl.record(agent, "Pendulum-v1", out, 150, wrap=("time-limit=40",), frame_size=frame_size, **FEW)
