"""The agent of a recording: acts in many environments at once, and returns the columns to record.

Axes: N environments, B of them that act together, A actions, P numbers of the policy.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.agents.protocol import FORBIDDEN_LOGIT, Agent, AgentStep
from semantic_rl.errors import UserError

NUMBERS = "biuf"
"""NumPy's kinds of types that hold numbers."""


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
        self._memory = _first_memory(agent.initial_state(num_envs), num_envs)

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
        return self._columns(self.act(observation, slots, starts, masks))

    def act(
        self,
        observation: Any,
        slots: NDArray[np.int64],
        starts: NDArray[np.bool_],
        masks: NDArray[np.bool_] | None = None,
    ) -> AgentStep:
        """Return what the agent does and says, as arrays; like a call otherwise.

        Raises UserError if it returns something else than an AgentStep of arrays, or another state than its first one.
        """
        memory = tuple(part[slots] for part in self._memory) or None
        more: dict[str, Any] = {"action_masks": masks} if self.takes_masks and masks is not None else {}
        step = self._agent.act(observation, memory, starts, self.generator, self._deterministic, **more)
        try:
            action, features, policy, value, state = step.action, step.features, step.policy, step.value, step.state
        except AttributeError:
            fields = ", ".join(AgentStep._fields)
            raise UserError(
                f"agent: its act returns a {type(step).__name__}, expected an AgentStep with {fields}."
            ) from None
        if self._memory or state is not None:
            self._remember(slots, state)
        return AgentStep(
            _array(action, "action"),
            _array(features, "features"),
            None if policy is None else _finite(_array(policy, "policy")),
            None if value is None else _array(value, "value"),
            None,
        )

    def _remember(self, slots: NDArray[np.int64], state: Any) -> None:
        """Keep the state [B, …] after a step."""
        parts: Any = () if state is None else state
        if not isinstance(parts, tuple | list) or len(parts) != len(self._memory):  # pyright: ignore
            had = f"a tuple of {len(self._memory)} parts" if self._memory else "None"
            raise UserError(f"agent: the state after its act is {_in_words(state)}, and its initial_state was {had}.")
        for kept, part in zip(self._memory, parts, strict=True):  # pyright: ignore
            new = _array(part, "state")
            if new.shape != (len(slots), *kept.shape[1:]) or not np.can_cast(new.dtype, kept.dtype, "same_kind"):
                raise UserError(
                    f"agent: the state that its act returns has a part of {new.dtype} of the shape {new.shape} for "
                    f"{len(slots)} states, and its initial_state has {kept.dtype} of {kept.shape} for {len(kept)}."
                )
            kept[slots] = new

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


def _first_memory(state: Any, num_envs: int) -> tuple[NDArray[Any], ...]:
    """Return the initial state of an agent as arrays [N, …] of our own; raises UserError if it is something else."""
    if state is None:
        return ()
    if not isinstance(state, tuple | list):
        raise UserError(
            f"agent: its initial_state returns {_in_words(state)}, expected a tuple of arrays [{num_envs}, …], or None."
        )
    parts = tuple(np.array(_array(part, "initial_state")) for part in state)  # pyright: ignore
    wrong = next((part for part in parts if part.shape[:1] != (num_envs,)), None)
    if wrong is not None:
        raise UserError(
            f"agent: its initial_state returns a part of the shape {wrong.shape} for {num_envs} environments, expected "
            f"[{num_envs}, …]."
        )
    return parts


def _array(value: Any, what: str) -> NDArray[Any]:
    """Return what an agent gives as an array: lists and tensors on the CPU are taken, too."""
    if type(value) is np.ndarray and value.dtype.kind in NUMBERS:
        return value  # pyright: ignore[reportUnknownVariableType]
    try:
        found = np.asarray(value)
    except Exception:  # tensors raise different errors where they need gradients or lie on another device
        found = np.asarray(None)
    if found.dtype.kind not in NUMBERS:
        raise UserError(
            f"agent: its {what} is {_in_words(value)}, expected an array of NumPy that holds numbers; a tensor gives "
            "one by .detach().cpu().numpy()."
        )
    return found


def _in_words(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)} parts"  # pyright: ignore
    return f"a {type(value).__name__}"


def _finite(policy: NDArray[Any]) -> NDArray[Any]:
    """Return a policy's columns without −∞, the logit of an action that is not allowed: tables hold finite numbers."""
    if policy.size and policy.min() != -np.inf:
        return policy
    return np.where(policy == -np.inf, np.float32(FORBIDDEN_LOGIT), policy)
