"""Collects rollouts: plays the policy for T steps in N environments and keeps the data on the network's device.

The environments are divided into groups. On a CPU the groups play in turn: while one group steps in the background, the
network acts for the next. Beside a GPU each group plays in a thread of its own, independently of the others. Such a
thread mostly waits, for its environments or for the GPU, and meanwhile lets the other threads run. Every group has its
own random numbers, environments, CUDA stream and columns of the results, so that both ways play the same.

Axes: T steps, N environments.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semantic_rl.envs.base import LendingEnv, VectorEnv, lend
from semantic_rl.envs.monitor import EpisodeMonitor
from semantic_rl.progress_bar import OnProgress
from semantic_rl.training.actors import Acting, GroupActing, Network, RolloutBuffer, StaticActing
from semantic_rl.training.device import to_device
from semantic_rl.training.graphs import CALLS_BEFORE_CAPTURE, Execution

SECONDS_BETWEEN_REPORTS = 0.02


class Rollout(NamedTuple):
    """T steps of N environments, [T, N] unless noted.

    What the network saw and computed is on its device, in the buffer that the next rollout may overwrite; what the
    environments returned is in host memory.
    """

    observation: Tensor
    """[T, N, H, W, 3], uint8."""
    action: Tensor
    log_prob: Tensor
    value: Tensor
    reward: NDArray[np.float32]
    done: NDArray[np.bool_]
    next_value: NDArray[np.float32]
    """[N]: values of the states after the last step."""


class _Columns(NamedTuple):
    """What a group of n environments returns in a rollout, [T, n] each."""

    reward: NDArray[np.float32]
    done: NDArray[np.uint8]
    is_complete: NDArray[np.uint8]


class _Group:
    """Plays one group of environments for a rollout, and writes what they return into `columns`."""

    def __init__(self, env: LendingEnv, acting: GroupActing, columns: _Columns) -> None:
        self.env = env
        self.acting = acting
        self.num_played = 0
        self._columns = columns

    def begin_step(self) -> None:
        """Wait for actions, and let the environments begin a step with them."""
        self.acting.submit(self.env.buffers.observation)
        self.env.act(self.acting.actions())

    def end_step(self) -> None:
        """Wait for the environments, and keep what they return."""
        self.env.wait()
        step, (reward, done, is_complete) = self.num_played, self._columns
        _, reward[step], done[step], is_complete[step] = self.env.buffers
        self.num_played = step + 1

    @torch.no_grad()
    def play(self, num_steps: int, stop: Event) -> None:
        """Play until the rollout has `num_steps` steps or `stop` is set; no step is under way afterwards."""
        while self.num_played < num_steps and not stop.is_set():
            self.begin_step()
            self.end_step()


def _play_in_turn(groups: list[_Group], num_steps: int, report: Callable[[int], None]) -> None:
    """Play `num_steps` steps in this thread; `report` is called with the number of steps begun."""
    for step in range(num_steps):
        for group in groups:
            if step:
                group.end_step()
            group.begin_step()
        report(step + 1)
    if num_steps:
        for group in groups:
            group.end_step()


def _play_in_threads(
    groups: list[_Group], num_steps: int, report: Callable[[int], None], set_up: Callable[[], None]
) -> None:
    """Play each group in a thread until it has played `num_steps` steps.

    `report` is called in this thread with every number of steps that all groups have played. If it or a group raises,
    the groups finish their current steps first.
    """
    reported = min(group.num_played for group in groups)
    stop = Event()
    with ThreadPoolExecutor(len(groups), "rollout", set_up) as threads:
        try:
            playing = [threads.submit(group.play, num_steps, stop) for group in groups]
            while reported < num_steps:
                for ended in wait(playing, SECONDS_BETWEEN_REPORTS, FIRST_EXCEPTION).done:
                    ended.result()  # raises what the group raised
                # One worker of several may wait for the others in any call, so that all make the same calls.
                while reported < min(group.num_played for group in groups):
                    reported += 1
                    report(reported)
        finally:
            stop.set()


class Player:
    """Plays a network in groups of environments; each call continues where the previous one stopped.

    `generator` is a CPU generator, so its uniform numbers, and hence the actions, do not depend on the device.
    `in_threads` plays each group in a thread of its own. By default this is done only with graphs: launching kernels
    one by one keeps the host busy, and a network need not allow that several threads run it at once.
    """

    def __init__(
        self,
        groups: list[VectorEnv],
        generator: torch.Generator,
        device: torch.device,
        execution: Execution = Execution.PLAIN,
        in_threads: bool | None = None,
    ) -> None:
        self._groups = groups
        self._lent = [lend(group) for group in groups]
        self.generator = generator
        self._device = device
        self._execution = execution
        self._in_threads = execution is Execution.GRAPHS if in_threads is None else in_threads
        self._ends = np.cumsum([group.num_envs for group in groups]).tolist()
        self.num_envs: int = self._ends[-1]
        self.num_envs_of_a_group = groups[0].num_envs
        self.monitor = EpisodeMonitor(self.num_envs)
        self._wait_for_all()
        self._acting: list[GroupActing] = []
        self._acting_for: tuple[object, ...] = ()
        self._steps_before_threads = 0
        self._uniform = torch.empty(0)

    def _slices(self) -> list[slice]:
        return [slice(end - group.num_envs, end) for end, group in zip(self._ends, self._groups, strict=True)]

    def _wait_for_all(self) -> None:
        for env in self._lent:
            env.wait()

    def play(
        self, network: Network, num_steps: int, buffer: RolloutBuffer, on_progress: OnProgress | None = None
    ) -> Rollout:
        """Play `num_steps` steps with sampled actions; what the network sees and computes goes into `buffer`."""
        outcome = self._play(network, num_steps, buffer, on_progress)
        return Rollout(buffer.observation, buffer.action, buffer.log_prob, buffer.value, *outcome)

    def play_for_statistics(self, network: Network, num_steps: int, on_progress: OnProgress | None = None) -> None:
        """Play `num_steps` steps with sampled actions, of which only `monitor` keeps anything."""
        self._play(network, num_steps, None, on_progress)

    @torch.no_grad()
    def _play(
        self, network: Network, num_steps: int, buffer: RolloutBuffer | None, on_progress: OnProgress | None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
        """Return rewards, ends of episodes and, if there is a buffer, the values of the states after the last step."""
        reward = np.empty((num_steps, self.num_envs), np.float32)
        ended = np.empty((num_steps, self.num_envs), np.uint8)
        complete = np.empty((num_steps, self.num_envs), np.uint8)
        next_value = np.empty(self.num_envs, np.float32)
        slices = self._slices()
        groups = [
            _Group(env, acting, _Columns(reward[:, here], ended[:, here], complete[:, here]))
            for env, acting, here in zip(self._lent, self._prepare(network, num_steps, buffer), slices, strict=True)
        ]

        def report(step: int) -> None:
            if on_progress is not None:
                on_progress(step, num_steps)

        num_in_turn = min(self._steps_before_threads, num_steps) if self._in_threads else num_steps
        self._steps_before_threads -= num_in_turn
        _play_in_turn(groups, num_in_turn, report)
        if num_in_turn < num_steps:
            _play_in_threads(groups, num_steps, report, self._set_up_thread())
        if buffer is not None:
            for group in groups:
                group.acting.submit_values(group.env.buffers.observation)
            for group, here in zip(groups, slices, strict=True):
                next_value[here] = group.acting.values()
        for group in groups:
            group.acting.end()
        done = ended != 0
        self.monitor.add_rollout(reward, done, done & (complete != 0))
        return reward, done, next_value

    def _prepare(self, network: Network, num_steps: int, buffer: RolloutBuffer | None) -> list[GroupActing]:
        """Return the actor of each group, started with the uniform numbers for one rollout."""
        num_actions = self._groups[0].num_actions
        uniform = torch.rand(num_steps, self.num_envs, num_actions, generator=self.generator)
        # Kept until the next rollout, because the groups' streams read it.
        self._uniform = to_device(uniform, self._device)
        wanted = (network, num_steps, buffer)
        if self._acting_for != wanted:
            self._acting = [
                self._make_acting(here, *wanted, num_actions, env.buffers.observation)
                for here, env in zip(self._slices(), self._lent, strict=True)
            ]
            self._acting_for = wanted
            # Libraries choose algorithms, and graphs are captured, in one thread: no other may use CUDA meanwhile.
            self._steps_before_threads = CALLS_BEFORE_CAPTURE + 1
        for acting, here in zip(self._acting, self._slices(), strict=True):
            acting.begin(self._uniform[:, here])
        return self._acting

    def _set_up_thread(self) -> Callable[[], None]:
        """Return a function that a new thread must call first, so that it uses the same GPU as this thread."""
        if self._device.type != "cuda":
            return lambda: None
        return partial(torch.cuda.set_device, torch.cuda.current_device())

    def _make_acting(
        self,
        here: slice,
        network: Network,
        num_steps: int,
        buffer: RolloutBuffer | None,
        num_actions: int,
        observation: NDArray[np.uint8],
    ) -> GroupActing:
        if self._execution is Execution.PLAIN:
            return Acting(network, here, buffer, self._device)
        shapes = (num_steps, here.stop - here.start, num_actions), self._groups[0].observation_shape
        return StaticActing(
            network, here, buffer, *shapes, self._device, self._execution is Execution.GRAPHS, observation
        )

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
