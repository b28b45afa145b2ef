"""Playing the policy: T steps of N environments, kept where the network runs.

The environments come in groups. While one group steps in the background, the network acts for the next.
Axes: T steps, N environments.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semantic_rl.envs.base import EnvStep, VectorEnv
from semantic_rl.envs.monitor import EpisodeMonitor
from semantic_rl.models.policy import SemanticPolicy, sample_actions
from semantic_rl.training.device import autocast

Progress = Callable[[int, int], None]
"""Called with (done, total) steps; may raise to stop."""


class Outcome(NamedTuple):
    """What the environments gave back, in the host's memory; arrays [T, N] but for the last."""

    reward: NDArray[np.float32]
    done: NDArray[np.bool_]
    next_value: NDArray[np.float32]
    """[N]: values of the states after the last step."""


class RolloutBuffer:
    """Observations and actions of one rollout on the device, allocated once."""

    def __init__(self, num_steps: int, num_envs: int, shape: tuple[int, int, int], device: torch.device) -> None:
        self.observation = torch.empty(num_steps, num_envs, *shape, dtype=torch.uint8, device=device)
        self.action = torch.empty(num_steps, num_envs, dtype=torch.int64, device=device)
        self.log_prob = torch.empty(num_steps, num_envs, device=device)
        self.value = torch.empty(num_steps, num_envs, device=device)


class Player:
    """Plays a policy in groups of environments and goes on where it stopped."""

    def __init__(
        self, groups: list[VectorEnv], generator: torch.Generator, device: torch.device, precision: str
    ) -> None:
        self._groups = groups
        self.generator = generator
        self._device = device
        self._precision = precision
        self._ends = np.cumsum([group.num_envs for group in groups]).tolist()
        self.num_envs: int = self._ends[-1]
        self.num_envs_of_a_group = groups[0].num_envs
        self.monitor = EpisodeMonitor(self.num_envs)
        self._current = [group.observe() for group in groups]

    def _slices(self) -> list[slice]:
        return [slice(end - group.num_envs, end) for end, group in zip(self._ends, self._groups, strict=True)]

    @torch.no_grad()
    def play(
        self,
        policy: SemanticPolicy,
        num_steps: int,
        buffer: RolloutBuffer | None = None,
        progress: Progress | None = None,
    ) -> Outcome:
        """Play `num_steps` steps with sampled actions; observations and actions go into `buffer` if there is one."""
        reward = np.empty((num_steps, self.num_envs), np.float32)
        done = np.empty((num_steps, self.num_envs), np.bool_)
        success = np.empty((num_steps, self.num_envs), np.bool_)
        next_value = np.empty(self.num_envs, np.float32)
        slices = self._slices()

        def receive(step: int, index: int) -> None:
            outcome = self._groups[index].observe()
            here = slices[index]
            reward[step, here], done[step, here], success[step, here] = outcome.reward, outcome.done, outcome.success
            self._current[index] = outcome

        with autocast(self._device, self._precision):
            for step in range(num_steps):
                for index, here in enumerate(slices):
                    if step:
                        receive(step - 1, index)
                    observation = self._to_device(self._current[index])
                    output = policy(observation)
                    actions, log_prob = sample_actions(output.logits, self.generator)
                    self._groups[index].act(actions.cpu().numpy())
                    if buffer is not None:
                        buffer.observation[step, here] = observation
                        buffer.action[step, here] = actions
                        buffer.log_prob[step, here] = log_prob
                        buffer.value[step, here] = output.value
                if progress is not None:
                    progress(step + 1, num_steps)
            for index, here in enumerate(slices):
                receive(num_steps - 1, index)
                if buffer is not None:
                    next_value[here] = policy(self._to_device(self._current[index])).value.cpu().numpy()
        for row in zip(reward, done, success, strict=True):
            self.monitor.add(*row)
        return Outcome(reward, done, next_value)

    def _to_device(self, step: EnvStep) -> Tensor:
        return torch.from_numpy(step.observation).to(self._device)

    def state(self) -> tuple[list[bytes], dict[str, Any]]:
        """Return the environments' states and, as JSON values, the episode statistics; between two `play`s."""
        return [state for group in self._groups for state in group.state()], self.monitor.state()

    def restore(self, environments: list[bytes], monitor: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        for group, here in zip(self._groups, self._slices(), strict=True):
            group.restore(environments[here])
        self._current = [group.observe() for group in self._groups]
        self.monitor.restore(monitor)

    def close(self) -> None:
        """Free the environments."""
        for group in self._groups:
            group.close()
