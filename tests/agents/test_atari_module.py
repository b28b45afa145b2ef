"""A recurrent PyTorch network on an Atari game: the one of baby-a3c, untrained here, trained in the reference data."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

pytest.importorskip("ale_py", reason="needs the extra atari")

import semantic_rl
from semantic_rl.envs.gymnasium.make import open_recipe

from .foreign_models import generator

pytestmark = pytest.mark.usefixtures("one_thread")
SETTINGS = {"frameskip": (2, 5), "repeat_action_probability": 0.0}


class BabyA3C(nn.Module):
    """Four convolutions, a recurrent layer that is looked into, and two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 2, 1)
        self.conv2, self.conv3, self.conv4 = (nn.Conv2d(32, 32, 3, 2, 1) for _ in range(3))
        self.gru = nn.GRUCell(800, 256)
        self.critic_linear, self.actor_linear = nn.Linear(256, 1), nn.Linear(256, 4)

    def forward(self, observation: Tensor, state: Tensor, starts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = observation
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            hidden = functional.elu(convolution(hidden))
        after = self.gru(hidden.flatten(1), state * (1.0 - starts.float())[:, None])
        return self.actor_linear(after), self.critic_linear(after), after


class Stretched(gym.ObservationWrapper[Any, Any, Any]):
    """The observation of that network's training: grey, stretched to its full range, 80×80, from 0 to 1."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.observation_space = gym.spaces.Box(0.0, 1.0, (1, 80, 80), np.float32)

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.float32]:
        grey = observation[35:195].mean(2)
        grey = ((grey - grey.min()) * (255.0 / (grey.max() - grey.min()))).astype(np.uint8)
        small = Image.fromarray(grey).resize((80, 80), Image.Resampling.BILINEAR)
        return (np.asarray(small).astype(np.float32) / 255.0)[None]


def breakout() -> gym.Env[Any, Any]:
    return Stretched(open_recipe("ALE/Breakout-v5", SETTINGS, (), None, None).make(render=False))


def play(network: nn.Module, env: gym.Env[Any, Any], seed: int, most_steps: int) -> tuple[float, list[Any]]:
    """Play one episode with drawn actions; return its return and all steps."""
    agent = semantic_rl.module_agent(network, "gru", env, initial_state=lambda count: torch.zeros(count, 256))
    observation, _ = env.reset(seed=seed)
    state, starts, draw = agent.initial_state(1), np.ones(1, np.bool_), generator(seed)
    total, steps = 0.0, []
    for _ in range(most_steps):
        step = agent.act(observation[None], state, starts, draw, False)
        steps.append((observation, step))
        state, starts = step.state, np.zeros(1, np.bool_)
        observation, reward, terminated, truncated, _ = env.step(int(step.action[0]))
        total += float(reward)
        if terminated or truncated:
            break
    return total, steps


def test_features_logits_and_values_are_those_of_the_network_along_an_episode() -> None:
    torch.manual_seed(0)
    network = BabyA3C()
    _, steps = play(network, breakout(), 0, 20)
    state = torch.zeros(1, 256)
    for observation, step in steps:
        with torch.no_grad():
            logits, value, state = network(torch.from_numpy(observation)[None], state, torch.zeros(1))
        np.testing.assert_allclose(step.features, state.numpy(), atol=1e-6)
        np.testing.assert_allclose(step.policy, logits.numpy(), atol=1e-6)
        np.testing.assert_allclose(step.value, value[:, 0].numpy(), atol=1e-6)
    assert len(steps) == 20


@pytest.mark.slow
def test_the_trained_network_plays_as_is_known_of_it(reference_dir: Path) -> None:
    """Its README tells of an episode with a return of 194; random actions return about 1."""
    file = reference_dir / "agents" / "baby-a3c-breakout.pt"
    if not file.is_file():
        pytest.skip(f"shared reference data not present: {file}")
    network = BabyA3C()
    network.load_state_dict(torch.load(file, weights_only=True))
    total, _ = play(network, breakout(), 0, 5000)
    assert total >= 30.0
