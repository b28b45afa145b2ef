"""The agent of a recording: acts in many environments at once, and returns the columns to record.

Axes: N environments, B of them that act together, A actions, P numbers of the policy.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.agents.protocol import Agent, AgentStep


class Actor:
    """An agent with the generator that samples its actions and, if it is recurrent, its memory."""

    def __init__(self, agent: Agent, num_envs: int, seed: int, deterministic: bool) -> None:
        self._agent = agent
        self._deterministic = deterministic
        device = torch.device(getattr(agent, "device", "cpu"))
        self.generator = torch.Generator(device).manual_seed(seed)
        self.is_apart = device.type != "cpu"
        """The network runs on another device and leaves the CPU to the environments."""
        self.takes_masks = bool(getattr(agent, "takes_action_masks", False))
        """The agent wants to know which actions are allowed."""
        memory = agent.initial_state(num_envs)
        self._memory: tuple[NDArray[Any], ...] = () if memory is None else tuple(np.array(part) for part in memory)

    def __call__(
        self,
        observation: Any,
        slots: NDArray[np.int64],
        starts: NDArray[np.bool_],
        masks: NDArray[np.bool_] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Map observations [B, …] of the environments `slots` to columns [B, …] of the state table, and `action`.

        `starts` [B] says where an episode begins; `masks` [B, A], if the agent takes them, which actions are allowed.
        """
        memory = tuple(part[slots] for part in self._memory) or None
        more: dict[str, Any] = {"action_masks": masks} if self.takes_masks and masks is not None else {}
        step = self._agent.act(observation, memory, starts, self.generator, self._deterministic, **more)
        for kept, new in zip(self._memory, step.state or (), strict=True):
            kept[slots] = new
        return self._columns(step)

    def _columns(self, step: AgentStep) -> dict[str, NDArray[Any]]:
        columns: dict[str, NDArray[Any]] = {"action": step.action, "features": step.features}
        if step.value is not None:
            columns["value"] = step.value
        if step.policy is not None:
            if self._agent.policy_kind == "categorical":
                columns["log_prob"] = torch.from_numpy(step.policy).log_softmax(1).numpy()
            else:
                columns["policy"] = step.policy
        placement = getattr(self._agent, "placement", lambda: None)()
        if placement is not None:
            columns |= {
                "code_index": placement.code_index,
                "code_distance": placement.code_distance,
                "embedding_x": placement.embedding[:, 0],
                "embedding_y": placement.embedding[:, 1],
            }
        return columns

    @property
    def memory(self) -> list[bytes]:
        """The recurrent memory, as bytes."""
        return [part.tobytes() for part in self._memory]

    def restore(self, memory: list[bytes]) -> None:
        """Restore what `memory` was."""
        for part, content in zip(self._memory, memory, strict=True):
            part[:] = np.frombuffer(content, part.dtype).reshape(part.shape)
