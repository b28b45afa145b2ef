"""Chooses the actions of one group of environments, and stores the rollout on the network's device.

`Acting` is the plain version. `StaticActing` does the same with preallocated tensors: observations go through pinned
host memory, network and sampling are one CUDA graph, and each group has its own CUDA stream, so that the GPU work of
the groups overlaps; with Triton, everything after the trunk is one kernel (`training.act_kernel`). Given the same
uniform numbers, both choose the same actions. `begin` and `end` must be called in the thread that has the device's
current stream; the other methods may be called in another thread.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semantic_rl.models.policy import PolicyOutput, SemanticPolicy, choose_actions
from semantic_rl.training.graphs import StaticWork
from semantic_rl.triton_support import can_start_kernels

Network = Callable[[Tensor], PolicyOutput]


@runtime_checkable
class DividedNetwork(Protocol):
    """A network that can compute its trunk alone; the rest is what `policy` computes with its own weights."""

    policy: SemanticPolicy

    def __call__(self, observation: Tensor) -> PolicyOutput:
        """Map uint8 observations [B, 64, 64, 3] to all outputs of the network."""
        ...

    def features(self, observation: Tensor) -> Tensor:
        """Map uint8 observations [B, 64, 64, 3] to the trunk's features [B, 256] alone, in any precision."""
        ...


class RolloutBuffer:
    """Observations, actions and network outputs of one rollout on the device, allocated once."""

    def __init__(self, num_steps: int, num_envs: int, shape: tuple[int, int, int], device: torch.device) -> None:
        self.observation = torch.empty(num_steps, num_envs, *shape, dtype=torch.uint8, device=device)
        self.action = torch.empty(num_steps, num_envs, dtype=torch.int64, device=device)
        self.log_prob = torch.empty(num_steps, num_envs, device=device)
        self.value = torch.empty(num_steps, num_envs, device=device)


class GroupActing(Protocol):
    """Chooses the actions of one group of n environments throughout a rollout."""

    def begin(self, uniform: Tensor) -> None:
        """Begin a rollout, given the uniform numbers [T, n, A], on the device, that its actions are sampled with."""
        ...

    def submit(self, observation: NDArray[np.uint8]) -> None:
        """Submit the next step's observations [n, H, W, 3]; a GPU processes them asynchronously."""
        ...

    def actions(self) -> NDArray[np.int64]:
        """Wait for the actions [n] of the last submitted step."""
        ...

    def submit_values(self, observation: NDArray[np.uint8]) -> None:
        """Submit the observations after the last step, for which only the values are needed."""
        ...

    def values(self) -> NDArray[np.float32]:
        """Wait for the values [n] of the observations submitted last."""
        ...

    def end(self) -> None:
        """Make what the rollout wrote visible to later work on the device."""
        ...


class Acting:
    """The plain version: acts step by step, without graphs or preallocated tensors."""

    def __init__(self, network: Network, here: slice, buffer: RolloutBuffer | None, device: torch.device) -> None:
        self._network = network
        self._here = here
        self._buffer = buffer
        self._device = device
        self._step = 0
        self._actions = self._values = torch.empty(0)
        self._uniform = torch.empty(0)

    def begin(self, uniform: Tensor) -> None:
        """Begin a rollout, given the uniform numbers [T, n, A], on the device, that its actions are sampled with."""
        self._uniform = uniform.to(self._device)
        self._step = 0

    def submit(self, observation: NDArray[np.uint8]) -> None:
        """Choose the actions for observations [n, H, W, 3]."""
        on_device = torch.from_numpy(observation).to(self._device)
        output = self._network(on_device)
        self._actions, log_prob = choose_actions(output.logits, self._uniform[self._step])
        if self._buffer is not None:
            self._buffer.observation[self._step, self._here] = on_device
            self._buffer.action[self._step, self._here] = self._actions
            self._buffer.log_prob[self._step, self._here] = log_prob
            self._buffer.value[self._step, self._here] = output.value
        self._step += 1

    def actions(self) -> NDArray[np.int64]:
        """Return the actions [n] of the last submitted step."""
        return self._actions.cpu().numpy()

    def submit_values(self, observation: NDArray[np.uint8]) -> None:
        """Compute the values of observations, without acting."""
        self._values = self._network(torch.from_numpy(observation).to(self._device)).value

    def values(self) -> NDArray[np.float32]:
        """Return the values [n] of the observations submitted last."""
        return self._values.cpu().numpy()

    def end(self) -> None:
        """Do nothing: no work is pending."""


class StaticActing:
    """Acts through preallocated tensors; on a GPU in its own stream and, with `as_graphs`, as CUDA graphs."""

    def __init__(
        self,
        network: Network,
        here: slice,
        buffer: RolloutBuffer | None,
        uniform_shape: tuple[int, int, int],
        observation_shape: tuple[int, int, int],
        device: torch.device,
        as_graphs: bool,
        source: NDArray[np.uint8] | None = None,
    ) -> None:
        size = uniform_shape[1]
        self._network = network
        self._buffer = (
            None
            if buffer is None
            else [column[:, here] for column in (buffer.observation, buffer.action, buffer.log_prob, buffer.value)]
        )
        self._uniform = torch.empty(uniform_shape, device=device)
        self._step = torch.zeros(1, dtype=torch.int64, device=device)
        self._observation = torch.zeros(size, *observation_shape, dtype=torch.uint8, device=device)
        self._actions = torch.zeros(size, dtype=torch.int64, device=device)
        self._values = torch.zeros(size, device=device)
        self._is_cuda = device.type == "cuda"
        self._host_observation, self._host_actions, self._host_values = (
            torch.zeros_like(tensor, device="cpu", pin_memory=self._is_cuda)
            for tensor in (self._observation, self._actions, self._values)
        )
        self._actions_array, self._values_array = self._host_actions.numpy(), self._host_values.numpy()
        # Observations that always come in the same memory, from which a GPU can copy, need no copy before that.
        self._source: NDArray[np.uint8] | None = None
        if source is not None:
            lent = torch.from_numpy(source)
            if not self._is_cuda or lent.is_pinned():
                self._source, self._host_observation = source, lent
        self._stream = torch.cuda.Stream(device) if self._is_cuda else None
        self._on_stream = torch.cuda.stream(self._stream)
        self._done = torch.cuda.Event() if self._is_cuda else None
        in_one_kernel = isinstance(network, DividedNetwork) and can_start_kernels(device)
        self._choose = self._choose_in_one_kernel if in_one_kernel else self._choose_plainly
        # The copies are part of the graphs: launching them one by one takes the host longer than the rest.
        self._act = StaticWork(self._answer, as_graphs)
        self._evaluate = StaticWork(self._answer_values, as_graphs)

    def begin(self, uniform: Tensor) -> None:
        """Begin a rollout, given the uniform numbers [T, n, A], on the device, that its actions are sampled with."""
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._uniform.copy_(uniform)
            self._step.zero_()

    def submit(self, observation: NDArray[np.uint8]) -> None:
        """Start to choose the actions for observations [n, H, W, 3]."""
        self._send(observation, self._act)

    def actions(self) -> NDArray[np.int64]:
        """Wait for the actions [n] of the last submitted step; the next step overwrites the returned array."""
        self._wait()
        return self._actions_array

    def submit_values(self, observation: NDArray[np.uint8]) -> None:
        """Start to compute the values of observations, without acting."""
        self._send(observation, self._evaluate)

    def values(self) -> NDArray[np.float32]:
        """Wait for the values [n] of the observations submitted last; the next ones overwrite the returned array."""
        self._wait()
        return self._values_array

    def end(self) -> None:
        """Make the current stream wait for this group's stream."""
        if self._stream is not None:
            torch.cuda.current_stream().wait_stream(self._stream)

    def _send(self, observation: NDArray[np.uint8], work: StaticWork) -> None:
        # The previous copy has finished, since the previous step's actions were waited for.
        if observation is not self._source:
            assert self._source is None
            self._host_observation.copy_(torch.from_numpy(observation))
        with self._on_stream:
            work()
        if self._done is not None:
            self._done.record(self._stream)

    def _answer(self) -> None:
        self._observation.copy_(self._host_observation, non_blocking=True)
        self._choose()
        self._host_actions.copy_(self._actions, non_blocking=True)

    def _answer_values(self) -> None:
        self._observation.copy_(self._host_observation, non_blocking=True)
        self._find_values()
        self._host_values.copy_(self._values, non_blocking=True)

    def _wait(self) -> None:
        if self._done is not None:
            self._done.synchronize()

    def _choose_plainly(self) -> None:
        output = self._network(self._observation)
        actions, log_prob = choose_actions(output.logits, self._uniform.index_select(0, self._step).squeeze(0))
        self._actions.copy_(actions)
        if self._buffer is not None:
            for column, value in zip(self._buffer, (self._observation, actions, log_prob, output.value), strict=True):
                column.index_copy_(0, self._step, value.unsqueeze(0))
        self._step.add_(1)

    def _choose_in_one_kernel(self) -> None:
        from semantic_rl.training.act_kernel import Columns, act  # needs Triton, which only GPU builds of PyTorch bring

        assert isinstance(self._network, DividedNetwork)
        features = self._network.features(self._observation)
        columns = None if self._buffer is None else Columns(*self._buffer[1:])
        act(self._network.policy, features, self._uniform, self._step, self._actions, columns)
        if self._buffer is not None:
            self._buffer[0].index_copy_(0, self._step, self._observation.unsqueeze(0))
        self._step.add_(1)

    def _find_values(self) -> None:
        self._values.copy_(self._network(self._observation).value)
