"""Collects rollouts: plays the policy for T steps in N environments and keeps the data on the network's device.

The environments are divided into groups: while one group steps in the background, the network acts for the next.
Axes: T steps, N environments.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.envs.base import VectorEnv, lend
from semantic_rl.envs.monitor import EpisodeMonitor
from semantic_rl.training.actors import Acting, GroupActing, Network, RolloutBuffer, StaticActing

Progress = Callable[[int, int], None]
"""Called with (done, total) steps; may raise to stop."""


class Outcome(NamedTuple):
    """The environments' part of a rollout, in host memory; arrays [T, N] except for the last."""

    reward: NDArray[np.float32]
    done: NDArray[np.bool_]
    next_value: NDArray[np.float32]
    """[N]: values of the states after the last step."""


class Player:
    """Plays a network in groups of environments; each call continues where the previous one stopped.

    `generator` is a CPU generator, so its uniform numbers, and hence the actions, do not depend on the device. On a
    GPU, or with `is_static`, acting uses preallocated tensors, and with `as_graphs` CUDA graphs.
    """

    def __init__(
        self,
        groups: list[VectorEnv],
        generator: torch.Generator,
        device: torch.device,
        is_static: bool = False,
        as_graphs: bool = False,
    ) -> None:
        self._groups = groups
        self._lent = [lend(group) for group in groups]
        self.generator = generator
        self._device = device
        self._is_static = is_static
        self._as_graphs = as_graphs
        # A GPU's actions are waited for only after the next groups have been submitted; a CPU's are ready at once.
        self._lag = len(groups) // 2 if device.type == "cuda" else 0
        self._ends = np.cumsum([group.num_envs for group in groups]).tolist()
        self.num_envs: int = self._ends[-1]
        self.num_envs_of_a_group = groups[0].num_envs
        self.monitor = EpisodeMonitor(self.num_envs)
        self._wait_for_all()
        self._acting: list[GroupActing] = []
        self._acting_for: tuple[object, ...] = ()

    def _slices(self) -> list[slice]:
        return [slice(end - group.num_envs, end) for end, group in zip(self._ends, self._groups, strict=True)]

    def _wait_for_all(self) -> None:
        for env in self._lent:
            env.wait()

    @torch.no_grad()
    def play(
        self,
        network: Network,
        num_steps: int,
        buffer: RolloutBuffer | None = None,
        progress: Progress | None = None,
    ) -> Outcome:
        """Play `num_steps` steps with sampled actions; observations and actions go into `buffer` if it is given."""
        reward = np.empty((num_steps, self.num_envs), np.float32)
        ended = np.empty((num_steps, self.num_envs), np.uint8)
        complete = np.empty((num_steps, self.num_envs), np.uint8)
        next_value = np.empty(self.num_envs, np.float32)
        slices = self._slices()
        rows = [(reward[:, here], ended[:, here], complete[:, here]) for here in slices]
        acting = self._prepare(network, num_steps, buffer)
        under_way: list[int] = []

        def receive(step: int, index: int) -> None:
            env = self._lent[index]
            env.wait()
            rewards, ends, completes = rows[index]
            rewards[step], ends[step], completes[step] = env.buffers[1:]

        def answer(at_most: int) -> None:
            while len(under_way) > at_most:
                index = under_way.pop(0)
                self._lent[index].act(acting[index].actions())

        for step in range(num_steps):
            for index in range(len(acting)):
                if step:
                    receive(step - 1, index)
                    # Games that can go on do not wait until the host has submitted this group's observations.
                    while under_way and acting[under_way[0]].is_ready():
                        answer(len(under_way) - 1)
                acting[index].submit(self._lent[index].buffers.observation)
                under_way.append(index)
                answer(self._lag)
            if progress is not None:
                progress(step + 1, num_steps)
        answer(0)
        for index, here in enumerate(slices):
            receive(num_steps - 1, index)
            if buffer is not None:
                next_value[here] = acting[index].values(self._lent[index].buffers.observation)
        for group_acting in acting:
            group_acting.end()
        done = ended != 0
        self.monitor.add_rollout(reward, done, done & (complete != 0))
        return Outcome(reward, done, next_value)

    def _prepare(self, network: Network, num_steps: int, buffer: RolloutBuffer | None) -> list[GroupActing]:
        """Return the actor of each group, started with the uniform numbers for one rollout."""
        num_actions = self._groups[0].num_actions
        uniform = torch.rand(num_steps, self.num_envs, num_actions, generator=self.generator)
        wanted = (network, num_steps, buffer)
        if self._acting_for != wanted:
            self._acting = [
                self._make_acting(here, *wanted, num_actions, env.buffers.observation)
                for here, env in zip(self._slices(), self._lent, strict=True)
            ]
            self._acting_for = wanted
        for acting, here in zip(self._acting, self._slices(), strict=True):
            acting.begin(uniform[:, here])
        return self._acting

    def _make_acting(
        self,
        here: slice,
        network: Network,
        num_steps: int,
        buffer: RolloutBuffer | None,
        num_actions: int,
        observation: NDArray[np.uint8],
    ) -> GroupActing:
        if not self._is_static:
            return Acting(network, here, buffer, self._device)
        shapes = (num_steps, here.stop - here.start, num_actions), self._groups[0].observation_shape
        return StaticActing(network, here, buffer, *shapes, self._device, self._as_graphs, observation)

    def state(self) -> tuple[list[bytes], dict[str, Any]]:
        """Return the environments' states and, as JSON values, the episode statistics; only between two `play`s."""
        return [state for group in self._groups for state in group.state()], self.monitor.state()

    def restore(self, environments: list[bytes], monitor: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        for group, here in zip(self._groups, self._slices(), strict=True):
            group.restore(environments[here])
        self._wait_for_all()
        self.monitor.restore(monitor)

    def close(self) -> None:
        """Free the environments."""
        for group in self._groups:
            group.close()
